"""Spillover over distance: the density of the two or three scalars that are not integrated out.

Given the ratio a of the profile's sd to sigma, its length scale, and rho, the model of
:mod:`bayesdid.model.pymc.profile` is a conjugate normal regression with p(sigma^2) = 1 / sigma^2:
regressors, profile and sigma have closed forms.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, gammaln

from bayesdid.arrays import FloatArray
from bayesdid.inference.gate import GateItem
from bayesdid.inference.numerics.importance import draw_importance
from bayesdid.model.priors import PriorChoice, Priors
from bayesdid.model.spillover import (
    NUGGET,
    Kernel,
    ProfileDesign,
    ProfilePriors,
    correlation,
    profile_priors,
)
from bayesdid.spatial.operators.logdet import LogDeterminant, log_determinant

Form = Literal["smooth", "constant", "none"]


@dataclass(frozen=True, slots=True)
class Lag:
    """The spatial lag of the outcome: its Jacobian, and where rho may lie.

    Attributes
    ----------
    logdet
        ``log|I - rho W|``.
    row_sum
        Common row sum of W, or None.
    times
        T - 1.
    """

    logdet: LogDeterminant
    row_sum: float | None
    times: int

    @property
    def low(self) -> float:
        """Lower end of the admissible interval."""
        return self.logdet.interval.low

    @property
    def high(self) -> float:
        """Its upper end."""
        return self.logdet.interval.high

    def log_jacobian(self, rho: FloatArray) -> FloatArray:
        """``(T - 1) (log|I - rho W| - log(1 - rho w))`` (Lee & Yu 2010), shape (G,)."""
        total = self.logdet.value(rho)
        if self.row_sum is not None:
            total = total - np.log1p(-rho * self.row_sum)
        return np.asarray(self.times * total)


@dataclass(frozen=True, slots=True)
class ProfileTarget:
    """Marginal posterior of ``z = (log a, log length, logit rho)``, as many as the form has.

    Attributes
    ----------
    form
        ``smooth``: a Gaussian process; ``constant``: theta(d) = c with the same prior at any one
        distance; ``none``: theta = 0.
    gaps
        Distances between ring midpoints, shape (R, R).
    gram, cross, square
        Cross-products of exposures and of (y, Wy) with the regressors integrated out, shapes
        (R, R), (R, 2), (2, 2).
    half_logdet
        Half the log determinant that integrating them left.
    lag
        Or None.
    """

    form: Form
    kernel: Kernel
    gaps: FloatArray
    gram: FloatArray
    cross: FloatArray
    square: FloatArray
    half_logdet: float
    nu: int
    priors: ProfilePriors
    lag: Lag | None

    @property
    def dimension(self) -> int:
        """Number of scalars."""
        return {"smooth": 2, "constant": 1, "none": 0}[self.form] + (self.lag is not None)

    def start(self) -> FloatArray:
        """Where to look for the mode."""
        own = {
            "smooth": [np.log(self.priors.amplitude) - 1, self.priors.log_length_mean],
            "constant": [np.log(self.priors.amplitude) - 1],
            "none": [],
        }[self.form]
        if self.lag is None:
            return np.array(own)
        share = -self.lag.low / (self.lag.high - self.lag.low)
        return np.array([*own, np.log(share / (1 - share))])

    def rho(self, z: FloatArray) -> FloatArray:
        """Of each row of `z`; zeros without a spatial lag."""
        if self.lag is None:
            return np.zeros(len(z))
        return np.asarray(self.lag.low + (self.lag.high - self.lag.low) * expit(z[:, -1]))

    def root(self, z: FloatArray) -> FloatArray:
        """L with ``cov(theta) = sigma^2 L L'``, shape (G, R, m)."""
        G, R = len(z), len(self.gaps)
        if self.form == "none":
            return np.zeros((G, R, 0))
        a = np.exp(z[:, 0])[:, None, None]
        if self.form == "constant":
            return np.asarray(a * np.ones((1, R, 1)))
        K = correlation(self.kernel, self.gaps, np.exp(z[:, 1])) + NUGGET * np.eye(R)
        return np.asarray(a * np.linalg.cholesky(K))

    def systems(
        self, z: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
        """L, the lower factor C of ``I + L'GL``, ``C^-1 L'c``, the quadratic form, and rho."""
        L, rho = self.root(z), self.rho(z)
        v = np.column_stack([np.ones(len(z)), -rho])
        square = np.einsum("gi,ij,gj->g", v, self.square, v)
        w = np.einsum("grm,ri,gi->gm", L, self.cross, v)
        B = np.swapaxes(L, 1, 2) @ self.gram @ L + np.eye(L.shape[2])
        C = np.linalg.cholesky(B)
        half = np.linalg.solve(C, w[:, :, None])[:, :, 0] if L.shape[2] else w
        return L, C, half, square - (half**2).sum(axis=1), rho

    def log_density(self, z: FloatArray) -> FloatArray:
        """Log marginal posterior density of `z`, shape (G,), normalised up to p(sigma^2)."""
        inside = (np.abs(z) < 40).all(axis=1)
        z = np.where(inside[:, None], z, 0.0)
        with np.errstate(all="ignore"):
            _, C, _, quadratic, rho = self.systems(z)
            value = (
                gammaln(self.nu / 2)
                - self.nu / 2 * np.log(np.pi * quadratic)
                - np.log(np.diagonal(C, axis1=1, axis2=2)).sum(axis=1)
                - self.half_logdet
                + self._log_prior(z)
            )
            if self.lag is not None:
                p = expit(z[:, -1])
                value = value + self.lag.log_jacobian(rho) + np.log(p) + np.log1p(-p)
        return np.where(np.isfinite(value) & inside, value, -np.inf)

    def _log_prior(self, z: FloatArray) -> FloatArray:
        total = np.zeros(len(z))
        if self.form != "none":
            a, scale = np.exp(z[:, 0]), self.priors.amplitude
            total += 0.5 * np.log(2 / np.pi) - np.log(scale) - 0.5 * (a / scale) ** 2 + z[:, 0]
        if self.form == "smooth":
            sd = self.priors.log_length_sd
            off = (z[:, 1] - self.priors.log_length_mean) / sd
            total += -0.5 * off**2 - 0.5 * np.log(2 * np.pi) - np.log(sd)
        return total


@dataclass(frozen=True, slots=True)
class Regression:
    """Posterior of the regressors' coefficients given profile and rho.

    Attributes
    ----------
    root
        Lower factor of their precision over sigma^2, shape (K, K).
    mean
        Of their prior, shape (K,).
    on_outcome, on_exposure
        Their cross-products with (y, Wy), y less the prior mean's part, and with the exposures,
        shapes (K, 2) and (K, R).
    """

    root: FloatArray
    mean: FloatArray
    on_outcome: FloatArray
    on_exposure: FloatArray

    def draw(
        self, theta: FloatArray, rho: FloatArray, sigma: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        """One draw of the coefficients for each draw of profile, rho and sigma, (S, K)."""
        right = self.on_outcome[:, :1] - self.on_outcome[:, 1:] * rho - self.on_exposure @ theta.T
        half = np.linalg.solve(self.root, right) + sigma * rng.standard_normal(right.shape)
        return np.asarray(self.mean + np.linalg.solve(self.root.T, half).T)


def spatial_lag(design: ProfileDesign) -> Lag | None:
    """The Jacobian of a design's spatial lag, or None."""
    if design.weights is None:
        return None
    logdet = log_determinant(design.weights, "eigenvalues")
    return Lag(logdet, design.weights.constant_row_sum, design.Y.shape[1] - 1)


def profile_target(design: ProfileDesign, form: Form = "smooth") -> ProfileTarget:
    """The density of the scalars of a design under one form of the profile and weak priors."""
    return target_and_rest(design, form, profile_priors(design, PriorChoice()))[0]


def target_and_rest(
    design: ProfileDesign, form: Form, priors: Priors
) -> tuple[ProfileTarget, Regression]:
    """The density of the scalars, and what is left of the coefficients once they are drawn.

    Parameters
    ----------
    priors
        Of the coefficients, in the outcome's units.
    """
    X = design.X.reshape(len(design.X), -1)
    E = design.E.reshape(len(design.E), -1)
    y = np.zeros((2, E.shape[1]))
    mean, sd = priors.of(design.base.names)
    y[0] = design.Y.ravel() - mean @ X
    if design.WY is not None:
        y[1] = design.WY.ravel()
    d = sd / design.priors.reference  # over sigma
    proper = np.isfinite(d)
    root = np.linalg.cholesky(X @ X.T + np.diag(d**-2.0))
    half_E, half_y = np.linalg.solve(root, X @ E.T), np.linalg.solve(root, X @ y.T)
    middle = design.rings.middle
    target = ProfileTarget(
        form,
        design.kernel,
        np.abs(middle[:, None] - middle),
        E @ E.T - half_E.T @ half_E,
        E @ y.T - half_E.T @ half_y,
        y @ y.T - half_y.T @ half_y,
        float(np.log(np.diagonal(root)).sum() + np.log(d[proper]).sum()),
        design.nu - int((~proper).sum()),
        design.priors,
        spatial_lag(design),
    )
    return target, Regression(root, mean, X @ y.T, X @ E.T)


def log_evidence(
    target: ProfileTarget, *, size: int = 4000, seed: int = 0
) -> tuple[float, list[GateItem]]:
    """Log marginal likelihood, comparable between forms and shares of one design, and its gate."""
    if target.dimension == 0:
        return float(target.log_density(np.empty((1, 0)))[0]), []
    found = draw_importance(target, target.start(), size, np.random.default_rng(seed))
    return found.log_evidence, found.gate()


def with_share(target: ProfileTarget, share: float) -> ProfileTarget:
    """The same under a prior on the profile that is wider or narrower."""
    factor = share / target.priors.share
    priors = dataclasses.replace(
        target.priors, share=share, amplitude=target.priors.amplitude * factor
    )
    return dataclasses.replace(target, priors=priors)
