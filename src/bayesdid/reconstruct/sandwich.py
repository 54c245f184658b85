"""Standard errors that let errors be unequal, or depend on each other within clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Scores:
    """Which rows' errors may depend on each other.

    Attributes
    ----------
    index
        Cluster of each row, shape (n,); every row its own where errors are only unequal.
    correction
        What the sum of squared scores is multiplied by for few clusters and coefficients.
    """

    index: IntArray
    correction: float

    def sums(self, weights: FloatArray, e: FloatArray) -> FloatArray:
        """The score of each row's cluster, shape (n,)."""
        return np.asarray(np.bincount(self.index, weights * e)[self.index])

    def se(self, weights: FloatArray, e: FloatArray) -> float:
        """Standard error of the estimate ``weights @ y`` with residuals `e`, both of shape (n,)."""
        scores = np.bincount(self.index, weights * e)
        return float(np.sqrt(self.correction * (scores**2).sum()))


def robust(n: float, coefficients: float) -> Scores:
    """Errors of unequal variance: n / (n - K), MacKinnon & White's HC1 (1985)."""
    return Scores(np.arange(round(n)), n / (n - coefficients))


def clustered(index: IntArray, n: float, coefficients: float) -> Scores:
    """Errors that depend on each other within clusters: G / (G - 1) times (n - 1) / (n - K).

    Parameters
    ----------
    n
        Rows, or what weights that count rows add up to.
    coefficients
        K: regressors and effects, without effects of units that lie within a cluster, as fixest,
        pyfixest and reghdfe leave these out; of group x period they count more than the rank.
    """
    G = int(index.max()) + 1
    return Scores(index, G / (G - 1) * (n - 1) / (n - coefficients))
