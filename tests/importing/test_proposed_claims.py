"""Sentences are proposed with the cell that they are about, or as comments where several fit."""

import tomllib

from bayesdid.audit.run import audit_study
from bayesdid.importing.folder import import_study
from bayesdid.importing.prose import listings, sentences
from bayesdid.study.load import read_study

TABLE = """
| Variables | (1) | (2) | (3) | (4) |
|---|---|---|---|---|
| New law | -0.576*** | -0.376*** | -0.698*** | -0.388*** |
| | (0.081) | (0.068) | (0.074) | (0.092) |
| Income | 0.493* | 0.565** | 0.085 | 0.055 |
| | (0.260) | (0.262) | (0.302) | (0.435) |
| Observations | 400 | 400 | 300 | 300 |

"""


def claims(tmp_path, text):
    path = tmp_path / "a.md"
    path.write_text(TABLE + text, encoding="utf-8")
    import_study(path, tmp_path / "s")
    file = tmp_path / "s" / "claims.toml"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return tomllib.loads(text).get("claim", []), text


def test_a_level_is_of_the_row_and_the_column_that_a_sentence_names(tmp_path):
    found, _ = claims(
        tmp_path,
        "As Table 1, column (3), shows, the effect of the new law is negative and significant at "
        "the 1% level. In column (1) of Table 1 income is positive and significant at the 10% "
        "level.",
    )
    assert [(c["cell"], c["significance"], c["direction"]) for c in found] == [
        ("table1.3:New_law", "1%", "negative"),
        ("table1.1:Income", "10%", "positive"),
    ]


def test_what_is_not_significant_is_of_one_column_only(tmp_path):
    found, text = claims(
        tmp_path,
        "Table 1, column (4), shows no significant effect of income. "
        "Columns (1) to (4) show no significant effect of income in some.",
    )
    assert [(c["cell"], c["significance"]) for c in found] == [("table1.4:Income", "none")]
    assert text.count("# cell = ") == 4


def test_numbers_are_matched_in_the_units_of_the_text(tmp_path):
    found, _ = claims(tmp_path, "Table 1 gives 69.8 fewer deaths under the new law.")
    assert [(c["value"], c["cell"], c["scale"]) for c in found] == [
        ("69.8", "table1.3:New_law", 100)
    ]


def test_numbers_listed_for_columns_find_the_one_that_is_misprinted(tmp_path):
    found, _ = claims(
        tmp_path,
        "Columns (1) to (4) of Table 1 show it. Deaths fall by 57.6 under the new law, by 36.7 in "
        "others, and by 69.8 in both. Against the rest they fall by 38.8.",
    )
    assert {(c["value"], c["cell"]) for c in found} >= {("36.7", "table1.2:New_law")}
    report = audit_study(read_study(tmp_path / "s"))
    wrong = [f for f in report.findings if f.severity == "contradiction"]
    assert [f.rule for f in wrong] == ["values"]
    assert "36.7" in wrong[0].text


def test_a_list_of_other_length_is_no_list():
    said = sentences(["Columns (1) to (3) of Table 2 show it. They are 57.6 and 36.7."])
    assert not listings(said)
    (one,) = listings(sentences(["Columns (1) to (2) of Table 2 show it. They are 57.6 and 36.7."]))
    assert (one.table, one.columns, one.numbers) == ("2", ("1", "2"), ("57.6", "36.7"))


def test_a_sentence_without_a_table_or_with_two_levels_claims_nothing_for_sure(tmp_path):
    found, _ = claims(
        tmp_path,
        "The effect is significant at the 1% level. In Table 1, columns (1) and (2), the law is "
        "significant at the 1% level and income significant at the 10% level.",
    )
    assert not found
