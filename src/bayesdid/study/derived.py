"""Columns that are made from others: logarithms, lags, leads, differences, winsorised values.

================  ================================================================
column            value in a unit-period
================  ================================================================
``log(x)``        natural logarithm of x; missing where x is not positive
``l(x, k)``       x of the unit k periods before; missing where that row is not there
``f(x, k)``       x of the unit k periods after
``d(x)``          x minus x one period before
``winsor(x, p)``  x, moved to its quantiles p and 1 - p where it lies beyond them; p is
                  0.01 if left out
================  ================================================================

One may stand in another: ``d(log(x))``. The names of
the first four are fixest's, that of the last is Stata's. A column whose name holds more than
letters, digits, _ and dots stands in backticks, as in R: ``log(`GDP (yuan)`)``. Parsed, never
evaluated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Function = Literal["log", "l", "f", "d", "winsor"]
FUNCTIONS = "log(x), l(x, k), f(x, k), d(x), winsor(x, p)"

NAME = r"[^\W\d][\w.]*"
QUOTED = r"`[^`*@~|\n]+`"
"""A name in backticks, without the marks at which formulas and terms are taken apart."""
COLUMN = rf"(?:{NAME}|{QUOTED})"
_CALL = re.compile(rf"({'|'.join(get_args(Function))})\s*\((.*)\)", re.DOTALL)
_STEPS = re.compile(r"(.*),\s*(\d{1,4})\s*", re.DOTALL)
_SHARE = re.compile(r"(.*),\s*(0?\.\d{1,6})\s*", re.DOTALL)
_USUAL = 0.01  # at each end
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Derived:
    """A function of one column.

    `steps` are those of ``l`` and ``f``, 1 for ``d``; `share` is that of ``winsor`` at each end.
    """

    function: Function
    of: Derived | str
    steps: int = 0
    share: float = 0.0

    def __str__(self) -> str:
        of = quoted(self.of) if isinstance(self.of, str) else self.of
        match self.function:
            case "l" | "f":
                return f"{self.function}({of}, {self.steps})"
            case "winsor":
                return f"winsor({of}, {self.share:.6f}".rstrip("0") + ")"
        return f"{self.function}({of})"

    @property
    def source(self) -> str:
        """The column of the panel that it is made from."""
        return self.of if isinstance(self.of, str) else self.of.source


def parse_derived(text: str, depth: int = 0) -> Derived | str:
    """Read a column's name, or a function of one.

    Raises
    ------
    ValueError
        If it is neither.
    """
    text = text.strip()
    if re.fullmatch(NAME, text):
        return text
    if re.fullmatch(QUOTED, text):
        name = text[1:-1].strip()
        if not name or derived_of(name) is not None:
            raise ValueError(f"{text} is named like a function of a column: rename it")
        return name
    call = _CALL.fullmatch(text)
    if call is None or depth >= _DEEPEST:
        raise ValueError(f"'{text}' is no column and none of {FUNCTIONS}")
    function: Function = call[1]  # type: ignore[assignment]
    inner, steps = call[2], 1
    if function in {"l", "f"} and (given := _STEPS.fullmatch(inner)):
        inner, steps = given[1], int(given[2])
    if function == "winsor":
        share = _USUAL
        if given := _SHARE.fullmatch(inner):
            inner, share = given[1], float(given[2])
        if not 0 < share < 0.5:
            raise ValueError(f"'{text}': p is a share at each end, above 0 and below 0.5")
        return Derived(function, parse_derived(inner, depth + 1), 0, share)
    of = parse_derived(inner, depth + 1)
    return Derived(function, of, 0 if function == "log" else steps)


def derived_of(text: str) -> Derived | None:
    """The function of a column that `text` is, or None for a plain name, whatever it holds."""
    try:
        found = parse_derived(text)
    except ValueError:
        return None
    return found if isinstance(found, Derived) else None


def source_column(text: str) -> str:
    """The column of the panel that `text` needs: itself, or what it is made from."""
    found = derived_of(text)
    return unquoted(text) if found is None else found.source


def quoted(name: str) -> str:
    """A column as terms write it: in backticks if it is neither a plain name nor a function."""
    plain = re.fullmatch(NAME, name) or derived_of(name) is not None
    return name if plain else f"`{name}`"


def unquoted(text: str) -> str:
    """A column's own name."""
    return text.strip()[1:-1].strip() if re.fullmatch(QUOTED, text.strip()) else text


def split_outside(text: str, mark: str) -> list[str]:
    """What stands between marks that are not in backticks."""
    return re.split(rf"{re.escape(mark)}(?=(?:[^`]*`[^`]*`)*[^`]*$)", text)
