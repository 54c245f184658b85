"""Intercept, period and unit effects given coefficients and scalars: draws, or moments of units.

Period effects and the intercept are drawn from their Gaussian full conditional, then units' given
these. Of many units only means and standard deviations are kept: given everything else a unit's
effect is Gaussian with a mean that is linear in the draws, so that its moments over all draws
follow from those of a few numbers for each class of units, and no draw of it is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular

from bayesdid.arrays import FloatArray
from bayesdid.inference.exact.collapse import Equations, unit_basis
from bayesdid.inference.exact.target import Scalars
from bayesdid.inference.numerics.linear import cholesky, solve_lower, solve_upper
from bayesdid.inference.numerics.surface import tabulate

DRAWN_UNITS = 2000  # units beyond which effects are moments unless draws are asked for
_CELLS = 2_000_000  # numbers in one array
_CACHED = 50_000  # numbers that a cache close to the processor holds
_ACCURACY = 1e-8  # relative, of surfaces from which effects are drawn
_MOMENTS = 20_000  # draws over which moments of all classes are taken together
_THINNED = 100  # draws over which moments are taken where units are too various for classes


class Effects(NamedTuple):
    """Draws of the intercept (S,), unit effects (S, N) and period effects (S, T).

    Fixed effects sum to zero over their levels; absent effects have shape (S, 0). Where unit
    effects are many they are absent too, and `unit_mean` and `unit_sd`, shape (N,), are not None.
    `further` holds draws of further effects by name, (S, L); `moments` mean and sd, (N,) each, of
    slopes of units that are many.
    """

    alpha: FloatArray
    unit: FloatArray
    period: FloatArray
    unit_mean: FloatArray | None = None
    unit_sd: FloatArray | None = None
    further: dict[str, FloatArray] = {}  # noqa: RUF012
    moments: dict[str, tuple[FloatArray, FloatArray]] = {}  # noqa: RUF012


def recover_effects(
    stats: Equations,
    coef: FloatArray,
    given: Scalars,
    rng: np.random.Generator,
    *,
    draw_units: bool | None = None,
) -> Effects:
    """Draw the effects given everything else.

    Parameters
    ----------
    stats
        Mixed-model equations of the design.
    coef
        Draws of the coefficients of the scaled regressors, shape (S, K).
    given
        The scalars, each of shape (S,).
    draw_units
        Whether to draw the effects of the factor that is eliminated first, by default if it has
        at most :data:`DRAWN_UNITS` levels.
    """
    S, rows = len(coef), stats.rows
    contrast = np.column_stack([-coef, np.ones(S)])  # y - R b
    rest, alpha = np.zeros((S, stats.m)), np.zeros(S)
    first, second = stats.ratios(given.rho_unit, given.rho_period)
    if stats.m:
        rest = draw_rest(stats, contrast, given, first, second, rng)
    joint = np.hstack([-rest, contrast])  # y - R b - period effects
    small = np.zeros((S, rows.T if rows.period_kind != "none" else 0))
    full = stats.columns[: stats.m]
    small[:, full[full < rows.T]] = rest[:, full < rows.T]
    if (full == rows.T).any():
        alpha = rest[:, int(np.flatnonzero(full == rows.T)[0])]
    big, mean, sd = np.zeros((S, 0)), None, None
    if rows.unit_kind != "none":
        drawn = rows.N <= DRAWN_UNITS if draw_units is None else draw_units
        if drawn:
            big = _draw_units(stats, joint, given, first, rng)
            if rows.unit_kind == "fixed":
                level = big.mean(axis=1)
                alpha = alpha + level
                big -= level[:, None]
        else:
            level, mean, sd = _unit_moments(stats, joint, given, first, rng)
            alpha = alpha + level
    if rows.period_kind == "fixed":
        alpha, small = alpha + small.mean(axis=1), small - small.mean(axis=1, keepdims=True)
    if stats.swapped:
        return Effects(alpha, small, big, None, None)
    return Effects(alpha, big, small, mean, sd)


def draw_rest(
    stats: Equations,
    contrast: FloatArray,
    given: Scalars,
    first: FloatArray,
    second: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Period effects, intercept and further effects, shape (S, m), units integrated out."""
    m, S = stats.m, len(contrast)
    noise = rng.standard_normal((S, m)) * given.sigma[:, None]
    if stats.is_constant:
        G, _ = stats.normal(np.zeros(1), np.ones(1))
        L = cholesky(G[0, :m, :m])
        half = solve_triangular(L, (contrast @ G[0, m:, :m]).T, lower=True) + noise.T
        return np.asarray(solve_triangular(L, half, lower=True, trans="T").T)
    found = np.empty((S, m))
    diagonal = np.arange(m)
    for at, G in _normal(stats, given.phi, first):
        A = G[:, :m, :m].copy()
        A[:, diagonal, diagonal] += stats.penalty(second[at])
        L = cholesky(A)
        right = np.einsum("sk,skm->sm", contrast[at], G[:, m:, :m])
        found[at] = solve_upper(L, solve_lower(L, right) + noise[at])
    return found


def _normal(
    stats: Equations, phi: FloatArray, rho: FloatArray
) -> Iterator[tuple[slice, FloatArray]]:
    """Equations of the draws with units eliminated, (chunk, P, P), chunk by chunk."""
    P = len(stats.columns)
    step = max(1, 2 * _CELLS // P**2)
    surface = None
    lower = np.tril_indices(P)
    random = stats.rows.unit_kind == "random"
    active = [bool(len(stats.gaps)), random]
    rows = stats.rows.n / stats.rows.N
    left = (1 - phi) * (1 + phi)
    if not stats.is_summed:  # a node costs a pass over the rows
        size = np.sqrt(np.maximum(np.diagonal(stats.M[0]), 1e-300))
        size = size[lower[0]] * size[lower[1]]
        x = np.column_stack([phi, 1 / (1 + rows * rho)])[:, active]

        def function(x: FloatArray) -> FloatArray:
            columns = iter(x.T)
            phi = next(columns) if active[0] else np.zeros(len(x))
            rho = (1 / next(columns) - 1) / rows if random else np.ones(len(x))
            G = stats.normal(phi, rho)[0][:, lower[0], lower[1]]
            return np.asarray(G * ((1 - phi) * (1 + phi))[:, None] / size)

        surface = tabulate(function, x.min(axis=0), x.max(axis=0), _ACCURACY)
    for i in range(0, len(phi), step):
        at = slice(i, i + step)
        if surface is None:
            yield at, stats.normal(phi[at], rho[at])[0]
            continue
        G = np.empty((len(phi[at]), P, P))
        values = surface(x[at]) * size / left[at, None]
        G[:, lower[0], lower[1]] = G[:, lower[1], lower[0]] = values
        yield at, G


def _draw_units(
    stats: Equations, joint: FloatArray, given: Scalars, rho: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Unit effects, shape (S, N)."""
    S, N = len(joint), stats.rows.N
    found = np.empty((S, N))
    inverse = 1.0 / rho if stats.rows.unit_kind == "random" else np.zeros(S)
    _, weight = stats.basis(given.phi)
    parts = list(unit_basis(stats.rows, stats.gaps, stats.columns))
    d = np.concatenate([d for _, _, d in parts])  # (N, basis)
    step = max(1, _CELLS // N)
    if (weight == weight[0]).all() and not inverse.any():  # nothing but sigma changes
        root = 1 / np.sqrt(d @ weight[0])
        sums = np.concatenate([np.tensordot(weight[0], B, axes=1) for _, B, _ in parts])
        sums = (sums * (root**2)[:, None]).T
        step = max(1, _CACHED // N)
        noise = np.empty((step, N))
        for i in range(0, S, step):
            at = slice(i, min(i + step, S))
            some, own = found[at], noise[: at.stop - i]
            np.matmul(joint[at], sums, out=some)
            rng.standard_normal(out=own)
            own *= root
            own *= given.sigma[at, None]
            some += own
        return found
    for units, B, _ in parts:
        for i in range(0, S, step):
            at = slice(i, i + step)
            total = weight[at] @ d[units].T + inverse[at, None]
            total_sums = sum((joint[at] * weight[at, k, None]) @ B[k].T for k in range(len(B)))
            noise = rng.standard_normal(total.shape) * given.sigma[at, None]
            found[at, units] = total_sums / total + noise / np.sqrt(total)
    return found


def _unit_moments(
    stats: Equations, joint: FloatArray, given: Scalars, rho: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draws of the units' mean, which joins the intercept, and each unit's mean and sd."""
    fixed = stats.rows.unit_kind == "fixed"
    S, N = len(joint), stats.rows.N
    inverse = np.zeros(S) if fixed else 1.0 / rho
    sums = np.zeros(S)  # of units' conditional means
    spread = np.zeros(S)  # of 1 / d
    if stats.products is None:  # every unit is a class of its own
        chosen = np.linspace(0, S - 1, min(S, _THINNED)).astype(int)
        return _moments_by_unit(stats, joint, given, inverse, chosen, rng)
    _, weight = stats.basis(given.phi)
    classes = stats.products
    d = weight @ classes.d.T + inverse[:, None]  # (S, C)
    factors = weight[:, None, :] / d[:, :, None]  # (S, C, basis)
    C, K = classes.d.shape
    P = joint.shape[1]
    if fixed:
        total, reciprocal = np.zeros((C, K, P)), np.zeros(C)
        for units, B, own in unit_basis(stats.rows, stats.gaps, stats.columns):
            of = classes.of_unit[units]
            scale = 1 / own[:, 0] if classes.is_scaled else np.ones(len(own))
            reciprocal += np.bincount(of, scale, C)
            for k in range(K):
                for c in np.unique(of):
                    total[c, k] += scale[of == c] @ B[k][of == c]
        for c in range(C):
            sums += np.einsum("sk,kp,sp->s", factors[:, c], total[c], joint)
            spread += reciprocal[c] / d[:, c]
    level = sums / N
    moments = []
    some = np.linspace(0, S - 1, min(S, max(_MOMENTS // C, 500))).astype(int)
    for c in range(C):
        z = (factors[some, c, :, None] * joint[some, None, :]).reshape(len(some), K * P)
        z = np.column_stack([z, -level[some] * fixed])
        first = z.mean(axis=0)
        within = given.sigma[some] ** 2 / d[some, c]
        moments.append((first, np.cov(z.T, bias=True), within.mean()))
    other = float((given.sigma**2 * spread).mean()) / N**2
    mean, sd = np.empty(N), np.empty(N)
    for units, B, own in unit_basis(stats.rows, stats.gaps, stats.columns):
        of = classes.of_unit[units]
        scale = 1 / own[:, 0] if classes.is_scaled else np.ones(len(own))
        x = np.concatenate([*B], axis=1) * scale[:, None]
        x = np.column_stack([x, np.ones(len(x))])
        at = np.arange(units.start, units.stop)
        for c in np.unique(of):
            rows = of == c
            first, second, within = moments[c]
            mean[at[rows]] = x[rows] @ first
            between = ((x[rows] @ second) * x[rows]).sum(axis=1)
            alone = within * scale[rows] * (1 - 2 / N if fixed else 1) + other
            sd[at[rows]] = np.sqrt(np.maximum(between, 0) + alone)
    noise = rng.standard_normal(S) * given.sigma * np.sqrt(spread) / N
    return level + noise, mean, sd


def _moments_by_unit(
    stats: Equations,
    joint: FloatArray,
    given: Scalars,
    inverse: FloatArray,
    chosen: np.ndarray,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """As above where units are too various for classes: over some of the draws."""
    N, fixed = stats.rows.N, stats.rows.unit_kind == "fixed"
    mean, square, within = np.zeros(N), np.zeros(N), np.zeros(N)
    for s in chosen:
        values, d = [], []
        for B, own in stats.unit_blocks(float(given.phi[s])):
            d.append(own + inverse[s])
            values.append(B @ joint[s] / d[-1])
        value, total = np.concatenate(values), np.concatenate(d)
        variance = given.sigma[s] ** 2 / total
        if fixed:
            value = value - value.mean()
            variance = variance * (1 - 2 / N) + variance.sum() / N**2
        mean += value / len(chosen)
        square += value**2 / len(chosen)
        within += variance / len(chosen)
    level = np.zeros(len(joint))
    if fixed:
        vector, spread = _levels(stats, given.phi)
        noise = rng.standard_normal(len(joint)) * given.sigma * np.sqrt(spread) / N
        level = (vector * joint).sum(axis=1) / N + noise
    return level, mean, np.sqrt(np.maximum(square - mean**2, 0) + within)


def _levels(stats: Equations, phi: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sums over units of ``B / d`` and ``1 / d`` at each phi, shapes (S, P) and (S,)."""

    def function(x: FloatArray) -> FloatArray:
        found = np.zeros((len(x), len(stats.columns) + 1))
        for row, value in zip(found, x[:, 0], strict=True):
            for B, d in stats.unit_blocks(float(value)):
                row[:-1] += (1 / d) @ B
                row[-1] += (1 / d).sum()
        return found

    surface = tabulate(function, phi.min(keepdims=True), phi.max(keepdims=True), _ACCURACY)
    values = (function if surface is None else surface)(phi[:, None])
    return values[:, :-1], values[:, -1]
