"""Columns that are made from others: ``log(x)``, ``l(x, 1)``, ``f(x, 1)``, ``d(x)``.

==============  ==================================================================
column          value in a unit-period
==============  ==================================================================
``log(x)``      natural logarithm of x; missing where x is not positive
``l(x, k)``     x of the unit k periods before; missing where that row is not there
``f(x, k)``     x of the unit k periods after
``d(x)``        x minus x one period before
==============  ==================================================================

One may stand in another: ``d(log(x))``. The names are fixest's. Parsed, never evaluated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Function = Literal["log", "l", "f", "d"]

NAME = r"[^\W\d][\w.]*"
_CALL = re.compile(rf"({'|'.join(get_args(Function))})\s*\((.*)\)", re.DOTALL)
_STEPS = re.compile(r"(.*),\s*(\d{1,4})\s*", re.DOTALL)
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Derived:
    """A function of one column; `steps` are those of ``l`` and ``f``, 1 for ``d``."""

    function: Function
    of: Derived | str
    steps: int = 0

    def __str__(self) -> str:
        steps = f", {self.steps}" if self.function in {"l", "f"} else ""
        return f"{self.function}({self.of}{steps})"

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
    call = _CALL.fullmatch(text)
    if call is None or depth >= _DEEPEST:
        raise ValueError(f"'{text}' is no column and none of log(x), l(x, k), f(x, k), d(x)")
    function: Function = call[1]  # type: ignore[assignment]
    inner, steps = call[2], 1
    if function in {"l", "f"} and (given := _STEPS.fullmatch(inner)):
        inner, steps = given[1], int(given[2])
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
    return text if found is None else found.source
