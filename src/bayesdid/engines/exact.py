"""Exact engine: quadrature over one to three scalars, everything else conjugate.

Given ``(sigma, sigma_unit, sigma_period)`` the coefficients are Gaussian and the effects after
them too, so the posterior is a density in at most three dimensions that can be tabulated. Draws
of the scalars come from the multilinear interpolant of the table by rejection against the exact
density: they are independent and exact, and the table's own error is estimated and gated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.optimize import minimize

from bayesdid.design.design import Design, FloatArray
from bayesdid.design.priors import Priors
from bayesdid.design.regressors import Regressors, is_random
from bayesdid.engines.collapse import Blocks, Strata

_DROP = 16.0  # log density below the mode at which the table ends: e^-16 = 1e-7
_SPACING = 0.55  # node distance in posterior standard deviations
_RATIO_LIMIT = 10.0  # |log(sigma_effect / sigma)| beyond which the density is taken as zero
_MAX_NODES = {1: 400, 2: 70, 3: 34}


def _bounded(log_ratio: FloatArray) -> FloatArray:
    return np.clip(log_ratio, -_RATIO_LIMIT, _RATIO_LIMIT)


@dataclass(frozen=True, slots=True)
class ScalarDraws:
    """Independent draws of the scalars, and how good the table was.

    Attributes
    ----------
    sigma, rho_unit, rho_period
        Residual sd and variance ratios, shape (S,); ratios are 1 where an effect is not random.
    log_evidence
        Log marginal likelihood, up to the constants of improper priors.
    evidence_error
        Difference of the log evidence to that of a table half as fine.
    acceptance
        Share of proposals accepted.
    edge
        Posterior mass in the outermost cells.
    """

    sigma: FloatArray
    rho_unit: FloatArray
    rho_period: FloatArray
    log_evidence: float
    evidence_error: float
    acceptance: float
    edge: float


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

    def unpack(self, z: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """``z = (log sigma, log(sigma_unit / sigma), ...)``, shape (G, d), to natural scale."""
        columns = iter(z.T)
        sigma = np.exp(next(columns))
        one = np.ones_like(sigma)
        rho_unit = np.exp(2 * _bounded(next(columns))) if self.kinds[0] else one
        rho_period = np.exp(2 * _bounded(next(columns))) if self.kinds[1] else one
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
        inside = (np.abs(z[:, 1:]) < _RATIO_LIMIT).all(axis=1)
        return np.where(np.isfinite(value) & inside, value, -np.inf)

    def draw_coefficients(
        self, sigma: FloatArray, rho_unit: FloatArray, rho_period: FloatArray,
        rng: np.random.Generator,
    ) -> FloatArray:  # fmt: skip
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


def draw_scalars(target: Conditional, size: int, rng: np.random.Generator) -> ScalarDraws:
    """Tabulate the posterior of the scalars and draw `size` independent values."""
    mode, axes = _mode_and_axes(target)
    grids = _grids(target, mode, axes)
    mesh = np.stack(np.meshgrid(*grids, indexing="ij"), axis=-1)
    log_table = target.log_density(mode + mesh.reshape(-1, len(grids)) @ axes.T)
    log_table = log_table.reshape(mesh.shape[:-1])
    top = log_table.max()
    table = np.exp(log_table - top)
    steps = np.array([grid[1] - grid[0] for grid in grids])
    volume = np.log(steps).sum() + np.linalg.slogdet(axes)[1]
    log_evidence = float(top + np.log(table.sum()) + volume)
    coarse = table[tuple(slice(None, None, 2) for _ in grids)].sum() * 2.0 ** len(grids)
    inner = table[tuple(slice(1, -1) for _ in grids)].sum()
    z, acceptance = _reject(target, mode, axes, grids, table, top, size, rng)
    return ScalarDraws(
        *target.unpack(z), log_evidence=log_evidence,
        evidence_error=float(abs(np.log(coarse / table.sum()))), acceptance=acceptance,
        edge=float(1.0 - inner / table.sum()),
    )  # fmt: skip


def _mode_and_axes(target: Conditional) -> tuple[FloatArray, FloatArray]:
    """Posterior mode, and the Cholesky factor of the curvature there as axes, shape (d, d)."""
    A, _ = target.stats.gram(np.ones(1), np.ones(1))
    start = np.zeros(1 + sum(target.kinds))
    start[0] = 0.5 * np.log(A[0, -1, -1] / max(target.stats.nu, 1))

    def loss(z: FloatArray) -> float:
        return float(-np.maximum(target.log_density(z[None, :])[0], -1e300))

    mode = minimize(loss, start, method="Nelder-Mead",
                    options={"xatol": 1e-3, "fatol": 1e-4, "maxiter": 2000}).x  # fmt: skip
    d, h = len(mode), 0.02
    shift = h * np.eye(d)
    pairs = [(i, j) for i in range(d) for j in range(i, d)]
    points = [
        mode + s * shift[i] + t * shift[j] for i, j in pairs for s in (1, -1) for t in (1, -1)
    ]
    values = target.log_density(np.array(points)).reshape(len(pairs), 4)
    H = np.zeros((d, d))
    for (i, j), (pp, pm, mp, mm) in zip(pairs, values, strict=True):
        H[i, j] = H[j, i] = -(pp - pm - mp + mm) / (4 * h * h)
    eigenvalue, vectors = np.linalg.eigh(H)
    return mode, vectors / np.sqrt(np.maximum(eigenvalue, 0.05))


def _grids(target: Conditional, mode: FloatArray, axes: FloatArray) -> list[FloatArray]:
    """Equally spaced nodes along each axis, out to where the density has vanished."""
    d = len(mode)
    peak = target.log_density(mode[None, :])[0]
    reach = np.linspace(0.5, 80.0, 160)
    grids = []
    for k in range(d):
        ends = []
        for sign in (-1.0, 1.0):
            path = mode + sign * reach[:, None] * axes[:, k]
            gone = np.flatnonzero(target.log_density(path) < peak - _DROP)
            ends.append(sign * (reach[gone[0]] if gone.size else reach[-1]))
        low, high = ends
        nodes = min(max(int(np.ceil((high - low) / _SPACING)), 12) + 1, _MAX_NODES[d])
        grids.append(np.linspace(low, high, nodes))
    return grids


def _reject(
    target: Conditional, mode: FloatArray, axes: FloatArray, grids: list[FloatArray],
    table: FloatArray, top: float, size: int, rng: np.random.Generator,
) -> tuple[FloatArray, float]:  # fmt: skip
    """Draw from the interpolant (a mixture of hat kernels), accept against the exact density."""
    interpolant = RegularGridInterpolator(grids, table, bounds_error=False, fill_value=0.0)
    steps = np.array([grid[1] - grid[0] for grid in grids])
    weights = (table / table.sum()).ravel()
    kept: list[FloatArray] = []
    bound, tried = 0.0, 0
    while sum(map(len, kept)) < size:
        count = 2 * size
        node = np.unravel_index(rng.choice(weights.size, size=count, p=weights), table.shape)
        centre = np.column_stack([grid[i] for grid, i in zip(grids, node, strict=True)])
        w = centre + steps * (rng.random(centre.shape) + rng.random(centre.shape) - 1.0)
        q = interpolant(w)
        w, q = w[q > 0], q[q > 0]
        z = mode + w @ axes.T
        ratio = np.exp(target.log_density(z) - top) / q
        bound = max(bound, float(ratio.max()))
        kept.append(z[rng.random(len(ratio)) * bound < ratio])
        tried += count
    accepted = np.concatenate(kept)
    return accepted[:size], len(accepted) / tried
