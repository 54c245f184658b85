"""Exact engine: everything conjugate given one to three scales, which are tabulated.

Given ``(sigma, sigma_unit, sigma_period)`` the coefficients are Gaussian and the effects after
them too, so what is left is a density in at most three dimensions, :meth:`Conditional.log_density`.
:mod:`bayesdid.inference.numerics.table` draws from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.regressors import Regressors, is_random
from bayesdid.inference.exact.collapse import Blocks, Strata
from bayesdid.model.priors import Priors

_RATIO_LIMIT = 14.0  # |log(sigma_effect / sigma)| beyond which the density is taken as zero


@dataclass(frozen=True, slots=True)
class Conditional:
    """Posterior of coefficients given scalars; priors on the scaled regressors.

    Attributes
    ----------
    stats
        Cross-products, :class:`Strata` or :class:`Blocks`.
    mean, precision
        Normal prior of the scaled coefficients, shape (K,); precision 0 is flat.
    priors
        For the scales.
    kinds
        Which effects are random: (unit, period).
    """

    stats: Strata | Blocks
    mean: FloatArray
    precision: FloatArray
    priors: Priors
    kinds: tuple[bool, bool]

    @property
    def dimension(self) -> int:
        """Number of scales: one, two or three."""
        return 1 + sum(self.kinds)

    def unpack(self, z: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """``z = (log sigma, log sigma_unit, log sigma_period)``, shape (G, d), to sigma and ratios.

        The variance ratios ``(sigma_effect / sigma)^2`` are 1 where an effect is not random.
        """
        log_ratio = np.clip(z[:, 1:] - z[:, :1], -_RATIO_LIMIT, _RATIO_LIMIT)
        columns = iter(np.exp(2 * log_ratio).T)
        sigma = np.exp(z[:, 0])
        one = np.ones_like(sigma)
        rho_unit = next(columns) if self.kinds[0] else one
        rho_period = next(columns) if self.kinds[1] else one
        return sigma, rho_unit, rho_period

    def log_density(self, z: FloatArray) -> FloatArray:
        """Log marginal posterior density of `z`, shape (G,), coefficients integrated out."""
        sigma, rho_unit, rho_period = self.unpack(z)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            A, logdet = self.stats.gram(rho_unit, rho_period)
            Lambda, b, constant = self._normal_equations(A, sigma)
            solved = np.linalg.solve(Lambda, b[:, :, None])[:, :, 0] if b.shape[1] else b
            value = (
                -0.5 * self.stats.nu * np.log(2 * np.pi * sigma**2)
                - 0.5 * logdet
                - 0.5 * (constant - (b * solved).sum(axis=1))
                - 0.5 * np.linalg.slogdet(Lambda)[1]
                + 0.5 * np.log(self.precision[self.precision > 0]).sum()
                + 0.5 * (self.precision == 0).sum() * np.log(2 * np.pi)
                + self.priors.log_sigma_density(sigma)
            )
            if self.kinds[0]:
                value = value + self.priors.log_group_density(sigma * np.sqrt(rho_unit))
            if self.kinds[1]:
                value = value + self.priors.log_group_density(sigma * np.sqrt(rho_period))
        inside = (np.abs(z[:, 1:] - z[:, :1]) < _RATIO_LIMIT).all(axis=1)
        return np.where(np.isfinite(value) & inside, value, -np.inf)

    def draw_coefficients(
        self,
        sigma: FloatArray,
        rho_unit: FloatArray,
        rho_period: FloatArray,
        rng: np.random.Generator,
    ) -> FloatArray:
        """One draw of the scaled coefficients for each draw of the scalars, shape (S, K)."""
        A, _ = self.stats.gram(rho_unit, rho_period)
        Lambda, b, _ = self._normal_equations(A, sigma)
        if not b.shape[1]:
            return b
        L = np.linalg.cholesky(Lambda)
        noise = rng.standard_normal(b.shape)[:, :, None]
        draw = np.linalg.solve(Lambda, b[:, :, None]) + np.linalg.solve(np.swapaxes(L, 1, 2), noise)
        return np.asarray(draw[:, :, 0])

    def _normal_equations(
        self, A: FloatArray, sigma: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        scaled = A / (sigma**2)[:, None, None]
        Lambda = scaled[:, :-1, :-1] + np.diag(self.precision)
        b = scaled[:, :-1, -1] + self.precision * self.mean
        return Lambda, b, scaled[:, -1, -1] + (self.precision * self.mean**2).sum()


def conditional(
    design: Design, data: Regressors, stats: Strata | Blocks, priors: Priors
) -> Conditional:
    """Put the priors on the scale of the scaled regressors."""
    K = len(design.names)
    sd = np.array([priors.sds[name] for name in design.names]) * data.scale[:K]
    mean = np.array([priors.means[name] for name in design.names]) * data.scale[:K]
    extra = data.R.shape[1] - K
    sd = np.concatenate([sd, np.full(extra, priors.mundlak_multiple)])
    kinds = (is_random(design.unit_effects), is_random(design.period_effects))
    return Conditional(stats, np.concatenate([mean, np.zeros(extra)]), sd**-2.0, priors, kinds)
