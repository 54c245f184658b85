"""One content model, two formats: numbers, references, nothing of a study as markup, PDF."""

import io
import re

import pytest

from bayesdid.report.document.blocks import (
    Cell,
    Document,
    Figure,
    Fold,
    Forest,
    ForestRow,
    Heading,
    Items,
    Mark,
    Section,
    Table,
    Text,
    ref,
    split_refs,
)
from bayesdid.report.document.forest import axis_of, stripe
from bayesdid.report.document.html import to_html
from bayesdid.report.document.numbering import places
from bayesdid.report.document.pdf_small import compact
from bayesdid.report.document.typst import to_typst, write_pdf

HOSTILE = '<b>& "x" #panic() $y$ \\ *z* [a] @b <c>'
SVG = '<svg role="img" aria-label="old" width="100%" viewBox="0 0 9 9"><path d="M0 0L9 9" /></svg>'


def forest(*marks):
    row = ForestRow(
        "Both − none", "claimed: below zero", (Cell("supported", "word supported"),), marks
    )
    return Forest("claims", "See.", "Note.", "deaths", (row,))


def documents():
    table = Table("t", f"Caption {HOSTILE}", ("a", "b"), (("heading",), (HOSTILE, "1")))
    main = Document(
        f"Title {HOSTILE}",
        (
            Section("one", "One", (Text(f"See {ref('t')} and {ref('f')}."), table)),
            Section("two", "Two", (forest(Mark("published", -1.0, -2.0, -0.5)),)),
        ),
        (Text("above", "soft"),),
    )
    fold = Fold(
        "More", (Heading("Deep", "deep"), Items(("x",), ("Head:",)), Text("stamped", "stamp"))
    )
    more = Document(
        "Supplement",
        (
            Section(
                "three", "Three", (Figure("f", SVG, f"See {HOSTILE}", "Drawn.", True), fold), True
            ),
        ),
    )
    return main, more


@pytest.fixture(scope="module")
def made():
    main, more = documents()
    return main, more, places({"index.html": ("", main), "supplement.html": ("S", more)})


def test_numbers_and_references_lead_both_ways(made):
    main, _, found = made
    assert found["t"].name == "Table 1"
    assert found["f"].name == "Figure S1"
    assert found["claims"].name == "Figure 1"
    html = to_html(main, "index.html", found, other=("supplement.html", "Supplement"))
    assert '<a href="#t">Table 1</a> and <a href="supplement.html#f">Figure S1</a>.' in html
    assert found["t"].link("supplement.html") == "index.html#t"
    assert split_refs(f"a {ref('k')} b") == [("a ", ""), ("", "k"), (" b", "")]


def test_nothing_of_a_study_is_markup(made):
    main, more, found = made
    for document, page in ((main, "index.html"), (more, "supplement.html")):
        html = to_html(document, page, found, other=("x", "y"))
        assert "<b>&amp;" not in html
        assert "<c>" not in html
    source, _ = to_typst((main, more), found)
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', source)
    for text in ("panic", "$y", "*z*", "[a]", "@b"):
        assert text not in bare


def test_alternative_texts_say_what_there_is_to_see(made):
    _, more, found = made
    html = to_html(more, "supplement.html", found, other=("x", "y"))
    assert 'aria-label="old"' not in html
    assert 'role="img" aria-label="See ' in html
    assert '<span class="stamp small">synthetic panel</span>' in html


def test_pdf_is_one_article_with_bookmarks_and_the_same_bytes(made, tmp_path):
    main, more, found = made
    first, second = tmp_path / "a.pdf", tmp_path / "b.pdf"
    for path in (first, second):
        write_pdf((main, more), found, path)
    text = first.read_bytes()
    assert text.startswith(b"%PDF")
    assert text == second.read_bytes()
    _, drawings = to_typst((main, more), found)
    assert len(drawings) == 2
    assert "currentColor" not in "".join(drawings)


def test_a_packed_pdf_is_smaller_and_says_the_same(made):
    """Text, bookmarks and the structure for screen readers, by readers that are not ours."""
    pdfium = pytest.importorskip("pypdfium2")
    pdfplumber = pytest.importorskip("pdfplumber")
    typst = pytest.importorskip("typst")
    main, more, found = made
    source = re.sub(r"#image\(.*?\)", "", to_typst((main, more), found)[0])
    source = re.sub(r"\[#align\(center\).*?\] ", "[", source)
    whole = typst.compile(source.encode(), timestamp=0)
    packed = compact(whole)
    assert len(packed) < 0.8 * len(whole)
    assert b"StructElem" in whole
    assert b"StructElem" not in packed
    told = []
    for file in (whole, packed):
        read = pdfium.PdfDocument(file)
        text = [page.get_textpage().get_text_range() for page in read]
        with pdfplumber.open(io.BytesIO(file)) as other:
            tree = [str(page.structure_tree) for page in other.pages]
        told.append((text, [item.get_title() for item in read.get_toc()], tree))
    assert told[0] == told[1]
    assert told[0][1][0].startswith("Title")
    assert "THead" in told[0][2][0]
    assert compact(packed) == packed  # has no plain table any more
    assert compact(b"no file of this kind") == b"no file of this kind"


def test_marks_lie_where_the_numbers_are_and_tell_sources_apart():
    both = forest(Mark("published", -1.0, -2.0, -0.5), Mark("panel", 1.0, 0.5, 2.0, None, False))
    axis = axis_of(both)
    assert axis.low < -2
    assert axis.high > 2
    assert (0.0, "0") in [(value, text.rstrip("0.") or "0") for value, text in axis.ticks]
    svg = stripe(both.rows[0], axis)
    diamond = float(re.search(r'<path d="M([\d.]+) ', svg)[1]) + 9
    disc = float(re.search(r'cx="([\d.]+)"', svg)[1])
    zero = float(re.search(r'<line x1="([\d.]+)"', svg)[1])
    assert diamond < zero < disc
    assert disc - zero == pytest.approx(zero - diamond, abs=0.2)
    assert 'fill="none"' in svg[svg.index("<circle") :]
