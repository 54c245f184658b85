"""Blocks as one self-contained HTML page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import singledispatch
from pathlib import Path

from bayesdid.escape import html as escaped
from bayesdid.extras import extra
from bayesdid.report.document.blocks import (
    STAMP,
    Block,
    Cell,
    Choice,
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
    walk,
)
from bayesdid.report.document.forest import Axis, axis_of, stripe
from bayesdid.report.document.formulas import Piece, pieces
from bayesdid.report.document.numbering import Place, anchor
from bayesdid.report.svg_small import once
from bayesdid.report.text import typeset

LONG = 12  # rows from which on a table can be sorted and filtered
_SCROLL = '<div class="scroll" tabindex="0" role="region" aria-label="{}">'


class _Writer:
    """Where references lead from one page, and whether what is written is stamped."""

    __slots__ = ("page", "places", "stamped")

    def __init__(self, page: str, places: Mapping[str, Place]) -> None:
        self.page, self.places, self.stamped = page, places, False

    def inline(self, text: str) -> str:
        """Text with its references as links."""
        said = []
        for plain, key in split_refs(text):
            place = self.places.get(key)
            if place is None:
                said += [_piece(piece) for piece in pieces(plain or key)]
            else:
                link = escaped(place.link(self.page))
                said.append(f'<a href="{link}">{escaped(place.name)}</a>')
        return "".join(said)

    def stamp(self) -> str:
        """Beside a caption or a heading."""
        return f' <span class="stamp small">{STAMP}</span>' if self.stamped else ""

    def name(self, key: str) -> str:
        """``Table S3`` as its caption begins."""
        return self.places[key].name


def _piece(piece: Piece) -> str:
    text = escaped(piece.text if piece.of_formula else typeset(piece.text))
    return f"<{piece.rise}>{text}</{piece.rise}>" if piece.rise else text


def to_html(
    document: Document,
    page: str,
    places: Mapping[str, Place],
    *,
    other: tuple[str, str],
    everypage: str = "",
) -> str:
    """One page.

    Parameters
    ----------
    page
        Its file name.
    places
        Where every key of this page and of the other stands.
    other
        File name and title of the page beside it.
    everypage
        What is printed on every sheet; empty if nothing is.
    """
    with extra("report"):
        import jinja2

    blocks = [block for section in document.sections for block in walk(section.blocks)]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent.parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return once(
        environment.get_template("page.html.j2").render(
            title=typeset(document.title),
            above="".join(to_markup(block, page, places) for block in document.above),
            body="".join(_section(section, page, places) for section in document.sections),
            sections=[(anchor(s.key), typeset(s.title)) for s in document.sections if s.title],
            other=other,
            everypage=everypage,
            slides=any(isinstance(block, Sliders) for block in blocks),
            long=any(isinstance(block, Table) and len(block.rows) >= LONG for block in blocks),
        )
    )


def to_markup(
    block: Block, page: str, places: Mapping[str, Place], *, stamped: bool = False
) -> str:
    """One block as HTML."""
    writer = _Writer(page, places)
    writer.stamped = stamped
    return _block(block, writer)


def _section(section: Section, page: str, places: Mapping[str, Place]) -> str:
    writer = _Writer(page, places)
    writer.stamped = section.stamped
    title = f"<h2>{escaped(typeset(section.title))}{writer.stamp()}</h2>" if section.title else ""
    body = "".join(_block(block, writer) for block in section.blocks)
    return f'<section id="{anchor(section.key)}">{title}{body}</section>\n'


@singledispatch
def _block(block: object, _writer: _Writer) -> str:
    raise TypeError(type(block).__name__)


@_block.register
def _(block: Text, writer: _Writer) -> str:
    kind = f' class="{block.kind}"' if block.kind else ""
    tag = "h2" if block.kind == "lead" else "p"  # a question heads what answers it
    return f"<{tag}{kind}>{writer.inline(block.text)}</{tag}>\n"


@_block.register
def _(block: Heading, writer: _Writer) -> str:
    place = f' id="{anchor(block.key)}"' if block.key else ""
    return f"<h3{place}>{escaped(typeset(block.text))}{writer.stamp()}</h3>\n"


@_block.register
def _(block: Items, writer: _Writer) -> str:
    heads = [f"<strong>{escaped(typeset(head))}</strong> " for head in block.heads] or [""] * len(
        block.items
    )
    kind = f' class="{block.kind}"' if block.kind else ""
    kind += ' aria-label="Alerts"' if block.kind == "alerts" else ""  # a coloured edge says it
    items = "".join(
        f"<li>{head}{writer.inline(item)}</li>"
        for head, item in zip(heads, block.items, strict=True)
    )
    return f"<ul{kind}>{items}</ul>\n"


@_block.register
def _(block: Fold, writer: _Writer) -> str:
    body = "".join(_block(item, writer) for item in block.blocks)
    return f"<details><summary>{escaped(typeset(block.summary))}</summary>{body}</details>\n"


@_block.register
def _(block: Sliders, writer: _Writer) -> str:
    controls = "".join(_choice(choice, block.key) for choice in block.choices)
    data = block.data.replace("<", "\\u003c")
    return (
        f'<div class="sliders" id="{anchor(block.key)}"><div class="controls">{controls}</div>'
        f'<p class="answer" aria-live="polite">{writer.inline(block.said)}</p>'
        f'<p class="soft">One at a time: {writer.inline(ref(block.table))}.</p>'
        f'<script type="application/json">{data}</script></div>\n'
    )


def _choice(choice: Choice, key: str) -> str:
    """A labelled list, or a labelled range whose value is written beside it."""
    name, label = f"{anchor(key)}-{choice.name}", escaped(choice.label)
    if choice.listed:
        options = "".join(
            f'<option value="{k}"{" selected" * (k == choice.start)}>{escaped(text)}</option>'
            for k, text in enumerate(choice.options)
        )
        own = f'<select id="{name}" name="{choice.name}">{options}</select>'
        return f'<label for="{name}">{label}</label>{own}<span></span>'
    texts = escaped("|".join(choice.options))
    return (
        f'<label for="{name}">{label}</label><input type="range" id="{name}" name="{choice.name}" '
        f'min="0" max="{len(choice.options) - 1}" step="1" value="{choice.start}" '
        f'data-texts="{texts}" aria-valuetext="{escaped(choice.options[choice.start])}">'
        f'<output for="{name}">{escaped(choice.options[choice.start])}</output>'
    )


@_block.register
def _(block: Table, writer: _Writer) -> str:
    head = "".join(
        f'<th scope="col"{_text(k, block)}>{escaped(typeset(name))}</th>'
        for k, name in enumerate(block.columns)
    )
    body = "".join(_row(row, block, writer) for row in block.rows)
    note = f'<p class="soft">{writer.inline(block.note)}</p>' if block.note else ""
    name, kind = writer.name(block.key), ' class="long"' * (len(block.rows) >= LONG)
    return (
        f'<div class="tablebox" id="{anchor(block.key)}">{_SCROLL.format(name)}<table{kind}>'
        f'<caption><span class="said"><b>{name}.</b> {writer.inline(block.caption)}'
        f"{writer.stamp()}</span></caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{note}</div>\n"
    )


def _text(k: int, table: Table) -> str:
    return ' class="text"' if k in table.text else ""


def _row(row: tuple[str | Cell, ...], table: Table, writer: _Writer) -> str:
    if len(row) == 1:
        cell = row[0]
        said = cell if isinstance(cell, str) else cell.text
        return (
            f'<tr><th scope="colgroup" class="text" colspan="{len(table.columns)}">'
            f"{writer.inline(said)}</th></tr>"
        )
    cells = []
    for k, cell in enumerate(row):
        said = writer.inline(cell) if isinstance(cell, str) else _cell(cell, writer)
        if k == 0:  # a row's header is text unless it says otherwise
            kind = "" if 0 in table.text else ' class="number"'
            cells.append(f'<th scope="row"{kind}>{said}</th>')
        else:
            cells.append(f"<td{_text(k, table)}>{said}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _cell(cell: Cell, writer: _Writer) -> str:
    if cell.svg:
        return cell.svg
    said = writer.inline(cell.text)
    return f'<span class="{cell.kind}">{said}</span>' if cell.kind else said


@_block.register
def _(block: Figure, writer: _Writer) -> str:
    name = writer.name(block.key)
    alt = escaped(typeset(_plain(block.caption or block.note)))
    svg = re.sub(r'aria-label="[^"]*"', lambda _: f'aria-label="{alt}"', block.svg, count=1)
    note = f' <span class="soft">{writer.inline(block.note)}</span>' if block.note else ""
    stamp = f' <span class="stamp small">{STAMP}</span>' if block.stamped else ""
    return (
        f'<figure id="{anchor(block.key)}" aria-label="{name}">{_SCROLL.format(name)}{svg}</div>'
        f"<figcaption><b>{name}.</b> {writer.inline(block.caption)}{note}{stamp}</figcaption>"
        "</figure>\n"
    )


def _plain(text: str) -> str:
    return "".join(plain for plain, _ in split_refs(text))


@_block.register
def _(block: Forest, writer: _Writer) -> str:
    axis = axis_of(block.rows)
    rows = "".join(
        f'<li><div class="of">{escaped(typeset(row.label))}'
        + (f'<span class="soft">{escaped(typeset(row.below))}</span>' if row.below else "")
        + f'</div><div class="marks">{stripe(row, axis)}</div><div class="says">'
        + "".join(f"<span>{_cell(word, writer)}</span>" for word in row.words)
        + "</div></li>"
        for row in block.rows
    )
    note = f' <span class="soft">{writer.inline(block.note)}</span>' if block.note else ""
    name = writer.name(block.key)
    return (
        f'<figure class="front" id="{anchor(block.key)}" aria-label="{name}"><ul>{rows}'
        f'<li class="axis"><div class="of soft">{escaped(block.unit)}</div>'
        f'<div class="marks ticks">{_ticks(axis)}</div><div></div></li></ul><figcaption>'
        f"<b>{name}.</b> {writer.inline(block.caption)}{note}{writer.stamp()}"
        "</figcaption></figure>\n"
    )


def _ticks(axis: Axis) -> str:
    return "".join(
        f'<span style="left:{100 * axis.at(value):.1f}%">{escaped(text)}</span>'
        for value, text in axis.ticks
    )
