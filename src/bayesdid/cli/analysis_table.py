"""Tables of analyses for a terminal: no number is folded or cut; what is too wide is continued."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bayesdid.summary import chance, is_chance, significant

if TYPE_CHECKING:
    from rich.table import Table

_LOW, _HIGH = " low", " high"
_WHOLE = 24  # characters of a column that is not folded
_LEAST = 6  # characters of a line of a heading
_BETWEEN = 2

Column = tuple[str, list[str]]
"""A heading in lines, and its cells."""


def analysis_tables(
    caption: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], width: int
) -> Iterator[Table]:
    """A table, continued below with its first column again as often as it is too wide.

    Parameters
    ----------
    columns
        Headings. ``<name> low`` before ``<name> high`` are one interval, ``P(...)`` probabilities.
    rows
        Numbers, texts or None, one for each heading.
    width
        Characters of a line.
    """
    first, *others = _columns(columns, rows)
    held: list[Column] = []
    for column in others:
        if held and sum(map(_width, (first, *held, column))) > width:
            yield _table(caption, [first, *held])
            caption, held = "", []
        held.append(column)
    yield _table(caption, [first, *held])


def shown(value: Any, digits: int = 4) -> str:
    """A cell: a text, a number to some digits, a dash for nothing."""
    if value is None or value != value:
        return "–"
    return value if isinstance(value, str) else significant(value, digits)


def _table(caption: str, columns: Sequence[Column]) -> Table:
    from rich import box
    from rich.table import Table

    found = Table(title=caption, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for k, (heading, cells) in enumerate(columns):
        whole = max(map(len, cells), default=0) <= _WHOLE
        found.add_column(heading, justify="right" if k else "left", overflow="fold", no_wrap=whole)
    for row in zip(*(cells for _, cells in columns), strict=True):
        found.add_row(*row)
    return found


def _columns(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[Column]:
    at = 0
    while at < len(columns):
        name = columns[at]
        stem = name.removesuffix(_LOW)
        if ends := stem != name and stem + _HIGH in columns[at + 1 : at + 2]:
            name, cells = stem, [_interval(row[at], row[at + 1]) for row in rows]
        else:
            cells = [_cell(name, row[at]) for row in rows]
        room = max([_LEAST, *(min(len(cell), _WHOLE) for cell in cells)])
        lines = textwrap.wrap(name, room, break_on_hyphens=False, break_long_words=False)
        yield "\n".join(lines), cells
        at += 1 + ends


def _width(column: Column) -> int:
    heading, cells = column
    parts = [*heading.split("\n"), *cells]
    return min(max(map(len, parts)), _WHOLE) + _BETWEEN


def _cell(heading: str, value: Any) -> str:
    if is_chance(heading) and isinstance(value, float) and value == value:
        return chance(value)
    return shown(value, 3)


def _interval(low: Any, high: Any) -> str:
    return "–" if low is None or high is None else f"{shown(low, 3)} to {shown(high, 3)}"
