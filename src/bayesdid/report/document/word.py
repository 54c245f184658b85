"""All numbered tables of a report as one Word document, written as WordprocessingML."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from bayesdid.escape import html as escaped
from bayesdid.files import replacing
from bayesdid.report.document.blocks import STAMP, Cell, Document, Table, stamped_blocks
from bayesdid.report.document.numbering import Place, cell_text, plain_text

_MAIN = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TYPES = (
    f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships'
    f'+xml"/><Override PartName="/word/document.xml" ContentType="{_OFFICE}"/></Types>'
)
_RELATIONS = (
    f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" Type="http://'
    'schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
_RULES = "".join(
    f'<w:{side} w:val="single" w:sz="{size}" w:color="666666"/>'
    for side, size in (("top", 8), ("bottom", 8), ("insideH", 2))
)
_PAGE = '<w:sectPr><w:pgSz w:w="16838" w:h="11906" w:orient="landscape"/></w:sectPr>'
_WHEN = (1980, 1, 1, 0, 0, 0)  # of every file in the archive: the same bytes for the same tables


def write_docx(documents: tuple[Document, ...], places: Mapping[str, Place], path: Path) -> None:
    """Write every table of some documents, with its number, caption and note.

    A head is repeated on every page that a table goes on to; drawings inside of cells are left out.
    """
    body = "".join(
        _table(block, places, stamped=stamped)
        for block, stamped in stamped_blocks(documents)
        if isinstance(block, Table)
    )
    text = f'{_HEAD}<w:document xmlns:w="{_MAIN}"><w:body>{body}{_PAGE}</w:body></w:document>'
    parts = {"[Content_Types].xml": _TYPES, "_rels/.rels": _RELATIONS, "word/document.xml": text}
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, _WHEN)
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)


def _table(table: Table, places: Mapping[str, Place], *, stamped: bool) -> str:
    n = len(table.columns)
    rows = [_row([_cell(name, places, strong=True) for name in table.columns], head=True)]
    for row in table.rows:
        if len(row) == 1:
            rows.append(_row([_cell(row[0], places, strong=True, across=n)]))
        else:
            rows.append(_row([_cell(cell, places) for cell in row]))
    caption = f"{places[table.key].name}. {plain_text(table.caption, places)}"
    caption += f" {STAMP}" if stamped else ""
    note = _paragraph(plain_text(table.note, places)) if table.note else ""
    return (
        f"{_paragraph(caption, strong=True, keep=True)}<w:tbl><w:tblPr><w:tblBorders>{_RULES}"
        f"</w:tblBorders></w:tblPr><w:tblGrid>{'<w:gridCol/>' * n}</w:tblGrid>{''.join(rows)}"
        f"</w:tbl>{note}{_paragraph('')}"
    )


def _row(cells: list[str], *, head: bool = False) -> str:
    kind = "<w:tblHeader/>" if head else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{kind}</w:trPr>{''.join(cells)}</w:tr>"


def _cell(
    cell: str | Cell, places: Mapping[str, Place], *, strong: bool = False, across: int = 1
) -> str:
    text = cell_text(cell, places)
    span = f'<w:gridSpan w:val="{across}"/>' if across > 1 else ""
    return f"<w:tc><w:tcPr>{span}</w:tcPr>{_paragraph(text, strong=strong)}</w:tc>"


def _paragraph(text: str, *, strong: bool = False, keep: bool = False) -> str:
    bold, next_ = "<w:b/>" * strong, "<w:keepNext/>" * keep
    return (
        f'<w:p><w:pPr>{next_}<w:spacing w:after="40"/></w:pPr><w:r><w:rPr>{bold}<w:sz w:val="16"/>'
        f'</w:rPr><w:t xml:space="preserve">{escaped(text)}</w:t></w:r></w:p>'
    )
