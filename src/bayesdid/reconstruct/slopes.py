"""Slopes of printed numbers in the sought columns: a matrix that holds no blocks of zeros.

Most printed numbers are about a few of the columns. The matrix of their slopes, one row for each
number and one column for each cell of the panel, is held as a block for each sought column, with
the rows that are about it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Block:
    """Slopes in the cells of one column.

    Attributes
    ----------
    rows
        Which numbers are about it, shape (k,).
    at
        Where its cells stand in the vector of all cells.
    values
        Shape (k, cells).
    """

    rows: IntArray
    at: slice
    values: FloatArray

    def plus(self, rows: IntArray, values: FloatArray) -> Block:
        """The block with more slopes in its cells, of numbers that it may not have been about."""
        every = np.union1d(self.rows, rows)
        found = np.zeros((len(every), values.shape[1]))
        found[np.searchsorted(every, self.rows)] = self.values
        found[np.searchsorted(every, rows)] += values
        return Block(every, self.at, found)


@dataclass(frozen=True, slots=True)
class Slopes:
    """An (m, n) matrix as blocks.

    Attributes
    ----------
    shape
        Numbers and cells.
    blocks
        One for each sought column.
    """

    shape: tuple[int, int]
    blocks: tuple[Block, ...]

    @classmethod
    def dense(cls, A: FloatArray) -> Slopes:
        """A matrix as one block."""
        m, n = A.shape
        return cls((m, n), (Block(np.arange(m), slice(0, n), A),))

    def times(self, x: FloatArray) -> FloatArray:
        """A x, shape (m,)."""
        found = np.zeros(self.shape[0])
        for block in self.blocks:
            found[block.rows] += block.values @ x[block.at]
        return found

    def transposed(self, multipliers: FloatArray) -> FloatArray:
        """A' u, shape (n,)."""
        found = np.zeros(self.shape[1])
        for block in self.blocks:
            found[block.at] = multipliers[block.rows] @ block.values
        return found

    def products(self, columns: np.ndarray) -> FloatArray:
        """A A' over some cells, a mask of shape (n,) -> (m, m)."""
        found = np.zeros((self.shape[0], self.shape[0]))
        for block in self.blocks:
            if (own := columns[block.at]).any():
                chosen = block.values if own.all() else block.values[:, own]
                found[np.ix_(block.rows, block.rows)] += chosen @ chosen.T
        return found

    def lengths(self) -> FloatArray:
        """Euclidean length of each row, shape (m,)."""
        found = np.zeros(self.shape[0])
        for block in self.blocks:
            found[block.rows] += np.einsum("ij,ij->i", block.values, block.values)
        return np.sqrt(found)

    def divide(self, rows: FloatArray) -> None:
        """Divide each row, in place, by a number of shape (m,)."""
        for block in self.blocks:
            block.values[:] /= rows[block.rows, None]
