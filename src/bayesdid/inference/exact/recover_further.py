"""Intercept and all effects of a design with further effects, given coefficients and scalars.

As :mod:`bayesdid.inference.exact.recover`: everything but units first, then the units' own columns,
their levels and slopes, block by block. Levels are named afterwards
(:mod:`bayesdid.inference.exact.further`).
"""

from __future__ import annotations

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.inference.exact.collapse import Equations
from bayesdid.inference.exact.further import FurtherColumns, Levels, named_levels, spread_out
from bayesdid.inference.exact.recover import DRAWN_UNITS, Effects, draw_rest
from bayesdid.inference.exact.target import Scalars
from bayesdid.inference.exact.unit_blocks import UnitBlocks, unit_blocks_of
from bayesdid.inference.numerics.surface import tabulate

_CELLS = 4_000_000  # numbers in one array
_SOME = 200  # draws over which moments of many units are taken


def recover_further(
    stats: Equations,
    coef: FloatArray,
    given: Scalars,
    rng: np.random.Generator,
    design: Design,
    columns: FurtherColumns,
    *,
    draw_units: bool | None = None,
) -> Effects:
    """Draws of intercept and effects, or moments of units and their slopes where these are many.

    Parameters
    ----------
    coef
        Of random further effects' columns, then of regressors.
    columns
        That the rows of `stats` were made with.
    """
    S, rows = len(coef), stats.rows
    first, second = stats.ratios(given.rho_unit, given.rho_period)
    contrast = np.column_stack([-coef, np.ones(S)])
    rest = draw_rest(stats, contrast, given, first, second, rng)
    joint = np.hstack([-rest, contrast])
    full = stats.columns[: stats.m]
    period = np.zeros((S, rows.T if rows.period_kind != "none" else 0))
    period[:, full[full < rows.T]] = rest[:, full < rows.T]
    alpha = np.zeros(S)
    if (full == rows.T).any():
        alpha = rest[:, int(np.flatnonzero(full == rows.T)[0])]
    own = np.zeros((S, columns.count))
    own[:, full[full > rows.T] - rows.T - 1] = rest[:, full > rows.T]
    own[:, columns.fixed :] = coef[:, : columns.count - columns.fixed]
    further = spread_out(columns, own, design)
    drawn = rows.N <= DRAWN_UNITS if draw_units is None else draw_units
    nobody = np.zeros((S, 0))
    if rows.unit_kind == "none" and not columns.slope_names:
        found = named_levels(design, Levels(alpha, nobody, period, further))
        return Effects(found.alpha, found.unit, found.period, further=found.further)
    blocks = stats.slopes or unit_blocks_of(rows, stats.gaps, stats.columns)
    inverse = 1.0 / first if rows.unit_kind == "random" else np.zeros(S)
    if drawn:
        every = _draw_units(stats, blocks, joint, given, inverse, rng)
        raw = _with_units(Levels(alpha, nobody, period, further), every, columns)
        found = named_levels(design, raw)
        return Effects(found.alpha, found.unit, found.period, further=found.further)
    fixed = rows.unit_kind == "fixed"
    level = _mean_level(stats, blocks, joint, given, rng) if fixed else np.zeros(S)
    whole = named_levels(design, Levels(alpha + level, nobody, period, further))
    at = np.linspace(0, S - 1, min(S, _SOME)).astype(int)
    scalars = Scalars(*(part[at] for part in given))
    units = _draw_units(stats, blocks, joint[at], scalars, inverse[at], rng)
    some = Levels(alpha[at], nobody[at], period[at], {k: v[at] for k, v in further.items()})
    few = named_levels(design, _with_units(some, units, columns))
    moments = {
        name: (few.further[name].mean(axis=0), few.further[name].std(axis=0))
        for name in columns.slope_names
    }
    return Effects(
        whole.alpha,
        nobody,
        whole.period,
        few.unit.mean(axis=0),
        few.unit.std(axis=0),
        whole.further,
        moments,
    )


def _with_units(levels: Levels, units: FloatArray, columns: FurtherColumns) -> Levels:
    """With levels and slopes of units, shape (S, N, 1 + q)."""
    slopes = {name: units[:, :, 1 + k] for k, name in enumerate(columns.slope_names)}
    return Levels(levels.alpha, units[:, :, 0], levels.period, levels.further | slopes)


def _mean_level(
    stats: Equations,
    blocks: UnitBlocks,
    joint: FloatArray,
    given: Scalars,
    rng: np.random.Generator,
) -> FloatArray:
    """Draws of the mean of the units' levels, shape (S,): the intercept."""
    matrices = stats.basis

    def function(x: FloatArray) -> FloatArray:
        found = np.empty((len(x), joint.shape[1] + 1))
        for row, weight in zip(found, matrices(x[:, 0])[0], strict=True):
            L, B = blocks.at(weight)
            first = np.zeros((*L.shape[:2], 1))
            first[:, 0] = 1.0
            own = np.linalg.solve(L, first)  # L^-1 e
            row[:-1] = np.einsum("nk,nkp->p", own[..., 0], np.linalg.solve(L, B))
            row[-1] = (own**2).sum()
        return found

    phi = given.phi
    surface = None
    if len(stats.gaps):
        surface = tabulate(function, phi.min(keepdims=True), phi.max(keepdims=True), 1e-8)
    if surface is not None:
        values = surface(phi[:, None])
    else:
        nodes, of = np.unique(phi, return_inverse=True)
        values = function(nodes[:, None])[of]
    noise = rng.standard_normal(len(phi)) * given.sigma * np.sqrt(values[:, -1])
    return np.asarray(((values[:, :-1] * joint).sum(axis=1) + noise) / stats.rows.N)


def _draw_units(
    stats: Equations,
    blocks: UnitBlocks,
    joint: FloatArray,
    given: Scalars,
    inverse: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Level and slopes of every unit in every draw, shape (S, N, 1 + q)."""
    basis, N, width, _ = blocks.B.shape
    matrices, _ = stats.basis(given.phi)
    found = np.empty((len(joint), N, width))
    step = max(1, _CELLS // (N * width**2 * basis))
    for begin in range(0, len(joint), step):
        at = slice(begin, begin + step)
        weight = matrices[at]
        right = np.zeros((len(weight), N, width))
        for k in range(basis):
            part = joint[at] @ blocks.B[k].reshape(N * width, -1).T
            right += weight[:, k, None, None] * part.reshape(len(weight), N, width)
        d = np.tensordot(weight, blocks.d, axes=1) + blocks.dead
        d[:, :, 0, 0] += inverse[at, None]
        L = np.linalg.cholesky(d)
        noise = rng.standard_normal((len(weight), N, width, 1)) * given.sigma[at, None, None, None]
        half = np.linalg.solve(L, right[..., None]) + noise
        found[at] = np.linalg.solve(np.swapaxes(L, 2, 3), half)[..., 0]
    dead = np.diagonal(blocks.dead, axis1=1, axis2=2) > 0
    return np.where(dead, 0.0, found)
