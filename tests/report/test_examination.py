"""The report's examination: what is in results.json stands on the page, and is linked."""

import re

import pytest
from panels import make_design

import bayesdid as bd
from bayesdid.checks.chains import ESS, RHAT
from bayesdid.checks.check import CheckResult, inapplicable
from bayesdid.checks.figure import Figure, Series
from bayesdid.checks.predictive import FALSE_ALARM
from bayesdid.checks.prior import CONFLICT, CONTRACTION
from bayesdid.checks.standards import standards
from bayesdid.jsonio import plain
from bayesdid.model.bound import model as bind
from bayesdid.report.document.blocks import Document, Section
from bayesdid.report.document.html import to_html
from bayesdid.report.document.numbering import places
from bayesdid.report.examination_results import nothing_examined
from bayesdid.report.sections.examination import TITLES, examination


@pytest.fixture(scope="module")
def page():
    import pandas as pd

    fit = bd.fit(bind(make_design(1, N=10, T=5), errors="iid"), draws=50)
    figure = Figure("overlay", "curve", "Where lines lie", (_series(),), "x", "y")
    checks = (
        CheckResult(
            "overlay",
            False,
            pd.DataFrame({"unit": "17", "k": range(20), "low89": 0.1, "limit": 0.7}).assign(
                label="Ohio"
            ),
            "Too <wide>.",
            figure,
            "bad",
            "fix",
        ),
        CheckResult("loo", True, pd.DataFrame(), "all is well.", None, "worse", "other"),
        inapplicable("spatial_dependence", "nobody is a neighbour"),
    )
    part = examination(
        {
            "synthetic": "",
            "claims": [],
            "sums": [],
            "doses": [],
            "headline": {"contrasts": {}},
            "published": None,
            "outcome": {"unit": "u"},
            "examination": {
                "of": "the model",
                "equation": fit.equation,
                "results": plain(checks),
                "standards": plain(standards(fit, checks)),
                "failed": "",
            },
        }
    )
    said = "1 pass, 1 fail, 1 give no verdict. Failing: Is the outcome"
    assert said in part.main[0].text
    document = Document("t", (Section("examination", part.title, part.more),))
    found = places({"supplement.html": ("S", document)})
    return to_html(document, "supplement.html", found, other=("x", "y"))


def test_tables_of_checks_have_names_of_units_and_words_of_readers(page):
    head = re.search(r"<thead><tr>(.*?)</tr></thead><tbody><tr>(.*?)</tr>", page)
    columns, first = (re.findall(r"<t[hd][^>]*>([^<]*)", part) for part in head.groups())
    assert columns == ["unit", "Pareto k", "89\N{NO-BREAK SPACE}% low", "fails below"]
    assert first[0] == "Ohio"


def test_the_model_is_a_line_each_and_its_equation_one_cell_of_a_standard(page):
    lines = re.search(r'<ul class="formulas">(.*?)</ul>', page)[1]
    assert lines.startswith("<li>y<sub>it</sub> = μ<sub>it</sub> + e<sub>it</sub></li><li>")
    cell = re.search(r"formal specification</th><td[^>]*>[^<]*</td><td[^>]*>(.*?)</td>", page)[1]
    assert cell.startswith("y<sub>it</sub> = μ<sub>it</sub> + e<sub>it</sub>; μ<sub>it</sub>")


def _series():
    x = [float(k) for k in range(8)]
    return Series("observed", x, x, x, x)


def test_every_check_stands_with_its_verdict_and_what_failing_means(page):
    text = re.sub(r"<svg.*?</svg>", "", page, flags=re.S)
    assert f"{TITLES['overlay']} Fails" in text
    assert f"{TITLES['loo']} Passes" in text
    assert f"{TITLES['spatial_dependence']} No verdict" in text
    assert text.count("</b> Too &lt;wide&gt;.") == 1  # in the caption of its figure
    assert "<p>All is well.</p>" in text
    assert "<p>Too" not in text
    assert "Failing means: bad." in text
    assert "What can be done about it: fix." in text
    assert "If it failed: other." in text
    assert "8 more rows are in results.json" in text
    assert page.count("<svg") == 1


def test_every_link_has_its_place(page):
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page))
    assert "check-overlay" in targets
    assert {"standard-barg", "standard-wambs", "standard-workflow"} <= set(
        re.findall(r'id="([^"]+)"', page)
    )


def test_the_documentation_lists_every_check_and_its_limits(root):
    text = (root / "docs" / "checks.md").read_text(encoding="utf-8")
    rows = [row.partition("|")[0] for row in text.split("\n| ")[1:] if row.startswith("`")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(TITLES)
    assert f"R-hat ({RHAT:g}), effective sizes ({ESS:g})" in text
    assert (CONTRACTION, f"contradicts the data ({CONFLICT:.2f} prior sds)" in text) == (0.5, True)
    assert FALSE_ALARM == 0.01


def test_nothing_is_shown_where_nothing_was_examined():
    found = {"synthetic": "", "examination": nothing_examined("no spec was fitted")}
    assert examination(found) is None
