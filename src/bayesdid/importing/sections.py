"""Spatial tables of Stata in sections: Main, Wx, Spatial, Variance, LR_Direct and the like."""

from __future__ import annotations

import re

from bayesdid.importing.grid import Grid
from bayesdid.importing.numbers import what
from bayesdid.importing.words import role_of

_SECTION = re.compile(
    r"(?:(?P<lag>wx)|(?:(?:lr|sr)_|long-run |short-run )?(?P<impact>direct|indirect|total)|"
    r"main|spatial|variance)$",
    re.IGNORECASE,
)


def sectioned(grid: Grid) -> Grid:
    """A grid whose terms below ``Wx`` and ``LR_Direct`` are named after them: ``W × did``.

    The headings of sections go: nothing else of a table of `xsmle` tells a lag from a coefficient.
    Other tables, without a section ``Wx`` or one of impacts beside ``Main``, stay.
    """
    heads = [_head(row) for row in grid.rows]
    named = {head.lower() for head in heads}
    if "main" not in named or len(named - {"", "main", "spatial", "variance"}) == 0:
        return grid
    rows, prefix = [], ""
    for row, head in zip(grid.rows, heads, strict=True):
        if head:
            found = _SECTION.match(head)
            impact = found["impact"] if found else None
            prefix = "W × " if found and found["lag"] else f"{impact.title()}: " if impact else ""
            prefix = f"Short-run {prefix}" if head.lower().startswith(("sr_", "short")) else prefix
            continue
        if _is_size(row[0]):
            prefix = ""
        term = bool(row[0]) and any(what(text) == "number" for text in row[1:])
        rows.append((f"{prefix}{row[0]}", *row[1:]) if term else row)
    return Grid(tuple(rows), grid.title, grid.notes, grid.loose)


def _head(row: tuple[str, ...]) -> str:
    """The name of a section, alone in its row; else empty."""
    texts = {text.strip() for text in row if text.strip()}
    text = texts.pop() if len(texts) == 1 and row[0].strip() else ""
    return text if _SECTION.match(text) else ""


def _is_size(label: str) -> bool:
    """Whether a row is of the whole regression, which no section is."""
    return role_of(label) in {"n", "r2", "clusters", "statistic"}
