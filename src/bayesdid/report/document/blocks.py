"""Blocks of a report: one content model behind every format it is written in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

STAMP = "synthetic panel"
"""What stands beside everything that a synthetic panel shows."""
_OPEN, _CLOSE = "\ue000", "\ue001"  # private characters: no text of a study is a reference


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; `kind` is empty, ``lead``, ``soft``, ``stamp`` or ``answer``."""

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading below that of a section; others may refer to its `key`."""

    text: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list; what stands in `heads` begins an item and is set bold."""

    items: tuple[str, ...]
    heads: tuple[str, ...] = ()
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table that is more than text: of a kind (its colour), or a drawing."""

    text: str
    kind: str = ""
    svg: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A numbered table.

    Attributes
    ----------
    key
        What references name; unique in a report.
    caption
        What the table is of.
    rows
        Cells, each as many as `columns`; a row of one cell is a heading across all.
    text
        Positions of columns that hold text and not numbers.
    note
        Below the table.
    """

    key: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | Cell, ...], ...]
    text: frozenset[int] = frozenset({0})
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A numbered figure.

    Attributes
    ----------
    svg
        The drawing, as :func:`bayesdid.report.figures.svg` makes it.
    caption
        What there is to see, from the numbers drawn.
    note
        How it is drawn.
    stamped
        Whether it is of a synthetic panel.
    """

    key: str
    svg: str
    caption: str
    note: str = ""
    stamped: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """One posterior in a row of a forest: interval, mean, the range over models that count."""

    source: str
    mean: float
    low: float
    high: float
    wide: tuple[float, float] | None = None
    solid: bool = True

    @property
    def ends(self) -> tuple[float, ...]:
        """Where its lines end."""
        return (self.low, self.high, *(self.wide or ()))


@dataclass(frozen=True, slots=True)
class ForestRow:
    """A row: what it is of, what each source says in words, and its marks."""

    label: str
    below: str
    words: tuple[Cell, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Forest:
    """Rows on one axis with the words beside them: legible on a phone."""

    key: str
    caption: str
    note: str
    unit: str
    rows: tuple[ForestRow, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks that a screen folds and paper shows."""

    summary: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A control of :class:`Sliders`: a range with few places, or a list if `listed`."""

    name: str
    label: str
    options: tuple[str, ...]
    start: int = 0
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Sliders:
    """An answer under settings that a reader chooses; looked up, never computed, on the page.

    Attributes
    ----------
    choices
        Controls in order.
    said
        What stands at the start, which is the page's own answer.
    table
        Key of the table that holds the same settings one at a time, for paper.
    data
        What the page looks up, as JSON.
    """

    key: str
    choices: tuple[Choice, ...]
    said: str
    table: str
    data: str


type Block = Text | Heading | Items | Table | Figure | Forest | Fold | Sliders


@dataclass(frozen=True, slots=True)
class Section:
    """A section; one of a synthetic panel is stamped."""

    key: str
    title: str
    blocks: tuple[Block, ...]
    stamped: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A page: its sections in order."""

    title: str
    sections: tuple[Section, ...]
    above: tuple[Block, ...] = field(default=())


def ref(key: str) -> str:
    """A reference to a table, figure or section, resolved when the report is numbered."""
    return f"{_OPEN}{key}{_CLOSE}"


def split_refs(text: str) -> list[tuple[str, str]]:
    """Text as pieces ``(text, "")`` and references ``("", key)``, in order."""
    pieces: list[tuple[str, str]] = []
    for part in text.split(_OPEN):
        key, closed, rest = part.partition(_CLOSE)
        if closed and pieces:
            pieces += [("", key), (rest, "")]
        else:
            pieces.append((part, ""))
    return [piece for piece in pieces if piece != ("", "")]


def stamped_blocks(documents: Iterable[Document]) -> Iterator[tuple[Block, bool]]:
    """All blocks in the order of reading, and whether their section is stamped."""
    for document in documents:
        for section in document.sections:
            for block in walk(section.blocks):
                yield block, section.stamped


def walk(blocks: tuple[Block, ...]) -> list[Block]:
    """Blocks in order, those inside folds too."""
    found: list[Block] = []
    for block in blocks:
        found.append(block)
        if isinstance(block, Fold):
            found += walk(block.blocks)
    return found
