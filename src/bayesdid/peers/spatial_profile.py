"""Gaussian log likelihoods of static spatial panels, concentrated to functions of (rho, phi).

Every variable is split into what varies within units and the unit means; the two parts are
orthogonal, so that fixed, random and absent unit effects differ only in how the means count:
not at all, with weight phi, fully. Lag models: Elhorst (2003, doi:10.1177/0160017603253791); error
models with random effects: Baltagi, Song & Koh (2003, doi:10.1016/S0304-4076(03)00120-9), the
random effect itself not filtered; transformation: Lee & Yu (2010,
doi:10.1016/j.jeconom.2009.08.001). With weights of the rows effects are weighted least squares.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, SpatialDesign, Transform, unstack
from bayesdid.spatial.weights.weights import Weights

UnitEffects = Literal["fixed", "random", "none"]
PeriodEffects = Literal["fixed", "none"]
Order = Literal["lag_first", "demean_first"]


class Point(NamedTuple):
    """The log likelihood at one (rho, phi), maximised over b and sigma2, and where it is so."""

    loglik: float
    b: FloatArray
    sigma2: float
    XX: FloatArray


Profile = Callable[[float, float], Point]


@dataclass(frozen=True, slots=True)
class Setup:
    """Which likelihood: effects, transformation, and what they count.

    Attributes
    ----------
    observations
        n: sigma2 is a sum of squares divided by it.
    repeats
        How often log|I - rho W| enters.
    drops_periods
        Whether period effects are transformed away, so that each period has N - 1 observations.
        They are not in lag models when the row sums of W differ: then (I - rho W) mixes them with
        the units, and they stay as dummies, at the price of a bias in rho of order 1 / N, about
        ``- repeats 1'G1 / N`` times the variance of rho, with ``G = W (I - rho W)^-1``.
    dummies
        Whether period means are taken out after lagging or filtering, which is what dummies do.
    """

    unit: UnitEffects
    period: PeriodEffects
    observations: int
    repeats: int
    drops_periods: bool
    dummies: bool

    @property
    def intercept(self) -> bool:
        """Whether there is an intercept, after the regressors."""
        return self.unit != "fixed" and self.period != "fixed"


def setup(
    design: SpatialDesign,
    unit: UnitEffects,
    period: PeriodEffects,
    transform: Transform,
    order: Order,
) -> Setup:
    """What the effects and the transformation imply for the design."""
    if design.base.weights is not None and (transform, order) != ("direct", "lag_first"):
        raise InputError(
            f"{design.base.spec_id}: no transformation takes effects away from rows with weights: "
            "means of a period do not commute with them",
            value=transform if transform != "direct" else order,
            remedy='use transform="direct", whose sigma2 is then too small, or no weights',
        )
    if design.base.weights is not None and unit == "random":
        raise InputError(
            f"{design.base.spec_id}: maximum likelihood with weights knows no random effects",
            value=f"unit {unit}",
            remedy="use fixed effects of units, or none",
        )
    repeats = design.T - (transform == "lee_yu" and unit == "fixed")
    removable = design.kind not in LAG_OF_Y or design.weights.constant_row_sum is not None
    drops = transform == "lee_yu" and period == "fixed" and removable
    dummies = period == "fixed" and order == "lag_first"
    return Setup(unit, period, (design.N - drops) * repeats, repeats, drops, dummies)


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Eigenvalues of W, and the open interval around 0 in which I - rho W is regular."""

    eigenvalues: np.ndarray
    interval: tuple[float, float]

    def log_determinant(self, rho: float) -> float:
        """``log |I - rho W|``; complex eigenvalues come in conjugate pairs."""
        e = self.eigenvalues
        return float(0.5 * np.log((1 - rho * e.real) ** 2 + (rho * e.imag) ** 2).sum())


def spectrum(weights: Weights) -> Spectrum:
    """Eigenvalues and admissible interval (Ord 1975, doi:10.2307/2285387).

    If W has no negative real eigenvalue, the lower end is -1 over the spectral radius.
    """
    e = np.linalg.eigvals(weights.dense()).astype(complex)
    radius = float(abs(e).max()) or float(abs(weights.row_sums).max())
    real = e.real[abs(e.imag) <= 1e-8 * radius]
    low, high = (real.min(initial=0.0), real.max(initial=0.0))
    tiny = 1e-8 * radius
    return Spectrum(
        e,
        (
            1 / float(low) if low < -tiny else -1 / radius,
            1 / float(high) if high > tiny else 1 / radius,
        ),
    )


def profile(design: SpatialDesign, spec: Setup, eigen: Spectrum) -> Profile:
    """The concentrated log likelihood of a design; ``phi`` only matters for random effects.

    ``phi**2 = sigma2 / (sigma2 + T sigma2_unit)``, in (0, 1].

    Raises
    ------
    NotIdentifiedError
        If the regressors are collinear with each other or with the effects.
    """
    if spec.period == "fixed" and not spec.dummies:
        design = _demeaned(design)
    builder = _error_profile if design.kind in LAG_OF_ERROR else _lag_profile
    if design.base.weights is not None:
        builder = _weighted_profile
    found = builder(design, spec, eigen)
    XX = found(0.0, 1.0).XX
    raw = np.square(design.Z - design.Z.mean(axis=(1, 2), keepdims=True)).sum(axis=(1, 2))
    raw = np.append(raw, design.Y.size) if spec.intercept else raw
    lost = raw * 1e-10 >= np.diag(XX)
    scale = np.sqrt(np.where(lost, 1.0, np.diag(XX)))
    smallest = np.linalg.eigvalsh(XX / np.outer(scale, scale))[0] if len(XX) else 1.0
    if lost.any() or smallest < 1e-10:
        bad = [
            name for name, gone in zip(design.names, lost[: len(design.names)], strict=True) if gone
        ]
        raise NotIdentifiedError(
            f"{design.base.spec_id}: the regressors are collinear, given the effects",
            value=", ".join(bad or design.names),
            remedy="drop a regressor or an effect",
        )
    return found


def _demeaned(design: SpatialDesign) -> SpatialDesign:
    """Period means taken out first, spatial lags of the regressors taken of the result."""
    own = design.Z[: design.K0] - design.Z[: design.K0].mean(axis=1, keepdims=True)
    lags = [np.asarray(design.weights.matrix @ own[k])[None] for k in design.lagged]
    Y = design.Y - design.Y.mean(axis=0)
    return dataclasses.replace(design, Y=Y, Z=np.concatenate([own, *lags]))


def _split(stack: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Within-unit part, shape (K, N, T), and unit means times sqrt(T), shape (K, N)."""
    means = stack.mean(axis=2)
    return stack - means[:, :, None], means * np.sqrt(stack.shape[2])


def _with_intercept(design: SpatialDesign, spec: Setup) -> FloatArray:
    ones = np.ones((int(spec.intercept), design.N, design.T))
    return np.concatenate([design.Z, ones])


def _solve(yy: float, xy: FloatArray, XX: FloatArray, n: int, jacobian: float) -> Point:
    b = np.linalg.lstsq(XX, xy, rcond=None)[0] if len(xy) else xy
    sigma2 = max(float(yy - xy @ b), 1e-300) / n
    return Point(-n / 2 * (np.log(2 * np.pi * sigma2) + 1) + jacobian, b, sigma2, XX)


def _lag_profile(design: SpatialDesign, spec: Setup, eigen: Spectrum) -> Profile:
    """``(I - rho W) Y = Z b + effects + e``; without a spatial lag of y, at rho = 0."""
    lag = np.asarray(design.weights.matrix @ design.Y)
    stack = np.concatenate([design.Y[None], lag[None], _with_intercept(design, spec)])
    within, between = _split(stack)
    if spec.dummies:  # structural dummies: demeaning per period, whatever the row sums
        within = within - within.mean(axis=1, keepdims=True)
        between = between - between.mean(axis=1, keepdims=True)
    S_within = np.einsum("int,jnt->ij", within, within)
    S_between = between @ between.T * (spec.unit != "fixed")
    row_sum = design.weights.constant_row_sum or 0.0
    units = design.N - spec.drops_periods

    def at(rho: float, phi: float) -> Point:
        S = S_within + phi**2 * S_between
        yy = S[0, 0] - 2 * rho * S[0, 1] + rho**2 * S[1, 1]
        jacobian = spec.repeats * eigen.log_determinant(rho)
        jacobian += units * np.log(phi) if spec.unit == "random" else 0.0
        if spec.drops_periods:  # |I - rho F'WF| = |I - rho W| / (1 - rho r), Lee & Yu (2010), 3
            jacobian -= spec.repeats * np.log(1 - rho * row_sum)
        return _solve(yy, S[2:, 0] - rho * S[2:, 1], S[2:, 2:], spec.observations, jacobian)

    return at


def _weighted_profile(design: SpatialDesign, spec: Setup, eigen: Spectrum) -> Profile:
    """Of rows whose errors, of y or inside the filter, have variances ``sigma2 / w``."""
    assert design.base.weights is not None  # the caller has seen to it
    w = unstack(design.base, design.base.weights)
    W, filtered = design.weights.matrix, design.kind in LAG_OF_ERROR
    stack = np.concatenate([design.Y[None], _with_intercept(design, spec)])
    lags = np.stack([np.asarray(W @ layer) for layer in stack])
    if not filtered:
        lags[1:] = 0.0
    constant = 0.5 * float(np.log(w).sum())

    def at(rho: float, phi: float) -> Point:  # noqa: ARG001
        one = 1 - rho * design.weights.row_sums if filtered else np.ones(design.N)
        rest = _weighted_rest(stack - rho * lags, w, one, spec)
        S = rest @ rest.T
        jacobian = spec.repeats * eigen.log_determinant(rho) + constant
        return _solve(S[0, 0], S[1:, 0], S[1:, 1:], spec.observations, jacobian)

    return at


def _weighted_rest(stack: FloatArray, w: FloatArray, one: FloatArray, spec: Setup) -> FloatArray:
    """What weighted least squares on the effects leaves, times the root of `w`, shape (K, N T).

    Parameters
    ----------
    one
        How a period's effect enters each unit, shape (N,).
    """
    columns = np.zeros((0, *w.shape))
    if spec.dummies:
        columns = one[None, :, None] * np.eye(w.shape[1])[:, None, :]
    if spec.unit == "fixed":
        total = w.sum(axis=1)
        stack, columns = (A - ((w * A).sum(axis=2) / total)[:, :, None] for A in (stack, columns))
    root = np.sqrt(w)
    y, C = ((root * A).reshape(len(A), w.size) for A in (stack, columns))
    return np.asarray(y - np.linalg.lstsq(C.T, y.T, rcond=1e-10)[0].T @ C) if len(C) else y


def _error_profile(design: SpatialDesign, spec: Setup, eigen: Spectrum) -> Profile:
    """``Y = Z b + effects + u``, ``(I - rho W) u = e``.

    Period dummies are filtered like everything else, (I - rho W) 1. Transforming them away is
    possible for every W here: ``|F' Omega F| = |Omega| 1' Omega^-1 1 / N`` with F orthonormal to
    the ones, which for constant row sums r is the term (1 - rho r)^2 of Lee & Yu.
    """
    N, T = design.N, design.T
    W = design.weights.matrix
    within, between = _split(np.concatenate([design.Y[None], _with_intercept(design, spec)]))
    lag_within = np.stack([np.asarray(W @ part) for part in within])
    lag_between = np.asarray((W @ between.T).T)
    sums, dense = design.weights.row_sums, design.weights.dense()

    @lru_cache(maxsize=1)  # the search holds rho while it moves phi
    def filtered(rho: float) -> tuple[FloatArray, float, FloatArray, FloatArray, FloatArray]:
        """What does not depend on phi: for the unit means, their variances but for phi."""
        ones = 1 - rho * sums
        flat = within - rho * lag_within
        if spec.dummies:
            means = np.einsum("n,knt->kt", ones, flat) / (ones @ ones)
            flat = flat - ones[:, None] * means[:, None, :]
        S = np.einsum("int,jnt->ij", flat, flat)
        jacobian = spec.repeats * eigen.log_determinant(rho)
        if spec.drops_periods:
            jacobian -= 0.5 * (T - 1) * float(np.log(ones @ ones / N))
        if spec.unit != "random":
            return S, jacobian, np.ones(N), between - rho * lag_between, ones
        B = np.eye(N) - rho * dense
        d, V = np.linalg.eigh(B.T @ B)
        variances = 1 / np.maximum(d, 1e-14)  # B is singular at the ends of the interval
        return S, jacobian - eigen.log_determinant(rho), variances, between @ V, V.sum(axis=0)

    def at(rho: float, phi: float) -> Point:
        S, jacobian, variances, part, one = filtered(rho)
        if spec.unit != "fixed":
            if spec.unit == "random":  # T Var(unit mean) / sigma2 = (1 / phi^2 - 1) I + (B'B)^-1
                variances = variances + (1 / phi**2 - 1)
                part, one = part / np.sqrt(variances), one / np.sqrt(variances)
                jacobian -= 0.5 * float(np.log(variances).sum())
            if spec.dummies:
                part = part - np.outer(part @ one, one) / (one @ one)
            S = S + part @ part.T
            if spec.drops_periods:
                jacobian -= 0.5 * float(np.log(one @ one / N))
        return _solve(S[0, 0], S[1:, 0], S[1:, 1:], spec.observations, jacobian)

    return at
