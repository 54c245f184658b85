"""How many units tell the effect of a treatment apart, and what few of them mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import comb

import numpy as np
from numpy.typing import NDArray

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.further import Further
from bayesdid.design.span import fixed_span, within
from bayesdid.exceptions import Note
from bayesdid.summary import tails

_ROUNDING = 1e-8  # of a treatment's size: what a projection leaves of it by rounding
FEW = 5
"""Treated units up to which an interval is not taken on trust (docs/calibration-few.md)."""
FEW_CLUSTERS = 20
"""Clusters below which errors clustered by them are too small."""


UNTOLD = "untold_shocks"
"""Name of the note that nothing tells the shocks that individuals share from the effects."""


def is_treated(design: Design, term: int) -> NDArray[np.bool_]:
    """Which units a treatment term is about, shape (N,).

    With fixed or Mundlak unit effects these are the units in which the term changes: one that is
    treated in all of its rows says nothing. With other unit effects those in which it is not zero.
    With fixed slopes of units it must differ from a line of its own in the unit, with levels of
    other fixed effects from the mean of its level in some row.
    """
    index, d, N = design.unit_index, design.D[:, term], len(design.units)
    on = np.bincount(index, d != 0, minlength=N) > 0
    if design.unit_effects in {"none", "random"}:
        return np.asarray(on)
    low, high = np.full(N, np.inf), np.full(N, -np.inf)
    np.minimum.at(low, index, d)
    np.maximum.at(high, index, d)
    return np.asarray(on & (high > low) & _beyond_further(design, d))


def _beyond_further(design: Design, d: FloatArray) -> NDArray[np.bool_]:
    """Units in which `d`, (n,), is more than further fixed effects take up, shape (N,)."""
    index, N, found = design.unit_index, len(design.units), np.ones(len(design.units), dtype=bool)
    column = d[:, None]
    size = max(float(abs(d).max()), 1e-300)
    if any(one.is_unit_slope for one in design.further):
        own = replace(design, further=tuple(f for f in design.further if f.is_unit_slope))
        left = fixed_span(own).within_units(column)[:, 0]
        found &= np.bincount(index, abs(left) > _ROUNDING * size, minlength=N) > 0
    for one in design.further:
        if one.kind == "fixed" and one.slope is None and not one.of:
            left = d - (np.bincount(one.index, d) / np.bincount(one.index))[one.index]
            found &= np.bincount(index, abs(left) > _ROUNDING * size, minlength=N) > 0
    return found


def with_identification(design: Design) -> Design:
    """The design with a note on what further fixed effects leave of each treatment."""
    if not any(one.kind == "fixed" for one in design.further):
        return design
    plain = replace(design, further=())
    w = design.weights
    left = [(within(one, design.D, weights=w) ** 2).sum(axis=0) for one in (design, plain)]
    share = left[0] / np.maximum(left[1], 1e-300)
    fixed = [_in_words(f, design) for f in design.further if f.kind == "fixed"]
    effects = " and ".join(dict.fromkeys(fixed))
    kinds = {"units": design.unit_effects, "periods": design.period_effects}
    inside = " and ".join(name for name, kind in kinds.items() if kind == "fixed")
    variation = f"variation{' within' * bool(inside)} {inside}".rstrip()
    said = []
    for k, name in enumerate(design.treatments[:FEW]):
        units = int(is_treated(design, k).sum())
        said.append(
            f"{name} varies in {units} of {len(design.units)} {design.unit_dim}, and "
            f"{100 * share[k]:.0f} % of its {variation} is left"
        )
    note = Note("identification", len(said), f"after {effects}: {'; '.join(said)}")
    return replace(design, notes=(*design.notes, note))


def treated_units(design: Design) -> list[int]:
    """Number of treated units of each treatment term."""
    return [int(is_treated(design, k).sum()) for k in range(len(design.treatments))]


def _in_words(one: Further, design: Design) -> str:
    """``state trends`` for slopes of the period, else the effect as written."""
    if one.slope is not None and one.name.startswith(f"{one.dim}_slope_{design.period_dim}"):
        return f"{one.dim} trends"
    return one.text


def not_exchangeable(design: Design) -> str:
    """Why units of a design cannot change places in a permutation; empty if they can."""
    if design.further:
        return (
            f"{design.further[0].text} ties each unit to its own level, so that units cannot "
            "change places"
        )
    weighted = design.weights is not None
    return "rows with weights of their own cannot change places" if weighted else ""


def shocks_untold(design: Design) -> bool:
    """Whether no cell of unit and period is left to tell a shock of it from the effects.

    Parameters
    ----------
    design
        Of individuals, who share a random shock of their unit and period.
    """
    N, T = len(design.units), len(design.periods)
    cells, first, of_row = np.unique(
        design.unit_index * T + design.period_index, return_index=True, return_inverse=True
    )
    regressors = np.column_stack([design.D, design.X])
    if len(cells) > N + T + regressors.shape[1]:
        return False
    of_cell = regressors[first]
    same = (abs(regressors - of_cell[of_row]) <= _ROUNDING).all(axis=0)  # for all individuals
    columns = [np.ones((len(cells), 1)), of_cell[:, same]]
    if design.unit_effects == "fixed":
        columns.append(np.eye(N)[cells // T])
    if design.period_effects == "fixed":
        columns.append(np.eye(T)[cells % T])
    return bool(np.linalg.matrix_rank(np.column_stack(columns)) == len(cells))


def few_units_text(
    counts: Mapping[str, int], units: int | None = None, tied: str = "", level: float | None = None
) -> list[str]:
    """One warning for each number of treated units, up to :data:`FEW`, with its terms.

    Parameters
    ----------
    counts
        Term -> treated units.
    units
        All units; with them it is said where they are too few for a permutation.
    tied
        Why units cannot change places, see :func:`not_exchangeable`.
    level
        Of the interval by permutation.
    """
    beyond = 1 / (2 * tails(level)[0]) - 1e-9  # assignments
    terms: dict[int, list[str]] = {}
    for term, count in counts.items():
        if count <= FEW:
            terms.setdefault(count, []).append(term)
    found = []
    for count, names in sorted(terms.items()):
        few = units is not None and comb(units, count) < beyond
        why = f"{units} units can be treated in too few ways" if few else tied
        instead = (
            f", and none by permutation: {why}"
            if why
            else "; see the permutation interval (few_treated)"
        )
        found.append(
            f"{count_text(count)}: {first_of(names, FEW)}: no interval is calibrated by "
            f"asymptotics{instead}"
        )
    return found


def first_of(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def count_text(count: int) -> str:
    """``1 treated unit``, ``3 treated units``."""
    return f"{count} treated unit{'' if count == 1 else 's'}"
