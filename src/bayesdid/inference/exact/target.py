r"""Posterior of a Gaussian two-way model's scalars, with coefficients and effects integrated out.

The scalars are ``sigma``, the correlation ``phi`` of AR(1) errors, the scales of random effects
and the scale omega of every partially pooled part. Given them the coefficients are ``b = mean +
d u`` with d their prior standard deviations (one where the prior is flat), and

    u ~ N(B^-1 w, B^-1),   B = [0 or 1 on the diagonal] + d G d / sigma^2,   w = d c / sigma^2,

with G and c from :mod:`bayesdid.inference.exact.collapse`. B exists for linearly dependent columns
and for omega = 0 as well. Bordered by w and the outcome's own sum of squares, one Cholesky
factor holds the determinant and the quadratic form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.design import Design
from bayesdid.design.regressors import Regressors
from bayesdid.inference.exact.collapse import Equations
from bayesdid.inference.numerics.linear import cholesky, solve_upper
from bayesdid.model.priors import Priors

_LIMIT = 14.0  # |log of a scale relative to sigma| beyond which the density is taken as zero
ATANH_LIMIT = 8.0  # phi within 2e-7 of +-1: beyond it the density is taken as zero
_CELLS = 4_000_000  # numbers in one array: how many nodes are treated at once


class Gram(Protocol):
    """Cross-products of the scaled regressors and the outcome at given scalars."""

    def gram(
        self, phi: FloatArray, rho_unit: FloatArray, rho_period: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """A, shape (G, K + 1, K + 1), and logdet, shape (G,)."""
        ...


class Scalars(NamedTuple):
    """Natural parameters, each of shape (G,), omega (G, parts); ratios of absent effects are 1."""

    sigma: FloatArray
    phi: FloatArray
    rho_unit: FloatArray
    rho_period: FloatArray
    omega: FloatArray


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Normal priors of the scaled coefficients, as numbers.

    Attributes
    ----------
    mean, sd
        Shape (K,); sd ``inf`` is flat. The sd of a pooled coefficient is in units of its omega.
    part
        Position of each coefficient's omega, shape (K,); -1 for none.
    half_normal
        Scale of the prior of each omega, shape (parts,).
    random
        How many omegas come before these and are scales of random effects, with their prior.
    """

    mean: FloatArray
    sd: FloatArray
    part: IntArray
    half_normal: FloatArray
    random: int = 0

    def sds(self, omega: FloatArray) -> FloatArray:
        """Prior standard deviations at omega, shape (G, K); 1 where flat."""
        d = np.where(np.isfinite(self.sd), self.sd, 1.0)
        if not len(self.half_normal):
            return np.broadcast_to(d, (len(omega), len(d)))
        factor = np.where(self.part >= 0, omega[:, self.part], 1.0)
        return d * factor


@dataclass(frozen=True, slots=True)
class Target:
    """Log density of ``z``, the logs of (sigma, scales of random effects, omegas).

    With AR(1) errors ``z[1] = atanh phi`` stands between, and ``z[0]`` is the log sd of
    innovations over one period, ``sigma sqrt(1 - phi^2)``, which the data pin down even where phi
    is near one and the marginal sigma is not.

    Attributes
    ----------
    stats
        Cross-products.
    nu
        Their degrees of freedom.
    beliefs, priors
        Of coefficients and omegas, and of sigma and the effects' scales.
    kinds
        Which effects are random: (unit, period).
    serial
        Whether errors are AR(1).
    """

    stats: Gram
    nu: int
    beliefs: Beliefs
    priors: Priors
    kinds: tuple[bool, bool]
    serial: bool

    @property
    def dimension(self) -> int:
        """Number of scalars."""
        return 1 + self.serial + sum(self.kinds) + len(self.beliefs.half_normal)

    def scalars(self, z: FloatArray) -> Scalars:
        """Natural parameters of coordinates, shape (G, dimension)."""
        phi, log_sigma, at = np.zeros(len(z)), z[:, 0], 1
        if self.serial:
            angle = np.clip(z[:, 1], -ATANH_LIMIT, ATANH_LIMIT)
            phi, at = np.tanh(angle), 2
            log_sigma = log_sigma + np.log(np.cosh(angle))
        sigma = np.exp(np.clip(log_sigma, -300, 300))
        relative = np.exp(np.clip(z[:, at:] - log_sigma[:, None], -_LIMIT, _LIMIT))
        ratios = [np.ones(len(z)), np.ones(len(z))]
        k = 0
        for position, random in enumerate(self.kinds):
            if random:
                ratios[position] = relative[:, k] ** 2
                k += 1
        return Scalars(sigma, phi, ratios[0], ratios[1], relative[:, k:] * sigma[:, None])

    def log_density(self, z: FloatArray) -> FloatArray:
        """Log posterior density of `z`, shape (G,), coefficients and effects integrated out."""
        given = self.scalars(z)
        value = self._log_prior(z, given)
        usable = np.flatnonzero(np.isfinite(value))
        step = max(1, _CELLS // (len(self.beliefs.sd) + 1) ** 2)
        with np.errstate(all="ignore"):
            for begin in range(0, len(usable), step):
                at = usable[begin : begin + step]
                value[at] += self._log_likelihood(Scalars(*(part[at] for part in given)))
        return np.where(np.isfinite(value), value, -np.inf)

    def _log_prior(self, z: FloatArray, given: Scalars) -> FloatArray:
        sigma = given.sigma
        value = np.array(self.priors.log_sigma_density(sigma))
        for random, rho in zip(self.kinds, (given.rho_unit, given.rho_period), strict=True):
            if random:
                value = value + self.priors.log_group_density(sigma * np.sqrt(rho))
        scale = self.beliefs.half_normal
        value = value + (np.log(given.omega) - 0.5 * (given.omega / scale) ** 2).sum(axis=1)
        value = value + 0.5 * np.log(2 / (np.pi * scale**2)).sum()
        log_sigma = z[:, 0]
        if self.serial:  # phi uniform on (-1, 1)
            inside = np.abs(z[:, 1]) < ATANH_LIMIT
            log_cosh = np.log(np.cosh(np.where(inside, z[:, 1], 0.0)))
            value = np.where(inside, value + np.log(0.5) - 2 * log_cosh, -np.inf)
            log_sigma = log_sigma + log_cosh
        rest = z[:, 1 + self.serial :]
        inside = (np.abs(rest - log_sigma[:, None]) < _LIMIT).all(axis=1) & (
            np.abs(log_sigma) < 300
        )
        return np.where(inside, value, -np.inf)

    def _log_likelihood(self, given: Scalars) -> FloatArray:
        L, logdet, _ = self.factors(given)
        diagonal = np.diagonal(L, axis1=1, axis2=2)
        flat = int((~np.isfinite(self.beliefs.sd)).sum())
        return np.asarray(
            -0.5 * self.nu * np.log(2 * np.pi * given.sigma**2)
            - 0.5 * logdet
            - 0.5 * diagonal[:, -1] ** 2
            - np.log(diagonal[:, :-1]).sum(axis=1)
            + 0.5 * flat * np.log(2 * np.pi)
        )

    def factors(self, given: Scalars) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Cholesky factors of the bordered systems (G, K + 1, K + 1), logdet and d (G, K)."""
        A, logdet = self.stats.gram(given.phi, given.rho_unit, given.rho_period)
        if self.beliefs.mean.any():  # y less its prior mean
            shift = np.eye(A.shape[1])
            shift[:-1, -1] = -self.beliefs.mean
            A = shift.T @ A @ shift
        d = self.beliefs.sds(given.omega)
        edge = np.column_stack([d, np.ones(len(d))]) / given.sigma[:, None]
        B = A * edge[:, :, None] * edge[:, None, :]
        diagonal = np.arange(d.shape[1])
        B[:, diagonal, diagonal] += np.isfinite(self.beliefs.sd)
        return cholesky(B), logdet, d

    def draw(self, z: FloatArray, rng: np.random.Generator) -> FloatArray:
        """One draw of the scaled coefficients for each row of `z`, shape (S, K)."""
        given, parts = self.scalars(z), []
        step = max(1, _CELLS // (len(self.beliefs.sd) + 1) ** 2)
        for begin in range(0, len(z), step):
            some = Scalars(*(part[begin : begin + step] for part in given))
            L, _, d = self.factors(some)
            right = L[:, -1, :-1] + rng.standard_normal(d.shape)
            parts.append(self.beliefs.mean + d * solve_upper(L[:, :-1, :-1], right))
        return np.concatenate(parts)


def beliefs(design: Design, data: Regressors, priors: Priors) -> Beliefs:
    """Put the priors of a design's terms on the scale of its scaled regressors."""
    K = len(design.names)
    U = K + len(data.unit_terms)
    blocks = (
        priors.of(design.names),
        priors.of_components(design.unit_dim, data.unit_terms, data.scale[K:U]),
        priors.of_components(design.period_dim, data.period_terms, data.scale[U:]),
    )
    mean, sd = (np.concatenate(part) * data.scale for part in zip(*blocks, strict=True))
    return Beliefs(mean, sd, np.full(len(sd), -1), np.zeros(0))


def target(stats: Equations, believed: Beliefs, priors: Priors, *, serial: bool) -> Target:
    """The target whose cross-products are computed anew at every node."""
    return Target(stats, stats.nu, believed, priors, stats.kinds, serial)
