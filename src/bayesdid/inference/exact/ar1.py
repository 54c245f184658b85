r"""Exact engine for Gaussian two-way models with AR(1) errors within units.

Errors of one unit correlate by ``phi^k`` over k periods, so that the inverse of their correlation
matrix is tridiagonal (Rue & Held 2005, doi:10.1201/9780203492024, ch. 1): a row minus
``c = phi^gap`` times the row before it, over ``sqrt(1 - c^2)``. Cross-products of any two columns
are therefore sums of a few fixed ones, those of first rows, and, for each distinct gap, those of
rows, of the rows before them, and of the two crossed,

    x' R^-1 z = first + sum_gap (later + c^2 earlier - c crossed) / (1 - c^2),

with weights that alone depend on phi. Given phi and the variance ratios the mixed-model equations
are those of i.i.d. errors with these cross-products: units are eliminated one by one, periods and
intercept as a block. Every gap pattern is exact for every ``|phi| < 1``; nothing is interpolated.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.regressors import is_random, regressors
from bayesdid.exceptions import InputError
from bayesdid.inference.exact.collapse import Blocks, blocks
from bayesdid.inference.exact.conditional import Conditional, conditional
from bayesdid.inference.exact.recover import Effects, recover_effects
from bayesdid.inference.gate import GateItem
from bayesdid.inference.numerics.importance import draw_importance
from bayesdid.inference.tree import assemble, posterior_dataset, provenance
from bayesdid.model.priors import PriorName, Priors, resolve_priors

_CELLS = 4_000_000  # numbers in one array: how many nodes are treated at once
_ATANH_LIMIT = 8.0  # phi within 2e-7 of +-1: beyond it the density is taken as zero


@dataclass(frozen=True, slots=True)
class SerialBlocks:
    """Mixed-model equations as weighted sums over fixed cross-products.

    Axis 0 of every array runs over first rows, then later, earlier and crossed rows of each gap.

    Attributes
    ----------
    plain
        The equations at ``phi = 0``, with units as the big factor.
    gaps, counts
        Distinct gaps in periods, and how many rows follow at each, shape (L,).
    ZZ, C, HH, ZW, HW, WW
        As in :class:`~bayesdid.inference.exact.collapse.Blocks`, one for each weight.
    """

    plain: Blocks
    gaps: FloatArray
    counts: FloatArray
    ZZ: FloatArray
    C: FloatArray
    HH: FloatArray
    ZW: FloatArray
    HW: FloatArray
    WW: FloatArray

    def weights(self, phi: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Weights of the fixed cross-products, shape (G, 1 + 3 L), and ``logdet R``, (G,)."""
        power = np.sign(phi)[:, None] ** self.gaps * np.abs(phi)[:, None] ** self.gaps
        left = -np.expm1(2 * self.gaps * np.log(np.maximum(np.abs(phi), 1e-300))[:, None])
        parts = (np.ones((len(phi), 1)), 1 / left, power**2 / left, -power / left)
        return np.hstack(parts), np.asarray(np.log(left) @ self.counts)

    def gram(
        self, phi: FloatArray, rho_unit: FloatArray, rho_period: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """A, shape (G, K + 1, K + 1), and the log determinant, shape (G,), at G nodes."""
        step = max(1, _CELLS // max(self.C[0].size, 1))
        parts = [
            self._gram(phi[i : i + step], rho_unit[i : i + step], rho_period[i : i + step])
            for i in range(0, len(phi), step)
        ]
        return np.concatenate([a for a, _ in parts]), np.concatenate([d for _, d in parts])

    def _gram(
        self, phi: FloatArray, rho_unit: FloatArray, rho_period: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        weight, logdet = self.weights(phi)
        d, C, S, ZW, right, A = (
            np.tensordot(weight, part, axes=1)
            for part in (self.ZZ, self.C, self.HH, self.ZW, self.HW, self.WW)
        )
        if is_random(self.plain.big):
            d = d + 1 / rho_unit[:, None]
            logdet = logdet + d.shape[1] * np.log(rho_unit)
        logdet = logdet + np.log(d).sum(axis=1)
        across = np.swapaxes(C / d[:, :, None], 1, 2)
        A = A - np.swapaxes(ZW / d[:, :, None], 1, 2) @ ZW
        if not S.shape[1]:
            return A, logdet
        S, right = S - across @ C, right - across @ ZW
        if is_random(self.plain.small):
            penalty = self.plain.penalised / rho_period[:, None]
            S = S + penalty[:, :, None] * np.eye(S.shape[1])
            logdet = logdet + self.plain.small_levels * np.log(rho_period)
        A = A - np.swapaxes(right, 1, 2) @ np.linalg.solve(S, right)
        return A, logdet + np.linalg.slogdet(S)[1]

    def at(self, phi: float) -> Blocks:
        """The equations at one phi, e.g. to draw the effects."""
        weight, _ = self.weights(np.array([phi]))
        fields: dict[str, Any] = {
            name: np.tensordot(weight[0], getattr(self, name), axes=1)
            for name in ("C", "HH", "ZW", "HW", "WW")
        }
        return dataclasses.replace(self.plain, counts=weight[0] @ self.ZZ, **fields)


def serial_blocks(design: Design) -> SerialBlocks:
    """Fixed cross-products of a design whose rows may come in any order.

    Raises
    ------
    InputError
        If a unit has two rows in one period.
    """
    data = regressors(design)
    N, n = len(design.units), design.n
    when = design.periods[design.period_index].astype(float)
    order = np.lexsort((when, design.unit_index))
    unit, when = design.unit_index[order], when[order]
    later = np.flatnonzero(unit[1:] == unit[:-1]) + 1
    gap = when[later] - when[later - 1]
    if (gap <= 0).any():
        raise InputError(
            f"{design.spec_id}: a unit has two rows in one period",
            value=design.units[unit[later[gap <= 0][0]]],
            remedy="AR(1) errors need one row per unit and period",
        )
    dummies = (design.period_index[:, None] == np.arange(len(design.periods))).astype(float)[order]
    kinds, columns = (design.unit_effects, design.period_effects), []
    if kinds[1] != "none":
        columns.append(dummies[:, 1:] if kinds == ("fixed", "fixed") else dummies)
    if "fixed" not in kinds:
        columns.append(np.ones((n, 1)))
    H = np.hstack(columns) if columns else np.empty((n, 0))
    W = np.column_stack([data.R, data.y])[order]
    V = np.hstack([H, W])
    one = np.ones((n, 1))
    gaps, which, counts = np.unique(gap, return_inverse=True, return_counts=True)
    first = np.setdiff1d(np.arange(n), later)
    pairs = [(first, first, False)]
    for shift_left, shift_right in ((0, 0), (1, 1), (0, 1)):
        for k in range(len(gaps)):
            rows = later[which == k]
            pairs.append((rows - shift_left, rows - shift_right, shift_left != shift_right))
    cross, by_unit = [], []
    for i, j, both in pairs:
        product, sums = V[i].T @ V[j], np.zeros((N, V.shape[1] + 1))
        np.add.at(sums, unit[i], np.hstack([one, V])[j])
        if both:  # once with either row as the earlier one
            product = product + product.T
            np.add.at(sums, unit[i], np.hstack([one, V])[i])
        cross.append(product)
        by_unit.append(sums)
    M, B, m = np.array(cross), np.array(by_unit), H.shape[1]
    if kinds[0] == "none":
        B = B[:, :0]
    penalised = np.zeros(m)
    if is_random(kinds[1]):
        penalised[: len(design.periods)] = 1.0
    levels = 0 if kinds[1] == "none" else len(design.periods)
    parts = (
        B[:, :, 0],
        B[:, :, 1 : m + 1],
        M[:, :m, :m],
        B[:, :, m + 1 :],
        M[:, :m, m:],
        M[:, m:, m:],
    )
    plain = Blocks(
        False,
        kinds[0],
        kinds[1],
        parts[0][0],
        parts[1][0],
        parts[2][0],
        parts[3][0],
        parts[4][0],
        parts[5][0],
        penalised,
        levels,
        n,
    )
    return SerialBlocks(plain, gaps, counts.astype(float), *parts)


@dataclass(frozen=True, slots=True)
class _Given:
    """Cross-products already computed, for :class:`Conditional`."""

    A: FloatArray
    logdet: FloatArray
    nu: int

    def gram(self, *_: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self.A, self.logdet


@dataclass(frozen=True, slots=True)
class SerialConditional:
    """Density of ``z = (log sd of innovations, atanh phi, log scales of random effects)``.

    Innovations over one period have sd ``sigma sqrt(1 - phi^2)``, which the data pin down even
    where phi is near one and the marginal sigma is not.
    """

    stats: SerialBlocks
    base: Conditional

    @property
    def dimension(self) -> int:
        """Two, and one for each kind of random effects."""
        return 1 + self.base.dimension

    def natural(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """phi, shape (G,), and ``(log sigma, log scales)``, the coordinates of `base`."""
        log_sigma = z[:, :1] + np.log(np.cosh(z[:, 1:2]))
        return np.tanh(z[:, 1]), np.hstack([log_sigma, z[:, 2:]])

    def given(self, phi: FloatArray, w: FloatArray) -> Conditional:
        """The i.i.d. conditional with cross-products at phi, shape (G,)."""
        _, rho_unit, rho_period = self.base.unpack(w)
        with np.errstate(all="ignore"):
            A, logdet = self.stats.gram(phi, rho_unit, rho_period)
        stats: Any = _Given(A, logdet, self.stats.plain.nu)
        return dataclasses.replace(self.base, stats=stats)

    def log_density(self, z: FloatArray) -> FloatArray:
        """Log posterior density of `z`, shape (G,), with phi uniform on (-1, 1)."""
        inside = np.abs(z[:, 1]) < _ATANH_LIMIT
        z = np.where(inside[:, None], z, 0.0)
        phi, w = self.natural(z)
        log_prior = np.log(0.5) - 2 * np.log(np.cosh(z[:, 1]))
        value = self.given(phi, w).log_density(w) + log_prior
        return np.where(inside, value, -np.inf)


def serial_conditional(design: Design, priors: Priors) -> SerialConditional:
    """The target of a design."""
    data = regressors(design)
    return SerialConditional(
        serial_blocks(design), conditional(design, data, blocks(design, data), priors)
    )


def fit_ar1(
    design: Design,
    *,
    priors: PriorName | Priors = "weak",
    draws: int = 1000,
    chains: int = 4,
    seed: int = 0,
) -> xr.DataTree:
    """Posterior under AR(1) errors: all of the i.i.d. model, and ``phi``; `sigma` is marginal."""
    resolved = resolve_priors(priors, design)
    data, target = regressors(design), serial_conditional(design, resolved)
    rng = np.random.default_rng(seed)
    A, _ = target.stats.gram(np.full(1, 0.3), np.ones(1), np.ones(1))
    spread = 0.5 * np.log(A[0, -1, -1] / max(target.stats.plain.nu, 1))
    start = np.r_[spread, 0.3, np.full(target.dimension - 2, spread)]
    found = draw_importance(target, start, draws * chains, rng)
    phi, w = target.natural(found.z)
    sigma, rho_unit, rho_period = target.base.unpack(w)
    values = {"sigma": sigma}
    values["coef"] = target.given(phi, w).draw_coefficients(sigma, rho_unit, rho_period, rng)
    parts = [
        recover_effects(
            target.stats.at(phi[s]),
            values["coef"][[s]],
            sigma[[s]],
            rho_unit[[s]],
            rho_period[[s]],
            rng,
        )
        for s in range(len(phi))
    ]
    effects = Effects(*(np.concatenate(part) for part in zip(*parts, strict=True)))
    for random, dim, rho in zip(
        target.base.kinds, (design.unit_dim, design.period_dim), (rho_unit, rho_period), strict=True
    ):
        if random:
            values[f"sigma_{dim}"] = sigma * np.sqrt(rho)
    posterior = posterior_dataset(design, data, values, effects, chains)
    posterior["phi"] = (("chain", "draw"), phi.reshape(chains, -1))
    tree = assemble(
        posterior,
        design,
        data,
        log_likelihood=False,
        posterior_predictive=False,
        sample_stats=None,
        rng=rng,
    )
    edge = float((np.abs(found.z[:, 1]) > _ATANH_LIMIT - 1).mean())
    gate = [*found.gate(), GateItem("phi_at_the_edge", edge, 0.01, edge <= 0.01)]
    tree.attrs = provenance(design, resolved, "ar1", seed, draws, chains, gate, found.log_evidence)
    return tree
