"""What programs of R print comes in whole: files that ``real_programs.R`` made, and their truth."""

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
from r_programs import compared, findings, key, numbers_of, truths

from bayesdid.importing.notes import guessed_below
from bayesdid.importing.read import read_document
from bayesdid.importing.understand import understand
from bayesdid.panel.read import read_frame

OF_R = Path(__file__).parent / "of_r"
TRUTHS = truths(OF_R)


def tables(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return understand(read_document(path)).tables


@pytest.mark.parametrize("name", TRUTHS)
def test_every_number_in_its_cell_and_no_false_finding(name):
    assert compared(OF_R / name, TRUTHS[name]) == ([], [])
    assert findings(OF_R / name) == []


def test_a_legend_in_typographic_quotes_is_one():
    (table,) = understand(read_document(OF_R / "summary_plm_5070.txt")).tables
    assert table.stars == {"***": 0.001, "**": 0.01, "*": 0.05}


def test_r2_may_be_printed_with_a_power_of_ten(tmp_path):
    text = (OF_R / "lm_robust_1162.txt").read_text(encoding="utf-8")
    text += "\nMultiple R-squared:  8.564e-06 ,\tAdjusted R-squared:  -0.00073\n"
    found = numbers_of(tables(tmp_path, "t.txt", text))
    assert found[0, "", "r2"] == ["8.564e-06"]
    assert found[0, "", "r2_adjusted"] == ["-0.00073"]


def test_the_line_below_a_rule_of_latex_may_begin_with_a_bracket(tmp_path):
    text = (OF_R / "xtable_5271.tex").read_text(encoding="utf-8")
    (table,) = tables(tmp_path, "t.tex", text.replace("\\midrule", "\\cmidrule(l{3pt}r){2-5}"))
    assert table.rows[0].label == "(Intercept)"
    assert table.columns[0].heads == ()


STACKED = """| | (1) | (2) |
|---|---|---|
| agesq | -0.001*** | -0.001*** |
| | (0.000) | (0.000) |
| smcity | 0.968*** | 0.575* |
| | (0.353) | (0.306) |
| south | 0.927*** | 0.110 |
| | (0.352) | (0.071) |
"""


def test_an_error_may_round_to_zero_below_a_small_estimate_alone(tmp_path):
    assert tables(tmp_path, "t.md", STACKED)[0].in_parentheses == "se"
    p = [
        ("12.410***", "(0.000)"),
        ("3.218***", "(0.001)"),
        ("0.110", "(0.462)"),
        ("1.5**", "(0.04)"),
    ]
    assert guessed_below(p, None) == "p"


@pytest.mark.parametrize("label", ["I(R2)", "children", "totchild"])
def test_a_regressor_beside_whose_estimate_its_error_stands_is_one(label, tmp_path):
    text = (
        "| Term | Est. | S.E. | p |\n|---|---|---|---|\n| x | 0.407 | 0.282 | 0.152 |\n"
        f"| {label} | -1.561 | 0.268 | 0.000 |\n| zero | 0.000 | 0.000 | 0.000 |\n"
        "| R2 | 0.31 | | |\n| N | 312 | 312 | 312 |\n"
    )
    found = numbers_of(tables(tmp_path, "t.md", text))
    assert found[0, key(label), "se"] == ["(0.268)"]
    assert found[0, "zero", "p"] == ["0.000"]
    assert found[0, "", "r2"] == ["0.31"]
    assert found[0, "", "n"] == ["312"]


def test_a_workbook_that_says_it_holds_one_cell_is_read_whole(tmp_path):
    """As R's openxlsx writes them; a panel in such a file, too."""
    book = openpyxl.Workbook()
    rows = [["", "(1)", "(2)"], ["x", "0.407", "0.31"], ["", "(0.1)", "(0.2)"], ["N", "312", "300"]]
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "whole.xlsx")
    with (
        zipfile.ZipFile(tmp_path / "whole.xlsx") as old,
        zipfile.ZipFile(tmp_path / "t.xlsx", "w") as new,
    ):
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', text))
    (table,) = understand(read_document(tmp_path / "t.xlsx")).tables
    assert numbers_of([table])[1, "x", "se"] == ["(0.2)"]
    assert list(read_frame(tmp_path / "t.xlsx").shape) == [3, 3]
