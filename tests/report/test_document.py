"""One content model, two formats: numbers, references, nothing of a study as markup, PDF."""

import dataclasses
import io
import re

import pytest
from browser import said_by

from bayesdid.report.document.blocks import (
    STAMP,
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
from bayesdid.report.document.forest import axis_of, is_cut, stripe
from bayesdid.report.document.html import LONG, to_html
from bayesdid.report.document.numbering import places
from bayesdid.report.document.pdf_small import compact
from bayesdid.report.document.typst import to_typst, write_pdf
from bayesdid.report.document.word import write_docx

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


def test_a_quotation_in_a_heading_that_is_quoted_has_single_marks():
    page = Document("T", (Section("a", "Checks of “Main”", (Heading("Of “Main”", "b"),)),))
    found = places({"index.html": ("", page)})
    assert (found["a"].name, found["b"].name) == ("“Checks of ‘Main’”", "“Of ‘Main’”")


def test_headings_have_the_minus_and_the_percent_sign_of_the_page():
    cell, mark = Cell("P", "soft"), Mark("panel", 1.0, 0.5, 2.0)
    blocks = (
        Heading("At -1", "h"),
        Table("t", "c", ("HDI 89% low", "at -2"), (("a", "b"),)),
        Fold("From -3", (Items(("x",), ("To -4.",)),)),
        Forest("f", "c", "", "u", (ForestRow("Row -5", "to 95%", (cell,), (mark,)),)),
    )
    page = Document("T", (Section("a", "Of 5%", blocks),))
    html = to_html(page, "p", places({"p": ("", page)}), other=("x", "y"))
    said = re.sub(r"<style.*?</style>|<svg.*?</svg>|<[^>]+>", " ", html, flags=re.DOTALL)
    assert not re.search(r"-\d|\d%", said)
    assert {f"−{k}" for k in range(1, 6)} <= set(re.findall(r"−\d", said))


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
    signed = Document("T", (Section("a", "A", (Figure("f", SVG, "It is -1.5, 80% of it.", ""),)),))
    alt = to_html(signed, "p.html", places({"p.html": ("", signed)}), other=("x", "y"))
    assert 'aria-label="It is −1.5, 80\N{NO-BREAK SPACE}% of it."' in alt  # one minus, also unseen
    assert '<span class="stamp small">synthetic panel</span>' in html


def test_a_tree_without_pictures_has_the_question_as_a_heading_and_names(made):
    """What a screen reader goes by: headings, named figures, tables and alerts."""
    main, more, found = made
    blocks = (Text("Is it?", "lead"), Items(("a",), (), "alerts"), Items(("b",), (), "depends"))
    page = Document("T", (Section("s", "", blocks),))
    asked = to_html(page, "p", {}, other=("x", "y"))
    assert '<h2 class="lead">Is it?</h2>' in asked
    assert re.findall(r"<ul [^>]*>", asked) == [
        '<ul class="alerts" aria-label="Alerts">',
        '<ul class="depends">',
    ]
    for document, name, figure in ((main, "index.html", "claims"), (more, "supplement.html", "f")):
        html = to_html(document, name, found, other=("x", "y"))
        named = re.findall(r'<figure [^>]*id="(\w+)" aria-label="([^"]*)"', html)
        assert named == [(figure, found[figure].name)]


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


def long_table(rows):
    cells = tuple((f"r{k}", f"−{k}.5" if k % 3 else "–", "> 0.999") for k in range(rows))
    table = Table("t", "c", ("name", "mean", "P"), cells)
    page = Document("d", (Section("one", "One", (table,)),))
    return to_html(page, "a.html", places({"a.html": ("", page)}), other=("x", "y"))


def test_long_tables_are_sorted_and_filtered_by_one_script_without_requests():
    html, short = long_table(LONG), long_table(LONG - 1)
    assert '<table class="long">' in html
    assert '<table class="long">' not in short
    assert "<script>" not in short
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert not re.search(r"fetch|XMLHttpRequest|import\b|src\s*=|https?:", script)
    print_rules = html[html.index("@media print") :]
    assert ".out { display:table-row }" in print_rules  # paper has every row
    assert ".filter, .counted { display:none }" in print_rules


PROBE = """<script>
const table = document.querySelector("table.long"), said = [];
const column = () => [...table.tBodies[0].rows].map((row) => row.cells[1].textContent).join(",");
const head = table.tHead.rows[0].cells[1], start = column();
for (const _ of [1, 2, 3]) {
  head.querySelector("button").click();
  said.push(head.getAttribute("aria-sort"), column());
}
const field = document.querySelector("input[type=search]");
field.value = "-4.5";
field.dispatchEvent(new Event("input"));
said.push(document.querySelector(".counted").textContent, field.labels[0].textContent);
head.querySelector("button").click();
window.dispatchEvent(new Event("beforeprint"));
said.push(head.getAttribute("aria-sort"), column() === start, start);
document.title = JSON.stringify(said);
</script>"""


def test_a_browser_sorts_by_number_and_prints_the_order_of_the_report(tmp_path):
    said = said_by(long_table(LONG).replace("</body>", f"{PROBE}</body>"), tmp_path)
    up, down = [f"−{k}.5" for k in (11, 10, 8, 7, 5, 4, 2, 1)], ["–"] * 4
    assert said[:2] == ["ascending", ",".join([*up, *down])]
    assert said[2:4] == ["descending", ",".join([*up[::-1], *down])]  # what is missing stays last
    assert said[4:6] == ["none", said[-1]]
    assert said[6:9] == ["1 of 12 rows", "Rows with ", "none"]
    assert said[9] is True


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


def test_tables_as_word_read_as_the_page_has_them(made, tmp_path):
    """By another reader; a head is marked as one, what is synthetic says so."""
    docx = pytest.importorskip("docx")
    main, more, _ = made
    extra = Section("x", "X", (Table("u", "Late", ("a",), (("-1.5",),), note="See."),), True)
    both = (main, dataclasses.replace(more, sections=(*more.sections, extra)))
    found = places({"index.html": ("", both[0]), "supplement.html": ("S", both[1])})
    write_docx(both, found, tmp_path / "a.docx")
    read = docx.Document(str(tmp_path / "a.docx"))
    first, last = read.tables
    assert [[cell.text for cell in row.cells] for row in first.rows][::2] == [
        ["a", "b"],
        [HOSTILE, "1"],
    ]
    assert [cell.text for cell in last.rows[1].cells] == ["−1.5"]
    assert "tblHeader" in first.rows[0]._tr.xml
    assert "tblHeader" not in first.rows[1]._tr.xml
    said = [p.text for p in read.paragraphs if p.text]
    assert said == [f"Table 1. Caption {HOSTILE}", f"Table S1. Late {STAMP}", "See."]
    write_docx(both, found, tmp_path / "b.docx")
    assert (tmp_path / "a.docx").read_bytes() == (tmp_path / "b.docx").read_bytes()


def test_a_line_that_goes_on_beyond_the_axis_ends_in_an_arrow():
    """An interval far wider than the others is cut; what is whole has no arrow."""
    marks = [Mark("panel", 1.0, 0.5, 2.0, (0.2, 2.1)) for _ in range(3)]
    whole = tuple(ForestRow("a", "", (), (mark,)) for mark in marks)
    assert not is_cut(whole)
    cut = (*whole, ForestRow("b", "", (), (Mark("panel", 1.0, 0.5, 2.0, (-40.0, 2.1)),)))
    assert is_cut(cut)
    axis = axis_of(cut)
    assert ["Z" in stripe(row, axis) for row in cut] == [False, False, False, True]
    assert 'd="M10 13.0L0 6' not in stripe(cut[3], axis)
    assert 'd="M10 6.0L0 13.0L10 20.0Z"' in stripe(cut[3], axis)  # at the left, where it is cut
    right = (*whole, ForestRow("b", "", (), (Mark("panel", 1.0, 0.5, 2.0, (0.2, 40.0)),)))
    assert 'd="M590 6.0L600 13.0L590 20.0Z"' in stripe(right[3], axis_of(right))


def test_the_article_keeps_a_heading_with_its_text():
    """ "How far to trust this" stood alone at the foot of page one."""
    text = Text("In 200 simulated panels.")
    alone = (Fold("How far to trust this", (text,)),)
    several = (Fold("How far to trust this", (text, text)),)

    def source(blocks):
        document = Document("t", (Section("a", "A", blocks),))
        return to_typst((document,), places({"index.html": ("", document)}))[0]

    joined = '#strong[#"How far to trust this."] #"In 200 simulated panels."'
    assert joined in source(alone)
    assert joined not in source(several)
    assert "#block(sticky: true)" in source(several)


def test_marks_lie_where_the_numbers_are_and_tell_sources_apart():
    both = forest(Mark("published", -1.0, -2.0, -0.5), Mark("panel", 1.0, 0.5, 2.0, None, False))
    axis = axis_of(both.rows)
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
