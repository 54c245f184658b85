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
OURS = "±²³·¹×÷Σαβγδθπρτω–’“”…′⁰⁸⁹⁻₀₁−≤≥✓✗→°½"  # what pages and drawings say by themselves


@pytest.fixture
def bare(monkeypatch):
    """A machine without fonts of its own, and without the package of one."""
    whole = typst.Fonts

    def without(font_paths):
        return whole(include_system_fonts=False, font_paths=font_paths[:1])

    monkeypatch.setattr(typst, "Fonts", without)


def test_what_reports_say_by_themselves_needs_no_font_of_the_system(bare):
    with fonts() as known:
        assert without_glyph([OURS, "plain"], known) == ""
        assert without_glyph(["北京 a", "北−"], known) == "京北"  # by code points, each once
        assert without_glyph(["plain"], known) == ""


def made(folder):
    table = Table("t", "Cities", ("city", "n"), (("北京", "1"), ("Xi'an", "2")))
    blocks = (Text("All."), table, Figure("f", DRAWN, "See."))
    documents = (Document("D", (Section("a", "A", blocks),)),)
    lacking = write_pdf(documents, places({"index.html": ("", documents[0])}), folder / "a.pdf")
    with pdfplumber.open(folder / "a.pdf") as book:
        return lacking, " ".join(page.extract_text() for page in book.pages)


def test_an_article_says_which_names_it_cannot_show(bare, tmp_path):
    lacking, text = made(tmp_path)
    assert set(lacking) == set("北京上")  # of the table, and of the drawing
    said = " ".join(text.split())
    assert "No font here has 3 characters of this report: empty boxes stand" in said
    assert "pip install noto-cjk-sans-otc" in said


def test_with_a_font_nothing_is_said(tmp_path):
    with fonts() as known:
        if not any("CJK" in name for name in known.families()):
            pytest.skip("needs a font with Chinese characters")
    lacking, text = made(tmp_path)
    assert lacking == ""
    assert "北京" in text
    assert "No font" not in text


def test_a_remedy_fits_the_characters():
    assert "pip install" in boxes("北")
    assert "1 character of" in boxes("北")
    assert "pip install" not in boxes("北ก")  # Thai is none of that package's
