"""Tables as journals and programs print them come in whole: made numbers in 92 layouts.

``as_printed/truth.txt`` has, for each file, the parts of its cells and the numbers of each row,
column by column: ``x: 0.12 0.04 | 0.20 0.05``.
"""

from collections import defaultdict
from pathlib import Path

import pytest
from r_programs import ONE, compared, findings, key

from bayesdid.exceptions import InputError
from bayesdid.importing.folder import import_study
from bayesdid.importing.read import read_document
from bayesdid.importing.table import SURE
from bayesdid.importing.understand import understand

FOLDER = Path(__file__).parent / "as_printed"


def truths():
    found = defaultdict(dict)
    for line in (FOLDER / "truth.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name, _, parts = line[1:].partition("] ")
            found[name].clear()
            continue
        label, _, cells = line.partition(": ")
        for j, cell in enumerate(cells.split("|")):
            row = ("",) if label in ONE else (key(label),)
            names = [label] if label in ONE else parts.split()
            if label.startswith("= "):  # a statistic
                names = ["statistic"]
            for part, text in zip(names, cell.split(), strict=False):
                if text != ".":
                    found[name][(j, *row, part)] = float(text)
    return found


TRUTHS = truths()
NOTHING = {"f_tests.md", "balance.html", "correlations.md", "crosstab.html"}


def tables(name):
    return understand(read_document(FOLDER / name)).tables


@pytest.mark.parametrize("name", sorted(set(TRUTHS) - NOTHING))
def test_every_number_in_its_cell_and_no_false_finding(name):
    assert TRUTHS[name]
    assert compared(FOLDER / name, TRUTHS[name]) == ([], [])
    assert findings(FOLDER / name) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("f_tests.md", "joint significance: test statistics and their p-values are no estimates"),
        ("balance.html", "means of groups, with no errors beside their differences"),
        ("correlations.md", "Correlations: correlations of variables are no estimates"),
        ("crosstab.html", "its numbers have no errors, t, p or intervals below or beside them"),
    ],
)
def test_what_holds_no_estimates_is_set_aside_with_why(name, why, tmp_path):
    with pytest.raises(InputError, match=why):
        import_study(FOLDER / name, tmp_path / "alone")
    text = (FOLDER / "bare.md").read_text(encoding="utf-8")
    both = tmp_path / "both.md"
    both.write_text(f"{(FOLDER / name).read_text(encoding='utf-8')}\n\n{text}", encoding="utf-8")
    made = import_study(both, tmp_path / "study")
    assert made.tables == {"table8": 10}
    assert [why in sentence for sentence in made.left_out] == [True]


def test_coefficients_with_nothing_beside_them_are_never_certain():
    (table,) = tables("bare.md")
    cells = [c for row in table.rows if row.role == "estimate" for c in row.cells.values()]
    assert len(cells) == 6
    assert all(cell.confidence < SURE for cell in cells)


def test_short_rows_of_several_models_are_placed_and_marked():
    (table,) = tables("pasted_short.txt")
    cells = {row.label: row.cells for row in table.rows}
    assert cells["Road density"][1].confidence < SURE
    assert cells["Constant"][1].confidence == 1
    assert [column.id for column in table.columns] == ["1", "2"]


def test_r2_tells_where_a_regressor_enters():
    """Columns (2) and (3) have nearly the same rows; R2 is .219 and .301."""
    (table,) = tables("jpe_pasted.txt")
    schooling = next(row for row in table.rows if row.label == "Years of schooling")
    assert list(schooling.cells) == [2]
    assert schooling.cells[2].confidence < SURE
    assert {column.outcome for column in table.columns} == {"Log Weekly Wage"}


def test_chinese_tables_say_what_their_columns_are():
    (table,) = tables("cn_baseline.md")
    assert (table.id, table.in_parentheses) == ("table3", "t")
    assert table.in_parentheses_why == "the notes say so"
    assert table.stars == {"***": 0.01, "**": 0.05, "*": 0.1}
    assert [column.labels["控制变量"] for column in table.columns] == ["No", "Yes", "No", "Yes"]
    (table,) = tables("cn_mechanism.xlsx")
    assert [column.outcome for column in table.columns] == ["劳动生产率", "劳动生产率", "研发投入"]
    assert table.se_kind == "clustered"


def test_marks_of_three_kinds_have_their_levels():
    (table,) = tables("daggers.html")
    assert table.stars == {"†": 0.1, "‡": 0.05, "§": 0.01}


def test_letters_that_name_notes_are_no_part_of_a_heading():
    (table,) = tables("jama_or.html")
    assert [column.heads for column in table.columns] == [("Unadjusted",), ("Adjusted",)]


SUSPECT = """| | (1) | (2) | Mean (SD) |
|---|---|---|---|
| x | 0.412*** | 0.392*** | 1.204 |
| | (0.050) | (0.060) | (0.512) |
| z 0.41 | 0.101 | 0.112 | |
| | (0.060) | (0.070) | |
| law | 0.200** | 0.210** | |
| | (0.090) | (0.100) | |
| law | 0.210** | 0.230** | |
| | (0.090) | (0.100) | |
| Mean difference 1 | 0.310** | 0.330** | |
| | (0.140) | (0.150) | |
"""


def test_what_looks_misplaced_is_marked_with_why(tmp_path):
    (tmp_path / "t.md").write_text(SUSPECT, encoding="utf-8")
    (table,) = understand(read_document(tmp_path / "t.md")).tables
    rows = [row for row in table.rows if row.role == "estimate"]
    assert [(row.cells[0].why, row.below[0].confidence < SURE) for row in rows] == [
        ("", False),
        ("a number stands in its label", True),
        ("its label comes twice in this column", True),
        ("its label comes twice in this column", True),
        ("", False),
    ]
    assert rows[0].cells[2].why == "its heading names means"


def test_bands_of_event_times_have_no_marks():
    _, table = tables("aggte_dynamic.txt")
    assert [row.label for row in table.rows] == ["-2", "0", "1"]
    assert not any("*" in cell.text for row in table.rows for cell in row.cells.values())


def test_a_legend_below_coefficients_of_a_program_is_kept(tmp_path):
    text = (FOLDER / "gretl.txt").read_text(encoding="utf-8")
    (tmp_path / "t.txt").write_text(f"{text}\n* p<0.05, ** p<0.01, *** p<0.001\n", encoding="utf-8")
    (table,) = understand(read_document(tmp_path / "t.txt")).tables
    assert table.stars == {"*": 0.05, "**": 0.01, "***": 0.001}
    assert table.columns[0].outcome == "mrall"
