"""Text in which each cell of a table is a line of its own, as some programs copy it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bayesdid.importing.grid import Document, make_grid
from bayesdid.importing.numbers import enumerator, what

_FEWEST = 2  # columns
_CORNER = re.compile(r"(?:variables?|变量)?\s*:?", re.IGNORECASE)


def read_stacked(lines: Sequence[str]) -> Document | None:
    """The table of a text whose lines are one cell each, below the numbers of columns.

    Empty cells are not there, so that a row of fewer cells than columns has lost their places.

    Returns
    -------
    Document or None
        None of any other text.
    """
    full = [line.strip() for line in lines if line.strip()]
    at = next((i for i in range(len(full)) if _width(full, i) >= _FEWEST), len(full))
    width = _width(full, at)
    cells = [i for i in range(at + width, len(full)) if _is_cell(full, i)]
    if width < _FEWEST or len(cells) < 2 * width or 2 * len(cells) < cells[-1] - cells[0]:
        return None
    above = [text for text in full[:at] if not _CORNER.fullmatch(text)]
    start, heads = at + width, [f"({j + 1})" for j in range(width)]
    rows = [["", *heads]]
    if cells[0] - start == width + 1:  # headings of columns, and the label of the first row
        rows.append(["", *full[start : start + width]])
        start += width
    elif len(above) > width:
        rows.insert(0, ["", *above[-width:]])
        above = above[:-width]
    rows += _rows(full, start, cells[-1] + 1, width)
    notes = full[cells[-1] + 1 :]
    grid = make_grid(rows, " ".join(above), " ".join(notes), loose=True)
    return Document((grid,), tuple(notes))


def _rows(full: Sequence[str], start: int, stop: int, width: int) -> list[list[str]]:
    """Labels with the cells that follow; brackets below them are rows without a label."""
    rows: list[list[str]] = [[full[start]]]
    count = 0  # of cells in the last row
    for i in range(start + 1, stop):
        text, cell = full[i], _is_cell(full, i)
        other = count > 0 and (what(text) == "below") != (what(rows[-1][-1]) == "below")
        if not cell or count == width or other:
            rows.append([])
            count = 0
        rows[-1].append(text)
        count += cell
    return rows


def _width(full: Sequence[str], at: int) -> int:
    """How many lines from one on are the numbers of columns: (1), (2) and so on."""
    count = 0
    while at + count < len(full) and enumerator(full[at + count]) == str(count + 1):
        count += 1
    return count


def _is_cell(full: Sequence[str], i: int) -> bool:
    """Whether a line is a cell and no label; a letter above a number, as in ``N``, is one."""
    text, kind = full[i], what(full[i])
    if kind in {"yes", "no"} and len(text) == 1 and text.isalpha():
        return not (i + 1 < len(full) and what(full[i + 1]) == "number")
    return kind not in {"text", "empty"}
