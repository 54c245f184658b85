"""The rows of a panel in order of unit and time, and sums over them in blocks of units.

Everything the exact Gaussian engines know of a panel goes through this module: numbers only, no
names, and never a dummy variable. A row's values are multiplied by the square root of its
analytic weight, so that its error has variance sigma^2 whatever the weight; its unit and period
dummies then hold that root instead of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.design import Design
from bayesdid.design.regressors import Regressors, is_random
from bayesdid.exceptions import InputError
from bayesdid.inference.exact.further import FurtherColumns, no_columns
from bayesdid.model.serial import two_rows_error
from bayesdid.study.schema import EffectKind

Kind = Literal["fixed", "random", "none"]
_CELLS = 2_000_000  # numbers in one array of a block


@dataclass(frozen=True, slots=True)
class Rows:
    """Sorted rows of two crossed factors; the one that is eliminated first is called unit.

    Attributes
    ----------
    values
        Regressors and outcome, times the root of the weight, shape (n, K + 1).
    root
        Root of the weights, shape (n,), or None where every weight is one.
    unit, period
        Positions, shape (n,); `unit` ascends.
    start
        First row of each unit and n, shape (N + 1,).
    gap
        Periods since the unit's row before, 0 for its first row, shape (n,).
    N, T
        Number of units and of periods.
    unit_kind, period_kind
        How their effects are treated; Mundlak effects are random ones.
    further
        How many of the first columns of `values` belong to fixed further effects.
    slopes
        Fixed slopes of each unit's own, times the root of the weight, zero in units where they add
        nothing, shape (n, q).
    """

    values: FloatArray
    root: FloatArray | None
    unit: IntArray
    period: IntArray
    start: IntArray
    gap: IntArray
    N: int
    T: int
    unit_kind: Kind
    period_kind: Kind
    further: int = 0
    slopes: FloatArray = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def q(self) -> int:
        """Number of slopes of each unit's own."""
        return self.slopes.shape[1]

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.values)

    def blocks(self, width: int) -> Iterator[tuple[slice, slice]]:
        """Slices of units and of their rows, so that `width` numbers a unit or row fit."""
        step = max(1, _CELLS // max(width * max(1, self.n // max(self.N, 1)), 1))
        for a in range(0, self.N, step):
            b = min(a + step, self.N)
            yield slice(a, b), slice(int(self.start[a]), int(self.start[b]))

    def unit_sums(self, units: slice, rows: slice, weight: FloatArray) -> FloatArray:
        """``sum_j weight_j x_j`` for each unit of a block, x = (period dummies, one, values).

        Parameters
        ----------
        weight
            For the rows of the block, shape (rows,).

        Returns
        -------
        ndarray, shape (units, T + 1 + K + 1)
        """
        count = units.stop - units.start
        inner = weight if self.root is None else weight * self.root[rows]
        cell = (self.unit[rows] - units.start) * self.T + self.period[rows]
        sums = np.empty((count, self.T + 1 + self.values.shape[1]))
        sums[:, : self.T] = np.bincount(cell, inner, count * self.T).reshape(count, self.T)
        first = self.start[units] - rows.start
        sums[:, self.T] = np.add.reduceat(inner, first)
        for k in range(self.values.shape[1]):
            sums[:, self.T + 1 + k] = np.add.reduceat(weight * self.values[rows, k], first)
        return sums

    def products(
        self, i: IntArray | slice, j: IntArray | slice, *, both: bool = False
    ) -> FloatArray:
        """``sum x_i x_j'``, shape (T + 1 + K + 1, same); plus its transpose if `both`."""
        T, V = self.T, self.values
        p, q, v, w = self.period[i], self.period[j], V[i], V[j]
        left = np.ones(len(v)) if self.root is None else self.root[i]
        right = left if self.root is None else self.root[j]
        found = np.zeros((T + 1 + V.shape[1],) * 2)
        if i is j:
            square = left * right
            found[np.arange(T), np.arange(T)] = np.bincount(p, square, T)
            found[T, T] = square.sum()
            found[T, :T] = found[:T, T] = found[np.arange(T), np.arange(T)]
            for k in range(V.shape[1]):
                found[:T, T + 1 + k] = np.bincount(p, left * w[:, k], T)
            found[T, T + 1 :] = found[:T, T + 1 :].sum(axis=0)
            found[T + 1 :, : T + 1] = found[: T + 1, T + 1 :].T
            found[T + 1 :, T + 1 :] = v.T @ v
        else:
            found[:T, :T] = np.bincount(p * T + q, left * right, T * T).reshape(T, T)
            found[T, :T], found[:T, T] = found[:T, :T].sum(axis=0), found[:T, :T].sum(axis=1)
            found[T, T] = found[T, :T].sum()
            for k in range(V.shape[1]):
                found[:T, T + 1 + k] = np.bincount(p, left * w[:, k], T)
                found[T + 1 + k, :T] = np.bincount(q, right * v[:, k], T)
            found[T, T + 1 :] = found[:T, T + 1 :].sum(axis=0)
            found[T + 1 :, T] = found[T + 1 :, :T].sum(axis=1)
            found[T + 1 :, T + 1 :] = v.T @ w
        return found + found.T if both else found


def sorted_rows(
    design: Design,
    data: Regressors,
    *,
    weights: FloatArray | None = None,
    serial: bool = False,
    by_unit: bool = False,
    columns: FurtherColumns | None = None,
) -> tuple[Rows, bool]:
    """The rows of a design, and whether units and periods changed their roles.

    The factor with more levels is the one that is eliminated first, unless errors have a
    structure within units: serial correlation or, `by_unit`, scales of their own.

    Parameters
    ----------
    columns
        Of further effects. They stand before the regressors; random ones count as regressors, and
        `by_unit` all do.

    Raises
    ------
    InputError
        If a weight is not positive, or a unit has two rows in one period and `serial` is set.
    """
    index = [design.unit_index, design.period_index]
    sizes = [len(design.units), len(design.periods)]
    kinds = [kind_of(design.unit_effects), kind_of(design.period_effects)]
    present = [kind != "none" for kind in kinds]
    columns = columns or no_columns(design)
    structured = serial or by_unit or bool(design.further)
    swapped = not structured and (present[1], sizes[1]) > (present[0], sizes[0])
    if swapped:
        index, sizes, kinds = index[::-1], sizes[::-1], kinds[::-1]
    unit, period = index
    n, N, T = design.n, *sizes
    F = columns.values.shape[1]
    values = np.empty((n, F + data.R.shape[1] + 1))
    values[:, :F], values[:, F:-1], values[:, -1] = columns.values, data.R, data.y
    slopes = columns.slopes
    root = None
    if weights is not None:
        if not (np.isfinite(weights) & (weights > 0)).all():
            raise InputError(
                f"{design.spec_id}: a weight is not positive",
                value=float(np.min(weights)),
                remedy="leave such rows out",
            )
        root = np.sqrt(weights)
        values *= root[:, None]
        slopes = slopes * root[:, None]
    key = unit * np.int64(T) + period
    if (np.diff(key) < 0).any():
        order = np.argsort(key, kind="stable")
        unit, period, values = unit[order], period[order], values[order]
        slopes = slopes[order]
        root = None if root is None else root[order]
    later = unit[1:] == unit[:-1]
    gap = np.zeros(n, dtype=np.int64)
    if serial:
        when = design.periods.astype(np.float64)[period]
        gap[1:] = np.where(later, np.diff(when), 0.0).astype(np.int64)
        if (again := later & (gap[1:] <= 0)).any():
            raise two_rows_error(design, int(unit[1:][again][0]))
    start = np.searchsorted(unit, np.arange(N + 1)).astype(np.int64)
    first = 0 if by_unit else columns.fixed
    rows = Rows(values, root, unit, period, start, gap, N, T, kinds[0], kinds[1], first, slopes)
    return rows, swapped


def kind_of(kind: EffectKind) -> Kind:
    """How the engines treat effects of a kind: Mundlak effects are random ones."""
    return "random" if is_random(kind) else "fixed" if kind == "fixed" else "none"
