r"""Effects by imputation, as functionals of the outcome.

Unit and period effects and the slopes of covariates come from untreated rows alone; a treated row's
effect is what it exceeds its imputed value by (Borusyak, Jaravel & Spiess 2024,
doi:10.1093/restud/rdae007). With weights q of treated rows the estimate is

.. math::

    q'(y_1 - Z_1 \hat\gamma) = v'y, \qquad v_1 = q, \quad v_0 = -Z_0 (Z_0'Z_0)^{-1} Z_1'q,

and its variance, clustered by unit, sums the squares of :math:`\sum_t v_{it} \tilde e_{it}`: the
residual of an untreated row, and of a treated one what its effect differs by from those of its
state at the same time since the last adoption, weighted as there (their eq. 8 and sec. 4.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.overlap import OverlapDesign
from bayesdid.design.within import group_sums
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
        score = np.bincount(design.unit_index, v * e, minlength=len(design.units))
        found[name] = Imputed(
            float(q @ effect), float(np.sqrt(score @ score)), v, -float(q @ apart)
        )
    return found


@dataclass(frozen=True, slots=True)
class _Untreated:
    """Least squares of untreated rows on unit effects and on columns `C`, shape (n, K)."""

    free: np.ndarray
    unit: np.ndarray
    C: FloatArray
    mean: FloatArray
    count: FloatArray
    gram: FloatArray
    covariates: int

    @classmethod
    def build(cls, design: Design, free: np.ndarray) -> _Untreated:
        """Columns are period effects, or an intercept, and the covariates."""
        periods = design.period_index[:, None] == np.arange(len(design.periods))
        base = np.ones((design.n, 1)) if design.period_effects == "none" else periods.astype(float)
        C = np.column_stack([base, design.X])
        one_level = design.unit_effects == "none"
        unit = np.zeros(design.n, dtype=np.int64) if one_level else design.unit_index
        N = int(unit.max()) + 1
        count = np.bincount(unit[free], minlength=N).astype(float)
        mean = group_sums(C[free], unit[free], N) / count[:, None]
        within = C[free] - mean[unit[free]]
        return cls(free, unit, C, mean, count, within.T @ within, design.X.shape[1])

    def without_covariates(self) -> _Untreated:
        """The same without its covariates."""
        K = self.C.shape[1] - self.covariates
        return _Untreated(
            self.free, self.unit, self.C[:, :K], self.mean[:, :K], self.count, self.gram[:K, :K], 0
        )

    def predict(self, y: FloatArray) -> FloatArray:
        """Untreated values of all rows, shape (n,)."""
        free, unit = self.free, self.unit
        level = np.bincount(unit[free], y[free], minlength=len(self.count)) / self.count
        within = self.C[free] - self.mean[unit[free]]
        slope = np.linalg.lstsq(self.gram, within.T @ (y[free] - level[unit[free]]), rcond=1e-10)[0]
        return np.asarray((level - self.mean @ slope)[unit] + self.C @ slope)

    def functional(self, q: FloatArray) -> FloatArray | None:
        """Weights of all outcomes in ``q @ (y - predict(y))``; None if that is not identified."""
        by_unit = np.bincount(self.unit, q, minlength=len(self.count))
        right = self.C.T @ q - by_unit @ self.mean
        slope = np.linalg.lstsq(self.gram, right, rcond=1e-10)[0]
        if np.abs(self.gram @ slope - right).max() > _SOLVED * max(np.abs(right).max(), 1e-12):
            return None
        unit = by_unit / self.count - self.mean @ slope
        fitted = unit[self.unit] + self.C @ slope
        return np.where(self.free, -fitted, q)


def _slopes(rows: OverlapDesign) -> FloatArray:
    """Slopes of covariates given an effect of every treated cell, shape (Q,)."""
    design = rows.design
    if not design.X.shape[1]:
        return np.zeros(0)
    periods = design.period_index[:, None] == np.arange(len(design.periods))
    C = np.column_stack([periods.astype(float), cell_design(rows).D, design.X])
    N = len(design.units)
    each = np.bincount(design.unit_index, minlength=N).astype(float)[:, None]
    both = np.column_stack([C, design.y])
    within = both - (group_sums(both, design.unit_index, N) / each)[design.unit_index]
    slope = np.linalg.lstsq(within[:, :-1], within[:, -1], rcond=1e-10)[0]
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
