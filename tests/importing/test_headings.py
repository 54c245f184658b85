"""What headings and labels say: outcomes below strokes, products, titles, what splits columns."""

import pytest

from bayesdid.importing.read import read_document
from bayesdid.importing.understand import understand

STROKES = """Table 4: Visits

                               (1)         (2)         (3)         (4)
                                   All visits               Avoidable visits
                               -------------------    ------------------------
Practice                     -0.0312**  -0.0287**    -0.0514***  -0.0498***
                              (0.0131)   (0.0127)     (0.0163)    (0.0158)
Observations                    1,122      1,122        1,122               1,122
Clusters                           51         51           51                        51

Notes: Standard errors in parentheses.
"""


def read(folder, name, text):
    file = folder / name
    file.write_text(text, encoding="utf-8")
    (table,) = understand(read_document(file)).tables
    return table


def test_headings_stand_above_the_columns_below_their_stroke(tmp_path):
    table = read(tmp_path, "a.txt", STROKES)
    assert [column.outcome for column in table.columns] == ["All visits"] * 2 + [
        "Avoidable visits"
    ] * 2


TIMES = """| | (1) | (2) |
|---|---|---|
| Law | 0.20 | 0.30 |
| | (0.05) | (0.06) |
| × North | | 0.11 |
| | | (0.07) |
| x Rich | | 0.12 |
| | | (0.08) |
| Income | 1.2 | 1.3 |
| | (0.2) | (0.2) |
| N | 300 | 300 |
"""


def test_a_label_that_begins_with_times_is_a_product_with_the_one_above(tmp_path):
    rows = [r.label for r in read(tmp_path, "t.md", TIMES).rows if r.role == "estimate"]
    assert rows == ["Law", "Law × North", "Law × Rich", "Income"]


@pytest.mark.parametrize("head", ["表3 基准回归结果", "Table 3 Main results"])
def test_a_short_title_above_a_sheet_is_its_title(tmp_path, head):
    sheet = f"{head},,\n变量,(1),(2)\n试点,0.20**,0.30**\n,(2.5),(2.7)\n样本量,300,300\n注：t值,,\n"
    table = read(tmp_path, "s.csv", sheet)
    assert (table.title, table.notes) == (head, "注:t值")


SPLIT = """| {title} | | | | |
|---|---|---|---|---|
| | {upper} | {upper} | {other} | {other} |
| | {first} | {second} | {first} | {second} |
| Law | 0.20 | 0.30 | 0.21 | 0.31 |
| | (0.05) | (0.06) | (0.05) | (0.06) |
| N | 300 | 300 | 300 | 300 |
"""


@pytest.mark.parametrize(
    ("title", "upper", "outcomes"),
    [
        ("Effects of the law on wages", "City size", {"wages"}),
        ("Effects of the law on wages and hours", "Log wages", {"Log wages", "Hours"}),
        ("The law", "City size", {"City size", "Hours"}),
    ],
)
def test_what_columns_are_split_by_is_no_outcome_where_the_title_names_one(
    tmp_path, title, upper, outcomes
):
    names = {"upper": upper, "other": "Hours", "first": "Small", "second": "Large"}
    lines = SPLIT.format(title="", **names)
    table = read(tmp_path, "s.md", f"Table 2. {title}\n\n{lines}")
    assert {column.outcome for column in table.columns} == outcomes
