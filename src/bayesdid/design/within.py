"""Two-way projections: the within residual of a variable, and its unit and period components.

For balanced panels the components are the familiar means; for unbalanced panels they are the
fitted unit and period effects of the variable, which is what makes a random-effects regression
that includes them reproduce the within estimate (Mundlak 1978; Wooldridge 2021, two-way).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesdid.arrays import FloatArray, IntArray


class Components(NamedTuple):
    """``Z = residual + unit + period + mean``, each of shape (n, K)."""

    residual: FloatArray
    unit: FloatArray
    period: FloatArray


def two_way(Z: FloatArray, unit_index: IntArray, period_index: IntArray) -> Components:
    """Split the columns of `Z`, shape (n, K), into within residual and two components.

    The components have mean zero over the rows. Solves the two-way normal equations exactly,
    eliminating the factor with more levels.
    """
    Z = Z - Z.mean(axis=0)
    if unit_index.max(initial=0) < period_index.max(initial=0):
        residual, period, unit = two_way(Z, period_index, unit_index)
        return Components(residual, unit, period)
    big, small = _indicator_sums(Z, unit_index), _indicator_sums(Z, period_index)
    table = cell_counts(unit_index, period_index)
    per_unit, per_period = table.sum(axis=1), table.sum(axis=0)
    schur = np.diag(per_period) - table.T @ (table / per_unit[:, None])
    right = small - table.T @ (big / per_unit[:, None])
    period_level = np.linalg.lstsq(schur, right, rcond=1e-12)[0]
    unit_level = (big - table @ period_level) / per_unit[:, None]
    unit, period = unit_level[unit_index], period_level[period_index]
    return Components(Z - unit - period, unit - unit.mean(axis=0), period - period.mean(axis=0))


def one_way(Z: FloatArray, index: IntArray) -> FloatArray:
    """Group means of the columns of `Z` in every row, centred over the rows; shape (n, K)."""
    Z = Z - Z.mean(axis=0)
    means = _indicator_sums(Z, index) / np.bincount(index)[:, None]
    return means[index]


def cell_counts(unit_index: IntArray, period_index: IntArray) -> FloatArray:
    """How many rows each unit has in each period, shape (N, T)."""
    table = np.zeros((unit_index.max() + 1, period_index.max() + 1))
    np.add.at(table, (unit_index, period_index), 1.0)
    return table


def absorb(
    Z: FloatArray, unit_index: IntArray, period_index: IntArray, *, unit: bool, period: bool
) -> FloatArray:
    """Residual of `Z` after projecting out the named dummies (and always the mean)."""
    if unit and period:
        return two_way(Z, unit_index, period_index).residual
    Z = Z - Z.mean(axis=0)
    if unit or period:
        return Z - one_way(Z, unit_index if unit else period_index)
    return Z


def _indicator_sums(Z: FloatArray, index: IntArray) -> FloatArray:
    sums = np.zeros((index.max() + 1, Z.shape[1]))
    np.add.at(sums, index, Z)
    return sums
