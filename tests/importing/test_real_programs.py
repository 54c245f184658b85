"""What installed programs write comes in whole, whatever their options and the labels."""

import pytest
from machine_made import read_back
from real_programs import PROGRAMS, compared, made, panel

from bayesdid.importing.read import read_document
from bayesdid.importing.understand import understand


def numbers(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_back(understand(read_document(path)).tables[0])


@pytest.mark.filterwarnings("ignore")
def test_tables_that_programs_write_come_in_whole(tmp_path):
    data = panel()
    for k, program in enumerate(PROGRAMS):
        path, truth = made(program, 900 + k, data, tmp_path)
        assert compared(path, truth) == [], path.name


LABELS = (
    *("expersq", "exper2", "Year squared", "Children", "Within 5 km", "Adjacent city", "N", "Rows"),
    *("Number of firms", "Sample size (log)", "Clusters of firms", "P", "Weight at birth"),
)


@pytest.mark.parametrize("label", LABELS)
def test_a_regressor_is_one_whatever_its_name_reminds_of(label, tmp_path):
    text = (
        "| | (1) | (2) |\n|---|---|---|\n"
        "| Treated | 0.213** | 0.305*** |\n| | (0.101) | (0.093) |\n"
        f"| {label} | -0.114 | 0.072 |\n| | (0.063) | (0.055) |\n"
        "| Observations | 512 | 498 |\n| R2 | 0.31 | 0.35 |\n"
    )
    found = numbers(tmp_path, "t.md", text)
    assert found[0, label, "estimate"] == (-0.114,)
    assert found[1, label, "below"] == (0.055,)
    assert found[1, "R2", "estimate"] == (0.35,)
    assert found[0, "Observations", "estimate"] == (512,)


SIZES = ("R2", "R-squared", "Adj. R2", "Pseudo R2", "pseudor2", "Within R²", "R sq.")


@pytest.mark.parametrize("label", SIZES)
def test_r2_is_one_however_it_is_written(label, tmp_path):
    text = (
        "| | (1) | (2) |\n|---|---|---|\n| D | 0.2 | 0.3 |\n| | (0.1) | (0.1) |\n"
        f"| {label} | 0.31 | 0.35 |\n"
    )
    found = numbers(tmp_path, "t.md", text)
    assert (1, label, "below") not in found
    assert 0.35 in {v[0] for (j, _, part), v in found.items() if j == 1 and part == "estimate"}


def test_marks_that_a_program_does_not_escape_are_those_of_a_label(tmp_path):
    text = (
        "\\begin{tabular}{lcc}\n & (1) & (2) \\\\ \\midrule\n"
        "Union, % & 0.21 & 0.31 \\\\\n & (0.10) & (0.09) \\\\\n"
        "Poverty & need & -0.11 & 0.07 \\\\\n & (0.06) & (0.05) \\\\\n"
        "Treated & 0.5 & 0.6 \\\\ % a remark & 9 \\\\\n & (0.2) & (0.2) \\\\\n"
        "% Dropped & 7 & 8 \\\\\nObservations & 512 & 498 \\\\\n\\end{tabular}\n"
    )
    found = numbers(tmp_path, "t.tex", text)
    assert found[1, "Union, %", "estimate"] == (0.31,)
    assert found[0, "Poverty & need", "estimate"] == (-0.11,)
    assert found[1, "Poverty & need", "below"] == (0.05,)
    assert found[1, "Treated", "estimate"] == (0.6,)
    assert {v[0] for v in found.values()}.isdisjoint({7, 8, 9})


def test_columns_one_space_apart_keep_their_places(tmp_path):
    heads = "                Model 1 Model 2 Model 3"
    text = (
        f"{'=' * 40}\n{heads}\n{'-' * 40}\n"
        "Intercept       1.517   1.517   1.385  \n                (0.026) (0.026) (0.093)\n"
        "C(year)[T.2001]         0.023          \n                        (0.114)        \n"
        "C(year)[T.2002] 0.002                  \n                (0.111)                \n"
        f"{'=' * 40}\nStandard errors in parentheses.\n"
    )
    found = numbers(tmp_path, "t.txt", text)
    assert found[1, "C(year)[T.2001]", "estimate"] == (0.023,)
    assert found[0, "C(year)[T.2002]", "below"] == (0.111,)
    assert found[2, "Intercept", "estimate"] == (1.385,)
    assert len(found) == 10
