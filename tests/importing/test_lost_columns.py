"""A table that lost its empty cells is put together by algebra, with its alternatives."""

from pathlib import Path

import pytest

from bayesdid.importing.evidence import scale_of
from bayesdid.importing.folder import import_study
from bayesdid.importing.read import read_document
from bayesdid.importing.understand import understand
from bayesdid.study.load import read_study
from bayesdid.study.printed import Printed

PAPER = Path("/work/shared/paper.txt")
SHIPPED = Path(__file__).parents[2] / "models" / "dual_pilot"

ONE_LINE = """Table 3 Effects on wages
OLS IV FE
Treated 0.213** (0.101) 0.305*** (0.093) 0.221** (0.099)
Experience 0.114 (0.063) 0.072 (0.055) 0.081 (0.050)
Union 0.042 (0.031)
N 512 498 512
"""


def test_errors_that_one_space_sets_apart_belong_to_the_estimates_before_them(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text(ONE_LINE, encoding="utf-8")
    (table,) = understand(read_document(path)).tables
    rows = {row.label: row for row in table.rows}
    assert [rows["Treated"].cells[j].text for j in range(3)] == ["0.213**", "0.305***", "0.221**"]
    assert [rows["Experience"].below[j].text for j in range(3)] == ["(0.063)", "(0.055)", "(0.050)"]
    assert [rows["N"].cells[j].text for j in range(3)] == ["512", "498", "512"]
    assert [column.heads for column in table.columns] == [("OLS",), ("IV",), ("FE",)]
    (union,) = rows["Union"].cells.values()
    assert union.confidence < 1  # one of three columns, and nothing says which
    assert "lost" in union.why
    path.write_text(ONE_LINE.replace("Union 0.042 (0.031)\n", ""), encoding="utf-8")
    (table,) = understand(read_document(path)).tables
    assert not table.doubts


STAIRS = """
| Variables | (1) | (2) | (3) | (4) |
|---|---|---|---|---|
| D | 1.01*** | 1.12*** | 0.93*** | 1.05*** |
| (0.10) | (0.11) | (0.12) | (0.13) | |
| alpha | 0.51** | 0.47** | |||
| (0.21) | (0.20) | |||
| beta | 0.61** | 0.58** | |||
| (0.23) | (0.22) | |||
| gamma | 0.71** | 0.66** | |||
| (0.25) | (0.24) | |||
| Observations | 400 | 400 | 400 | 400 |
"""


def placed(text, tmp_path):
    path = tmp_path / "t.md"
    path.write_text(text, encoding="utf-8")
    return understand(read_document(path)).tables


def columns(table, label):
    row = next(row for row in table.rows if row.label == label)
    return {table.columns[j].id: cell.text for j, cell in sorted(row.cells.items())}


def test_rows_that_enter_one_by_one_and_then_together(tmp_path):
    (table,) = placed(STAIRS, tmp_path)
    assert columns(table, "alpha") == {"1": "0.51**", "4": "0.47**"}
    assert columns(table, "beta") == {"2": "0.61**", "4": "0.58**"}
    assert columns(table, "gamma") == {"3": "0.71**", "4": "0.66**"}
    row = next(row for row in table.rows if row.label == "beta")
    assert {j: cell.text for j, cell in row.below.items()} == {1: "(0.23)", 3: "(0.22)"}
    assert all(cell.confidence < 0.95 for cell in row.cells.values())  # a habit is no proof
    assert table.alternatives
    assert table.alternatives[0].probability < min(c.confidence for c in row.cells.values())


def test_a_sentence_that_names_columns_decides(tmp_path):
    said = (
        "\nTable 1 shows it. Column (2) adds alpha. Columns (3) to (4) of Table 1 give effects of "
        "alpha of 51.0 and 47.0.\n"
    )
    text = STAIRS.replace("| beta | 0.61** | 0.58** | |||\n| (0.23) | (0.22) | |||\n", "")
    text = text.replace("| gamma | 0.71** | 0.66** | |||\n| (0.25) | (0.24) | |||\n", "")
    (bare,) = placed(text, tmp_path)
    (told,) = placed(text + said, tmp_path)
    assert columns(told, "alpha") == {"3": "0.51**", "4": "0.47**"}
    sure = [min(c.confidence for c in t.rows[1].cells.values()) for t in (bare, told)]
    assert sure[1] > sure[0]


def test_constants_tell_which_column_has_no_controls(tmp_path):
    """constant = mean(y) - b mean(D) in the column without controls alone."""
    text = """
| Variable | Mean | Std. dev. | Min | Max |
|---|---|---|---|---|
| y | 10.00 | 2.00 | 0.00 | 20.00 |
| D | 0.50 | 0.50 | 0.00 | 1.00 |
| x | 4.00 | 1.00 | 0.00 | 8.00 |
| Variables | (1) | (2) | (3) |
|---|---|---|---|
| D | 1.00*** | 1.20*** | 1.40*** |
| (0.10) | (0.10) | (0.10) | |
| x | 0.500*** | 0.300*** | ||
| (0.100) | (0.100) | ||
| Constant | 7.50*** | 9.40*** | 8.10*** |
| (0.10) | (0.10) | (0.10) | |
| Observations | 400 | 400 | 400 |
"""
    table = placed(text.replace("| y |", "| y |"), tmp_path)[1]
    # column 1: 10 - .5 - .5 x 4 = 7.5; column 2: 10 - .6 = 9.4; column 3: 10 - .7 - .3 x 4 = 8.1
    assert columns(table, "x") == {"1": "0.500***", "3": "0.300***"}
    assert "the identity of constants" in table.doubts[0]


def test_a_table_with_its_empty_cells_is_left_as_it_stands(tmp_path):
    text = """
| | (1) | (2) |
|---|---|---|
| D | 1.01*** | |
| | (0.10) | |
| E | | 0.5 |
| | | (0.4) |
"""
    (table,) = placed(text, tmp_path)
    assert columns(table, "D") == {"1": "1.01***"}
    assert columns(table, "E") == {"2": "0.5"}
    assert not table.doubts


@pytest.mark.parametrize(
    ("cell", "text", "scale"),
    [
        ("−0.576***", "57.6", 100),
        ("−0.376***", "36.7", None),
        ("0.041", "41", 1000),
        ("0.0419", "41", None),  # two digits must be exact
        ("−80.622**", "−80.622", 1),
        ("-0.5549", "0.555", 1),
        ("0.5", "5", None),  # one digit is no evidence
    ],
)
def test_a_number_of_the_text_is_a_cell_in_some_unit(cell, text, scale):
    assert scale_of(cell, text) == scale


TERMS = {
    "Dual_policy": "both",
    "Innova_policy": "only:innovation",
    "Smart_policy": "only:smart",
    "Ul": "UL",
    "IV": "colleges",
    "Constant": "constant",
    "Made in China 2025": "made_in_china_2025",
    "Broadband China": "broadband",
    "Place it under supervision": "supervision",
    "W × Dual_policy": "W:both",
    "Direct effect": "both.direct",
    "Indirect effect": "both.indirect",
    "Total effect": "both.total",
    "Rho": "rho",
    "Sigma2_e": "sigma2",
    "Dual_policy × Safety Regulation": "both * SR",
    "The F statistic of the first stage": "first_stage_F",
    "Kleibergen-Paap rk LM statistic": "kp_lm",
    "Kleibergen-Paap Wald rk F statistic": "kp_wald_F",
}


@pytest.mark.skipif(not PAPER.is_file(), reason="the paper's text does not ship")
def test_the_papers_own_text_gives_the_tables_that_ship(tmp_path):
    source = tmp_path / "paper.md"
    source.write_bytes(PAPER.read_bytes())
    made = import_study(source, tmp_path / "study")
    shipped = read_study(SHIPPED)
    panels = {"1": "a1", "2": "a2", "3": "b1", "4": "b2"}
    right, wrong = 0, []
    for cell in made.cells:
        table = cell.ref.partition(":")[0].partition(".")[0]
        if cell.role == "moment":
            name = {"Safety": "safety", "Dual_policy": "both"}.get(cell.row, cell.row)
            ref = f"table1:{name}.{cell.column}"
        else:
            column = panels[cell.column] if table == "table3" else cell.column
            term = cell.role if cell.role in {"n", "r2"} else TERMS.get(cell.row, cell.row)
            part = ".se" if cell.ref.endswith(".se") else ""
            ref = f"{table}.{column}:{term}{part}"
        try:
            value = shipped.cell(ref).value.value
        except Exception:
            value = None
        if part_of_impact(ref) or value == Printed.parse(cell.text).value:
            right += 1
        else:
            wrong.append((ref, cell.text, value))
    assert right >= 0.95 * len(made.cells), wrong
    assert len(made.cells) > 330


def part_of_impact(ref):
    """Standard errors of impacts have no reference of their own."""
    return ref.endswith((".direct.se", ".indirect.se", ".total.se"))
