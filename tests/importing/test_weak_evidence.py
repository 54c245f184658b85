"""Numbers that weak evidence places are marked; headings and sections of published tables."""

from pathlib import Path

import pytest

from bayesdid.importing.read import read_document
from bayesdid.importing.table import SURE
from bayesdid.importing.understand import understand

FOLDER = Path(__file__).parent / "as_printed"
HABIT = "its column was lost; placed by what tables mostly do"


def tables(path):
    return understand(read_document(path)).tables


def read(tmp_path, text, name="t.txt"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    (table,) = tables(tmp_path / name)
    return table


def rows_of(table):
    return {row.label: row for row in table.rows}


def texts(row):
    return {j: (cell.text, row.below[j].text) for j, cell in row.cells.items()}


def test_rows_that_go_alike_are_one_habit_and_not_several():
    """Three rows of three numbers in seven columns, the last of which they do not stand in."""
    (table,) = tables(FOLDER / "textbook_pasted.txt")
    rows = rows_of(table)
    assert {cell.confidence for cell in rows["Beer tax"].cells.values()} == {1}
    assert {cell.why for cell in rows["Drinking age 18"].cells.values()} == {HABIT}
    lost = [row for row in table.rows if row.role == "estimate" and row.label != "Beer tax"]
    cells = [cell for row in lost for cell in (*row.cells.values(), *row.below.values())]
    assert len(cells) == 2 * 24
    assert all(cell.confidence < SURE and cell.why for cell in cells)
    assert table.stars == {"+": 0.1, "*": 0.05, "**": 0.01}
    assert {column.outcome for column in table.columns} == {"traffic fatality rate"}


NAMED_ERRORS = """Table 1 Effects of the law on log wages
(1) (2) (3)
Treat 0.12** 0.13** 0.15**
SE (0.05) (0.05) (0.06)
Age 0.03* 0.04*
SE (0.018) (0.022)
N 1000 1000 1000
"""


def test_a_short_row_above_errors_with_a_label_lost_its_columns(tmp_path):
    table = read(tmp_path, NAMED_ERRORS)
    age = rows_of(table)["Age"]
    assert [cell.text for cell in age.cells.values()] == ["0.03*", "0.04*"]
    assert all(cell.confidence < SURE for cell in (*age.cells.values(), *age.below.values()))
    assert [(column.id, column.heads) for column in table.columns] == [(k, ()) for k in "123"]


def test_full_rows_of_the_same_table_are_certain(tmp_path):
    full = NAMED_ERRORS.replace("0.04*\n", "0.04* 0.01\n").replace("(0.022)", "(0.022) (0.02)")
    table = read(tmp_path, full)
    assert texts(rows_of(table)["Age"]) == {
        0: ("0.03*", "(0.018)"),
        1: ("0.04*", "(0.022)"),
        2: ("0.01", "(0.02)"),
    }
    assert all(c.confidence == 1 for row in table.rows for c in row.cells.values())
    assert [(column.id, column.heads) for column in table.columns] == [(k, ()) for k in "123"]


def test_a_number_that_ends_a_label_is_none_beside_brackets(tmp_path):
    table = read(
        tmp_path,
        "Table 5 Effects of the law on log wages\n(1) (2)\nTreat 0.12 (0.05) 0.13 (0.05)\n"
        "Phase 2 0.03 (0.018) 0.04 (0.022)\nN 1000 1000\n",
    )
    assert texts(rows_of(table)["Phase 2"]) == {0: ("0.03", "(0.018)"), 1: ("0.04", "(0.022)")}


def test_dashes_of_pasted_text_are_empty_cells():
    (table,) = tables(FOLDER / "dashes_pasted.txt")
    rows = rows_of(table)
    assert sorted(rows["1. New Jersey dummy"].cells) == [0, 1]
    assert sorted(rows["2. Initial wage gap"].cells) == [2, 3, 4]
    assert [column.id for column in table.columns] == list("12345")
    assert {column.outcome for column in table.columns} == {"change in FTE employment"}


def test_sections_of_xsmle_are_lags_and_impacts():
    (table,) = tables(FOLDER / "xsmle_sections.csv")
    assert [(row.label, row.part) for row in table.rows if row.label.endswith("did")] == [
        ("did", "coefficient"),
        ("W × did", "lag"),
        ("Direct: did", "direct"),
        ("Indirect: did", "indirect"),
        ("Total: did", "total"),
    ]


def test_estimates_below_words_have_the_label_of_these():
    (table,) = tables(FOLDER / "group_time.tex")
    rows = [row for row in table.rows if row.role == "estimate"]
    assert [row.label for row in rows[2:]] == ["Group-Specific Effects", "Event Study"]


def test_estimates_without_a_label_are_marked(tmp_path):
    table = read(
        tmp_path,
        "| | (1) | (2) |\n|---|---|---|\n| law | 0.20** | 0.21** |\n| | (0.09) | (0.10) |\n"
        "| | 0.30** | 0.31** |\n| | (0.11) | (0.12) |\n",
        "t.md",
    )
    last = [row for row in table.rows if row.role == "estimate"][-1]
    assert {cell.why for cell in last.cells.values()} == {"it has no label"}


SPECIFIED = """| | Share of wages | | | Hours | | |
|---|---|---|---|---|---|---|
| | Baseline | Weighted | Drop NY | Baseline | Weighted | Drop NY |
| Law | 0.20** | 0.21** | 0.22** | 0.23** | 0.24** | 0.25** |
| | (0.09) | (0.10) | (0.10) | (0.10) | (0.11) | (0.11) |
"""


@pytest.mark.parametrize(
    ("text", "outcomes"),
    [
        (SPECIFIED, ["Share of wages"] * 3 + ["Hours"] * 3),
        # other names below the second outcome: these are no specifications of both
        (
            SPECIFIED.replace("Weighted | Drop NY |\n", "Weighted | Exports |\n"),
            ["Share of wages", "Share of wages", "Drop NY", "Hours", "Hours", "Exports"],
        ),
        (
            "| | Log employment | Log employment |\n|---|---|---|\n| | Implied contract | "
            "Public policy |\n| Law | 0.20** | 0.21** |\n| | (0.09) | (0.10) |\n",
            ["Log employment"] * 2,
        ),
        (
            "| | Effects | Effects |\n|---|---|---|\n| | Exports | Log wages |\n"
            "| Law | 0.20** | 0.21** |\n| | (0.09) | (0.10) |\n",
            ["Exports", "Log wages"],
        ),
    ],
)
def test_outcomes_stand_above_specifications(text, outcomes, tmp_path):
    assert [column.outcome for column in read(tmp_path, text, "t.md").columns] == outcomes


def test_outcomes_in_brackets_and_titles_with_roman_numbers():
    (table,) = tables(FOLDER / "logs_pasted.txt")
    assert table.title.startswith("TABLE IV PANEL-DATA ESTIMATES")
    assert [column.outcome for column in table.columns] == [
        f"ln({name} per capita)"
        for name in ("Violent crime", "Property crime", "Murder")
        for _ in range(2)
    ]


UNSAID = """| | (1) | (2) |
|---|---|---|
| law | 0.200 | 0.210 |
| | (2.220) | (2.100) |
"""


@pytest.mark.parametrize(
    ("text", "whys"),
    [
        (UNSAID, {"nothing says what its brackets hold"}),
        (f"{UNSAID}\nNotes: t statistics in parentheses.\n", {""}),
        (UNSAID.replace("0.200", "0.200**"), {""}),
    ],
)
def test_brackets_are_marked_where_neither_words_nor_marks_tell_their_kind(text, whys, tmp_path):
    (row,) = (row for row in read(tmp_path, text, "t.md").rows if row.role == "estimate")
    assert {cell.why for cell in row.below.values()} == whys
    assert {cell.confidence < SURE for cell in row.below.values()} == {whys != {""}}
    assert {cell.confidence for cell in row.cells.values()} == {1}


def test_brackets_that_are_fewer_than_their_estimates_are_marked(tmp_path):
    text = """Table 1: Wages
(1) (2) (3)
Law 0.20 0.30 0.40
(0.05) (0.06)
Constant 1.20 1.30 1.40
(0.15) (0.16) (0.17)
N 300 300 300
"""
    file = tmp_path / "few.txt"
    file.write_text(text, encoding="utf-8")
    (table,) = understand(read_document(file)).tables
    law = next(row for row in table.rows if row.label == "Law")
    assert [cell.text for cell in law.cells.values()] == ["0.20", "0.30", "0.40"]
    assert [round(cell.confidence, 2) for cell in law.below.values()] == [0.33, 0.33]
    assert {cell.why for cell in law.below.values()} == {"its column was lost"}
