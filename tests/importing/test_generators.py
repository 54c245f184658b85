"""Layouts of programs and journals that were read wrongly once; the numbers are made."""

import re

import pytest

from bayesdid.audit.run import audit_study
from bayesdid.importing.folder import import_study
from bayesdid.importing.notes import legend
from bayesdid.importing.read import read_document
from bayesdid.importing.understand import understand
from bayesdid.study.load import read_study

HEADS = ("(1)", "(2)")
X = (("0.365***", "(0.053)"), ("-0.656**", "(0.289)"))
Z = (None, ("0.041", "(0.062)"))
LEVELS = {"*": 0.1, "**": 0.05, "***": 0.01}


def entry(text, column):
    return f'<oasis:entry colname="col{column}">{text}</oasis:entry>'


def oasis():
    """Cells named by column, empty ones left out, and a label of two rows (``morerows``)."""
    rows = '<oasis:row><oasis:entry colname="col1"/><oasis:entry namest="col2" nameend="col3">Yield'
    rows += "</oasis:entry></oasis:row><oasis:row>" + entry("", 1)
    rows += "".join(entry(head, k) for k, head in enumerate(HEADS, 2)) + "</oasis:row>"
    for name, cells in (("x", X), ("z", Z)):
        rows += f'<oasis:row><oasis:entry morerows="1" colname="col1">{name}</oasis:entry>'
        for line in (0, 1):
            rows += "<oasis:row>" if line else ""
            rows += "".join(entry(c[line], k) for k, c in enumerate(cells, 2) if c) + "</oasis:row>"
    rows += "<oasis:row>" + entry("<italic>N</italic>", 1) + entry("336", 2) + entry("336", 3)
    specs = "".join(f'<oasis:colspec colnum="{k}" colname="col{k}"/>' for k in (1, 2, 3))
    return f"""<article><body><table-wrap id="T2"><label>Table 2</label><caption><p>Plans.</p>
    </caption><oasis:table><oasis:tgroup cols="3">{specs}<oasis:tbody>{rows}</oasis:row>
    </oasis:tbody></oasis:tgroup></oasis:table><table-wrap-foot><fn-group>
    <fn symbol="*"><p><italic>p</italic> &lt; 0.1,</p></fn>
    <fn symbol="**"><p><italic>p</italic> &lt; 0.05,</p></fn>
    <fn symbol="***"><p><italic>p</italic> &lt; 0.01</p></fn></fn-group></table-wrap-foot>
    </table-wrap></body></article>"""


def sheet():
    """A spreadsheet in XML, as outreg2 and Excel write it: an index where cells are left out."""

    def cell(text, more=""):
        return f'<Cell{more}><Data ss:Type="String">{text}</Data></Cell>'

    rows = f"<Row>{cell('Table 2', ' ss:MergeAcross="2"')}</Row><Row><Cell/>"
    rows += "".join(cell(head) for head in HEADS) + "</Row><Row>" + cell("VARIABLES")
    rows += cell("Yield") * 2 + "</Row><Row/>"
    for name, cells in (("x", X), ("z", Z)):
        for line in (0, 1):
            label = cell(name) if line == 0 else ""
            inner = "".join(
                cell(c[line], f' ss:Index="{k}"') for k, c in enumerate(cells, 2) if c is not None
            )
            rows += f"<Row>{label}{inner}</Row>"
    rows += f"<Row/><Row>{cell('Observations')}{cell('336') * 2}</Row><Row>"
    rows += cell("*** p&lt;0.01, ** p&lt;0.05, * p&lt;0.1", ' ss:MergeAcross="2"') + "</Row>"
    return f"<Workbook><Worksheet><Table>{rows}</Table></Worksheet></Workbook>"


TABS = """\t(1)\t(2)
VARIABLES\tYield\tYield
\t\t
x\t0.365***\t-0.656**
\t(0.053)\t(0.289)
z\t\t0.041
\t\t(0.062)
\t\t
Observations\t336\t336
Robust standard errors in parentheses
*** p<0.01, ** p<0.05, * p<0.1
"""
FRAMES = """+------+----------+----------+
|      | (1)      | (2)      |
+======+==========+==========+
| x    | 0.365*** | -0.656** |
|      | (0.053)  | (0.289)  |
+------+----------+----------+
| z    |          | 0.041    |
+------+----------+----------+
|      |          | (0.062)  |
+------+----------+----------+
| N    | 336      | 336      |
+======+==========+==========+
| * p < 0.1, ** p < 0.05,    |
| *** p < 0.01               |
+======+==========+==========+
"""
CONSOLE = """                              m1                m2
Dependent Var.:            Yield             Yield

x               0.365*** (0.053) -0.656** (0.289)
z                                  0.041. (0.062)
Fixed-Effects:  ---------------- ----------------
unit                         Yes              Yes
_______________ ________________ ________________
S.E.: Clustered         by: unit         by: unit
Observations                 336              336
---
Signif. codes: 0 '***' 0.01 '**' 0.05 '*' 0.1 ' ' 1
"""
STROKE = """--------------------------------
                  Yield
           ---------------------
                  (1)        (2)
--------------------------------
x            0.365***   -0.656**
              (0.053)    (0.289)
z                          0.041
                         (0.062)
--------------------------------
N                 336        336
--------------------------------
"""
AFTER = f"""<html><body><table><tr><th></th><th>Yield</th><th>Yield</th></tr>
<tr><td>x</td><td>0.365 ***</td><td>-0.656 **</td></tr>
<tr><td>&nbsp;</td><td>(0.053)</td><td>(0.289)</td></tr>
<tr><td>z</td><td></td><td>0.041</td></tr><tr><td></td><td></td><td>(0.062)</td></tr>
<tr><td>Number of observations</td><td>336</td><td>336</td></tr></table>
<p>*** p&lt;.01, ** p&lt;.05, * p&lt;.1</p><p>{"Other words about p<0.5. " * 3}</p></body></html>"""
FILES = {
    "a.xml": oasis(),
    "b.xml": sheet(),
    "c.txt": TABS,
    "d.md": FRAMES,
    "e.txt": CONSOLE,
    "f.txt": STROKE,
    "g.html": AFTER,
}


@pytest.mark.parametrize("name", FILES)
def test_every_number_its_outcome_and_its_legend(name, tmp_path):
    path = tmp_path / name
    path.write_text(FILES[name], encoding="utf-8")
    (table,) = understand(read_document(path)).tables
    rows = {row.label: row for row in table.rows}
    for label, cells in (("x", X), ("z", Z)):
        found = {j: c.text.replace(" ", "") for j, c in rows[label].cells.items()}
        below = {j: c.text for j, c in rows[label].below.items()}
        assert found == {j: c[0] for j, c in enumerate(cells) if c}
        assert below == {j: c[1] for j, c in enumerate(cells) if c}
    (n,) = [row for row in table.rows if row.role == "n"]
    assert [n.cells[j].text for j in (0, 1)] == ["336", "336"]
    assert {column.outcome for column in table.columns} == {"" if name == "d.md" else "Yield"}
    assert table.stars == (None if name == "f.txt" else LEVELS)
    errors = {"c.txt": "robust", "e.txt": "clustered"}
    assert table.se_kind == errors.get(name, "unknown")
    import_study(path, tmp_path / "s")
    assert audit_study(read_study(tmp_path / "s")).findings == ()


def test_a_mark_outside_of_an_interval_is_a_level():
    assert legend("* Null hypothesis value outside the confidence interval.") == {"*": 0.05}
    assert legend("* 0 outside 90% credible interval") == {"*": 0.1}


def test_blank_rows_between_headings_of_their_own_set_tables_apart(tmp_path):
    path = tmp_path / "two.csv"
    one = ",(1),(2)\nx,0.365,-0.656\n,(0.053),(0.289)\n"
    path.write_text(f"{one}\n{one}", encoding="utf-8")
    assert len(understand(read_document(path)).tables) == 2
    path.write_text(f"{one}\nObservations,336,336\n", encoding="utf-8")
    (table,) = understand(read_document(path)).tables
    assert [row.role for row in table.rows] == ["estimate", "n"]


NO_LEGEND = """| | (1) | (2) |
|---|---|---|
| x | 0.60*** | 0.30** |
| | (0.10) | (0.10) |
| z | 0.22* | 0.18 |
| | (0.10) | (0.10) |
"""


def test_levels_of_marks_without_a_legend_are_those_that_fit(tmp_path):
    def levels(text):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        path = tmp_path / f"{folder.name}.md"
        path.write_text(text, encoding="utf-8")
        import_study(path, folder)
        (table,) = read_study(folder).tables.values()
        return table.stars, audit_study(read_study(folder)).findings

    usual = {"*": 0.1, "**": 0.05, "***": 0.01}
    assert levels(NO_LEGEND) == ({"*": 0.05, "**": 0.01, "***": 0.001}, ())
    other = (
        NO_LEGEND.replace("0.30**", "0.30***").replace("0.22*", "0.22**").replace("0.18", "0.18*")
    )
    assert levels(other) == (usual, ())
    assert levels(re.sub(r"0\.\d+\*+", "0.10", NO_LEGEND))[0] == {}
