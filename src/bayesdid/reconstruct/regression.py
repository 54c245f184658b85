"""One least-squares column as a function of panel values: what it prints, and how that moves.

For a column with regressors Z (within residuals Z~, G = Z~'Z~) and outcome y (e the residual),
least squares gives b = G^-1 Z~'y~. A small change of the panel moves it by

    db = G^-1 Z~' dy + G^-1 dZ' e - G^-1 Z~' dZ b,

and standard errors, R2 and the constant follow. Projections are symmetric and idempotent, so
that the changes are those of the raw columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.within import absorb


@dataclass(frozen=True, slots=True)
class Factor:
    """A variable of a column: ``fixed``, or ``fixed`` x a column of the panel that is sought.

    Attributes
    ----------
    fixed
        Shape (n,), over the rows of the column.
    column
        Name of the sought column, None if there is none.
    rows
        Position of each row in that column, shape (n,): later rows for an outcome that leads.
    """

    fixed: FloatArray
    column: str | None
    rows: IntArray

    def value(self, sought: Mapping[str, FloatArray]) -> FloatArray:
        """Its value in every row, shape (n,)."""
        return self.fixed if self.column is None else self.fixed * sought[self.column][self.rows]


@dataclass(frozen=True, slots=True)
class Regression:
    """A printed column of ordinary least squares with fixed effects, or none.

    Attributes
    ----------
    spec
        Its id.
    outcome, regressors, names
        What is regressed on what; the names of the regressors are the terms of the study.
    unit_index, period_index
        Of its rows, shape (n,).
    unit, period
        Whether it has fixed effects of units and of periods.
    """

    spec: str
    outcome: Factor
    regressors: tuple[Factor, ...]
    names: tuple[str, ...]
    unit_index: IntArray
    period_index: IntArray
    unit: bool
    period: bool

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The outcome and the regressors."""
        return (self.outcome, *self.regressors)

    @property
    def df(self) -> int:
        """Degrees of freedom of the residual."""
        N, T = int(self.unit_index.max()) + 1, int(self.period_index.max()) + 1
        levels = 1 + (N - 1) * self.unit + (T - 1) * self.period
        return len(self.unit_index) - levels - len(self.regressors)

    def estimate(self, sought: Mapping[str, FloatArray]) -> Estimates:
        """Fit it to the panel."""
        y = self.outcome.value(sought)
        Z = np.column_stack([one.value(sought) for one in self.regressors])
        both = absorb(
            np.column_stack([y, Z]),
            self.unit_index,
            self.period_index,
            unit=self.unit,
            period=self.period,
        )
        within = both[:, 1:]
        inverse = np.linalg.inv(within.T @ within)
        H = inverse @ within.T
        b = H @ both[:, 0]
        e = both[:, 0] - within @ b
        return Estimates(self, b, inverse, H, e, within, y, Z.mean(axis=0))


@dataclass(frozen=True, slots=True)
class Estimates:
    """A fitted column.

    Attributes
    ----------
    b
        Coefficients, shape (K,).
    inverse, H
        (Z~'Z~)^-1, (K, K), and (Z~'Z~)^-1 Z~', (K, n).
    e
        Residuals, shape (n,).
    within
        Z~, shape (n, K).
    y
        Outcome, shape (n,).
    means
        Means of the regressors, shape (K,).
    """

    of: Regression
    b: FloatArray
    inverse: FloatArray
    H: FloatArray
    e: FloatArray
    within: FloatArray
    y: FloatArray
    means: FloatArray

    @property
    def rss(self) -> float:
        """Sum of squared residuals."""
        return float(self.e @ self.e)

    def value(self, name: str, field: str) -> float:
        """What the column prints at ``name``: ``estimate`` or ``se``; ``r2`` has no field."""
        if name == "r2":
            return 1 - self.rss / float(((self.y - self.y.mean()) ** 2).sum())
        if name == "constant":
            if field == "estimate":
                return float(self.y.mean() - self.means @ self.b)
            return float(np.sqrt(self.rss / self.of.df * self._constant_size()))
        k = self.of.names.index(name)
        if field == "estimate":
            return float(self.b[k])
        return float(np.sqrt(self.rss / self.of.df * self.inverse[k, k]))

    def slope(self, name: str, field: str) -> tuple[FloatArray, FloatArray]:
        """How a printed number moves with the outcome, (n,), and with each regressor, (K, n)."""
        if name == "r2":
            return self._slope_r2()
        if field == "estimate":
            if name == "constant":
                return self._slope_constant()
            k = self.of.names.index(name)
            return self.H[k], np.outer(self.inverse[k], self.e) - np.outer(self.b, self.H[k])
        se = self.value(name, field)
        if name == "constant":
            a = self.inverse @ self.means
            size = self._constant_size()
            by_Z = np.outer(a, 1 / len(self.e) - self.within @ a) / size
        else:
            k = self.of.names.index(name)
            by_Z = -np.outer(self.inverse[k], self.H[k]) / self.inverse[k, k]
        return se * self.e / self.rss, se * (by_Z - np.outer(self.b, self.e) / self.rss)

    def _constant_size(self) -> float:
        return 1 / len(self.e) + float(self.means @ self.inverse @ self.means)

    def _slope_r2(self) -> tuple[FloatArray, FloatArray]:
        centred = self.y - self.y.mean()
        total = float(centred @ centred)
        by_y = -2 * self.e / total + 2 * self.rss / total**2 * centred
        return by_y, 2 * np.outer(self.b, self.e) / total

    def _slope_constant(self) -> tuple[FloatArray, FloatArray]:
        by_y = 1 / len(self.e) - self.means @ self.H
        a = self.inverse @ self.means
        by_Z = -self.b[:, None] / len(self.e) - np.outer(a, self.e)
        return by_y, by_Z + np.outer(self.b, self.means @ self.H)
