"""Gaussian two-way models with AR(1) errors within units: exact, by cross-products in phi.

Errors of one unit correlate by ``phi^k`` over k periods, so that the inverse of their correlation
matrix is banded: a row minus ``phi^gap`` times the row before it, over ``sqrt(1 - phi^(2 gap))``.
Unit effects are eliminated unit by unit (Sherman & Morrison), period effects and intercept as a
block. What remains, the cross-products A(phi) of regressors and outcome, is smooth in phi after
multiplication by a power of ``1 - phi^2``; it is interpolated between Chebyshev nodes (for balanced
panels it is a low polynomial, so nothing is lost). Coefficients are integrated out, the scales and
phi drawn by importance sampling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy.interpolate import BarycentricInterpolator

from bayesdid.design.design import Design, FloatArray
from bayesdid.design.priors import PriorName, Priors, resolve_priors
from bayesdid.design.regressors import Regressors, is_random, regressors
from bayesdid.engines.importance import draw_importance
from bayesdid.engines.tree import provenance
from bayesdid.study.schema import EffectKind

PHI_LIMIT = 0.99
_NODES = 32


@dataclass(frozen=True, slots=True)
class WhitenedTable:
    """Cross-products of whitened columns as functions of phi, interpolated between nodes.

    What is interpolated is multiplied by a power of ``1 - phi^2`` that takes its poles away.

    Columns are ``[R, y, P]`` with P the intercept or the period dummies. Units with the same gaps
    between their rows form a pattern.

    Attributes
    ----------
    products
        ``sum_i W_i' W_i``, times ``1 - phi^2``.
    unit_products
        For each pattern: ``sum_i (W_i' w_i)(w_i' W_i)`` with w the whitened ones, times
        ``(1 - phi^2)^2``.
    unit_weight
        For each pattern: ``w_i' w_i``, times ``1 - phi^2``.
    gaps
        Periods between successive rows of a unit -> how often, for the log determinant
        ``sum log(1 - phi^(2 gap))``.
    counts
        Units in each pattern.
    """

    products: BarycentricInterpolator
    unit_products: tuple[BarycentricInterpolator, ...]
    unit_weight: tuple[BarycentricInterpolator, ...]
    gaps: dict[float, int]
    counts: tuple[int, ...]


def whitened_table(design: Design, data: Regressors) -> WhitenedTable:
    """Tabulate the cross-products of a design over phi."""
    when = design.periods[design.period_index].astype(float)
    order = np.lexsort((when, design.unit_index))
    unit, when = design.unit_index[order], when[order]
    columns = np.column_stack([data.R, data.y, _period_block(design)])[order]
    later = np.flatnonzero(unit[1:] == unit[:-1]) + 1
    gap = when[later] - when[later - 1]
    patterns: dict[tuple[float, ...], list[int]] = {}
    starts = np.flatnonzero(np.r_[True, unit[1:] != unit[:-1]])
    for begin, end in zip(starts, np.r_[starts[1:], len(unit)], strict=True):
        patterns.setdefault(tuple(np.diff(when[begin:end])), []).append(int(unit[begin]))
    nodes = PHI_LIMIT * np.cos(np.pi * np.arange(_NODES) / (_NODES - 1))
    products, weights, unit_products = [], [], []
    for phi in nodes:
        power = np.sign(phi) ** gap * np.abs(phi) ** gap
        root = np.sqrt(1 - power**2)
        W, w = columns.copy(), np.ones(len(columns))
        W[later] = (columns[later] - power[:, None] * columns[later - 1]) / root[:, None]
        w[later] = (1 - power) / root
        sums = np.zeros((len(design.units), W.shape[1]))
        np.add.at(sums, unit, W * w[:, None])
        weight = np.bincount(unit, w**2, len(design.units))
        scale = 1 - phi**2
        products.append(scale * W.T @ W)
        unit_products.append([scale**2 * sums[members].T @ sums[members]
                              for members in patterns.values()])  # fmt: skip
        weights.append([scale * weight[members[0]] for members in patterns.values()])
    return WhitenedTable(
        BarycentricInterpolator(nodes, np.array(products)),
        tuple(BarycentricInterpolator(nodes, np.array(item))
              for item in zip(*unit_products, strict=True)),
        tuple(BarycentricInterpolator(nodes, np.array(item))
              for item in zip(*weights, strict=True)),
        dict(zip(*(part.tolist() for part in np.unique(gap, return_counts=True)), strict=True)),
        tuple(len(members) for members in patterns.values()),
    )  # fmt: skip


def _period_block(design: Design) -> FloatArray:
    """Columns that are eliminated as a block: intercept unless unit effects hold it, periods."""
    dummies = (design.period_index[:, None] == np.arange(len(design.periods))).astype(float)
    blocks = []
    if design.unit_effects != "fixed":
        blocks.append(np.ones((design.n, 1)))
    if design.period_effects == "fixed":
        blocks.append(dummies[:, 1:])
    elif is_random(design.period_effects):
        blocks.append(dummies)
    return np.hstack(blocks) if blocks else np.empty((design.n, 0))


@dataclass(frozen=True, slots=True)
class Ar1Target:
    """Posterior density of ``(log sigma, atanh phi, log sigma_unit, log sigma_period)``.

    Attributes
    ----------
    table
        Cross-products over phi.
    sd, mean
        Normal priors of the scaled coefficients, shape (K,); sd inf is flat.
    priors
        For the scales.
    unit, period
        Kinds of effects.
    n, penalised
        Rows; 1 for each column of P with a random-effect prior.
    """

    table: WhitenedTable
    sd: FloatArray
    mean: FloatArray
    priors: Priors
    unit: EffectKind
    period: EffectKind
    n: int
    penalised: FloatArray

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return 2 + is_random(self.unit) + is_random(self.period)

    def unpack(self, z: FloatArray) -> tuple[float, float, float, float]:
        """sigma, phi, and the variance ratios of units and periods (1 if not random)."""
        sigma, rest = float(np.exp(z[0])), list(np.exp(2 * (z[2:] - z[0])))
        rho_unit = float(rest.pop(0)) if is_random(self.unit) else 1.0
        rho_period = float(rest.pop(0)) if is_random(self.period) else 1.0
        return sigma, float(np.tanh(z[1])), rho_unit, rho_period

    def gram(self, phi: float, rho_unit: float, rho_period: float) -> tuple[FloatArray, float]:
        """A of ``[R y]``, shape (K + 1, K + 1), and the log determinant beside it."""
        K1 = len(self.sd) + 1
        scale = 1 - phi**2
        M: Any = self.table.products(phi) / scale  # scipy types its values as any inexact
        logdet = sum(k * np.log1p(-(abs(phi) ** (2 * g))) for g, k in self.table.gaps.items())
        if self.unit != "none":
            for part, weight, count in zip(self.table.unit_products, self.table.unit_weight,
                                           self.table.counts, strict=True):  # fmt: skip
                d = float(weight(phi)) / scale
                extra = 0.0 if self.unit == "fixed" else 1.0 / rho_unit
                M = M - part(phi) / scale**2 / (d + extra)
                logdet += count * (np.log(d) if self.unit == "fixed" else np.log1p(rho_unit * d))
        block = M[K1:, K1:] + np.diag(self.penalised / rho_period)
        if len(block):
            M = np.asarray(M[:K1, :K1] - M[:K1, K1:] @ np.linalg.solve(block, M[K1:, :K1]))
            logdet += np.linalg.slogdet(block)[1] + self.penalised.sum() * np.log(rho_period)
        return np.asarray(M, dtype=np.float64), float(logdet)

    def nu(self) -> int:
        """Rows minus flat columns that were eliminated."""
        units = sum(self.table.counts) if self.unit == "fixed" else 0
        return int(self.n - units - (self.penalised == 0).sum())

    def log_density(self, z: FloatArray) -> FloatArray:
        """Log marginal posterior density, coefficients integrated out, shape (G,)."""
        return np.array([self._one(row) for row in z])

    def _one(self, z: FloatArray) -> float:
        if abs(np.tanh(z[1])) >= PHI_LIMIT or (np.abs(z[2:] - z[0]) > 12).any():
            return -np.inf
        sigma, phi, rho_unit, rho_period = self.unpack(z)
        A, logdet = self.gram(phi, rho_unit, rho_period)
        Lambda, b = self._normal_equations(A, sigma)
        L = np.linalg.cholesky(Lambda)
        v = np.linalg.solve(L, b)
        finite = np.isfinite(self.sd)
        value = (
            -0.5 * self.nu() * np.log(2 * np.pi * sigma**2)
            - 0.5 * logdet
            - 0.5 * (A[-1, -1] / sigma**2 + ((self.mean / self.sd)[finite] ** 2).sum() - v @ v)
            - np.log(np.diag(L)).sum()
            - np.log(self.sd[finite]).sum()
            + self.priors.log_sigma_density(np.array(sigma))
            + np.log1p(-(phi**2))  # uniform phi, in atanh phi
        )
        for random, rho in ((is_random(self.unit), rho_unit), (is_random(self.period), rho_period)):
            if random:
                value += self.priors.log_group_density(np.array(sigma * np.sqrt(rho)))
        return float(value) if np.isfinite(value) else -np.inf

    def draw(self, z: FloatArray, rng: np.random.Generator) -> FloatArray:
        """One draw of the scaled coefficients for each row of `z`, shape (S, K)."""
        found = np.empty((len(z), len(self.sd)))
        for s, row in enumerate(z):
            sigma, phi, rho_unit, rho_period = self.unpack(row)
            A, _ = self.gram(phi, rho_unit, rho_period)
            Lambda, b = self._normal_equations(A, sigma)
            L = np.linalg.cholesky(Lambda)
            noise = rng.standard_normal(len(b))
            found[s] = np.linalg.solve(L.T, np.linalg.solve(L, b) + noise)
        return found

    def _normal_equations(self, A: FloatArray, sigma: float) -> tuple[FloatArray, FloatArray]:
        precision = self.sd**-2.0
        return A[:-1, :-1] / sigma**2 + np.diag(precision), A[:-1, -1] / sigma**2 + (
            precision * self.mean
        )


def ar1_target(design: Design, priors: Priors) -> tuple[Ar1Target, Regressors]:
    """The target of a design, and the regressors with their scales."""
    data = regressors(design)
    K, extra = len(design.names), data.R.shape[1] - len(design.names)
    sd = np.array([priors.sds[name] for name in design.names]) * data.scale[:K]
    mean = np.array([priors.means[name] for name in design.names]) * data.scale[:K]
    flat = int(design.unit_effects != "fixed")
    periods = len(design.periods)
    penalised = np.zeros(flat)
    if design.period_effects == "fixed":
        penalised = np.zeros(flat + periods - 1)
    elif is_random(design.period_effects):
        penalised = np.r_[np.zeros(flat), np.ones(periods)]
    target = Ar1Target(
        whitened_table(design, data), np.r_[sd, np.full(extra, priors.mundlak_multiple)],
        np.r_[mean, np.zeros(extra)], priors, design.unit_effects, design.period_effects,
        design.n, penalised,
    )  # fmt: skip
    return target, data


def fit_ar1(
    design: Design, *, priors: PriorName | Priors = "weak", draws: int = 1000, chains: int = 4,
    seed: int = 0,
) -> xr.DataTree:  # fmt: skip
    """Posterior under AR(1) errors: ``tau``, ``beta``, ``sigma`` (marginal), ``phi``, scales."""
    resolved = resolve_priors(priors, design)
    target, data = ar1_target(design, resolved)
    rng = np.random.default_rng(seed)
    spread = np.log(design.y.std())
    start = np.r_[spread - 0.3, 0.3, np.full(target.dimension - 2, spread - 0.3)]
    found = draw_importance(target, start, draws * chains, rng)
    coef = target.draw(found.z, rng) / data.scale
    P, K = len(design.treatments), len(design.names)
    values: dict[str, tuple[tuple[str, ...], FloatArray]] = {
        "tau": (("treatment",), coef[:, :P]),
        "sigma": ((), np.exp(found.z[:, 0])),
        "phi": ((), np.tanh(found.z[:, 1])),
    }
    coords: dict[str, list[str]] = {"treatment": list(design.treatments)}
    if K > P:
        values["beta"] = (("covariate",), coef[:, P:K])
        coords["covariate"] = list(design.covariates)
    k = 2
    for dim, kind in ((design.unit_dim, design.unit_effects),
                      (design.period_dim, design.period_effects)):  # fmt: skip
        if is_random(kind):
            values[f"sigma_{dim}"] = ((), np.exp(found.z[:, k]))
            k += 1
    posterior = xr.Dataset(
        {n: (("chain", "draw", *dims), v.reshape(chains, draws, *v.shape[1:]))
         for n, (dims, v) in values.items()},
        coords={"chain": np.arange(chains), "draw": np.arange(draws), **coords},
    )  # fmt: skip
    tree = xr.DataTree.from_dict({"posterior": posterior})
    tree.attrs = provenance(design, resolved, "ar1", seed, draws, chains, found.gate(),
                            found.log_evidence)  # fmt: skip
    return tree
