"""Tabulate a density in one to three dimensions, and draw from it independently.

The table is equally spaced in ``u`` with ``z = mode + scale sinh(c u) / c`` on each axis: as fine
as the posterior in its middle, ever coarser in the tails, which reach far where a scale of random
effects is nearly zero. On such grids the trapezoidal rule converges geometrically for smooth
densities (Trefethen & Weideman 2014, doi:10.1137/130932132). Draws come from the table's
multilinear interpolant by rejection against the exact density, with the largest ratio among all
proposals as bound (Caffo, Booth & Davis 2002, doi:10.1093/biomet/89.4.745).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.optimize import minimize

from bayesdid.arrays import FloatArray
from bayesdid.inference.gate import EDGE_LIMIT, QUADRATURE_LIMIT, GateItem, table_gate
from bayesdid.inference.numerics.importance import Density

_DROP = 18.0  # log density below the mode at which the table ends: e^-18 = 2e-8
_SPACING = 0.5  # node distance at the mode, in posterior standard deviations
_STRETCH = 0.45  # c: how fast nodes spread in the tails
_LONGER = 8  # nodes that a side gets at once
_FARTHEST = 16.0  # end of an axis in stretched coordinates
_MAX_NODES = {1: 400, 2: 160, 3: 56}


@dataclass(frozen=True, slots=True)
class TableDraws:
    """Independent draws from a tabulated density, and how good the table was.

    Attributes
    ----------
    z
        Draws, shape (S, d).
    log_evidence
        Log of the density's integral.
    evidence_error
        Difference of the log evidence to that of a table half as fine.
    acceptance
        Share of proposals accepted.
    edge
        Posterior mass on the border of the table.
    """

    z: FloatArray
    log_evidence: float
    evidence_error: float
    acceptance: float
    edge: float

    def gate(self) -> list[GateItem]:
        """Whether the draws can be reported."""
        return table_gate(self.evidence_error, self.acceptance, self.edge)


@dataclass(frozen=True, slots=True)
class Axes:
    """The stretched coordinates: mode and scale, shape (d,), and the nodes of each axis."""

    mode: FloatArray
    scale: FloatArray
    grids: tuple[FloatArray, ...]

    def position(self, u: FloatArray) -> FloatArray:
        """Stretched to natural coordinates, shape (G, d)."""
        return self.mode + self.scale * np.sinh(_STRETCH * u) / _STRETCH

    def log_jacobian(self, u: FloatArray) -> FloatArray:
        """Log of dz / du, shape (G,)."""
        return np.asarray(np.log(self.scale * np.cosh(_STRETCH * u)).sum(axis=1))

    def finer(self) -> Axes | None:
        """Twice as fine on each axis, or None if that is too many nodes."""
        grids = tuple(np.linspace(g[0], g[-1], 2 * len(g) - 1) for g in self.grids)
        most = max(len(grid) for grid in grids)
        return Axes(self.mode, self.scale, grids) if most <= _MAX_NODES[len(grids)] else None

    def wider(self, table: FloatArray) -> Axes | None:
        """Longer where more than its share of the mass stands on the border; None if it cannot be.

        An axis ends where the density through the mode is gone. Along a ridge, such as a scale of
        random effects that is nearly zero while the errors' takes over, it is not gone there.
        """
        share = EDGE_LIMIT * table.sum() / (2 * len(self.grids))
        grids = []
        for k, grid in enumerate(self.grids):
            step = grid[1] - grid[0]
            first, last = (float(np.take(table, at, axis=k).sum()) > share for at in (0, -1))
            low = grid[0] - _LONGER * step * (first and grid[0] > -_FARTHEST)
            high = grid[-1] + _LONGER * step * (last and grid[-1] < _FARTHEST)
            grids.append(np.linspace(low, high, round((high - low) / step) + 1))
        nodes = [len(grid) for grid in grids]
        longer = nodes != [len(grid) for grid in self.grids]
        fits = longer and max(nodes) <= 2 * _MAX_NODES[len(grids)]
        return Axes(self.mode, self.scale, tuple(grids)) if fits else None

    @property
    def box(self) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest corner in natural coordinates."""
        ends = np.array([[grid[0], grid[-1]] for grid in self.grids]).T
        low, high = self.position(ends)
        return low, high


def draw_table(target: Density, axes: Axes, size: int, rng: np.random.Generator) -> TableDraws:
    """Tabulate a density on the axes that :func:`find_axes` found and draw `size` values.

    A table that is too coarse for its gate is made again, twice as fine; one with mass on its
    border longer.
    """
    mesh = np.stack(np.meshgrid(*axes.grids, indexing="ij"), axis=-1)
    u = mesh.reshape(-1, len(axes.grids))
    log_table = (target.log_density(axes.position(u)) + axes.log_jacobian(u)).reshape(
        mesh.shape[:-1]
    )
    top = float(log_table.max())
    table = np.exp(log_table - top)
    steps = np.array([grid[1] - grid[0] for grid in axes.grids])
    coarse = table[tuple(slice(None, None, 2) for _ in axes.grids)].sum() * 2.0 ** len(steps)
    error = float(abs(np.log(coarse / table.sum())))
    if error > QUADRATURE_LIMIT and (finer := axes.finer()) is not None:
        return draw_table(target, finer, size, rng)
    inner = table[tuple(slice(1, -1) for _ in axes.grids)].sum()
    edge = float(1.0 - inner / table.sum())
    if edge > EDGE_LIMIT and (wider := axes.wider(table)) is not None:
        return draw_table(target, wider, size, rng)
    z, acceptance = _reject(target, axes, table, top, size, rng)
    return TableDraws(
        z,
        log_evidence=float(top + np.log(table.sum()) + np.log(steps).sum()),
        evidence_error=error,
        acceptance=acceptance,
        edge=edge,
    )


def find_axes(target: Density, start: FloatArray) -> Axes:
    """Centre each axis on the mode, scale it by the curvature there, end it in the tails."""
    mode = _mode(target, start)
    peak = target.log_density(mode[None, :])[0]
    scale, grids = np.ones_like(mode), []
    for k in range(len(mode)):
        step = np.zeros_like(mode)
        step[k] = 0.02
        ends = target.log_density(np.array([mode - step, mode + step]))
        scale[k] = 1.0 / np.sqrt(max((2 * peak - ends.sum()) / step[k] ** 2, 0.05))
    reach = np.linspace(0.5, _FARTHEST, 125)
    bare = Axes(mode, scale, ())
    for k in range(len(mode)):
        limits = []
        for sign in (-1.0, 1.0):
            u = np.zeros((len(reach), len(mode)))
            u[:, k] = sign * reach
            stretch = bare.log_jacobian(u) - np.log(scale).sum()
            gone = target.log_density(bare.position(u)) + stretch < peak - _DROP
            limits.append(sign * (reach[gone.argmax()] if gone.any() else reach[-1]))
        low, high = limits
        nodes = min(int(np.ceil((high - low) / _SPACING)), _MAX_NODES[len(mode)] - 1)
        grids.append(np.linspace(low, high, 2 * ((nodes + 1) // 2) + 1))
    return Axes(mode, scale, tuple(grids))


def _mode(target: Density, start: FloatArray) -> FloatArray:
    def loss(z: Any) -> float:
        return float(-np.maximum(target.log_density(z[None, :])[0], -1e300))

    options: Any = {"xatol": 1e-3, "fatol": 1e-4, "maxiter": 2000}
    return np.asarray(minimize(loss, start, method="Nelder-Mead", options=options).x)


def _reject(
    target: Density, axes: Axes, table: FloatArray, top: float, size: int, rng: np.random.Generator
) -> tuple[FloatArray, float]:
    """Draw from the interpolant (a mixture of hat kernels), accept against the exact density."""
    interpolant = RegularGridInterpolator(axes.grids, table, bounds_error=False, fill_value=0.0)
    steps = np.array([grid[1] - grid[0] for grid in axes.grids])
    weights = (table / table.sum()).ravel()
    points, ratios, marks = [], [], []
    while True:
        node = np.unravel_index(rng.choice(weights.size, size=2 * size, p=weights), table.shape)
        centre = np.column_stack([grid[i] for grid, i in zip(axes.grids, node, strict=True)])
        u = centre + steps * (rng.random(centre.shape) + rng.random(centre.shape) - 1.0)
        proposal = interpolant(u)
        u, proposal = u[proposal > 0], proposal[proposal > 0]
        z = axes.position(u)
        density = np.exp(target.log_density(z) + axes.log_jacobian(u) - top)
        points.append(z)
        ratios.append(density / proposal)
        marks.append(rng.random(len(z)))
        ratio = np.concatenate(ratios)
        accepted = np.concatenate(marks) * ratio.max() < ratio
        if accepted.sum() >= size:
            return np.concatenate(points)[accepted][:size], float(accepted.mean())
