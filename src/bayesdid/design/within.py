"""Two-way projections: the within residual of a variable, and its unit and period components.

For balanced panels the components are the familiar means; for unbalanced panels they are the
fitted unit and period effects of the variable, which is what makes a random-effects regression
that includes them reproduce the within estimate (Mundlak 1978; Wooldridge 2021, two-way).
Sums over the rows of a unit or period; no dummy variable is ever written out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.singular import solve_singular

_CELLS = 20_000_000  # cells of a dense table of units and periods
_ROUNDING = 1e-11  # of a column's size: what is left of it by rounding, with a wide margin


class Components(NamedTuple):
    """``Z = residual + unit + period + mean``, each of shape (n, K)."""

    residual: FloatArray
    unit: FloatArray
    period: FloatArray


def two_way(Z: FloatArray, unit_index: IntArray, period_index: IntArray) -> Components:
    """Split the columns of `Z`, shape (n, K), into within residual and two components.

    The components have mean zero over the rows.
    """
    mean = Z.mean(axis=0)
    unit_level, period_level = _levels(Z, mean, unit_index, period_index)
    unit, period = unit_level[unit_index], period_level[period_index]
    residual = Z - mean - unit
    residual -= period
    unit -= unit.mean(axis=0)
    period -= period.mean(axis=0)
    return Components(residual, unit, period)


def _levels(
    Z: FloatArray, mean: FloatArray, unit_index: IntArray, period_index: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Fitted effects of the centred columns, shapes (N, K) and (T, K).

    Solves the two-way normal equations exactly, eliminating the factor with more levels.
    """
    N, T = int(unit_index.max(initial=0)) + 1, int(period_index.max(initial=0)) + 1
    if N < T:
        period, unit = _levels(Z, mean, period_index, unit_index)
        return unit, period
    per_unit = np.bincount(unit_index, minlength=N).astype(float)
    per_period = np.bincount(period_index, minlength=T).astype(float)
    big = group_sums(Z, unit_index, N) - per_unit[:, None] * mean
    small = group_sums(Z, period_index, T) - per_period[:, None] * mean
    if len(Z) == N * T and (per_unit == T).all() and (per_period == N).all():
        cells = np.bincount(unit_index * np.int64(T) + period_index, minlength=N * T)
        if (cells == 1).all():  # balanced: the two factors are orthogonal
            return big / T, small / N
    table = _cell_counts(unit_index, period_index, N, T)
    each = np.maximum(per_unit, 1.0)
    scaled = table * (1 / each)[:, None]
    product = table.T @ scaled
    schur = np.diag(per_period) - (
        product if isinstance(product, np.ndarray) else product.toarray()
    )
    right = small - scaled.T @ big
    period_level = solve_singular(schur, right, 1e-12)
    return (big - table @ period_level) / each[:, None], period_level


def _cell_counts(
    unit_index: IntArray, period_index: IntArray, N: int, T: int
) -> FloatArray | csr_array:
    """How many rows each unit has in each period, (N, T); sparse where a table would be large."""
    if N * T <= _CELLS:
        cell = unit_index * np.int64(T) + period_index
        return np.bincount(cell, minlength=N * T).reshape(N, T).astype(float)
    return csr_array((np.ones(len(unit_index)), (unit_index, period_index)), (N, T))


def group_sums(Z: FloatArray, index: IntArray, size: int) -> FloatArray:
    """Sums of the columns of `Z` by group, shape (size, K)."""
    found = np.empty((size, Z.shape[1]))
    for k in range(Z.shape[1]):
        found[:, k] = np.bincount(index, Z[:, k], size)
    return found


def one_way(Z: FloatArray, index: IntArray) -> FloatArray:
    """Group means of the columns of `Z` in every row, centred over the rows; shape (n, K)."""
    counts = np.bincount(index)
    means = group_sums(Z, index, len(counts)) / np.maximum(counts, 1)[:, None]
    return (means - Z.mean(axis=0))[index]


def absorb(
    Z: FloatArray, unit_index: IntArray, period_index: IntArray, *, unit: bool, period: bool
) -> FloatArray:
    """Residual of `Z` after projecting out the named dummies (and always the mean)."""
    if unit and period:
        mean = Z.mean(axis=0)
        unit_level, period_level = _levels(Z, mean, unit_index, period_index)
        residual = Z - (unit_level + mean)[unit_index]
        for k in range(Z.shape[1]):
            residual[:, k] -= period_level[period_index, k]
        return residual
    Z = Z - Z.mean(axis=0)
    if unit or period:
        return Z - one_way(Z, unit_index if unit else period_index)
    return Z


def varies(residual: FloatArray, Z: FloatArray) -> np.ndarray:
    """Which columns of `residual` are more than what rounding leaves of those of `Z`."""
    size = abs(Z).max(axis=0, initial=0.0)
    return np.asarray(residual.std(axis=0) > _ROUNDING * np.maximum(size, 1e-300))
