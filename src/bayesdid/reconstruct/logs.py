"""Logarithms in tables: of a column that is printed in logs only, the logarithm is sought."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.study.derived import derived_of


def inside_log(name: str) -> str | None:
    """The x of ``log(x)``; None for any other column."""
    made = derived_of(name)
    if made is None or made.function != "log" or not isinstance(made.of, str):
        return None
    return made.of


def sought_in(name: str, sought: Collection[str]) -> str:
    """What is sought for a column as a table names it: the x of ``log(x)``, or what it names."""
    return name if name in sought else inside_log(name) or name


def column_value(name: str, columns: Mapping[str, FloatArray]) -> FloatArray:
    """Values of a column as a table names it, shape (n,)."""
    own = sought_in(name, columns)
    return columns[own] if own == name else np.log(columns[own])


def column_slope(name: str, columns: Mapping[str, FloatArray]) -> FloatArray | float:
    """How it moves with what is sought, shape (n,) or 1."""
    own = sought_in(name, columns)
    return 1.0 if own == name else 1.0 / columns[own]


def as_in_a_panel(columns: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Columns as a file holds them: x where ``log(x)`` was sought."""
    found = {}
    for name, values in columns.items():
        inside = inside_log(name)
        found[inside or name] = values if inside is None else np.exp(values)
    return found
