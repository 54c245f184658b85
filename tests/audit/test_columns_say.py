"""What a column says decides what it is held to."""

import pytest

from bayesdid.audit.run import audit_study
from bayesdid.exceptions import InputError
from bayesdid.families.registry.load import load_study
from smallest import study_with

PANEL = "units = 20\nfirst_period = 2001\nlast_period = 2005\n"


def study(folder, table="", cells="", claims="", more="", panel=PANEL):
    folder.mkdir(exist_ok=True)
    (folder / "study.toml").write_text(study_with(panel, more))
    (folder / "t.toml").write_text(
        f'id = "t"\ntitle = "T"\nkind = "regression"\n{table}\n'
        '[[column]]\nid = "1"\noutcome = "y"\ntreatments = ["active:p"]\n' + cells
    )
    if claims:
        (folder / "claims.toml").write_text(claims)
    return load_study(folder)


def cell(text):
    return f'[column.coefficients]\n"active:p" = {{ {text} }}\n'


def rules(found, severity=None):
    return [f.rule for f in audit_study(found).findings if severity in (None, f.severity)]


@pytest.mark.parametrize(
    ("rows", "n", "found"),
    [
        ("", "73", []),
        ("", "3,000", []),
        ('rows = "differ"', "73", []),
        ('rows = "all"', "100", []),
        ('rows = "all"', "73", ["observations"]),
    ],
)
def test_n_is_evidence_only_where_the_column_says_so(tmp_path, rows, n, found):
    text = f'n = "{n}"\n' + cell('estimate = "0.4", se = "0.3"')
    assert rules(study(tmp_path / "s", rows, text)) == found


@pytest.mark.parametrize(
    ("kind", "inside", "good", "bad"),
    [
        ("se", "(0.18)", "0.42**", "0.42***"),
        ("t", "(2.35)", "0.42**", "0.42***"),
        ("p", "(.020)", "0.42**", "0.42***"),
        ("p", "<.001", "0.42***", None),
        ("interval", "[0.07, 0.77]", "0.42**", "0.42***"),
    ],
)
def test_parentheses_hold_what_the_table_says(tmp_path, kind, inside, good, bad):
    table = f'in_parentheses = "{kind}"\nclusters = 200'
    for k, estimate in enumerate((good, bad)):
        if estimate is not None:
            text = cell(f'estimate = "{estimate}", parentheses = "{inside}"')
            found = rules(study(tmp_path / f"s{k}", table, text), "contradiction")
            assert found == ["stars"] * k, estimate


def test_a_standard_error_where_parentheses_hold_something_else_is_asked_about(tmp_path):
    with pytest.raises(InputError, match="whose parentheses hold t statistics"):
        study(tmp_path / "s", 'in_parentheses = "t"', cell('estimate = "0.42**", se = "2.35"'))


def test_few_clusters_need_a_larger_t_for_a_star(tmp_path):
    """t = 2.3 without a star: p = .07 with six states, .02 with 60 of them."""
    # one mark somewhere, so that the table has a legend
    text = cell('estimate = "0.23", se = "0.10"') + 'constant = { estimate = "9.0*", se = "0.1" }\n'
    legend = 'stars = { "*" = 0.05 }\n'
    assert rules(study(tmp_path / "six", legend + "clusters = 6", text)) == []
    assert rules(study(tmp_path / "unknown", legend, text)) == []
    assert rules(study(tmp_path / "many", legend + "clusters = 60", text), "warning") == ["stars"]


def test_a_table_without_marks_says_nothing_of_significance(tmp_path):
    claim = '[[claim]]\nid = "c"\ntext = "t"\nplace = "p"\ncell = "t.1:active:p"\n'
    text = cell('estimate = "5.0", se = "0.1"')
    assert rules(study(tmp_path / "a", "", text, claim + 'significance = "1%"\n')) == []
    alone = cell('estimate = "5.0"')
    assert rules(study(tmp_path / "b", "", alone, claim + 'significance = "1%"\n')) == []
    found = study(tmp_path / "c", "", text, claim + 'significance = "none"\n')
    assert rules(found, "contradiction") == ["significance"]


@pytest.mark.parametrize(("other", "found"), [("5.0", []), ("5.0***", ["stars"])])
def test_a_table_that_marks_no_constant_says_nothing_of_constants(tmp_path, other, found):
    law = '"active:p" = { estimate = "0.9***", se = "0.1" }\n'
    text = f'[column.coefficients]\n{law}constant = {{ estimate = "6.3", se = "0.1" }}\n'
    text += (
        '[[column]]\nid = "2"\noutcome = "y"\ntreatments = ["active:p"]\n[column.coefficients]\n'
    )
    text += f'{law}constant = {{ estimate = "{other}", se = "0.1" }}\n'
    legend = 'stars = { "***" = 0.01 }\nclusters = 200'
    report = audit_study(study(tmp_path / "s", legend, text))
    assert [(f.rule, f.place) for f in report.findings] == [(r, "t.1:constant") for r in found]


@pytest.mark.parametrize("mark", ["+", "†", "‡", "a"])
def test_any_legend(tmp_path, mark):
    legend = f'stars = {{ "{mark}" = 0.05 }}'
    assert not rules(study(tmp_path / "a", legend, cell(f'estimate = "0.3{mark}", se = "0.1"')))
    found = study(tmp_path / "b", legend, cell(f'estimate = "0.10{mark}", se = "0.10"'))
    assert rules(found, "contradiction") == ["stars"]
    with pytest.raises(InputError, match=r"not in the legend"):
        study(tmp_path / "c", 'stars = { "*" = 0.05 }', cell(f'estimate = "1{mark}", se = "1"'))


def test_odds_ratios_are_tested_against_one(tmp_path):
    """An odds ratio of 0.98 (0.10) is no effect, and 0.98 / 0.10 would be nine standard errors."""
    table, text = 'printed_as = "ratio"', cell('estimate = "0.98***", se = "0.10"')
    assert rules(study(tmp_path / "a", table, text), "contradiction") == ["stars"]
    claim = '[[claim]]\nid = "c"\ntext = "t"\nplace = "p"\ncell = "t.1:active:p"\n'
    text = cell('estimate = "0.50***", se = "0.05"')
    found = study(tmp_path / "b", table, text, claim + 'direction = "negative"\n')
    assert rules(found) == []


def test_columns_with_other_labels_are_not_one_regression(tmp_path):
    first = 'n = "70"\n' + cell('estimate = "0.4", se = "0.3"')
    head = '[[column]]\nid = "2"\noutcome = "y"\ntreatments = ["active:p"]\nn = "70"\n'
    second = cell('estimate = "0.9", se = "0.3"')
    assert rules(study(tmp_path / "a", "", first + head + second)) == ["repeated"]
    for k, said in enumerate(('labels = { Trends = "Yes" }\n', 'rows = "differ"\n')):
        assert rules(study(tmp_path / f"b{k}", "", first + head + said + second)) == []


@pytest.mark.parametrize(
    ("panel", "more", "claims", "words"),
    [
        ("units = -5\n", "", "", "panel.units"),
        ("first_period = 2005\nlast_period = 2001\n", "", "", "first_period 2005 is after"),
        ("", "[synergy]\nrope = nan\n", "", "synergy.rope"),
        ("", "[synergy]\nrope = -1\n", "", "synergy.rope"),
        ("", '[stars]\n"*" = -1\n', "", "stars"),
        ("", '[stars]\n"banana" = 0.1\n', "", "no mark of significance"),
        ("", "[design]\nnone = -1\n", "", "design.none"),
        ("", "[design]\nonly = { q = 3 }\n", "", "names no policy"),
        ("", "[design]\nfirst = { q = 3 }\n", "", "names no policy"),
        ("", "", 'significance = "banana"\n', "significance"),
        ("", "", '[[claim]]\nid = "c"\ntext = "t"\nplace = "p"\n', "two claims have the id c"),
    ],
)
def test_typos_are_the_typists(tmp_path, panel, more, claims, words):
    head = '[[claim]]\nid = "c"\ntext = "t"\nplace = "p"\n'
    with pytest.raises(InputError) as caught:
        study(tmp_path / "s", "", cell('estimate = "1"'), head + claims, more, panel)
    assert words in str(caught.value)
    assert ".toml" in str(caught.value)


NEXT = """[[column]]
id = "{id}"
outcome = "y"
treatments = ["active:p"]
covariates = ["x"]
n = "{n}"
r2 = "{r2}"
{more}
"""


@pytest.mark.parametrize(
    ("second", "found"),
    [
        ({}, ["warning"]),
        ({"more": 'same_sample_as = ["t.1"]'}, ["contradiction"]),
        ({"r2": "0.42"}, []),
        ({"n": "74"}, []),  # other rows
        ({"more": 'rows = "differ"'}, []),
        ({"more": 'label = "Men"'}, []),
        ({"more": 'labels = { "City effects" = "Yes" }'}, []),
        ({"before": NEXT.format(id="0", n="90", r2="0.2", more="")}, []),  # not beside it
    ],
)
def test_r_squared_falls_from_one_column_to_the_next(tmp_path, second, found):
    """Where nothing says that the rows are the same, one n of neighbours does, for a warning."""
    more = {"id": "2", "n": "73", "r2": "0.31", "more": ""} | second
    text = 'n = "73"\nr2 = "0.40"\n' + more.pop("before", "") + NEXT.format(**more)
    report = audit_study(study(tmp_path / "s", "", text))
    assert [item.severity for item in report.findings if item.rule == "r_squared"] == found
