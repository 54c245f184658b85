"""One least-squares column as a function of panel values: what it prints, and how that moves.

For a column with regressors Z (within residuals Z~, G = Z~'Z~) and outcome y (e the residual),
least squares gives b = G^-1 Z~'y~. A small change of the panel moves it by

    db = G^-1 Z~' dy + G^-1 dZ' e - G^-1 Z~' dZ b,

and standard errors, R2 and the constant follow. With an instrument z for the first regressor, W = Z
but for z in its place, b = (W~'Z~)^-1 W~'y~ and

    db = (W~'Z~)^-1 (W~' dy + dW' e - W~' dZ b).

Projections are symmetric and idempotent, so
that the changes are those of the raw columns.

Rows with weights w are those of raw columns times sqrt(w), and so are the changes; effects are then
projected out in a basis of their columns times sqrt(w), as are effects beside those of unit and
period. Weights that count rows that are alike differ in the degrees of freedom alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.within import absorb
from bayesdid.reconstruct.sandwich import Scores


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
    log
        Whether the logarithm of the sought column is meant.
    """

    fixed: FloatArray
    column: str | None
    rows: IntArray
    log: bool = False

    def value(self, sought: Mapping[str, FloatArray]) -> FloatArray:
        """Its value in every row, shape (n,)."""
        if self.column is None:
            return self.fixed
        values = sought[self.column][self.rows]
        return self.fixed * (np.log(values) if self.log else values)

    def slope(self, sought: Mapping[str, FloatArray]) -> FloatArray:
        """How it moves with the sought column, shape (n,)."""
        if self.column is None or not self.log:
            return self.fixed
        return self.fixed / sought[self.column][self.rows]


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
    instrument
        Of the first regressor, for two-stage least squares; None for ordinary.
    root
        Square root of the rows' weights, (n,), whose mean square is one; None without weights.
    basis
        Orthonormal columns that span its effects and its constant times `root`, (n, R); None where
        it has no effects but those of units and periods, and no weights.
    scores
        Whose errors its standard errors let depend on each other; None for independent errors of
        one variance.
    stands_for
        How many rows weights that count rows add up to; None without such weights.
    """

    spec: str
    outcome: Factor
    regressors: tuple[Factor, ...]
    names: tuple[str, ...]
    unit_index: IntArray
    period_index: IntArray
    unit: bool
    period: bool
    instrument: Factor | None = None
    root: FloatArray | None = None
    basis: FloatArray | None = None
    scores: Scores | None = None
    stands_for: float | None = None

    @property
    def size(self) -> float:
        """Rows, or what weights that count rows add up to."""
        return float(len(self.unit_index)) if self.stands_for is None else self.stands_for

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The outcome, the regressors and the instrument."""
        last = () if self.instrument is None else (self.instrument,)
        return (self.outcome, *self.regressors, *last)

    @property
    def df(self) -> float:
        """Degrees of freedom of the residual."""
        N, T = int(self.unit_index.max()) + 1, int(self.period_index.max()) + 1
        levels = 1 + (N - 1) * self.unit + (T - 1) * self.period
        if self.basis is not None:
            levels = self.basis.shape[1]
        return self.size - levels - len(self.regressors)

    @property
    def to_mean(self) -> FloatArray:
        """What a weighted variable's product with is the variable's weighted mean, shape (n,)."""
        n = len(self.unit_index)
        return np.full(n, 1 / n) if self.root is None else self.root / n

    def weighted(self, values: FloatArray) -> FloatArray:
        """Columns times the square roots of the weights, shape (n, K)."""
        return values if self.root is None else values * self.root[:, None]

    def without_effects(self, weighted: FloatArray) -> FloatArray:
        """What effects leave of weighted columns, shape (n, K)."""
        if self.basis is not None:
            return weighted - self.basis @ (self.basis.T @ weighted)
        return absorb(
            weighted, self.unit_index, self.period_index, unit=self.unit, period=self.period
        )

    def within(self, values: FloatArray) -> FloatArray:
        """What its effects leave of a variable, weighted, shape (n,)."""
        return self.without_effects(self.weighted(values[:, None]))[:, 0]

    def estimate(self, sought: Mapping[str, FloatArray]) -> Estimates:
        """Fit it to the panel."""
        values = self.weighted(np.column_stack([one.value(sought) for one in self.factors]))
        left = self.without_effects(values)
        K = len(self.regressors)
        within = left[:, 1 : K + 1]
        outer = within
        if self.instrument is not None:
            outer = np.column_stack([left[:, K + 1], within[:, 1:]])
        inverse = np.linalg.inv(outer.T @ within)
        H = inverse @ outer.T
        b = H @ left[:, 0]
        e = left[:, 0] - within @ b
        means = self.to_mean @ values[:, 1 : K + 1]
        return Estimates(self, b, inverse, H, e, within, outer, values[:, 0], means)


@dataclass(frozen=True, slots=True)
class Estimates:
    """A fitted column.

    Attributes
    ----------
    b
        Coefficients, shape (K,).
    inverse, H
        (W~'Z~)^-1, (K, K), and (W~'Z~)^-1 W~', (K, n); W = Z without an instrument.
    e
        Residuals, shape (n,).
    within, outer
        Z~ and W~, shape (n, K).
    y
        Weighted outcome, shape (n,).
    means
        Weighted means of the regressors, shape (K,).
    """

    of: Regression
    b: FloatArray
    inverse: FloatArray
    H: FloatArray
    e: FloatArray
    within: FloatArray
    outer: FloatArray
    y: FloatArray
    means: FloatArray

    @property
    def rss(self) -> float:
        """Sum of squared residuals."""
        return float(self.e @ self.e)

    def value(self, name: str, field: str) -> float:
        """What the column prints at ``name``: ``estimate``, ``se`` or, of an R2, ``r2``."""
        if field == "r2":
            return 1 - self._lost(name) * self.rss / float((self._total(name) ** 2).sum())
        if name == "constant":
            if field == "estimate":
                return float(self.of.to_mean @ self.y - self.means @ self.b)
            return float(np.sqrt(self.rss / self.of.df * self._constant_size()))
        k = self.of.names.index(name)
        if field == "estimate":
            return float(self.b[k])
        if self.of.scores is not None:
            return self.of.scores.se(self.H[k], self.e)
        return float(np.sqrt(self.rss / self.of.df * self._size(k)))

    def slope(self, name: str, field: str) -> tuple[FloatArray, FloatArray]:
        """How a printed number moves with the outcome, (n,), and with each other factor, (K, n)."""
        by_y, by_Z = self._slope(name, field)
        root = self.of.root
        return (by_y, by_Z) if root is None else (by_y * root, by_Z * root)

    def _slope(self, name: str, field: str) -> tuple[FloatArray, FloatArray]:
        """The same with weighted variables."""
        if field == "se" and self.of.scores is not None:
            return self._slope_sandwich(self.of.scores, self.of.names.index(name))
        if self.of.instrument is not None:
            k = self.of.names.index(name)
            return self._slope_instrumented(k) if field == "estimate" else self._slope_two_stage()
        if field == "r2":
            return self._slope_r2(name)
        if field == "estimate":
            if name == "constant":
                return self._slope_constant()
            k = self.of.names.index(name)
            return self.H[k], np.outer(self.inverse[k], self.e) - np.outer(self.b, self.H[k])
        se = self.value(name, field)
        if name == "constant":
            a = self.inverse @ self.means
            size = self._constant_size()
            by_Z = np.outer(a, self.of.to_mean - self.within @ a) / size
        else:
            k = self.of.names.index(name)
            by_Z = -np.outer(self.inverse[k], self.H[k]) / self.inverse[k, k]
        return se * self.e / self.rss, se * (by_Z - np.outer(self.b, self.e) / self.rss)

    def _size(self, k: int) -> float:
        """Variance of coefficient k over that of the errors."""
        if self.of.instrument is None:
            return float(self.inverse[k, k])
        return float(self.H[k] @ self.H[k])

    def _slope_instrumented(self, k: int) -> tuple[FloatArray, FloatArray]:
        by_Z = np.outer(self.inverse[k], self.e) - np.outer(self.b, self.H[k])
        by_z = self.inverse[k, 0] * self.e
        by_Z[0] -= by_z  # the endogenous regressor is none of its own instruments
        return self.H[k], np.vstack([by_Z, by_z])

    def _slope_two_stage(self) -> tuple[FloatArray, FloatArray]:
        """Of the first coefficient's standard error: s |r| / (r'd), r what Z leaves of z."""
        se, e, rss = self.value(self.of.names[0], "se"), self.e, self.rss
        d, Z, z = self.within[:, 0], self.within[:, 1:], self.outer[:, 0]
        of_z, of_d = np.linalg.lstsq(Z, np.column_stack([z, d]), rcond=None)[0].T
        r, rest = z - Z @ of_z, d - Z @ of_d
        D, length = float(r @ d), float(r @ r)
        by_y, by_Z = self._slope_instrumented(0)
        pull = float(e @ d) / rss
        found = -pull * by_Z
        found[:-1] -= np.outer(self.b, e) / rss
        found[0] -= r / D
        found[1:-1] += np.outer(of_z, rest / D - r / length) + np.outer(of_d, r / D)
        found[-1] += r / length - rest / D
        return se * (e / rss - pull * by_y), se * found

    def _slope_sandwich(self, scores: Scores, k: int) -> tuple[FloatArray, FloatArray]:
        """Of sqrt(c sum of s_g^2), s_g the sum of H_k e over a cluster: see the module's changes.

        ds_g sums e dH_k + H_k de, with dH = G^-1 dZ' M - H dZ H and de = M dy - M dZ b - H' dZ' e,
        M what regressors and effects leave.
        """
        H, e, S = self.H[k], self.e, scores.sums(self.H[k], self.e)
        both = np.column_stack([S * e, S * H])
        on = self.H @ both
        u, v = (self.of.without_effects(both) - self.within @ on).T
        by_Z = np.outer(self.inverse[k], u) - np.outer(on[:, 0], H)
        by_Z -= np.outer(self.b, v) + np.outer(on[:, 1], e)
        size = scores.correction / scores.se(H, e)
        return size * v, size * by_Z

    def _constant_size(self) -> float:
        return 1 / len(self.e) + float(self.means @ self.inverse @ self.means)

    def _total(self, name: str) -> FloatArray:
        """What R2 is a share of the squares of: the weighted outcome less its mean, or within."""
        if name == "r2_within":
            return self.e + self.within @ self.b
        mean = self.of.to_mean @ self.y
        return self.y - (mean if self.of.root is None else mean * self.of.root)

    def _lost(self, name: str) -> float:
        """What an adjusted R2 multiplies the unexplained share by."""
        return (self.of.size - 1) / self.of.df if name == "r2_adjusted" else 1.0

    def _slope_r2(self, name: str) -> tuple[FloatArray, FloatArray]:
        y, lost = self._total(name), self._lost(name)
        total = float(y @ y)
        by_y = lost * (-2 * self.e / total + 2 * self.rss / total**2 * y)
        return by_y, lost * 2 * np.outer(self.b, self.e) / total

    def _slope_constant(self) -> tuple[FloatArray, FloatArray]:
        by_y = self.of.to_mean - self.means @ self.H
        a = self.inverse @ self.means
        by_Z = -np.outer(self.b, self.of.to_mean) - np.outer(a, self.e)
        return by_y, by_Z + np.outer(self.b, self.means @ self.H)
