"""A smooth vector function of one to three scalars, tabulated to a stated accuracy.

Chebyshev interpolation on a box converges geometrically for analytic functions (Trefethen 2013,
*Approximation Theory and Approximation Practice*, ch. 8). The number of nodes grows until the
interpolant agrees with the function at points that it has not seen; where that takes too many,
there is no table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesdid.arrays import FloatArray

_SIZES = {1: (10, 16, 24, 36, 54, 81, 122), 2: (7, 10, 15, 22, 33), 3: (6, 9, 14)}
_CHECKS = 12  # points at which a table is compared with the function


@dataclass(frozen=True, slots=True)
class Surface:
    """Chebyshev coefficients on a box.

    Attributes
    ----------
    low, high
        Corners of the box, shape (d,).
    coefficients
        Shape (nodes, ..., nodes, m), one axis for each scalar.
    error
        Largest difference at the points of comparison, as the tolerance is measured.
    """

    low: FloatArray
    high: FloatArray
    coefficients: FloatArray
    error: float

    def covers(self, x: FloatArray) -> NDArray[np.bool_]:
        """Which rows of `x`, shape (G, d), lie in the box."""
        return np.asarray(((x >= self.low) & (x <= self.high)).all(axis=1))

    def __call__(self, x: FloatArray) -> FloatArray:
        """Values at points in the box, shape (G, m)."""
        x = (2 * x - self.low - self.high) / (self.high - self.low)
        angle = np.arccos(np.clip(x, -1.0, 1.0))
        degrees = np.arange(len(self.coefficients))
        basis = [np.cos(angle[:, k, None] * degrees) for k in range(x.shape[1])]
        joint = basis[0]
        for one in basis[1:]:
            joint = (joint[:, :, None] * one[:, None, :]).reshape(len(x), -1)
        return np.asarray(joint @ self.coefficients.reshape(joint.shape[1], -1))


def tabulate(
    function: Callable[[FloatArray], FloatArray],
    low: FloatArray,
    high: FloatArray,
    tolerance: float,
) -> Surface | None:
    """The surface of a function on a box, or None if it is not smooth enough there.

    Parameters
    ----------
    function
        Points, shape (G, d), to values, shape (G, m).
    tolerance
        Of the error, relative for components that exceed one somewhere, absolute for others.
    """
    d = len(low)
    high = np.maximum(high, low + 1e-12)
    probe = low + (high - low) * np.random.default_rng(0).random((_CHECKS, d))
    expected = function(probe)
    for nodes in _SIZES[d]:
        angle = np.pi * (np.arange(nodes) + 0.5) / nodes
        mesh = np.stack(np.meshgrid(*[np.cos(angle)] * d, indexing="ij"), axis=-1).reshape(-1, d)
        values = function((low + high) / 2 + (high - low) / 2 * mesh)
        table = values.reshape(*[nodes] * d, -1)
        transform = 2.0 / nodes * np.cos(np.arange(nodes)[:, None] * angle)
        transform[0] /= 2.0
        for axis in range(d):
            table = np.moveaxis(np.tensordot(transform, table, axes=(1, axis)), 0, axis)
        found = Surface(low, high, table, 0.0)
        size = np.maximum(np.abs(values).max(axis=0), 1.0)
        error = float((np.abs(found(probe) - expected) / size).max())
        if error < tolerance:
            return Surface(low, high, table, error)
    return None
