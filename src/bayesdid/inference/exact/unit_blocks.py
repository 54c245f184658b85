"""Units with slopes of their own: level and slopes of each against all other columns.

With AR(1) errors the inverse correlation V is a weighted sum of fixed matrices
(:mod:`bayesdid.inference.exact.collapse`), so that sums over a unit's rows are made once and
weighted at each node.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.inference.exact.rows import Rows


@dataclass(frozen=True, slots=True)
class UnitBlocks:
    """Each unit's own columns, its level and q slopes, against everything.

    Attributes
    ----------
    B
        ``[F W]'V_k U`` for every fixed matrix k, shape (1 + 2 L, N, 1 + q, P).
    d
        ``U'V_k U``, shape (1 + 2 L, N, 1 + q, 1 + q).
    dead
        Ones on the diagonal where a slope adds nothing in its unit, (N, 1 + q, 1 + q).
    """

    B: FloatArray
    d: FloatArray
    dead: FloatArray

    @property
    def live(self) -> int:
        """Number of slopes that add something."""
        N, width, _ = self.dead.shape
        return int(N * (width - 1) - self.dead.sum())

    def at(self, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Cholesky factors of ``U'VU``, (N, 1 + q, 1 + q), and ``U'V[F W]``, (N, 1 + q, P)."""
        d = np.tensordot(weight, self.d, axes=1) + self.dead
        return np.linalg.cholesky(d), np.tensordot(weight, self.B, axes=1)

    def take(self, columns: IntArray) -> UnitBlocks:
        """Against some of the columns."""
        return dataclasses.replace(self, B=self.B[..., columns])


def unit_blocks_of(rows: Rows, gaps: IntArray, columns: IntArray) -> UnitBlocks:
    """Sums of all units against the chosen columns of (period dummies, intercept, values)."""
    own = [np.ones(rows.n) if rows.root is None else rows.root, *rows.slopes.T]
    width, basis = len(own), 1 + 2 * len(gaps)
    B = np.empty((basis, rows.N, width, len(columns)))
    d = np.empty((basis, rows.N, width, width))
    for units, at in rows.blocks((rows.T + rows.values.shape[1]) * basis):
        first = rows.start[units] - at.start
        for a, u in enumerate(own):
            for k, weight in enumerate(applied(u[at], rows.gap[at], gaps)):
                B[k, units, a] = rows.unit_sums(units, at, weight)[:, columns]
                for b, v in enumerate(own):
                    d[k, units, a, b] = np.add.reduceat(weight * v[at], first)
    dead = np.zeros((rows.N, width, width))
    diagonal = np.arange(width)
    dead[:, diagonal, diagonal] = d[0][:, diagonal, diagonal] == 0
    return UnitBlocks(B, d, dead)


def applied(u: FloatArray, gap: IntArray, gaps: IntArray) -> list[FloatArray]:
    """Every fixed matrix times a vector over the rows of whole units, each of shape (rows,)."""
    size = len(gap)
    own, other = [], []
    for value in gaps:
        later = np.flatnonzero(gap == value)
        a, b = np.zeros(size), np.zeros(size)
        a[later] += u[later]
        a[later - 1] += u[later - 1]
        b[later] += u[later - 1]
        b[later - 1] += u[later]
        own.append(a)
        other.append(b)
    return [u, *own, *other]
