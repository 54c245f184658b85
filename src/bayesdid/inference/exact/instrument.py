"""Draws of an instrumental-variables posterior, by quadrature over the effect and first stage.

With the effects and covariates taken out and the errors' covariance integrated out, under
``p(Sigma) = |Sigma|^-3/2``, what is left is (Zellner 1971, ch. 9; Kleibergen & Zivot 2003,
doi:10.1016/S0304-4076(02)00219-1)

    p(tau, pi) = prior(tau) prior(pi) |S(tau, pi)|^(-nu / 2),
    S(tau, pi) = (eps, eta)'(eps, eta),  eps = y - tau d,  eta = d - pi z.

Given tau, ``|S|`` is a quadratic in pi: Student t times its normal prior, integrated on a grid. In
tau the nodes are halved wherever mass is, so that a weak instrument's ridges are found as well as
a strong one's peak.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.span import within
from bayesdid.inference.exact.multivariate import multivariate_posterior
from bayesdid.inference.gate import GateItem, quadrature_gate
from bayesdid.inference.numerics.quadrature import Piecewise

_REACH = 9.0  # prior standard deviations of tau beyond which nothing is
_MASS = 1 / 400  # an interval of tau with more mass than this is halved
_U = np.linspace(-8.0, 8.0, 121)  # nodes of pi given tau, stretched
_STRETCH = 0.3


@dataclass(frozen=True, slots=True)
class InstrumentDraws:
    """Posterior of an instrumental-variables model.

    Attributes
    ----------
    tau, pi
        Effect and first stage, shape (S,).
    Sigma
        Covariance of the structural errors, the outcome's first, shape (S, 2, 2).
    gate
        Of the quadrature.
    """

    tau: FloatArray
    pi: FloatArray
    Sigma: FloatArray
    gate: tuple[GateItem, ...]

    @property
    def rho(self) -> FloatArray:
        """Correlation of the structural errors, shape (S,)."""
        S = self.Sigma
        return np.asarray(S[:, 0, 1] / np.sqrt(S[:, 0, 0] * S[:, 1, 1]))


@dataclass(frozen=True, slots=True)
class _Equations:
    """Cross-products G of the residualised (y, d, z), degrees of freedom, priors (mean, sd)."""

    G: FloatArray
    nu: int
    tau: tuple[float, float]
    pi: tuple[float, float]

    def errors(self, tau: FloatArray, pi: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """``eps'eps, eps'eta, eta'eta``."""
        (yy, yd, yz), (_, dd, dz), (_, _, zz) = self.G
        return (
            yy - 2 * tau * yd + tau**2 * dd,
            yd - tau * dd - pi * (yz - tau * dz),
            dd - 2 * pi * dz + pi**2 * zz,
        )

    def log_density(self, tau: FloatArray, pi: FloatArray) -> FloatArray:
        """Of both, up to a constant."""
        ee, en, nn = self.errors(tau, pi)
        return np.asarray(
            norm.logpdf(tau, *self.tau)
            + norm.logpdf(pi, *self.pi)
            - 0.5 * self.nu * np.log(ee * nn - en**2)
        )

    def first_stage_nodes(self, tau: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Nodes of pi for each tau, shape (G, n), and their log densities with the Jacobian."""
        (_, yd, yz), (_, dd, dz), (_, _, zz) = self.G
        ee, ed, ez = self.errors(tau, np.zeros_like(tau))[0], yd - tau * dd, yz - tau * dz
        a, b, c = ee * zz - ez**2, ee * dz - ed * ez, ee * dd - ed**2  # a pi^2 - 2 b pi + c
        variance = np.maximum(c / a - (b / a) ** 2, 0) / self.nu
        mean, prior_sd = self.pi
        sd = (1 / variance + prior_sd**-2.0) ** -0.5
        centre = sd**2 * ((b / a) / variance + mean * prior_sd**-2.0)
        pi = centre[:, None] + sd[:, None] * np.sinh(_STRETCH * _U) / _STRETCH
        log_jacobian = np.log(sd)[:, None] + np.log(np.cosh(_STRETCH * _U))
        return pi, self.log_density(tau[:, None], pi) + log_jacobian


def draw_instrument(
    design: Design,
    endogenous: FloatArray,
    *,
    tau: tuple[float, float],
    pi: tuple[float, float],
    size: int = 4000,
    seed: int = 0,
) -> InstrumentDraws:
    """Exact draws.

    Parameters
    ----------
    design
        The instrument is its one treatment; effects and covariates as in the equations.
    endogenous
        The treatment, shape (n,).
    tau, pi
        Mean and sd of the normal priors on the effect and on the first stage.
    """
    rng = np.random.default_rng(seed)
    reduced = multivariate_posterior(design, np.column_stack([design.y, endogenous]))
    equations = _Equations(_cross_products(design, endogenous), reduced.nu + 1, tau, pi)
    nodes, log_marginal = _refined(equations)
    marginal = Piecewise(nodes, np.exp(log_marginal - log_marginal.max()))
    effect = marginal.quantiles(rng.random(size))
    grid, log_pi = equations.first_stage_nodes(effect)
    weight = np.exp(log_pi - log_pi.max(axis=1, keepdims=True))
    slices = 0.5 * (weight[:, 1:] + weight[:, :-1])
    reached = np.cumsum(slices, axis=1) / slices.sum(axis=1, keepdims=True)
    mark = rng.random((size, 1))
    k = (reached < mark).sum(axis=1)
    before = np.where(k > 0, reached[range(size), np.maximum(k - 1, 0)], 0.0)
    share = (mark[:, 0] - before) / np.maximum(reached[range(size), k] - before, 1e-300)
    first = grid[range(size), k] + share * (grid[range(size), k + 1] - grid[range(size), k])
    gate = tuple(quadrature_gate(marginal.error, marginal.edge))
    return InstrumentDraws(effect, first, _covariance(equations, effect, first, rng), gate)


def reduced_ratio(
    design: Design, endogenous: FloatArray, *, size: int = 4000, seed: int = 0
) -> FloatArray:
    """``pi_y / pi_d`` under flat priors on the reduced form, shape (S,): what 2SLS estimates."""
    reduced = multivariate_posterior(design, np.column_stack([design.y, endogenous]))
    B, _ = reduced.draw(size, np.random.default_rng(seed))
    return np.asarray(B[:, 0, 0] / B[:, 0, 1])


def with_instrument(design: Design, z: FloatArray, name: str) -> Design:
    """The design with the instrument in the place of its treatments."""
    return dataclasses.replace(design, D=z[:, None], treatments=(name,))


def _cross_products(design: Design, endogenous: FloatArray) -> FloatArray:
    """Of (y, d, z) after effects and covariates, weighted as the rows are, shape (3, 3)."""
    both = np.column_stack([design.y, endogenous, design.D[:, 0], design.X])
    residual = within(design, both, flat_only=False, weights=design.weights)
    rest, X = residual[:, :3], residual[:, 3:]
    rest = rest - X @ np.linalg.lstsq(X, rest, rcond=None)[0]
    return np.asarray(rest.T @ rest)


def _refined(equations: _Equations) -> tuple[FloatArray, FloatArray]:
    """Nodes of tau, dense where mass is, and the log marginal density there."""

    def log_marginal(tau: FloatArray) -> FloatArray:
        return np.asarray(logsumexp(equations.first_stage_nodes(tau)[1], axis=1))

    (_, yd, yz), (_, dd, dz), _ = equations.G
    centre, reach = equations.tau[0], _REACH * equations.tau[1]
    start = [t for t in (yz / dz if dz else 0.0, yd / dd) if abs(t - centre) < reach]
    nodes = np.unique(np.concatenate([centre + np.linspace(-reach, reach, 401), start]))
    values = log_marginal(nodes)
    for _ in range(40):
        area = Piecewise(nodes, np.exp(values - values.max())).areas
        wide = area > _MASS * area.sum()
        if not wide.any():
            break
        wide[1:] |= wide[:-1]  # and their neighbours, so that no peak hides beside one
        wide[:-1] |= wide[1:]
        added = 0.5 * (nodes[1:] + nodes[:-1])[wide]
        order = np.argsort(np.concatenate([nodes, added]))
        nodes = np.concatenate([nodes, added])[order]
        values = np.concatenate([values, log_marginal(added)])[order]
    return nodes, values


def _covariance(
    equations: _Equations, tau: FloatArray, pi: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Of the structural errors, (S, 2, 2), inverse Wishart with scale S(tau, pi) given both."""
    ee, en, nn = equations.errors(tau, pi)
    S = np.stack([np.stack([ee, en], -1), np.stack([en, nn], -1)], -2)
    A = np.zeros_like(S)
    A[:, 0, 0] = np.sqrt(rng.chisquare(equations.nu, len(tau)))
    A[:, 1, 1] = np.sqrt(rng.chisquare(equations.nu - 1, len(tau)))
    A[:, 1, 0] = rng.standard_normal(len(tau))
    half = np.linalg.cholesky(np.linalg.inv(S)) @ A
    return np.asarray(np.linalg.inv(half @ np.swapaxes(half, 1, 2)))
