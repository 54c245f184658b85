"""Labels on two lines, cells on lines of their own, and correlations beside means."""

from pathlib import Path

import pytest

from bayesdid.importing.grid import Grid
from bayesdid.importing.lay import lay
from bayesdid.importing.moments import moments_of
from bayesdid.importing.pandoc import pipes
from bayesdid.importing.pasted import labelled
from bayesdid.importing.read import read_document
from bayesdid.importing.stacked import read_stacked
from bayesdid.importing.table import SURE
from bayesdid.importing.text import read_text
from bayesdid.importing.understand import understand
from bayesdid.importing.words import r2_kind_of, role_of
from bayesdid.importing.wrapped import unwrapped

PRINTED = Path(__file__).parent / "as_printed"


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("Distance to", "market", True),  # no label ends so
        ("Distance ×", "Law", True),
        ("Mother has completed", "school", True),  # `school` would be longer than any label
        ("Mother has", "school", False),  # it would not: `Mother has school` is no longer
        ("Mother has completed", "School", False),
        ("Panel B: of", "market", False),
    ],
)
def test_a_label_of_two_lines_is_one(first, second, joined):
    rows = (
        ("Treatment by the law", "0.1", "0.2"),
        ("", "(0.1)", "(0.1)"),
        (first, "", ""),
        (second, "0.3", "0.4"),
    )
    labels = [row[0] for row in unwrapped(Grid(rows)).rows]
    assert (f"{first} {second}" in labels) == joined
    assert (first in labels) != joined


def test_variables_in_lower_case_below_a_heading_are_not_part_of_it():
    rows = (("Effects on the labour market", "", ""), ("treat", "0.1", ""), ("post", "0.3", ""))
    assert unwrapped(Grid(rows)).rows == rows


HEAD = ("Variable", "Mean", "SD", "1", "2", "3")
MEANS = [("x", "0.5", "0.1"), ("y", "2.0", "0.4"), ("z", "3.1", "0.2")]


@pytest.mark.parametrize(
    ("shares", "moments"),
    [
        ((("1", "", ""), ("0.2*", "1", ""), ("-0.3", "0.1*", "1")), True),
        ((("–", "", ""), ("0.2*", "–", ""), ("-0.3", "0.1*", "–")), True),
        ((("", "", ""), ("0.2*", "", ""), ("-0.3", "0.1*", "")), True),
        ((("1.00", "0.2*", "-0.3"), ("", "1.00", "0.1*"), ("", "", "1.00")), True),
        ((("", "", ""), ("1.2*", "", ""), ("-0.3", "0.1*", "")), False),  # above one
        ((("0.1*", "0.2*", "0.2"), ("0.2*", "0.3", "0.1"), ("0.1", "0.1", "0.2*")), False),
    ],
)
def test_correlations_beside_means_leave_a_table_of_moments(shares, moments):
    rows = (HEAD, *((*mean, *share) for mean, share in zip(MEANS, shares, strict=True)))
    found = moments_of(Grid(rows))
    assert (found is not None) == moments
    if found:
        assert [row.label for row in found] == ["x", "y", "z"]
        assert [[c.text for c in row.cells.values()] for row in found] == [
            list(mean[1:]) for mean in MEANS
        ]


def test_a_category_said_once_hides_no_variable():
    (table,) = understand(read_document(PRINTED / "cn_categories.xlsx")).tables
    assert [row.label for row in table.rows][:2] == ["碳排放强度", "全要素生产率"]


def test_a_row_of_observations_is_n_of_each_group():
    rows = (
        ("", "Treated", "Treated", "Control", "Control"),
        ("", "Mean", "SD", "Mean", "SD"),
        ("Age", "4.12", "1.10", "4.55", "1.20"),
        ("Observations", "4,120", "", "5,880", ""),
    )
    found = moments_of(Grid(rows))
    assert [(row.label, [c.text for c in row.cells.values()]) for row in found] == [
        ("Age: Treated", ["4.12", "1.10", "4,120"]),
        ("Age: Control", ["4.55", "1.20", "5,880"]),
    ]


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("r2_a", "adjusted"),
        ("Adj. R2", "adjusted"),
        ("调整R2", "adjusted"),
        ("r2_w", "within"),
        ("组内R2", "within"),
        ("R2", ""),
    ],
)
def test_names_of_r2(label, kind):
    assert (role_of(label), r2_kind_of(label)) == ("r2", kind)
    assert role_of("r2_apart") is None


def stacked(*parts):
    return "\n".join(" ".join(parts).replace("_", "\0").split()).replace("\0", " ")


def test_cells_on_lines_of_their_own_below_headings_or_above_them():
    body = "Law_x_post 0.12** 0.15 (0.05) (0.11) Age 0.02 (0.01) N 1,200 1,180 FE Yes No"
    after = read_stacked(stacked("Table_1 (1) (2) Wage Hours", body).split("\n"))
    before = read_stacked(stacked("Table_1 Wage Hours (1) (2)", body).split("\n"))
    assert after is not None
    assert before is not None
    rows = after.grids[0].rows
    assert rows[1:4] == (
        ("", "Wage", "Hours"),
        ("Law x post", "0.12**", "0.15"),
        ("(0.05)", "(0.11)", ""),
    )
    assert ("Age", "0.02", "") in rows
    assert rows[-2:] == (("N", "1,200", "1,180"), ("FE", "Yes", "No"))
    assert sorted(before.grids[0].rows) == sorted(rows)
    assert before.grids[0].title == after.grids[0].title == "Table 1"


def test_a_text_of_other_lines_is_not_taken_for_cells():
    assert read_stacked(["(1)", "(2)", "we find", "an effect", "of", "0.12"]) is None
    assert read_stacked(["x 0.1 0.2", "(0.1) (0.1)"]) is None


def test_rows_of_pipes_need_no_outer_ones():
    assert pipes("x | 0.1 | 0.2") == ["x ", " 0.1 ", " 0.2"]
    assert pipes("Figure 4| Variable | b |") == [" Variable ", " b "]
    text = "x | (1) | (2)\n--|--|--\nlaw | 0.1** | 0.3\nage | 0.2** | 0.1\n"
    assert read_text(text).grids[0].rows[1] == ("law", "0.1**", "0.3")


@pytest.mark.parametrize(
    ("line", "below", "label"),
    [
        ("Law × phase 2 0.12** 0.31", "(0.05) (0.20)", "Law × phase 2"),
        ("Law × phase 2 0.12** 0.31", "(0.05) (0.20) (0.10)", "Law × phase"),
        ("Law × phase 2 0.12** 0.31", "Age 0.5 0.4", "Law × phase"),
        ("Base 0 0.12** 0.31", "(0.05) (0.20)", "Base"),  # a category that is left out
        ("Age 0.02 0.12** 0.31", "(0.05) (0.20)", "Age"),  # an error was lost
    ],
)
def test_a_whole_number_without_a_bracket_below_is_the_labels(line, below, label):
    assert labelled(line, below)[0] == label


def test_a_row_of_more_numbers_than_columns_begins_with_its_labels():
    text = "(1) (2)\nLaw 0.12 0.31\n(0.05) (0.20)\nRows in 2010 120 118\nObservations 1,200 1,180\n"
    (grid,) = read_text(text).grids
    lines = {line.label: line.texts for line in lay(grid).body}
    assert lines["Rows in 2010"] == ["120", "118"]
    assert lines["Observations"] == ["1,200", "1,180"]


def test_numbers_below_the_last_estimate_with_an_error_are_marked_statistics(tmp_path):
    text = """| | (1) | (2) |
|---|---|---|
| Law | 0.41*** | 0.38*** |
| | (0.05) | (0.06) |
| Elasticity | 0.12 | 0.11 |
| Observations | 900 | 890 |
"""
    (tmp_path / "t.md").write_text(text, encoding="utf-8")
    (table,) = understand(read_document(tmp_path / "t.md")).tables
    row = next(row for row in table.rows if row.label == "Elasticity")
    assert row.role == "statistic"
    assert row.why == "nothing stands below it"
    assert all(cell.confidence < SURE for cell in row.cells.values())
    marked = text.replace("0.12 |", "0.12** |")
    (tmp_path / "t.md").write_text(marked, encoding="utf-8")
    (table,) = understand(read_document(tmp_path / "t.md")).tables
    assert next(row for row in table.rows if row.label == "Elasticity").role == "estimate"


def test_a_control_stands_where_the_row_of_controls_says_so():
    (table,) = understand(read_document(PRINTED / "cn_psm_pasted.txt")).tables
    row = next(row for row in table.rows if row.label == "资产负债率")
    assert list(row.cells) == [1, 2, 4]
    assert all(cell.confidence < SURE for cell in row.cells.values())
    assert "the row that says where controls are" in table.doubts[0]
