"""Cross-products as a surface over their scalars, so that a draw costs the same in any panel.

Scaled by ``1 - phi^2`` the entries of A are analytic in phi, and rational in ``s = 1 / (1 + n
rho)``, n the rows of a level; where all levels have the same number of rows they are linear in s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.inference.exact.collapse import Equations
from bayesdid.inference.numerics.surface import Surface, tabulate

_LOG_ERROR = 1e-4  # of a log density, by the error of A
_EDGE = 1e-9


@dataclass(frozen=True, slots=True)
class Coordinates:
    """The scalars that A depends on, and how its entries are scaled.

    Attributes
    ----------
    active
        Whether phi, rho_unit and rho_period matter.
    rows
        Rows of a unit and of a period, on average.
    scale
        Typical size of a column of A, shape (K + 1,).
    """

    active: tuple[bool, bool, bool]
    rows: tuple[float, float]
    scale: FloatArray

    def x(self, phi: FloatArray, rho_unit: FloatArray, rho_period: FloatArray) -> FloatArray:
        """Coordinates of the surface, shape (G, active)."""
        every = (phi, 1 / (1 + self.rows[0] * rho_unit), 1 / (1 + self.rows[1] * rho_period))
        return np.column_stack([part for part, on in zip(every, self.active, strict=True) if on])

    def natural(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The inverse of :meth:`x`."""
        columns = iter(x.T)
        phi = next(columns) if self.active[0] else np.zeros(len(x))
        rho = [
            (1 / np.clip(next(columns), _EDGE, 1 - _EDGE) - 1) / rows if on else np.ones(len(x))
            for on, rows in zip(self.active[1:], self.rows, strict=True)
        ]
        return phi, rho[0], rho[1]


@dataclass(frozen=True, slots=True)
class Tabulated:
    """Cross-products from a surface where it reaches, exactly elsewhere."""

    exact: Equations
    coordinates: Coordinates
    surface: Surface

    def gram(
        self, phi: FloatArray, rho_unit: FloatArray, rho_period: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """A, shape (G, K + 1, K + 1), and logdet, shape (G,), at G nodes."""
        x = self.coordinates.x(phi, rho_unit, rho_period)
        near = self.surface.covers(x)
        if near.all():
            return self._gram(x, phi, rho_unit, rho_period)
        K1 = len(self.coordinates.scale)
        A, logdet = np.empty((len(phi), K1, K1)), np.empty(len(phi))
        for at, call in ((near, lambda *z: self._gram(x[near], *z)), (~near, self.exact.gram)):
            if at.any():
                A[at], logdet[at] = call(phi[at], rho_unit[at], rho_period[at])
        return A, logdet

    def _gram(
        self, x: FloatArray, phi: FloatArray, rho_unit: FloatArray, rho_period: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        values, scale = self.surface(x), self.coordinates.scale
        lower = np.tril_indices(len(scale))
        A = np.empty((len(x), len(scale), len(scale)))
        found = values[:, :-1] * (scale[lower[0]] * scale[lower[1]])
        found /= ((1 - phi) * (1 + phi))[:, None]
        A[:, lower[0], lower[1]] = A[:, lower[1], lower[0]] = found
        return A, values[:, -1] + self.exact.reference(phi, rho_unit, rho_period)


@dataclass(frozen=True, slots=True)
class Constant:
    """Cross-products that no scalar changes: A, shape (K + 1, K + 1), and logdet."""

    A: FloatArray
    logdet: float

    def gram(
        self, phi: FloatArray, rho_unit: FloatArray, rho_period: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The same matrix at each of G nodes."""
        G = np.broadcast(phi, rho_unit, rho_period).size
        return np.broadcast_to(self.A, (G, *self.A.shape)), np.full(G, self.logdet)


def constant(stats: Equations) -> Constant:
    """The cross-products of independent errors and flat effects."""
    A, logdet = stats.gram(np.zeros(1), np.ones(1), np.ones(1))
    return Constant(A[0], float(logdet[0]))


def coordinates(stats: Equations) -> Coordinates:
    """The coordinates of a panel's cross-products."""
    rows = stats.rows
    sizes = (rows.n / rows.N, rows.n / rows.T)
    A, _ = stats.gram(np.zeros(1), np.ones(1), np.ones(1))
    scale = np.sqrt(np.maximum(np.diagonal(A[0]), 1e-12 * rows.n))
    active = (bool(len(stats.gaps)), *stats.kinds)
    return Coordinates(active, sizes[::-1] if stats.swapped else sizes, scale)


def tabulate_gram(
    stats: Equations,
    where: Coordinates,
    low: FloatArray,
    high: FloatArray,
    tolerance: float | None = None,
) -> Tabulated | None:
    """A surface of A and logdet on a box of :class:`Coordinates`, or None if they are not smooth.

    Parameters
    ----------
    tolerance
        Relative error of A; default such that a log density is right to 1e-4.
    """
    lower = np.tril_indices(len(where.scale))
    size = where.scale[lower[0]] * where.scale[lower[1]]

    def function(x: FloatArray) -> FloatArray:
        given = where.natural(x)
        A, logdet = stats.gram(*given)
        scaled = A[:, lower[0], lower[1]] * ((1 - given[0]) * (1 + given[0]))[:, None] / size
        return np.column_stack([scaled, logdet - stats.reference(*given)])

    if tolerance is None:
        tolerance = float(np.clip(_LOG_ERROR / stats.rows.n, 1e-11, 1e-6))
    found = tabulate(function, low, high, tolerance)
    return None if found is None else Tabulated(stats, where, found)
