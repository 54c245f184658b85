"""Blocks as a typeset article: Typst source, and the PDF that it makes.

All text stands in string literals, so that nothing of a study is markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import singledispatch
from pathlib import Path
from tempfile import TemporaryDirectory

from bayesdid.extras import extra
from bayesdid.files import replacing
from bayesdid.report.document.blocks import (
    STAMP,
    Cell,
    Document,
    Figure,
    Fold,
    Forest,
    Heading,
    Items,
    Section,
    Sliders,
    Table,
    Text,
    ref,
    split_refs,
    stamped_blocks,
)
from bayesdid.report.document.fonts import FAMILIES, boxes, fonts, pages_of, without_glyph
from bayesdid.report.document.forest import axis_of, stripe
from bayesdid.report.document.formulas import Piece, pieces
from bayesdid.report.document.numbering import Place, anchor
from bayesdid.report.document.pdf_small import compact
from bayesdid.report.text import typeset

_GOOD, _BAD, _MIDDLE, _SOFT = "#1b6d44", "#a8323f", "#755c00", "#4d5863"
_COLOURS = {
    "supported": _GOOD,
    "contradicted": _BAD,
    "contradiction": _BAD,
    "undecided": _MIDDLE,
    "warning": _MIDDLE,
    "soft": _SOFT,
}
_SIZES = ((6, "8pt"), (8, "7pt"), (99, "6pt"))  # of a table's type, by its columns
_PREAMBLE = """
#set document(title: {title}, date: none)
#set page(paper: "a4", margin: (x: 18mm, y: 15mm), numbering: "1")
#set text(font: ({fonts}), size: 9.3pt, lang: "en")
#set par(justify: false, leading: 0.52em, spacing: 0.62em)
#set heading(numbering: none)
#show heading.where(level: 1): set text(size: 14pt)
#show heading.where(level: 2): set text(size: 11.5pt)
#show heading.where(level: 3): set text(size: 10pt)
#show figure: set block(breakable: true)
#show figure.caption: set align(left)
#show link: set text(fill: rgb("#255f9b"))
#set table(stroke: (x, y) => (bottom: 0.3pt + rgb("#c5ccd3")), inset: (x: 3pt, y: 2.2pt))
"""

_RISES = {"sub": "sub", "sup": "super"}


class _Writer:
    """Drawings seen so far, and whether what is written is stamped."""

    __slots__ = ("drawings", "places", "stamped")

    def __init__(self, places: Mapping[str, Place]) -> None:
        self.places, self.stamped = places, False
        self.drawings: list[str] = []

    def inline(self, text: str) -> str:
        """Text as content; references as links."""
        said = []
        for plain, key in split_refs(text):
            place = self.places.get(key)
            if place is None:
                said += [_piece(piece) for piece in pieces(plain or key)]
            else:
                said.append(f"#link(<{_label(key, place)}>)[#{_string(place.name)}]")
        return "".join(said)

    def image(self, svg: str, width: str) -> str:
        """A drawing, by the name of its file."""
        self.drawings.append(_standalone(svg))
        return f'image("{len(self.drawings) - 1}.svg", width: {width})'

    def stamp(self) -> str:
        """Beside a caption or a heading."""
        return f' #text(fill: rgb("{_BAD}"), size: 7.5pt)[#"{STAMP}"]' if self.stamped else ""

    def captioned(self, key: str, caption: str, note: str) -> str:
        """``Table 3.`` with what there is to see, and how it is drawn."""
        below = f' #text(fill: rgb("{_SOFT}"))[{self.inline(note)}]' if note else ""
        name = _string(f"{self.places[key].name}.")
        return f"#strong[#{name}] {self.inline(caption)}{below}{self.stamp()}"

    def label(self, key: str) -> str:
        """Where references lead."""
        return f"#metadata(none) <{_label(key, self.places[key])}>"


def _piece(piece: Piece) -> str:
    text = _string(piece.text if piece.of_formula else typeset(piece.text))
    return f"#{_RISES[piece.rise]}({text})" if piece.rise else f"#{text}"


def to_typst(
    documents: tuple[Document, ...], places: Mapping[str, Place], lacking: str = ""
) -> tuple[str, list[str]]:
    """Source of one article with all documents, and its drawings in order.

    Parameters
    ----------
    lacking
        Characters that no font has, which the article says at its head.
    """
    writer = _Writer(places)
    parts = [_preamble(documents[0].title)]
    if lacking:
        parts.append(_block(Text(boxes(lacking), "stamp"), writer))
    for k, document in enumerate(documents):
        parts.append("#pagebreak()\n" if k else "")
        parts.append(f"#heading(level: 1)[#{_string(typeset(document.title))}]\n")
        parts += [_block(block, writer) for block in document.above[: 1 - k]]
        parts += [_section(section, writer) for section in document.sections]
    return "".join(parts), writer.drawings


def write_pdf(documents: tuple[Document, ...], places: Mapping[str, Place], path: Path) -> str:
    """Typeset an article; the same bytes for the same documents and fonts.

    Returns
    -------
    str
        Characters that no font has, if any, as the article itself says.
    """
    with extra("report"):
        import typst

    source, drawings = to_typst(documents, places)
    with fonts() as known:
        lacking = without_glyph([source, *drawings], known)
        if lacking:
            source, drawings = to_typst(documents, places, lacking)
        with _drawn(source, drawings) as article:
            made = typst.compile(article, font_paths=known, timestamp=0)
    with replacing(path) as temporary:
        temporary.write_bytes(compact(made))
    return lacking


def write_figures(
    documents: tuple[Document, ...], places: Mapping[str, Place], folder: Path
) -> None:
    """Write every figure as SVG and PNG by its number, and all on pages of one PDF.

    What a synthetic panel shows has its stamp below the drawing. Figures of an earlier run go.
    """
    with extra("report"):
        import typst

    writer = _Writer(places)
    names, sheets = [], []
    for block, within in stamped_blocks(documents):
        if isinstance(block, Figure | Forest):
            stamped = within or (isinstance(block, Figure) and block.stamped)
            names.append(places[block.key].name.lower().replace(" ", "-"))
            sheets.append(_sheet(block, writer, stamped=stamped))
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("figure*.*"):
        old.unlink()
    if not sheets:
        return
    source = _preamble("Figures") + "\n#pagebreak()\n".join(sheets)
    with fonts() as known, _drawn(source, writer.drawings) as article:
        compiler = typst.Compiler(article, font_paths=known)  # lays pages out once for all formats
        (paper,) = pages_of(compiler.compile(timestamp=0))
        drawings = pages_of(compiler.compile(format="svg"))
        pictures = pages_of(compiler.compile(format="png", ppi=_PPI))
    for name, drawing, picture in zip(names, drawings, pictures, strict=True):
        (folder / f"{name}.svg").write_bytes(drawing)
        (folder / f"{name}.png").write_bytes(picture)
    (folder / "figures.pdf").write_bytes(compact(paper))


_PPI = 200  # of pictures, for a text processor


def _sheet(block: Figure | Forest, writer: _Writer, *, stamped: bool) -> str:
    """A figure on a page of its own size."""
    writer.stamped = stamped
    width = _drawn_width(block.svg) if isinstance(block, Figure) else _WIDEST
    if isinstance(block, Figure):
        drawing = f"#{writer.image(block.svg, f'{width:.0f}pt')}"
    else:
        drawing = f"#{{ {_forest(block, writer)} }}"
    page = f"width: {width + 12:.0f}pt, height: auto, margin: 6pt, numbering: none"
    return f"#set page({page})\n{drawing}\n\n{writer.stamp()}\n"


@contextmanager
def _drawn(source: str, drawings: list[str]) -> Iterator[str]:
    """The path of a source with its drawings beside it, while it is compiled."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for k, drawing in enumerate(drawings):
            (root / f"{k}.svg").write_text(drawing, encoding="utf-8")
        (root / "article.typ").write_text(source, encoding="utf-8")
        yield str(root / "article.typ")


def _preamble(title: str) -> str:
    families = ", ".join(_string(name) for name in FAMILIES)
    return _PREAMBLE.format(title=_string(title), fonts=families)


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


def _label(key: str, place: Place) -> str:
    page = "s" if place.page.startswith("supplement") else "m"
    return f"{page}-{anchor(key).encode('ascii', 'replace').decode().replace('?', '-')}"


def _standalone(svg: str) -> str:
    """A drawing that takes its ink from no page."""
    text = re.sub(r'<path class="tip".*?</path>', "", svg).replace("currentColor", "#17202a")
    if "xmlns=" not in text[: text.index(">")]:
        text = text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return re.sub(r'(<svg [^>]*?) width="100%"', r"\1", text, count=1)


def _section(section: Section, writer: _Writer) -> str:
    writer.stamped = section.stamped
    title = section.title
    head = f"#heading(level: 2)[#{_string(typeset(title))}{writer.stamp()}]\n" if title else ""
    return f"{writer.label(section.key)}\n{head}" + "".join(
        _block(block, writer) for block in section.blocks
    )


@singledispatch
def _block(block: object, _writer: _Writer) -> str:
    raise TypeError(type(block).__name__)


@_block.register
def _(block: Text, writer: _Writer) -> str:
    said = writer.inline(block.text)
    if block.kind == "lead":
        said = f'#text(size: 11pt, weight: "bold")[{said}]#v(3pt, weak: true)'
    elif block.kind == "soft":
        said = f'#text(fill: rgb("{_SOFT}"), size: 8.5pt)[{said}]'
    elif block.kind == "stamp":
        said = f'#text(fill: rgb("{_BAD}"), weight: "bold")[{said}]'
    elif block.kind == "answer":
        said = (
            '#block(fill: rgb("#f3f5f6"), inset: (x: 6pt, y: 3pt), spacing: 0pt, width: 100%, '
            f'stroke: (left: 2pt + rgb("#255f9b")))[{said}]'
        )
    return f"{said}\n\n"


@_block.register
def _(block: Heading, writer: _Writer) -> str:
    label = f"{writer.label(block.key)}\n" if block.key else ""
    return f"{label}#heading(level: 3)[#{_string(typeset(block.text))}{writer.stamp()}]\n"


@_block.register
def _(block: Items, writer: _Writer) -> str:
    heads = [f"#strong[#{_string(h)}] " for h in block.heads] or [""] * len(block.items)
    items = ", ".join(
        f"[{head}{writer.inline(item)}]" for head, item in zip(heads, block.items, strict=True)
    )
    return f"#list({items})\n"


@_block.register
def _(block: Fold, writer: _Writer) -> str:
    slides = [item for item in block.blocks if isinstance(item, Sliders)]
    if slides:  # what paper has of them is in tables
        tables = ", ".join(ref(item.table) for item in slides)
        return f"#strong[#{_string(typeset(block.summary))}]: {writer.inline(tables)}.\n\n"
    first = block.blocks[0] if block.blocks else None
    if len(block.blocks) == 1 and isinstance(first, Text):  # on the line of its heading
        said = f"{block.summary}."
        return f"#strong[#{_string(typeset(said))}] {_block(first, writer)}"
    said = f"#block(sticky: true)[#strong[#{_string(typeset(block.summary))}]]\n\n"
    if isinstance(first, Text) and first.text.startswith(block.summary):
        said = ""  # it says so itself
    return said + "".join(_block(item, writer) for item in block.blocks)


@_block.register
def _(block: Sliders, writer: _Writer) -> str:
    return f"{writer.inline(f'Other settings, one at a time: {ref(block.table)}.')}\n\n"


@_block.register
def _(block: Table, writer: _Writer) -> str:
    n = len(block.columns)
    size = next(size for most, size in _SIZES if n <= most)
    aligned = ", ".join("left" if k in block.text else "right" for k in range(n))
    head = ", ".join(f"[#strong[#{_string(typeset(name))}]]" for name in block.columns)
    cells = []
    for row in block.rows:
        if len(row) == 1:
            cells.append(f"table.cell(colspan: {n}, align: left)[#strong[{_cell(row[0], writer)}]]")
        else:
            cells += [f"[{_cell(cell, writer)}]" for cell in row]
    note = f'#text(size: 8pt, fill: rgb("{_SOFT}"))[{writer.inline(block.note)}]\n\n'
    return (
        f"{writer.label(block.key)}\n"
        f"#block(sticky: true)[{writer.captioned(block.key, block.caption, '')}]\n"
        f"#{{ set text(size: {size}); table(columns: {n}, align: ({aligned},), "
        f"table.header({head}), {', '.join(cells)}) }}\n" + (note if block.note else "")
    )


def _cell(cell: str | Cell, writer: _Writer) -> str:
    if isinstance(cell, str):
        return writer.inline(cell)
    if cell.svg:
        return f"#{writer.image(cell.svg, '45mm')}"
    kind = next((k for k in cell.kind.split() if k in _COLOURS), None)
    said = writer.inline(cell.text)
    return f'#text(fill: rgb("{_COLOURS[kind]}"))[{said}]' if kind else said


@_block.register
def _(block: Figure, writer: _Writer) -> str:
    caption = writer.captioned(block.key, block.caption, block.note)
    return (
        f"{writer.label(block.key)}\n#block(breakable: false)[#align(center)"
        f"[#{writer.image(block.svg, f'{_drawn_width(block.svg):.0f}pt')}] {caption}]\n\n"
    )


_WIDEST, _PAPER = 425.0, 0.8  # points across a page; of a drawing's own size


def _drawn_width(svg: str) -> float:
    """In points: its type is a little smaller than that of the text."""
    found = re.search(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ', svg)
    return min(_WIDEST, _PAPER * float(found[1])) if found else _WIDEST


@_block.register
def _(block: Forest, writer: _Writer) -> str:
    return (
        f"{writer.label(block.key)}\n#{{ {_forest(block, writer)} }}\n"
        f"{writer.captioned(block.key, block.caption, block.note)}\n\n"
    )


def _forest(block: Forest, writer: _Writer) -> str:
    """Rows, their words and the axis."""
    axis = axis_of(block.rows)
    rows = []
    for row in block.rows:
        words = " #linebreak() ".join(_cell(word, writer) for word in row.words)
        of = f"#{_string(typeset(row.label))}"
        if row.below:
            of += f" #linebreak() {_small(typeset(row.below))}"
        rows.append(f"[{of}], [#{writer.image(stripe(row, axis), '100%')}], [{words}]")
    ticks = "".join(
        f"#place(dx: {100 * axis.at(value):.1f}% - 6pt)[{_small(text)}]"
        for value, text in axis.ticks
    )
    rows.append(f"[{_small(block.unit)}], [#box(height: 8pt, width: 100%)[{ticks}]], []")
    return (
        "set text(size: 8.5pt); table(columns: (1.75fr, 2fr, 1.15fr), align: horizon + left, "
        f"{', '.join(rows)})"
    )


def _small(text: str) -> str:
    return f'#text(size: 7.5pt, fill: rgb("{_SOFT}"))[#{_string(text)}]'
