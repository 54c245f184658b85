r"""Effects by imputation, as functionals of the outcome.

Effects of units, periods and anything crossed, and the slopes of covariates, come from untreated
rows alone; a treated row's effect is what it exceeds its imputed value by (Borusyak, Jaravel &
Spiess 2024, doi:10.1093/restud/rdae007). With weights q of treated rows the estimate is

.. math::

    q'(y_1 - Z_1 \hat\gamma) = v'y, \qquad v_1 = q, \quad v_0 = -Z_0 (Z_0'Z_0)^{-1} Z_1'q,

and its variance, clustered by unit, sums the squares of :math:`\sum_t v_{it} \tilde e_{it}`: the
residual of an untreated row, and of a treated one what its effect differs by from those of its
state at the same time since the last adoption, weighted as there (their eq. 8 and sec. 4.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.design import Design
from bayesdid.design.overlap import OverlapDesign
from bayesdid.design.span import within
from bayesdid.design.told import effect_columns, solve_units, sums_of_units, unit_grams
from bayesdid.estimands.saturated import cell_design

_SOLVED = 1e-6  # relative residual of the normal equations above which nothing is identified


@dataclass(frozen=True, slots=True)
class Imputed:
    """An estimate as a functional of the outcome.

    Attributes
    ----------
    mean, sd
        Estimate and standard error clustered by unit.
    weights
        Of the outcomes of all rows, shape (n,).
    slopes
        How far the estimate would move if covariates had, in untreated rows, the slopes that they
        have in all rows, given an effect of each cell.
    """

    mean: float
    sd: float
    weights: FloatArray
    slopes: float


def imputed_moments(rows: OverlapDesign, weights: Mapping[str, FloatArray]) -> dict[str, Imputed]:
    """Estimates of weighted sums of the effects of treated rows; those not identified are left out.

    Parameters
    ----------
    weights
        Of rows by name, shape (n,) each, zero for untreated rows.
    """
    design = rows.design
    model = _Untreated.build(design, rows.state == "none")
    effect = design.y - model.predict(design.y)
    slopes_everywhere = _slopes(rows)
    # what covariates with the slopes of all rows would add to the imputed effects
    moved = design.y - design.X @ slopes_everywhere
    apart = effect - (moved - model.without_covariates().predict(moved))
    label = np.char.add(rows.state.astype(str), np.char.mod("/%d", rows.latest))
    _, group = np.unique(label, return_inverse=True)
    found = {}
    for name, q in weights.items():
        v = model.functional(q)
        if v is None:
            continue
        e = effect.copy()
        e[~model.free] -= _group_means(q, effect, group, design.unit_index)[group][~model.free]
        score = np.bincount(design.cluster_index, v * e, minlength=design.clusters)
        found[name] = Imputed(
            float(q @ effect), float(np.sqrt(score @ score)), v, -float(q @ apart)
        )
    return found


@dataclass(frozen=True, slots=True)
class _Untreated:
    """Least squares of untreated rows on columns of the units and on columns `C`, shape (n, K).

    Attributes
    ----------
    free, unit, weights
        Untreated rows, each row's unit, analytic weights (one where there are none), shape (n,).
    own
        Level of each unit, and its slopes, shape (n, q).
    gram, level
        Cross-products of these in untreated rows, (N, q, q); what they take up of `C`, (N q, K).
    cross
        Cross-products of what is left of `C`, (K, K).
    covariates
        How many of `C`, the last ones, are covariates.
    """

    free: np.ndarray
    unit: IntArray
    weights: FloatArray
    own: FloatArray
    C: FloatArray
    gram: FloatArray
    level: FloatArray
    cross: FloatArray
    covariates: int

    @classmethod
    def build(cls, design: Design, free: np.ndarray) -> _Untreated:
        """Columns are effects of periods, or an intercept, further effects, and covariates."""
        effects = effect_columns(design)
        own, unit, N = effects.own, effects.unit, effects.units
        C = np.column_stack([effects.shared, design.X])
        w = np.ones(design.n) if design.weights is None else design.weights
        gram = unit_grams(own[free], unit[free], N, w[free])
        sums = sums_of_units(own[free], w[free, None] * C[free], unit[free], N)
        level = solve_units(gram, sums)
        flat = level.reshape(-1, C.shape[1])
        left = np.sqrt(w[free])[:, None] * (C[free] - _of_rows(own, level, unit)[free])
        return cls(free, unit, w, own, C, gram, flat, left.T @ left, design.X.shape[1])

    def without_covariates(self) -> _Untreated:
        """The same without its covariates."""
        K = self.C.shape[1] - self.covariates
        return replace(
            self, C=self.C[:, :K], level=self.level[:, :K], cross=self.cross[:K, :K], covariates=0
        )

    def _left(self) -> FloatArray:
        """What the units' own columns leave of `C` in untreated rows, times their weights."""
        level = self.level.reshape(*self.gram.shape[:2], -1)
        free, own, unit = self.free, self.own[self.free], self.unit[self.free]
        return self.weights[free, None] * (self.C[free] - _of_rows(own, level, unit))

    def predict(self, y: FloatArray) -> FloatArray:
        """Untreated values of all rows, shape (n,)."""
        free, unit, own, N = self.free, self.unit, self.own, len(self.gram)
        wy = (self.weights * y)[free, None]
        level = solve_units(self.gram, sums_of_units(own[free], wy, unit[free], N))
        right = self._left().T @ (y - _of_rows(own, level, unit)[:, 0])[free]
        slope = np.linalg.lstsq(self.cross, right, rcond=1e-10)[0]
        each = level - (self.level @ slope).reshape(level.shape)
        return np.asarray(_of_rows(own, each, unit)[:, 0] + self.C @ slope)

    def functional(self, q: FloatArray) -> FloatArray | None:
        """Weights of all outcomes in ``q @ (y - predict(y))``; None if that is not identified."""
        own, unit = self.own, self.unit
        by_unit = sums_of_units(own, q[:, None], unit, len(self.gram))
        right = self.C.T @ q - by_unit.ravel() @ self.level
        slope = np.linalg.lstsq(self.cross, right, rcond=1e-10)[0]
        if np.abs(self.cross @ slope - right).max() > _SOLVED * max(np.abs(right).max(), 1e-12):
            return None
        each = solve_units(self.gram, by_unit)
        if np.abs(self.gram @ each - by_unit).max() > _SOLVED * max(np.abs(by_unit).max(), 1e-12):
            return None  # a unit's slope is not told by its untreated rows
        each = each - (self.level @ slope).reshape(each.shape)
        fitted = self.weights * (_of_rows(own, each, unit)[:, 0] + self.C @ slope)
        return np.where(self.free, -fitted, q)


def _of_rows(own: FloatArray, level: FloatArray, unit: IntArray) -> FloatArray:
    """Coefficients of the units' own columns, (N, q, K), as values of rows, (n, K)."""
    found = own[:, :1] * level[unit, 0]
    for k in range(1, own.shape[1]):
        found = found + own[:, [k]] * level[unit, k]
    return np.asarray(found)


def _slopes(rows: OverlapDesign) -> FloatArray:
    """Slopes of covariates given an effect of every treated cell, shape (Q,)."""
    design = rows.design
    if not design.X.shape[1]:
        return np.zeros(0)
    both = np.column_stack([cell_design(rows).D, design.X, design.y])
    left = within(design, both, flat_only=False, weights=design.weights)
    slope = np.linalg.lstsq(left[:, :-1], left[:, -1], rcond=1e-10)[0]
    return np.asarray(slope[-design.X.shape[1] :])


def _group_means(
    q: FloatArray, effect: FloatArray, group: np.ndarray, unit: np.ndarray
) -> FloatArray:
    """Average effect of each group, units weighted by their squared weight, shape (groups,)."""
    size = int(group.max()) + 1
    key, at = np.unique(group * (int(unit.max()) + 1) + unit, return_inverse=True)
    total, part = np.bincount(at, q), np.bincount(at, q * effect)
    of = key // (int(unit.max()) + 1)
    above, below = np.bincount(of, total * part, size), np.bincount(of, total**2, size)
    plain = np.bincount(group, effect, size) / np.maximum(np.bincount(group, minlength=size), 1)
    return np.asarray(np.where(below > 0, above / np.where(below > 0, below, 1.0), plain))
