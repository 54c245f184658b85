"""One column of a spatial Durbin model as a function of panel values: what it prints, how it moves.

y = rho L y + Z b + effects + e, with L = W in each period and Z regressors and their spatial lags.
Given rho, b is least squares of y - rho L y; rho maximises (Elhorst 2014, section 3.3.1)

    f(rho) = T sum_i log|1 - rho l_i| - n/2 log S,   S = a - 2 rho b_ + rho^2 c,

l the eigenvalues of W, and a, b_, c the products of what effects and Z leave of y and of L y (e0,
e1). So rho moves with the panel by -(f'_a da + f'_b db_ + f'_c dc) / f'', f' = df / d rho, with

    da = 2 e0' (dy - dZ b0),   dc = 2 e1' (L dy - dZ b1),
    db_ = e1' (dy - dZ b0) + e0' (L dy - dZ b1),

and b = b0 - rho b1 as in :mod:`bayesdid.reconstruct.regression`, less b1 times the change of rho.

Where W is made from a sought column, it is that of the panel at hand, and its own slope is left
out: the rounds that move a panel end where W does not move any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from bayesdid.arrays import FloatArray
from bayesdid.reconstruct.regression import Factor, Regression
from bayesdid.study.cells import LAG

_EDGE = 1e-9  # of the admissible interval, at either end


@dataclass(frozen=True, slots=True)
class Operator:
    """Weights between units, as a spatial lag uses them.

    Attributes
    ----------
    W
        In the order of the rows, shape (N, N); rows are unit by unit.
    eigenvalues
        Of W, shape (N,).
    interval
        Values of rho for which I - rho W is regular.
    """

    W: FloatArray
    eigenvalues: NDArray[np.complex128]
    interval: tuple[float, float]

    @classmethod
    def unknown(cls, N: int) -> Operator:
        """All NaN, as is then what a column prints: a step that leads there is not taken."""
        return cls(np.full((N, N), np.nan), np.full(N, np.nan, dtype=complex), (np.nan, np.nan))

    def lag(self, values: FloatArray) -> FloatArray:
        """L times columns, shape (n, K)."""
        return self._by_unit(self.W, values)

    def back(self, values: FloatArray) -> FloatArray:
        """L' times columns, shape (n, K)."""
        return self._by_unit(self.W.T, values)

    def _by_unit(self, matrix: FloatArray, values: FloatArray) -> FloatArray:
        N = len(self.W)
        return np.asarray((matrix @ values.reshape(N, -1)).reshape(values.shape))


@dataclass(frozen=True, slots=True)
class Durbin:
    """A printed column of a spatial Durbin model with fixed effects, on all rows of a panel.

    Attributes
    ----------
    base
        Its regression without anything spatial.
    operator
        Its weights, which may follow from the sought columns.
    lagged
        Positions of regressors whose spatial lag enters.
    """

    base: Regression
    operator: Callable[[Mapping[str, FloatArray]], Operator]
    lagged: tuple[int, ...]

    @property
    def size(self) -> float:
        """Rows."""
        return self.base.size

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The outcome and the regressors, without their lags."""
        return self.base.factors

    @property
    def names(self) -> tuple[str, ...]:
        """Of the regressors, then of their spatial lags."""
        return (*self.base.names, *(f"{LAG}{self.base.names[k]}" for k in self.lagged))

    def estimate(self, sought: Mapping[str, FloatArray]) -> Fitted:
        """Fit it to the panel by maximum likelihood."""
        by = self.operator(sought)
        values = np.column_stack([one.value(sought) for one in self.factors])
        y, X = values[:, [0]], values[:, 1:]
        every = np.hstack([y, by.lag(y), X, by.lag(X[:, list(self.lagged)])])
        left = self.base.without_effects(every)
        Z = left[:, 2:]
        inverse = np.linalg.inv(Z.T @ Z)
        H = inverse @ Z.T
        both = H @ left[:, :2]
        e = left[:, :2] - Z @ both
        (a, b), (_, c) = e.T @ e
        products = (float(a), float(b), float(c))
        rho = _rho(by, self.size, *products)
        return Fitted(self, by, rho, both[:, 0], both[:, 1], inverse, H, e[:, 0], e[:, 1], products)


def _rho(by: Operator, size: float, a: float, b: float, c: float) -> float:
    """Where the likelihood is highest: its derivative in rho is zero; NaN of a panel with NaN."""
    low, high = by.interval
    if not np.isfinite([a, b, c, low, high]).all():
        return np.nan
    edge, T = _EDGE * (high - low), size / len(by.W)

    def score(rho: float) -> float:
        by_logs = -T * (by.eigenvalues / (1 - rho * by.eigenvalues)).real.sum()
        return float(by_logs + size * (b - rho * c) / (a - 2 * rho * b + rho**2 * c))

    return float(brentq(score, low + edge, high - edge))


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted column.

    Attributes
    ----------
    by
        The weights of the panel.
    rho
        Of maximum likelihood.
    b0, b1
        Coefficients of y, and of L y, on regressors and lags, shape (K,).
    inverse, H
        (Z~'Z~)^-1, (K, K), and (Z~'Z~)^-1 Z~', (K, n).
    e0, e1
        What effects, regressors and lags leave of y, and of L y, shape (n,).
    products
        e0'e0, e0'e1, e1'e1.
    """

    of: Durbin
    by: Operator
    rho: float
    b0: FloatArray
    b1: FloatArray
    inverse: FloatArray
    H: FloatArray
    e0: FloatArray
    e1: FloatArray
    products: tuple[float, float, float]

    @property
    def b(self) -> FloatArray:
        """Coefficients of regressors and lags, shape (K,)."""
        return self.b0 - self.rho * self.b1

    @property
    def e(self) -> FloatArray:
        """Residuals, shape (n,)."""
        return self.e0 - self.rho * self.e1

    @property
    def rss(self) -> float:
        """Sum of squared residuals."""
        return float(self.e @ self.e)

    def value(self, name: str, field: str) -> float:
        """What the column prints at ``name``: ``estimate`` of a term, of ``rho`` or ``sigma2``."""
        if field == "rho":
            return self.rho
        if field == "sigma2":
            return self.rss / self.of.size
        return float(self.b[self.of.names.index(name)])

    def slope(self, name: str, field: str) -> tuple[FloatArray, FloatArray]:
        """How a printed number moves with the outcome, (n,), and with each regressor, (K, n)."""
        by_y, by_Z = self._by_rho()
        if field == "sigma2":
            e, pull = self.e, -2 * float(self.e @ self.e1)
            by_y = pull * by_y + 2 * (e - self.rho * self._back(e))
            by_Z = pull * by_Z - 2 * np.outer(self.b, e)
            by_y, by_Z = by_y / self.of.size, by_Z / self.of.size
        elif field == "estimate":
            k = self.of.names.index(name)
            by_y = self.H[k] - self.rho * self._back(self.H[k]) - self.b1[k] * by_y
            by_Z = (
                np.outer(self.inverse[k], self.e) - np.outer(self.b, self.H[k]) - self.b1[k] * by_Z
            )
        return by_y, self._with_lags(by_Z)

    def _by_rho(self) -> tuple[FloatArray, FloatArray]:
        """How rho moves with the outcome, (n,), and with regressors and lags, (K, n)."""
        (a, b, c), rho, of = self.products, self.rho, self.of
        rss, off = a - 2 * rho * b + rho**2 * c, b - rho * c
        T = of.size / len(self.by.W)
        shares = self.by.eigenvalues / (1 - rho * self.by.eigenvalues)
        curvature = -T * (shares**2).real.sum() + of.size * (2 * off**2 / rss**2 - c / rss)
        by_a = -of.size * off / rss**2
        by_b = of.size * (1 / rss + 2 * rho * off / rss**2)
        by_c = -of.size * (rho / rss + rho**2 * off / rss**2)
        through = 2 * by_a * self.e0 + by_b * self.e1  # of y, and of regressors
        lagged = by_b * self.e0 + 2 * by_c * self.e1  # of L y
        by_y = through + self._back(lagged)
        by_Z = -np.outer(self.b0, through) - np.outer(self.b1, lagged)
        return -by_y / curvature, -by_Z / curvature

    def _back(self, values: FloatArray) -> FloatArray:
        return self.by.back(values[:, None])[:, 0]

    def _with_lags(self, by_Z: FloatArray) -> FloatArray:
        """Slopes in regressors, by themselves and by their lags."""
        K = len(self.of.base.regressors)
        found = by_Z[:K].copy()
        found[list(self.of.lagged)] += self.by.back(by_Z[K:].T).T
        return found
