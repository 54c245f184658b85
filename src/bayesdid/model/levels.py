"""What fixed effects take up of the regressors, level by level."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.design import Design
from bayesdid.design.span import fixed_span, repeated
from bayesdid.design.within import group_sums, one_way, two_way

_ROUNDS = 30  # of backfitting


@dataclass(frozen=True, slots=True)
class TakenUp:
    """Components of regressors that fixed effects share with them.

    An effect and a coefficient whose regressor has a large component over the effect's levels are
    strongly correlated. The effect plus its share of every regressor is not: a sampler moves that.

    Attributes
    ----------
    unit, period
        Shapes (N, K) and (T, K), each column in the span that the effect is free in; zero where
        the effects are not fixed.
    further
        Of fixed further effects by their names, shape (L, K).
    """

    unit: FloatArray
    period: FloatArray
    further: dict[str, FloatArray] = field(default_factory=dict)


def taken_up(design: Design, columns: FloatArray) -> TakenUp:
    """The components of `columns`, shape (n, K)."""
    fixed = (design.unit_effects == "fixed", design.period_effects == "fixed")
    K = columns.shape[1]
    unit, period = np.zeros((len(design.units), K)), np.zeros((len(design.periods), K))
    if any(one.kind == "fixed" for one in design.further):
        return _with_further(design, columns)
    if not K or not any(fixed):
        return TakenUp(unit, period)
    if all(fixed):
        parts = two_way(columns, design.unit_index, design.period_index)
        unit = _by_level(parts.unit, design.unit_index)
        period = _by_level(parts.period, design.period_index)
    elif fixed[0]:
        unit = _by_level(one_way(columns, design.unit_index), design.unit_index)
    else:
        period = _by_level(one_way(columns, design.period_index), design.period_index)
    return TakenUp(unit, period)


def free_levels(design: Design) -> dict[str, FloatArray]:
    """Orthonormal bases, (L, r), of what period and fixed further effects are free in, by name.

    Levels that effects before them span are left out of it: see
    :func:`bayesdid.design.span.repeated`. A unit's own slopes are free wherever they vary.
    """
    found = {}
    for name, null in repeated(fixed_span(design)).items():
        whole = np.linalg.qr(null, mode="complete")[0] if null.shape[1] else np.eye(len(null))
        found[name] = whole[:, null.shape[1] :]
    return found


def _with_further(design: Design, columns: FloatArray) -> TakenUp:
    """By backfitting over all fixed effects: any shares will do, better ones mix better."""
    K, n = columns.shape[1], design.n
    free = free_levels(design)
    one, rest = np.ones(n), columns - columns.mean(axis=0)
    places: list[tuple[str, np.ndarray, FloatArray, int]] = []
    if design.unit_effects == "fixed":
        places.append(("unit", design.unit_index, one, len(design.units)))
    if design.period_effects == "fixed":
        places.append(("period", design.period_index, one, len(design.periods)))
    places += [
        (f.name, f.index, f.times, len(f.levels)) for f in design.further if f.kind == "fixed"
    ]
    shares = {name: np.zeros((size, K)) for name, _, _, size in places}
    for _ in range(_ROUNDS):
        for name, index, values, size in places:
            own = np.maximum(group_sums(values[:, None] ** 2, index, size), 1e-300)
            step = group_sums(values[:, None] * rest, index, size) / own
            basis = free.get(design.period_dim if name == "period" else name)
            if name == "unit":
                step = step - step.mean(axis=0)
            elif basis is not None:
                step = basis @ (basis.T @ step)
            shares[name] += step
            rest = rest - step[index] * values[:, None]
    unit = shares.pop("unit", np.zeros((len(design.units), K)))
    period = shares.pop("period", np.zeros((len(design.periods), K)))
    return TakenUp(unit, period, shares)


def _by_level(rows: FloatArray, index: IntArray) -> FloatArray:
    """From one value per row to one per level, centred over levels."""
    levels = rows[np.unique(index, return_index=True)[1]]
    return np.asarray(levels - levels.mean(axis=0))
