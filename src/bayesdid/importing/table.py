"""What was made of one table: its columns, their cells, and how sure each of them is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bayesdid.study.schema import Below

Role = Literal["estimate", "below", "n", "r2", "clusters", "statistic", "label", "moment"]
Part = Literal["coefficient", "lag", "direct", "indirect", "total", "scalar"]
SURE = 0.95  # below it a cell is marked


@dataclass(frozen=True, slots=True)
class ReadCell:
    """One printed text and where it was put.

    Attributes
    ----------
    row, position
        Where it stands in the grid; the position is -1 where it was lost.
    confidence
        That it belongs into this column and role, between 0 and 1.
    why
        What makes it uncertain; empty if nothing does.
    """

    text: str
    role: Role
    row: int
    position: int
    confidence: float = 1.0
    why: str = ""


@dataclass(slots=True)
class ReadRow:
    """One row of cells, an estimate's with what stands below it.

    Attributes
    ----------
    label
        As it is printed.
    role, part
        What it holds; `part` of estimates.
    cells
        Column -> its cell, and the cell below it.
    lost
        Texts in order where their columns are not known, each with what stands below it.
    lost_below, lost_beside
        What stands below where that alone lost its columns; what is beside each of `lost`.
    references
        Column -> null distribution of a statistic, as degrees of freedom beside it say.
    beside
        Column -> what else is printed of an estimate: t, p or interval, by kind.
    """

    label: str
    role: Role
    part: Part = "coefficient"
    cells: dict[int, ReadCell] = field(default_factory=dict)
    below: dict[int, ReadCell] = field(default_factory=dict)
    lost: tuple[tuple[ReadCell, ReadCell | None], ...] = ()
    lost_below: tuple[ReadCell, ...] = ()
    lost_beside: tuple[dict[str, ReadCell], ...] = ()
    references: dict[int, str] = field(default_factory=dict)
    beside: dict[int, dict[str, ReadCell]] = field(default_factory=dict)
    confidence: float = 1.0
    why: str = ""

    def texts(self) -> list[str]:
        """The printed texts, in order."""
        return [c.text for c in self.cells.values()] or [cell.text for cell, _ in self.lost]


@dataclass(slots=True)
class ReadColumn:
    """One column: its number, what its header and rows such as 'Yes' say, whether it is ratios.

    Attributes
    ----------
    below
        What stands in its brackets, if that is not what the table's hold.
    model
        Its heading that names a model or a sample, as the corner of the table says.
    """

    id: str
    heads: tuple[str, ...] = ()
    outcome: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    ratio: bool = False
    below: Below | None = None
    model: str = ""


@dataclass(slots=True)
class ReadTable:
    """A table as it was understood.

    Attributes
    ----------
    id, title, notes
        Its file's name, and the text above and below.
    kind
        ``regression`` or ``descriptive``; ``other`` is not written.
    columns, rows
        In order; cells of a row are keyed by the position of their column.
    stars
        Mark -> level, as its notes state it; None if they do not.
    supposed
        Mark -> level in their place.
    in_parentheses, in_parentheses_why
        What stands below estimates, and what says so; no reason means that it was guessed.
    se_kind
        As the notes say.
    panels
        Headings of the panels below each other, which its columns have among theirs.
    alternatives
        Other ways to place what lost its column: probability, and what moves.
    doubts
        Sentences on what is uncertain.
    """

    id: str
    title: str
    notes: str
    kind: Literal["regression", "descriptive", "other"]
    columns: list[ReadColumn]
    rows: list[ReadRow]
    stars: dict[str, float] | None = None
    supposed: dict[str, float] = field(default_factory=dict)
    in_parentheses: Below = "se"
    in_parentheses_why: str = ""
    se_kind: Literal["unknown", "iid", "robust", "clustered"] = "unknown"
    panels: frozenset[str] = frozenset()
    alternatives: list[Alternative] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to place the cells that lost their columns.

    Attributes
    ----------
    probability
        Among all ways that were looked at.
    places
        Row -> the columns of its cells, in order.
    text
        What it says, in words.
    """

    probability: float
    places: dict[int, tuple[int, ...]]
    text: str
