"""Characters without a font are told, in words that every font has; those with one are none."""

import pdfplumber
import pytest

from bayesdid.report.document.blocks import Document, Figure, Section, Table, Text
from bayesdid.report.document.fonts import boxes, fonts, without_glyph
from bayesdid.report.document.numbering import places
from bayesdid.report.document.typst import write_pdf

typst = pytest.importorskip("typst")
DRAWN = (
    '<svg role="img" aria-label="x" width="100%" viewBox="0 0 300 90"><text x="9" y="9">上</text>'
    "</svg>"
)
OURS = "±²³·¹×÷Σαβγδηθλμνπρστφω–’“”…′⁰⁸⁹⁻₀₁−≤≥✓✗→°½√∼"  # what pages and drawings say by themselves


@pytest.fixture
def bare(monkeypatch):
    """A machine without fonts of its own."""
    whole = typst.Fonts

    def without(font_paths):
        return whole(include_system_fonts=False, font_paths=font_paths)

    monkeypatch.setattr(typst, "Fonts", without)


def test_what_reports_say_by_themselves_needs_no_font_of_the_system(bare):
    with fonts() as known:
        assert without_glyph([OURS, "plain"], known) == ""
        assert without_glyph(["กข a", "ข−", "北京"], known) == "กข"  # by code points, each once
        assert without_glyph(["plain"], known) == ""


def made(folder, name, drawn):
    table = Table("t", "Cities", ("city", "n"), ((name, "1"), ("Xi'an", "2")))
    figure = Figure("f", DRAWN.replace("上", drawn), "See.")
    documents = (Document("D", (Section("a", "A", (Text("All."), table, figure)),)),)
    lacking = write_pdf(documents, places({"index.html": ("", documents[0])}), folder / "a.pdf")
    with pdfplumber.open(folder / "a.pdf") as book:
        return lacking, " ".join(page.extract_text() for page in book.pages)


def test_an_article_shows_chinese_japanese_and_korean_names_on_any_machine(bare, tmp_path):
    lacking, text = made(tmp_path, "北京龥", "上さ한")
    assert lacking == ""
    assert "北京龥" in text
    assert "No font" not in text


def test_an_article_says_which_names_it_cannot_show(bare, tmp_path):
    lacking, text = made(tmp_path, "กข", "ค")
    assert set(lacking) == set("กขค")  # of the table, and of the drawing
    said = " ".join(text.split())
    assert boxes(lacking) in said
    assert said.count("No font here has 3 characters of this report: empty boxes stand") == 1
    assert "1 character of" in boxes("ก")
