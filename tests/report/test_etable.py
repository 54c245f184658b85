"""Tables of fits: the numbers of tidy(), and no text of a study is a command."""

import re
from html.parser import HTMLParser

import pytest
import xarray as xr
from made import make_panel, make_study, staggered

import bayesdid as bd
from bayesdid import escape
from bayesdid.audit.run import audit_study
from bayesdid.exceptions import InputError
from bayesdid.importing.folder import import_study
from bayesdid.importing.read import read_document
from bayesdid.importing.understand import understand
from bayesdid.inference.result import Fit
from bayesdid.report.text import estimate, interval
from bayesdid.study.load import read_study


@pytest.fixture(scope="module")
def fits():
    frame, adoption = staggered(1, N=20, effect=lambda start, t: 1.0 * (t >= start[0]))
    frame["x"] = frame["y"] ** 2
    columns = [
        {"id": "1", "outcome": "y", "treatments": ["active:a"]},
        {"id": "2", "outcome": "y", "treatments": ["active:a"], "covariates": ["x"]},
    ]
    study, panel = make_study(columns=columns), make_panel(frame, adoption)
    return [bd.fit(study[f"t.{k}"], panel, errors="iid", draws=50) for k in (1, 2)]


def test_the_numbers_are_those_of_tidy(fits):
    lines = bd.etable(fits, level=0.5).splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    table = {row[0]: row[1:] for row in rows if len(row) == 3}
    first, second = (fit.tidy(0.5) for fit in fits)
    assert table["active:a"] == [
        estimate(t.loc["active:a", "mean"], t.loc["active:a", "sd"]) for t in (first, second)
    ]
    assert table["x"] == ["", estimate(second.loc["x", "mean"], second.loc["x", "sd"])]
    below = rows[[row[0] for row in rows].index("active:a") + 1]
    assert below[1] == interval((first.loc["active:a", "low"], first.loc["active:a", "high"]))
    assert table["Rows"] == ["240", "240"]
    assert table["Outcome"] == ["y", "y"]
    assert "50 % highest-density interval" in lines[-2]
    assert lines[-1] == "Synthetic panel: planted by a test."
    assert "*" not in "".join(lines)
    assert rows[0] == ["", "(1)", "(2)"]


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.text, self.tags = [], set()

    def handle_starttag(self, tag, _attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text.append(data)


def test_text_of_a_study_is_no_command(fits):
    evil = r"\input{x} & <script>|$_^~%#"
    page = Cells()
    page.feed(bd.etable({evil: fits[0]}, "html"))
    assert page.tags == {"table", "thead", "tbody", "tr", "th", "td", "caption"}
    assert evil in page.text
    tex = bd.etable({evil: fits[0]}, type="tex")
    assert set(re.findall(r"\\([a-z]+)", tex)) <= {
        "begin",
        "end",
        "hline",
        "multicolumn",
        "emph",
        "textbackslash",
        "textasciitilde",
        "textasciicircum",
    }
    assert escape.tex(evil) in tex
    body = bd.etable({evil: fits[0]}).splitlines()[0]
    assert "<" not in body
    assert len(re.findall(r"(?<!\\)\|", body)) == 3


def test_a_fit_that_did_not_converge_has_no_numbers(fits):
    tree = xr.DataTree.from_dict(fits[0].tree.to_dict())
    tree.attrs = {**fits[0].tree.attrs, "converged": 0}
    table = bd.etable([Fit(tree), fits[1]])
    row = next(line for line in table.splitlines() if line.startswith("| active:a"))
    assert row.split("|")[2].strip() == "not converged"
    assert "(" in row.split("|")[3]


def test_what_is_no_table(fits):
    with pytest.raises(InputError, match="use md, tex, html, docx"):
        bd.etable(fits, type="rtf")
    with pytest.raises(InputError, match="no fit"):
        bd.etable([])


def test_a_word_table_has_the_same_cells(fits, tmp_path):
    import docx

    path = tmp_path / "table.docx"
    assert bd.etable(fits, type="docx", file=path) == str(path)
    document = docx.Document(str(path))
    cells = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    lines = [line for line in bd.etable(fits).splitlines() if line.startswith("|")]
    said = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells == [said[0], *said[2:]]
    assert any("Synthetic panel" in p.text for p in document.paragraphs)
    with pytest.raises(InputError, match="a Word table needs a file"):
        bd.etable(fits, type="docx")


def test_a_table_is_written_where_asked(fits, tmp_path):
    text = bd.etable(fits, type="tex", file=tmp_path / "table.tex")
    assert (tmp_path / "table.tex").read_text() == text


def test_maketables_reads_a_fit_and_gives_it_no_stars(fits):
    import maketables

    found = maketables.ETable(fits, coef_fmt="b:.4f* (se:.4f)", model_stats=["N"]).make("tex")
    row = fits[0].tidy().loc["active:a"]
    assert f"{row['mean']:.4f}" in str(found)
    assert f"{row['sd']:.4f}" in str(found)
    assert not re.search(r"\d\*", str(found))
    assert "240" in str(found)
    marks = [line for line in str(found).splitlines() if line.startswith(("unit ", "period "))]
    cells = [line.removesuffix(r"\\").replace(" ", "") for line in marks]
    assert cells == ["period&x&x", "unit&x&x"]


@pytest.mark.parametrize("suffix", ["tex", "html", "md", "docx"])
def test_the_importer_reads_it_back(fits, tmp_path, suffix):
    """Every mean, sd and interval of every fit in its column, and the rows of what was fitted."""
    path = tmp_path / f"table.{suffix}"
    bd.etable(fits, suffix, file=path)
    (table,) = understand(read_document(path)).tables
    rows = {row.label: row for row in table.rows}
    for term in ("active:a", "x"):
        for j, fit in enumerate(fits):
            if term not in fit.tidy().index:
                assert j not in rows[term].cells
                continue
            value = fit.tidy().loc[term]
            mean, sd = estimate(value["mean"], value["sd"]).split(" ")
            assert rows[term].cells[j].text == mean
            assert rows[term].below[j].text == sd
    assert [cell.text for cell in rows["Rows"].cells.values()] == ["240", "240"]
    assert rows["Rows"].role == "n"
    assert [column.outcome for column in table.columns] == ["y", "y"]
    result = import_study(path, tmp_path / "study")
    assert not result.doubts
    report = audit_study(read_study(tmp_path / "study"))
    assert report.findings == ()


def test_a_weighted_column_says_its_weights(fits):
    assert "Weights" not in bd.etable(fits)
    frame, adoption = staggered(1, N=12)
    frame["pop"] = 1.0 + frame["unit"]
    columns = [{"id": "1", "outcome": "y", "treatments": ["active:a"], "row_weights": "pop"}]
    study, panel = make_study(columns=columns), make_panel(frame, adoption)
    weighted = bd.fit(study["t.1"], panel, errors="iid", draws=50)
    assert "| Weights | none | pop (analytic) |" in bd.etable([fits[0], weighted])
