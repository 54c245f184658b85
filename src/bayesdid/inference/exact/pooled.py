"""Partially pooled treatment effects: coefficients integrated out, scales by importance sampling.

Given ``(sigma, sigma_unit, sigma_period, omega)`` the coefficients of
:mod:`bayesdid.model.pymc.pooled` are Gaussian. With prior standard deviations d they are ``d u``, u
standard normal, so that the marginal likelihood needs the Cholesky factor of ``I + d G d`` only,
which exists for linearly dependent columns and for omega = 0 as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.linalg import cholesky, solve_triangular

from bayesdid.arrays import FloatArray
from bayesdid.design.regressors import is_random, regressors
from bayesdid.inference.exact.collapse import Blocks, Strata, blocks, strata
from bayesdid.inference.numerics.importance import draw_importance
from bayesdid.inference.tree import provenance
from bayesdid.model.pooling import Pooling
from bayesdid.model.priors import Priors

_CHUNK_BYTES = 1e8
_LIMIT = 14.0  # |log of a scale relative to sigma| beyond which the density is taken as zero


@dataclass(frozen=True, slots=True)
class PooledTarget:
    """Marginal posterior of the scales, coefficients integrated out.

    Attributes
    ----------
    stats
        Cross-products of the scaled regressors.
    sd
        Prior sd of each scaled coefficient, shape (K,), for a part at ``omega = 1``.
    part
        Position of each coefficient's part, shape (K,); -1 for a fixed prior sd.
    parts
        Number of parts.
    half_normal
        Scale of the prior of omega.
    priors, kinds
        Of sigma and the effects' scales; which effects are random.
    """

    stats: Strata | Blocks
    sd: FloatArray
    part: np.ndarray
    parts: int
    half_normal: float
    priors: Priors
    kinds: tuple[bool, bool]

    @property
    def dimension(self) -> int:
        """Number of scales."""
        return 1 + sum(self.kinds) + self.parts

    def unpack(self, z: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """``z``, logs of (sigma, sigma_unit, sigma_period, omega), to sigma, ratios, omega."""
        scales = np.exp(np.clip(z, z[:, :1] - _LIMIT, z[:, :1] + _LIMIT))
        one = np.ones(len(z))
        ratios = [one, one]
        k = 1
        for position, random in enumerate(self.kinds):
            if random:
                ratios[position] = (scales[:, k] / scales[:, 0]) ** 2
                k += 1
        return scales[:, 0], ratios[0], ratios[1], scales[:, k:]

    def draw(self, z: FloatArray, rng: np.random.Generator) -> FloatArray:
        """One draw of the scaled coefficients for each row of `z`, shape (S, K)."""
        found = np.empty((len(z), len(self.sd)))
        for row, (B, w, d) in enumerate(self._systems(z)):
            L = cholesky(B, lower=True, check_finite=False, overwrite_a=True)
            right = solve_triangular(L, w, lower=True, check_finite=False)
            right += rng.standard_normal(len(w))
            found[row] = d * solve_triangular(L, right, lower=True, trans="T", check_finite=False)
        return found

    def _systems(self, z: FloatArray) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """For each row of `z`: ``I + d G d``, the right-hand side ``d c``, and d."""
        sigma, rho_u, rho_p, omega = self.unpack(z)
        K = len(self.sd)
        size = max(1, int(_CHUNK_BYTES / (8 * (K + 1) ** 2)))
        constant = not any(self.kinds)
        for begin in range(0, len(z), size):
            rows = slice(begin, begin + (1 if constant else size))
            A, _ = self.stats.gram(rho_u[rows], rho_p[rows])
            for row in range(begin, min(begin + size, len(z))):
                gram = A[0 if constant else row - begin]
                d = self.sd.copy()
                for k in range(self.parts):
                    d[self.part == k] *= omega[row, k]
                scaled = d / sigma[row]
                B = gram[:-1, :-1] * np.outer(scaled, scaled)
                B.flat[:: K + 1] += 1.0
                yield B, scaled * gram[:-1, -1] / sigma[row], d

    def log_density(self, z: FloatArray) -> FloatArray:
        """Log marginal posterior density of `z`, shape (G,)."""
        sigma, rho_u, rho_p, omega = self.unpack(z)
        fitted, half_logdet = np.zeros(len(z)), np.zeros(len(z))
        for row, (B, w, _) in enumerate(self._systems(z)):
            L = cholesky(B, lower=True, check_finite=False, overwrite_a=True)
            v = solve_triangular(L, w, lower=True, check_finite=False)
            fitted[row], half_logdet[row] = v @ v, np.log(np.diagonal(L)).sum()
        total, logdet = self._totals(rho_u, rho_p)
        value = (
            -0.5 * self.stats.nu * np.log(2 * np.pi * sigma**2)
            - 0.5 * logdet
            - 0.5 * (total / sigma**2 - fitted)
            - half_logdet
            + self.priors.log_sigma_density(sigma)
            + (-0.5 * (omega / self.half_normal) ** 2 + np.log(omega)).sum(axis=1)
            + self.parts * 0.5 * np.log(2 / (np.pi * self.half_normal**2))
        )
        for random, rho in zip(self.kinds, (rho_u, rho_p), strict=True):
            if random:
                value = value + self.priors.log_group_density(sigma * np.sqrt(rho))
        inside = (np.abs(z - z[:, :1]) < _LIMIT).all(axis=1)
        return np.where(np.isfinite(value) & inside, value, -np.inf)

    def _totals(self, rho_u: FloatArray, rho_p: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Residual sum of squares of y alone, and logdet, at each pair of ratios, shape (G,)."""
        if not any(self.kinds):
            A, logdet = self.stats.gram(rho_u[:1], rho_p[:1])
            return np.full(len(rho_u), A[0, -1, -1]), np.full(len(rho_u), logdet[0])
        size = max(1, int(_CHUNK_BYTES / (8 * (len(self.sd) + 1) ** 2)))
        parts = [
            self.stats.gram(rho_u[i : i + size], rho_p[i : i + size])
            for i in range(0, len(rho_u), size)
        ]
        return (
            np.concatenate([A[:, -1, -1] for A, _ in parts]),
            np.concatenate([logdet for _, logdet in parts]),
        )


def pooled_target(pooling: Pooling) -> tuple[PooledTarget, FloatArray]:
    """The target and the scales divided out of the regressors, shape (K,)."""
    design, priors = pooling.design, pooling.priors()
    data = regressors(design)
    small = strata(design, data) if design.is_balanced else blocks(design, data)
    K = len(design.names)
    sd = np.array([priors.sds[name] for name in design.names])
    part = np.full(data.R.shape[1], -1)
    for k, name in enumerate(pooling.parts):
        columns = pooling.columns(name)
        sd[columns], part[columns] = 1.0, k
    sd = np.concatenate([sd * data.scale[:K], np.full(len(part) - K, priors.mundlak_multiple)])
    kinds = (is_random(design.unit_effects), is_random(design.period_effects))
    target = PooledTarget(small, sd, part, len(pooling.parts), pooling.scale, priors, kinds)
    return target, data.scale


def fit_pooled(
    pooling: Pooling, *, draws: int = 1000, chains: int = 4, seed: int = 0
) -> xr.DataTree:
    """Posterior of the partially pooled model.

    Returns
    -------
    DataTree
        ``posterior`` with ``mu`` (base), one variable per part on ``<part>_level``,
        ``omega_<part>``, ``tau`` (treatment; base and deviations in the design's order),
        ``beta``, ``sigma``. ``attrs["converged"]`` is 0 if the gate failed.
    """
    design = pooling.design
    target, scale = pooled_target(pooling)
    rng = np.random.default_rng(seed)
    spread = np.log(max(float(design.y.std()), 1e-300))
    start = np.concatenate(
        [np.full(1 + sum(target.kinds), spread - 0.5), np.full(target.parts, spread - 2.5)]
    )
    found = draw_importance(target, start, draws * chains, rng)
    coef = target.draw(found.z, rng) / scale
    sigma, rho_u, rho_p, omega = target.unpack(found.z)
    P, K = len(design.treatments), len(design.names)
    values: dict[str, tuple[tuple[str, ...], FloatArray]] = {
        "tau": (("treatment",), coef[:, :P]),
        "sigma": ((), sigma),
        "mu": (("base",), coef[:, pooling.columns("")]),
    }
    coords: dict[str, list[str]] = {
        "treatment": list(design.treatments),
        "base": [design.treatments[k] for k in pooling.columns("")],
    }
    if K > P:
        values["beta"] = (("covariate",), coef[:, P:K])
        coords["covariate"] = list(design.covariates)
    for k, name in enumerate(pooling.parts):
        columns = pooling.columns(name)
        values[name] = ((f"{name}_level",), coef[:, columns])
        values[f"omega_{name}"] = ((), omega[:, k])
        coords[f"{name}_level"] = [design.treatments[c] for c in columns]
    for random, dim, rho in zip(
        target.kinds, (design.unit_dim, design.period_dim), (rho_u, rho_p), strict=True
    ):
        if random:
            values[f"sigma_{dim}"] = ((), sigma * np.sqrt(rho))
    posterior = xr.Dataset(
        {
            n: (("chain", "draw", *dims), v.reshape(chains, draws, *v.shape[1:]))
            for n, (dims, v) in values.items()
        },
        coords={"chain": np.arange(chains), "draw": np.arange(draws), **coords},
    )
    observed = xr.Dataset({"y": ("obs", design.y)}, {"obs": np.arange(design.n)})
    tree = xr.DataTree.from_dict({"posterior": posterior, "observed_data": observed})
    tree.attrs = provenance(
        design, target.priors, "pooled", seed, draws, chains, found.gate(), found.log_evidence
    )
    return tree
