"""Numbers of tables and figures, and where a reference leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bayesdid.report.document.blocks import (
    Cell,
    Document,
    Figure,
    Forest,
    Heading,
    Table,
    split_refs,
    walk,
)
from bayesdid.report.document.formulas import without_marks
from bayesdid.report.text import typeset


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key stands: its name (``Table S3``), its page and its anchor."""

    name: str
    page: str
    anchor: str

    def link(self, page: str) -> str:
        """Address as seen from `page`."""
        return f"#{self.anchor}" if page == self.page else f"{self.page}#{self.anchor}"


def anchor(key: str) -> str:
    """A key as an HTML id."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in key)


def plain_text(text: str, places: Mapping[str, Place]) -> str:
    """Text as it is read; references by the names of what they lead to."""
    said = (places[key].name if key in places else plain or key for plain, key in split_refs(text))
    return typeset(without_marks("".join(said)))


def cell_text(cell: str | Cell, places: Mapping[str, Place]) -> str:
    """A cell as :func:`plain_text`; drawings inside of it are left out."""
    return plain_text(cell if isinstance(cell, str) else cell.text, places)


def _quoted(title: str) -> str:
    """A heading in quotation marks; those within it become single ones."""
    return f"“{title.replace('“', '‘').replace('”', '’')}”"


def places(documents: Mapping[str, tuple[str, Document]]) -> dict[str, Place]:
    """Every key with its number.

    Parameters
    ----------
    documents
        File name -> prefix of its numbers and the document, in the order of reading.
    """
    found: dict[str, Place] = {}
    for page, (prefix, document) in documents.items():
        tables = figures = 0
        where = " in the supplement" if prefix else ""
        for section in document.sections:
            found[section.key] = Place(
                f"{_quoted(section.title)}{where}", page, anchor(section.key)
            )
            for block in walk(section.blocks):
                match block:
                    case Table():
                        tables += 1
                        name = f"Table {prefix}{tables}"
                    case Figure() | Forest():
                        figures += 1
                        name = f"Figure {prefix}{figures}"
                    case Heading() if block.key:
                        name = f"{_quoted(block.text)}{where}"
                    case _:
                        continue
                found[block.key] = Place(name, page, anchor(block.key))
    return found
