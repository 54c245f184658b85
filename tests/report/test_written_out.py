"""Figures and tables beside the page: by their numbers, whole, and stamped where synthetic."""

import pdfplumber
import pytest

from bayesdid.escape import tex
from bayesdid.importing.read import read_document
from bayesdid.report.document.blocks import (
    STAMP,
    Cell,
    Document,
    Figure,
    Forest,
    ForestRow,
    Mark,
    Section,
    Table,
    ref,
)
from bayesdid.report.document.latex import write_latex
from bayesdid.report.document.numbering import places
from bayesdid.report.document.typst import write_figures

SVG = '<svg role="img" aria-label="x" width="100%" viewBox="0 0 300 90"><path d="M0 0L9 9" /></svg>'
HOSTILE = r"50 % of $x_1$ & \input{a} #b ~ [c]"


def written(documents):
    pages = zip(("index.html", "supplement.html"), ("", "S"), documents, strict=False)
    return places({page: (prefix, document) for page, prefix, document in pages})


def study():
    """A real figure and a synthetic one, a forest and two tables on two pages."""
    row = ForestRow(
        "Both", "claimed", (Cell("supported", "word"),), (Mark("published", 1.0, 0.5, 2.0),)
    )
    real = Section("a", "A", (Figure("f", SVG, "See."), Forest("g", "See.", "", "deaths", (row,))))
    table = Table(
        "t",
        "Effects",
        ("Term", "Effect"),
        (("panel",), ("50 % of & #b", "-1.5")),
        note=f"N. {HOSTILE}",
    )
    other = Table("u", "Late", ("Term", "Effect"), ((f"of {ref('t')}", "0.25"), ("b", "-2")))
    main = Document("Main", (real, Section("b", "B", (table,))))
    more = Document("More", (Section("c", "C", (Figure("h", SVG, "See."), other), True),))
    return main, more


def test_figures_are_written_by_their_numbers(tmp_path):
    documents = study()
    (tmp_path / "figure-9.png").write_bytes(b"of an earlier run")
    write_figures(documents, written(documents), tmp_path)
    names = [f"figure-{k}.{end}" for k in ("1", "2", "s1") for end in ("png", "svg")]
    assert sorted(path.name for path in tmp_path.iterdir()) == [*names, "figures.pdf"]
    with pdfplumber.open(tmp_path / "figures.pdf") as book:
        texts = [page.extract_text() for page in book.pages]
    assert [STAMP in text for text in texts] == [False, False, True]
    assert "Both" in texts[1]
    head = (tmp_path / "figure-1.png").read_bytes()[:24]
    # 300 units are 240 pt, 6 pt of room at either side, at 200 dots an inch
    assert int.from_bytes(head[16:20]) == pytest.approx(252 / 72 * 200, abs=2)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    write_figures(documents, written(documents), tmp_path)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_report_without_figures_has_none(tmp_path):
    main = Document("Main", ())
    (tmp_path / "figures.pdf").write_bytes(b"of an earlier run")
    write_figures((main,), written((main,)), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_tables_in_latex_are_those_of_the_page(tmp_path):
    """Read back as any table of LaTeX is; nothing of a study is a command."""
    documents = study()
    write_latex(documents, written(documents), tmp_path / "tables.tex")
    first, last = read_document(tmp_path / "tables.tex").grids
    assert first.rows == (("Term", "Effect"), ("panel", "panel"), ("50 % of & #b", "-1.5"))
    assert last.rows == (("Term", "Effect"), ("of Table 1", "0.25"), ("b", "-2"))
    text = (tmp_path / "tables.tex").read_text(encoding="utf-8")
    assert tex(HOSTILE) in text
    assert r"\input" not in text
    assert text.count(STAMP) == 1
    assert text.index(r"\textbf{Table S1.} Late") < text.index(STAMP)
    assert text.index("\\end{longtable}") < text.index("\nN. ") < text.index("% Table S1")
