"""Labels whose first part stands in a line above: broken ones, and products."""

from __future__ import annotations

import re

from bayesdid.importing.grid import Grid
from bayesdid.importing.numbers import what
from bayesdid.importing.words import PANEL

_GOES_ON = re.compile(
    r"(?:[×*(,/&+–—-]|\b(?:x|of|in|on|for|to|the|and|or|by|with|per|at|from|than|a|an))$",
    re.IGNORECASE,
)


def unwrapped(grid: Grid) -> Grid:
    """A grid whose labels of two lines stand in one, that of the numbers.

    The first line ends as no label does (`Distance to ×`), or the second begins in lower case as
    no whole label of the table does, and its first word would have made the first line longer than
    any of them.
    """
    rows = [tuple(row) for row in grid.rows]
    alone = {i for i in range(len(rows) - 1) if _is_first(rows[i], rows[i + 1])}
    if not alone:
        return grid
    whole = [row[0] for i, row in enumerate(rows) if i - 1 not in alone and _is_labelled(row)]
    capital = not any(label[0].islower() for label in whole)
    width = max(map(len, whole), default=0)
    found: list[tuple[str, ...]] = []
    for i, row in enumerate(rows):
        above = rows[i - 1][0].strip() if i - 1 in alone else ""
        longer = len(f"{above} {row[0].split(maxsplit=1)[0]}") > width if above else False
        if above and (_GOES_ON.search(above) or (capital and row[0][0].islower() and longer)):
            found[-1] = (f"{above} {row[0]}", *row[1:])
        else:
            found.append(row)
    return Grid(tuple(found), grid.title, grid.notes, grid.loose)


def multiplied(grid: Grid) -> Grid:
    """A grid in which `× Post` below `Treated` is `Treated × Post`."""
    above = ""
    found: list[tuple[str, ...]] = []
    for row in grid.rows:
        label = row[0].strip()
        times = _TIMES.match(label)
        if times and above and _is_labelled(row):
            found.append((f"{above} × {label[times.end() :]}", *row[1:]))
            continue
        if what(label) == "text":
            above = "" if PANEL.match(label) else label
        found.append(tuple(row))
    return Grid(tuple(found), grid.title, grid.notes, grid.loose)


_TIMES = re.compile(r"(?:[×✕*·]|x(?=\s))\s*(?=[^\W\d])")


def _is_labelled(row: tuple[str, ...]) -> bool:
    """Whether a row has a label and numbers."""
    return what(row[0]) == "text" and any(what(text) == "number" for text in row[1:])


def _is_first(row: tuple[str, ...], following: tuple[str, ...]) -> bool:
    """Whether a row is a text alone above a row with a label and numbers."""
    alone = what(row[0]) == "text" and not any(row[1:]) and not PANEL.match(row[0].strip())
    return alone and _is_labelled(following)
