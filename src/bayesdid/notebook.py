"""How values show themselves: a few lines at a prompt, the same in a notebook; counts in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bayesdid import escape

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 6  # names that a line lists


def listed(names: Sequence[object], shown: int = SHOWN) -> str:
    """Names in a line, how many more at its end."""
    text = ", ".join(map(str, names[:shown]))
    more = len(names) - shown
    return f"{text} and {more} more" if more > 0 else text or "none"


def many(count: int, noun: str) -> str:
    """``1 warning``, ``2 warnings``."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def left_out(units: int, rows: int) -> str:
    """``1 unit (8 rows) is left out``, ``2 units (16 rows) are left out``."""
    return f"{many(units, 'unit')} ({many(rows, 'row')}) {'is' if units == 1 else 'are'} left out"


def lines(head: str, rest: Iterable[str]) -> str:
    """``<Head`` and indented lines below, empty ones left out."""
    return f"<{head}" + "".join(f"\n  {line}" for line in rest if line) + ">"


def html(text: str, table: pd.DataFrame | None = None) -> str:
    """The text as typed, and a table below it."""
    below = "" if table is None else table.to_html(float_format="%.4g")
    return f"<div><pre>{escape.html(text.removeprefix('<').removesuffix('>'))}</pre>{below}</div>"
