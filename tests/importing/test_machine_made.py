"""Numbers of tables that programs write come into the right cells, and into a study that loads."""

import numpy as np
import pytest
from docx import Document as Word
from machine_made import FORMATS, lines_of, make, right
from openpyxl import Workbook

from bayesdid.audit.run import audit_study
from bayesdid.importing.folder import import_study
from bayesdid.importing.read import read_document
from bayesdid.importing.understand import understand
from bayesdid.study.load import read_study


def read(folder, name, write, text):
    path = folder / name
    if write is None:
        path.write_text(text, encoding="utf-8")
    else:
        write(path)
    return understand(read_document(path)).tables


@pytest.mark.parametrize("name", FORMATS)
def test_every_number_of_a_format_is_in_its_cell(name, tmp_path):
    suffix, write = FORMATS[name]
    rng = np.random.default_rng(len(name))
    for k in range(4):
        made = make(rng)
        (table,) = read(tmp_path, f"{k}{suffix}", None, write(made))
        good, of, wrong = right(made, [table])
        assert good == of, wrong
        if made.kind != "se":
            assert table.in_parentheses == made.kind
        if any(cell[0].endswith("*") for row in made.rows.values() for cell in row.values()):
            assert table.stars in ({"*": 0.10, "**": 0.05, "***": 0.01}, None)


def test_word_and_workbooks_are_read_as_they_stand(tmp_path):
    made = make(np.random.default_rng(3), columns=4)
    rows = lines_of(made)

    def word(path):
        document = Word()
        document.add_paragraph("Table 7. Effects")
        table = document.add_table(len(rows), len(rows[0]))
        for i, row in enumerate(rows):
            for j, text in enumerate(row):
                table.cell(i, j).text = text
        document.add_paragraph(f"Notes: {made.notes}")
        document.save(path)

    def workbook(path):
        book = Workbook()
        for row in rows:
            book.active.append(row)
        book.active.append([made.notes])
        book.save(path)

    for name, write in (("t.docx", word), ("t.xlsx", workbook)):
        tables = read(tmp_path, name, write, "")
        good, of, wrong = right(made, tables)
        assert good == of, wrong
        assert tables[0].in_parentheses == made.kind
    assert understand(read_document(tmp_path / "t.docx")).tables[0].id == "table7"


@pytest.mark.filterwarnings("ignore")  # of what those packages call
def test_what_statsmodels_prints(tmp_path):
    import statsmodels.formula.api as smf
    from statsmodels.iolib.summary2 import summary_col

    rng = np.random.default_rng(1)
    data = {"y": rng.normal(size=60), "x": rng.normal(size=60), "z": rng.normal(size=60)}
    fits = [smf.ols(f, data).fit() for f in ("y ~ x", "y ~ x + z")]
    both = summary_col(fits, stars=True, info_dict={"N": lambda fit: f"{int(fit.nobs)}"})
    for suffix, text in ((".txt", both.as_text()), (".tex", both.as_latex())):
        (table,) = read(tmp_path, f"t{suffix}", None, text)
        rows = {row.label: row for row in table.rows}
        assert {j: cell.text.rstrip("*") for j, cell in rows["x"].cells.items()} == {
            j: f"{fit.params['x']:.4f}" for j, fit in enumerate(fits)
        }
        assert {j: cell.text for j, cell in rows["z"].below.items()} == {
            1: f"({fits[1].bse['z']:.4f})"
        }
        assert [cell.text for cell in rows["N"].cells.values()] == ["60", "60"]


@pytest.mark.filterwarnings("ignore")
def test_what_pyfixest_and_this_package_print(tmp_path):
    import pandas as pd
    import pyfixest as pf

    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"y": rng.normal(size=80), "x": rng.normal(size=80)})
    frame["unit"], frame["year"] = np.repeat(np.arange(8), 10), np.tile(np.arange(10), 8)
    fits = [pf.feols("y ~ x", frame), pf.feols("y~x|unit+year", frame)]
    page = pf.etable(fits, type="gt").as_raw_html()
    (table,) = read(tmp_path, "t.html", None, page)
    rows = {row.label: row for row in table.rows}
    assert [cell.text.rstrip("*") for cell in rows["x"].cells.values()] == [
        f"{fit.coef()['x']:.3f}" for fit in fits
    ]
    assert table.columns[1].labels == {"unit": "Yes", "year": "Yes"}
    assert table.columns[0].labels == {"unit": "No", "year": "No"}
    assert table.stars == {"*": 0.05, "**": 0.01, "***": 0.001}

    own = "\n".join(
        [
            r"\begin{tabular}{lrr}",
            r"\hline",
            r" & (1) & (2) \\",
            r"\hline",
            r"active:a & 1.21 (0.31) & -0.98 (0.28) \\",
            r" & [0.71, 1.70] & [-1.43, -0.53] \\",
            r"Rows & 240 & 240 \\",
            r"Units & 20 & 20 \\",
            r"\hline",
            r"\end{tabular}",
        ]
    )
    (table,) = read(tmp_path, "own.tex", None, own)
    assert [cell.text for cell in table.rows[0].cells.values()] == ["1.21", "-0.98"]
    assert [cell.text for cell in table.rows[0].below.values()] == ["(0.31)", "(0.28)"]
    assert [row.role for row in table.rows[1:]] == ["n", "statistic"]


def test_a_draft_loads_and_a_consistent_table_is_not_accused(tmp_path):
    rng = np.random.default_rng(11)
    for k, (name, (suffix, write)) in enumerate(FORMATS.items()):
        path = tmp_path / f"{name}{suffix}"
        made = make(rng)
        path.write_text(write(made), encoding="utf-8")
        result = import_study(path, tmp_path / f"study{k}")
        assert len(result.cells) == len(made.truth())
        report = audit_study(read_study(tmp_path / f"study{k}"))
        assert not [f for f in report.findings if f.severity == "contradiction"], name


def test_estimates_with_their_errors_beside_them(tmp_path):
    page = """<table><tr><td></td><td colspan="3">Model 1</td><td colspan="3">Model 2</td></tr>
    <tr><td></td><td>Coef.</td><td>S.E.</td><td>p</td><td>Coef.</td><td>S.E.</td><td>p</td></tr>
    <tr><td>Law</td><td>-0.50</td><td>0.10</td><td>&lt;0.001</td><td>-0.40</td><td>0.12</td>
    <td>0.001</td></tr><tr><td>Income</td><td></td><td></td><td></td><td>0.10</td><td>0.20</td>
    <td>0.617</td></tr>
    <tr><td>N</td><td colspan="3">500</td><td colspan="3">480</td></tr></table>"""
    (table,) = read(tmp_path, "t.html", None, page)
    law, income, n = table.rows
    assert [c.text for c in (*law.cells.values(), *law.below.values())] == [
        "-0.50",
        "-0.40",
        "(0.10)",
        "(0.12)",
    ]
    assert {j: c.text for j, c in income.below.items()} == {1: "(0.20)"}
    assert {j: c.text for j, c in n.cells.items()} == {0: "500", 1: "480"}
    assert table.in_parentheses == "se"


def test_panels_below_each_other_are_columns_and_share_what_follows_the_last(tmp_path):
    page = """<table><tr><th></th><th>(1)</th><th>(2)</th></tr>
    <tr><td colspan="3">Panel A: Deaths</td></tr>
    <tr><td>Law</td><td>-0.21**</td><td>-0.19*</td></tr>
    <tr><td></td><td>(0.09)</td><td>(0.10)</td></tr><tr><td>Observations</td><td>120</td><td>60</td>
    </tr><tr><td colspan="3">Panel B: Injuries</td></tr>
    <tr><td>Law</td><td>0.02</td><td>0.03</td></tr>
    <tr><td></td><td>(0.08)</td><td>(0.11)</td></tr><tr><td>Observations</td><td>110</td><td>55</td>
    </tr><tr><td>Controls</td><td>No</td><td>Yes</td></tr></table>"""
    (table,) = read(tmp_path, "t.html", None, page)
    assert [column.id for column in table.columns] == ["a1", "a2", "b1", "b2"]
    assert [column.labels["Controls"] for column in table.columns] == ["No", "Yes", "No", "Yes"]
    found = [row for row in table.rows if row.role == "estimate"]
    assert {j: c.text for row in found for j, c in row.below.items()} == {
        0: "(0.09)",
        1: "(0.10)",
        2: "(0.08)",
        3: "(0.11)",
    }
    counts = [row for row in table.rows if row.role == "n"]
    assert {j: c.text for row in counts for j, c in row.cells.items()} == {
        0: "120",
        1: "60",
        2: "110",
        3: "55",
    }


def test_text_pasted_from_a_pdf_with_single_spaces(tmp_path):
    text = """Table 2. Effects of the law
Dependent variable: deaths per 100,000
(1) (2) (3)
Treated −0.227** −0.555*** −0.698***
(0.088) (0.075) (0.074)
Log income (2010 USD) 0.493* 0.565**
(0.260) (0.262)
City FE Yes Yes Yes
Observations 3,488 3,488 2,896
R2 0.002 0.752 0.764
Notes: Robust standard errors clustered by city in parentheses. *** p<0.01, ** p<0.05, * p<0.1.
"""
    (table,) = read(tmp_path, "t.txt", None, text)
    assert (table.id, table.se_kind, table.in_parentheses) == ("table2", "clustered", "se")
    assert {column.outcome for column in table.columns} == {"deaths per 100,000"}
    treated, income = [row for row in table.rows if row.role == "estimate"]
    assert [c.text for c in treated.below.values()] == ["(0.088)", "(0.075)", "(0.074)"]
    assert [c.text for c in income.cells.values()] == ["0.493*", "0.565**"]
    # two columns alike in all else would be one regression: the last value is the third column's
    assert income.cells[1].confidence < 0.95 < income.cells[2].confidence
