"""The Gaussian two-way likelihood with intercept and effects integrated out.

With ``y = alpha + R b + u[unit] + g[period] + e`` and intercept and fixed effects flat, the
likelihood of (b, sigma, sigma_u, sigma_g) depends on the data only through one small matrix,

    A(rho_u, rho_g) = [R y]' (I - F M^-1 F') [R y],       M = F'F + prior precision / sigma^2,

where F holds the dummies and ``rho = (sigma_effect / sigma)^2``:

    log p(y | b, ...) = - nu/2 log(2 pi sigma^2) - 1/2 logdet(rho) - q / (2 sigma^2),
    q = [-b, 1] A [-b, 1]',      nu = n - number of flat columns.

Balanced panels split into orthogonal strata (within, between units, between periods), so A is a
weighted sum of three fixed matrices (Searle, Casella & McCulloch 1992, ch. 4). Unbalanced panels
eliminate the factor with more levels and factor the small Schur complement that remains
(Henderson's mixed-model equations).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.design import Design
from bayesdid.design.regressors import Regressors, is_random
from bayesdid.design.within import two_way
from bayesdid.study.schema import EffectKind

_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Strata:
    """Cross-products of a balanced panel by stratum, shapes (K + 1, K + 1).

    The last row and column belong to the outcome. `N` units, `T` periods.
    """

    within: FloatArray
    between_units: FloatArray
    between_periods: FloatArray
    N: int
    T: int
    unit: EffectKind
    period: EffectKind

    @property
    def nu(self) -> int:
        """Degrees of freedom left after intercept and fixed effects."""
        N, T = self.N, self.T
        return (
            (N - 1) * (T - 1)
            + (N - 1) * (self.unit != "fixed")
            + (T - 1) * (self.period != "fixed")
        )

    def gram(self, rho_unit: FloatArray, rho_period: FloatArray) -> tuple[FloatArray, FloatArray]:
        """A, shape (G, K + 1, K + 1), and logdet, shape (G,), at G variance ratios."""
        weight_unit = _stratum_weight(self.unit, self.T * rho_unit)[:, None, None]
        weight_period = _stratum_weight(self.period, self.N * rho_period)[:, None, None]
        A = self.within + weight_unit * self.between_units + weight_period * self.between_periods
        logdet = np.zeros_like(rho_unit)
        if is_random(self.unit):
            logdet = logdet + (self.N - 1) * np.log1p(self.T * rho_unit)
        if is_random(self.period):
            logdet = logdet + (self.T - 1) * np.log1p(self.N * rho_period)
        return A, logdet


def _stratum_weight(kind: EffectKind, inflation: FloatArray) -> FloatArray:
    if is_random(kind):
        return 1.0 / (1.0 + inflation)
    return np.full_like(inflation, 0.0 if kind == "fixed" else 1.0)


def strata(design: Design, data: Regressors) -> Strata:
    """Cross-products by stratum; the design must be balanced."""
    W = np.column_stack([data.R, data.y])
    split = two_way(W, design.unit_index, design.period_index)
    return Strata(
        within=split.residual.T @ split.residual,
        between_units=split.unit.T @ split.unit,
        between_periods=split.period.T @ split.period,
        N=len(design.units),
        T=len(design.periods),
        unit=design.unit_effects,
        period=design.period_effects,
    )


@dataclass(frozen=True, slots=True)
class Blocks:
    """Mixed-model equations with the factor of more levels (the big one) kept diagonal.

    Attributes
    ----------
    swapped
        Whether the big factor is the period.
    big, small
        Kinds of the two factors.
    counts
        Rows in each big level, shape (B,); empty if the big factor is absent.
    C, HH
        Big-by-rest counts, shape (B, m), and cross-products of the rest, (m, m). The rest are
        the small factor's dummies and, if no effect is fixed, the intercept (last).
    ZW, HW, WW
        Sums of [R y] by big level, by rest, and cross-products: (B, K+1), (m, K+1), (K+1, K+1).
    penalised
        1 for the columns of the rest with a random-effect prior, shape (m,).
    small_levels
        Number of levels of the small factor; the first is dropped if both are fixed.
    n
        Number of rows.
    """

    swapped: bool
    big: EffectKind
    small: EffectKind
    counts: FloatArray
    C: FloatArray
    HH: FloatArray
    ZW: FloatArray
    HW: FloatArray
    WW: FloatArray
    penalised: FloatArray
    small_levels: int
    n: int

    @property
    def has_intercept(self) -> bool:
        """Whether the intercept is a column of its own."""
        return "fixed" not in {self.big, self.small}

    @property
    def nu(self) -> int:
        """Degrees of freedom left after intercept and fixed effects."""
        flat = len(self.counts) * (self.big == "fixed") + int((self.penalised == 0).sum())
        return self.n - flat

    def ratios(self, rho_unit: FloatArray, rho_period: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Variance ratios of the big and the small factor."""
        return (rho_period, rho_unit) if self.swapped else (rho_unit, rho_period)

    def diagonal(self, rho_big: FloatArray) -> FloatArray:
        """Diagonal of the big block of M, shape (G, B)."""
        if is_random(self.big):
            return np.asarray(self.counts + 1.0 / rho_big[:, None])
        return np.tile(self.counts, (len(rho_big), 1))

    def schur(self, rho_big: FloatArray, rho_small: FloatArray) -> FloatArray:
        """Schur complement of the big block in M, shape (G, m, m)."""
        penalty = np.zeros((len(rho_small), len(self.penalised)))
        if is_random(self.small):
            penalty = self.penalised / rho_small[:, None]
        S = self.HH + penalty[:, :, None] * np.eye(len(self.penalised))
        inverse = 1.0 / self.diagonal(rho_big)
        return np.asarray(S) - np.einsum("bi,gb,bj->gij", self.C, inverse, self.C, optimize=True)

    def gram(self, rho_unit: FloatArray, rho_period: FloatArray) -> tuple[FloatArray, FloatArray]:
        """A, shape (G, K + 1, K + 1), and logdet, shape (G,), at G variance ratios."""
        parts = [
            self._gram(*self.ratios(rho_unit[i : i + _CHUNK], rho_period[i : i + _CHUNK]))
            for i in range(0, len(rho_unit), _CHUNK)
        ]
        return np.concatenate([a for a, _ in parts]), np.concatenate([d for _, d in parts])

    def _gram(self, rho_big: FloatArray, rho_small: FloatArray) -> tuple[FloatArray, FloatArray]:
        d = self.diagonal(rho_big)
        S = self.schur(rho_big, rho_small)
        right = self.HW - np.einsum("bi,gb,bk->gik", self.C, 1.0 / d, self.ZW, optimize=True)
        A = self.WW - np.einsum("bj,gb,bk->gjk", self.ZW, 1.0 / d, self.ZW, optimize=True)
        A = A - np.swapaxes(right, 1, 2) @ np.linalg.solve(S, right)
        logdet = np.log(d).sum(axis=1) + np.linalg.slogdet(S)[1]
        if is_random(self.big):
            logdet = logdet + len(self.counts) * np.log(rho_big)
        if is_random(self.small):
            logdet = logdet + self.small_levels * np.log(rho_small)
        return A, logdet


def blocks(design: Design, data: Regressors) -> Blocks:
    """Mixed-model equations of any design, balanced or not."""
    factors: list[tuple[IntArray, int, EffectKind]] = [
        (design.unit_index, len(design.units), design.unit_effects),
        (design.period_index, len(design.periods), design.period_effects),
    ]
    swapped = (factors[1][2] != "none", factors[1][1]) > (factors[0][2] != "none", factors[0][1])
    (big_index, B, big), (small_index, m, small) = factors[::-1] if swapped else factors
    n = design.n
    Z = np.zeros((n, 0 if big == "none" else B))
    if big != "none":
        Z[np.arange(n), big_index] = 1.0
    columns: list[FloatArray] = []
    if small != "none":
        dummies = (small_index[:, None] == np.arange(m)).astype(float)
        columns.append(dummies[:, 1:] if big == small == "fixed" else dummies)
    if "fixed" not in {big, small}:
        columns.append(np.ones((n, 1)))
    H = np.hstack(columns) if columns else np.zeros((n, 0))
    penalised = np.zeros(H.shape[1])
    if is_random(small):
        penalised[:m] = 1.0
    W = np.column_stack([data.R, data.y])
    return Blocks(
        swapped,
        big,
        small,
        Z.sum(axis=0),
        Z.T @ H,
        H.T @ H,
        Z.T @ W,
        H.T @ W,
        W.T @ W,
        penalised,
        0 if small == "none" else m,
        n,
    )
