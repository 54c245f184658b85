"""Exact engine for Gaussian spatial panels: a quadrature over rho, everything else conjugate.

Given rho (and variance ratios of random effects) the model is a regression with a normal
inverse-gamma posterior (LeSage & Pace 2009, ch. 5). Coefficients have priors
``b_k ~ N(m_k, sigma^2 V_k)`` and ``p(sigma^2) = 1 / sigma^2``; ``V_k`` is the variance that the
prior of that name has in every other model, over the residual variance of least squares, so that
it is conjugate and no wider or narrower than there. rho is uniform on its admissible interval.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, gammaln

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.inference.gate import GateItem, quadrature_gate
from bayesdid.inference.numerics.importance import draw_importance
from bayesdid.inference.numerics.quadrature import Piecewise
from bayesdid.model.priors import Priors
from bayesdid.spatial.operators.logdet import LogDeterminant, narrowed
from bayesdid.spatial.operators.moments import Moments

_COARSE = np.linspace(-16.0, 16.0, 257)  # logit of rho's place in its interval
_FINE = 801
_DROP = 32.0  # log density below the mode at which the table ends
_RATIO_LIMIT = 12.0
# error of the log-likelihood's difference across 4.65 sds of rho: moves rho by 0.1 sd at most
_LOGDET_LIMIT = 0.46


@dataclass(frozen=True, slots=True)
class SpatialDraws:
    """Independent draws of a spatial model.

    Attributes
    ----------
    rho
        Coefficient of the spatial lag (of y or of the error), shape (S,); zeros without one.
    b
        Coefficients of :attr:`Moments.names`, shape (S, K).
    flat
        Of the flat columns before them, shape (S, :attr:`Moments.flat`).
    sigma
        Residual sd, shape (S,).
    ratios
        sd of random effects over sigma, shape (S, number of random effects).
    log_evidence
        Log marginal likelihood; comparable between models and weights on one panel with one
        kind of effects, under proper priors.
    gate
        Of the quadrature and of the log-determinant.
    """

    rho: FloatArray
    b: FloatArray
    flat: FloatArray
    sigma: FloatArray
    ratios: FloatArray
    log_evidence: float
    gate: tuple[GateItem, ...]

    @property
    def converged(self) -> bool:
        """Whether quadrature and log-determinant passed their gate."""
        return all(item.passed for item in self.gate)


@dataclass(frozen=True, slots=True)
class SpatialTarget:
    """Posterior density of rho and of the variance ratios; the rest is integrated out.

    Attributes
    ----------
    stats
        Cross-products.
    logdet
        None in a model without a spatial lag of y or of the error.
    mean, precision
        Prior of the coefficients, shape (K,), flat columns first; precision in units of
        ``1 / sigma^2``, 0 is flat.
    priors, reference
        For the scales of random effects, and the residual sd they are compared with.
    """

    stats: Moments
    logdet: LogDeterminant | None
    mean: FloatArray
    precision: FloatArray
    priors: Priors
    reference: float

    @property
    def random(self) -> int:
        """Number of random effects."""
        return self.stats.random

    @property
    def dimension(self) -> int:
        """Scalars that are not integrated out."""
        return int(self.logdet is not None) + self.random

    def rho(self, u: FloatArray) -> FloatArray:
        """From the logit of its place in the admissible interval, shape (G,)."""
        if self.logdet is None:
            return np.zeros_like(u)
        ends = self.logdet.interval
        return np.asarray(ends.low + (ends.high - ends.low) * expit(u))

    def log_density(self, z: FloatArray) -> FloatArray:
        """Log posterior density of ``z = (u, log ratios)``, shape (G, d), up to no constant."""
        lagged = self.logdet is not None
        u = z[:, 0] if lagged else np.zeros(len(z))
        log_ratio = np.clip(z[:, int(lagged) :], -_RATIO_LIMIT, _RATIO_LIMIT)
        rho = self.rho(u)
        value = self.log_likelihood(rho, np.exp(log_ratio))
        if lagged:  # uniform prior times the Jacobian of the logit
            value = value - np.logaddexp(0, u) - np.logaddexp(0, -u)
        for column in log_ratio.T:
            value = value + self.priors.log_group_density(self.reference * np.exp(column))
        outside = (abs(z[:, int(lagged) :]) >= _RATIO_LIMIT).any(axis=1)
        return np.where(np.isfinite(value) & ~outside, value, -np.inf)

    def log_likelihood(self, rho: FloatArray, ratio: FloatArray) -> FloatArray:
        """Log marginal likelihood given rho, shape (G,), and ratios, shape (G, random)."""
        _, scale, log_det, _ = self.conditional(rho, ratio)
        flat = int((self.precision == 0).sum())
        nu = self.stats.nu - flat
        proper = self.precision[self.precision > 0]
        value = (
            gammaln(nu / 2)
            - nu / 2 * np.log(np.pi * scale)
            - 0.5 * log_det
            + 0.5 * np.log(proper).sum()
            + self.stats.log_ratios(ratio)
            + self.stats.constant
        )
        if self.logdet is not None:
            value = value + self.stats.log_factor(rho, self.logdet.value(rho))
        return np.asarray(value)

    def conditional(
        self, rho: FloatArray, ratio: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Coefficients' mean (G, K), scale of sigma^2 (G,), log|Lambda| (G,), Lambda (G, K, K)."""
        if self.stats.lag_of_y and not self.random:
            return self._lag_of_y(rho)
        G = self.stats.gram(rho, ratio)
        Lambda = G[:, :-1, :-1] + np.diag(self.precision)
        b = G[:, :-1, -1] + self.precision * self.mean
        constant = G[:, -1, -1] + (self.precision * self.mean**2).sum()
        if not b.shape[1]:
            return b, constant, np.zeros_like(rho), Lambda
        mean = np.linalg.solve(Lambda, b[:, :, None])[:, :, 0]
        return mean, constant - (b * mean).sum(axis=1), np.linalg.slogdet(Lambda)[1], Lambda

    def _lag_of_y(self, rho: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """The same where only y is filtered: one factorisation serves every rho."""
        AA, AB, BB = self.stats.parts.sum(axis=0)
        Lambda = AA[:-1, :-1] + np.diag(self.precision)
        right = np.column_stack([AA[:-1, -1] + self.precision * self.mean, AB[:-1, -1]])
        solved = np.linalg.solve(Lambda, right)
        inner = right.T @ solved
        mean = solved[:, 0] - rho[:, None] * solved[:, 1]
        constant = AA[-1, -1] + (self.precision * self.mean**2).sum() - inner[0, 0]
        scale = (
            constant - rho * (AB[-1, -1] - 2 * inner[0, 1]) + rho**2 * (BB[-1, -1] - inner[1, 1])
        )
        log_det = np.full_like(rho, np.linalg.slogdet(Lambda)[1])
        return mean, scale, log_det, np.broadcast_to(Lambda, (1, *Lambda.shape))


def spatial_target(
    stats: Moments, logdet: LogDeterminant | None, priors: Priors, reference: float
) -> SpatialTarget:
    """Put priors, by the names of the regressors, on a design's moments."""
    sd = np.array([priors.sds[name] for name in stats.names])
    mean = np.array([priors.means[name] for name in stats.names])
    precision = np.concatenate([np.zeros(stats.flat), (reference / sd) ** 2])
    return SpatialTarget(
        stats, logdet, np.concatenate([np.zeros(stats.flat), mean]), precision, priors, reference
    )


def draw_spatial(target: SpatialTarget, size: int, rng: np.random.Generator) -> SpatialDraws:
    """`size` independent draws."""
    gate: list[GateItem] = []
    if target.dimension == 0:
        z = np.empty((size, 0))
        log_evidence = float(target.log_density(np.empty((1, 0)))[0])
    elif target.dimension == 1 and target.logdet is not None:
        target, z, log_evidence, gate = _draw_rho(target, size, rng)
    else:
        found = draw_importance(target, np.full(target.dimension, 0.2), size, rng)
        z, log_evidence, gate = found.z, found.log_evidence, found.gate()
    lagged = int(target.logdet is not None)
    rho = target.rho(z[:, 0]) if lagged else np.zeros(size)
    ratios = np.exp(z[:, lagged:])
    if target.logdet is not None:
        gate.append(_logdet_gate(target, rho))
    mean, scale, _, Lambda = target.conditional(rho, ratios)
    nu = target.stats.nu - (target.precision == 0).sum()
    sigma = np.sqrt(scale / rng.chisquare(nu, size))
    noise = rng.standard_normal(mean.shape)[:, :, None]
    upper = np.swapaxes(np.linalg.cholesky(Lambda), 1, 2)
    b = mean + sigma[:, None] * np.linalg.solve(upper, noise)[:, :, 0] if mean.shape[1] else mean
    flat, b = b[:, : target.stats.flat], b[:, target.stats.flat :]
    return SpatialDraws(rho, b, flat, sigma, ratios, log_evidence, tuple(gate))


def _draw_rho(
    target: SpatialTarget, size: int, rng: np.random.Generator
) -> tuple[SpatialTarget, FloatArray, float, list[GateItem]]:
    """Trapezoids in the logit of rho; draws from the piecewise linear density."""
    low, high = _support(target, _COARSE)
    low, high = _support(target, np.linspace(low, high, 257))
    if target.logdet is not None:  # an interpolated log-determinant is made exact where it counts
        ends = target.rho(np.array([low, high]))
        sharp = narrowed(target.logdet, float(ends[0]), float(ends[1]))
        target = dataclasses.replace(target, logdet=sharp)
    u = np.linspace(low, high, _FINE)
    log_density = target.log_density(u[:, None])
    top = log_density.max()
    table = Piecewise(u, np.exp(log_density - top))
    z = table.quantiles(rng.random(size))[:, None]
    log_evidence = float(top + np.log(table.areas.sum()))
    return target, z, log_evidence, quadrature_gate(table.error, table.edge)


def _support(target: SpatialTarget, u: FloatArray) -> tuple[float, float]:
    """Where the density is not negligible, one node wider on each side."""
    log_density = target.log_density(u[:, None])
    if not np.isfinite(log_density).any():
        raise NotIdentifiedError(
            "the density of rho is nowhere finite",
            remedy="look for collinear regressors or a constant outcome",
        )
    kept = np.flatnonzero(log_density > log_density.max() - _DROP)
    return float(u[max(kept[0] - 1, 0)]), float(u[min(kept[-1] + 1, len(u) - 1)])


def _logdet_gate(target: SpatialTarget, rho: FloatArray) -> GateItem:
    """How much an approximate log-determinant may bend the likelihood across the posterior."""
    assert target.logdet is not None  # the caller has seen to it
    low, high = np.quantile(rho, [0.01, 0.99])
    bend = target.stats.power * target.logdet.bend(float(low), float(high))
    return GateItem("logdet_error", bend, _LOGDET_LIMIT, bend <= _LOGDET_LIMIT)
