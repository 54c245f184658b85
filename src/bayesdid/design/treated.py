"""How many units tell the effect of a treatment apart, and what few of them mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bayesdid.design.design import Design

FEW = 5
"""Treated units up to which an interval is not taken on trust (docs/calibration-errors.md)."""


def is_treated(design: Design, term: int) -> NDArray[np.bool_]:
    """Which units a treatment term is about, shape (N,).

    With fixed or Mundlak unit effects these are the units in which the term changes: one that is
    treated in all of its rows says nothing. With other unit effects those in which it is not zero.
    """
    index, d, N = design.unit_index, design.D[:, term], len(design.units)
    on = np.bincount(index, d != 0, minlength=N) > 0
    if design.unit_effects in {"none", "random"}:
        return np.asarray(on)
    low, high = np.full(N, np.inf), np.full(N, -np.inf)
    np.minimum.at(low, index, d)
    np.maximum.at(high, index, d)
    return np.asarray(on & (high > low))


def treated_units(design: Design) -> list[int]:
    """Number of treated units of each treatment term."""
    return [int(is_treated(design, k).sum()) for k in range(len(design.treatments))]


def few_units_text(counts: Mapping[str, int]) -> list[str]:
    """One warning for each number of treated units, up to :data:`FEW`, with its terms."""
    terms: dict[int, list[str]] = {}
    for term, count in counts.items():
        if count <= FEW:
            terms.setdefault(count, []).append(term)
    return [
        f"{count_text(count)}: {first_of(names, FEW)}: no interval is calibrated by asymptotics; "
        "see the permutation interval (few_treated)"
        for count, names in sorted(terms.items())
    ]


def first_of(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def count_text(count: int) -> str:
    """``1 treated unit``, ``3 treated units``."""
    return f"{count} treated unit{'' if count == 1 else 's'}"
