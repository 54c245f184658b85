"""What fixed effects take up of the regressors, level by level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.design import Design
from bayesdid.design.within import one_way, two_way


@dataclass(frozen=True, slots=True)
class TakenUp:
    """Components of regressors that fixed effects share with them.

    An effect and a coefficient whose regressor has a large component over the effect's levels are
    strongly correlated. The effect plus its share of every regressor is not: a sampler moves that.

    Attributes
    ----------
    unit, period
        Shapes (N, K) and (T, K), each column with mean zero over the levels; zero where the
        effects are not fixed.
    """

    unit: FloatArray
    period: FloatArray


def taken_up(design: Design, columns: FloatArray) -> TakenUp:
    """The components of `columns`, shape (n, K)."""
    fixed = (design.unit_effects == "fixed", design.period_effects == "fixed")
    K = columns.shape[1]
    unit, period = np.zeros((len(design.units), K)), np.zeros((len(design.periods), K))
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


def _by_level(rows: FloatArray, index: IntArray) -> FloatArray:
    """From one value per row to one per level, centred over levels."""
    levels = rows[np.unique(index, return_index=True)[1]]
    return np.asarray(levels - levels.mean(axis=0))
