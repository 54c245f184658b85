r"""Whether effects of a policy differ between units, and how much wider contrasts are if so.

The headline gives units of one cohort one effect. If unit i's effect of policy k is off by
:math:`u_{ik} \sim (0, \omega^2)` for as long as it is under it, its residuals go along with the
policy's column. With whitened rows, unit effects taken out, e_i the residuals of the fit and x_ik
the column,

.. math::

    T^2 = \sum_{ik} (x_{ik}' e_i)^2 / v_i \Big/ \sum_{ik} |x_{ik}|^2,
    \qquad v_i = |e_i|^2 / (T_i - 1),

is the score of omega^2 = 0 (Lin 1997, Biometrika 84, 309-326, doi:10.1093/biomet/84.2.309), free
of the scales of units, which take up part of such differences. It is compared with what outcomes
drawn anew from the fitted model give, effects common to units: the weights stay, so that a
replication costs a projection. The excess of the sum over theirs is omega^2 times
:math:`\sum_{ijk} (x_{ij}' x_{ik})^2`. A contrast that weighs whitened rows by l and is about
effects of its own rows that weigh t_ik then has a variance more of
:math:`\omega^2 \sum_{ik} (l_i' x_{ik} - t_{ik})^2`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import OverlapDesign
from bayesdid.estimands.gls import Gls, Whitening
from bayesdid.estimands.nonlinear import of_singles
from bayesdid.estimands.row_weights import own_shares
from bayesdid.estimands.state_effects import Average
from bayesdid.summary import Interval, equal_tailed, p_words, percent

LIMIT = 0.01  # probability with which a model that is true fails
REPLICATIONS = (199, 999)  # fewest and most
_NUMBERS = 100_000_000  # that all replications of a large panel may have
_AT_ONCE = 2_000_000  # of a block of them
_ZERO = 1e-9  # of the largest column of a unit, below which unit effects span one


@dataclass(frozen=True, slots=True)
class Differing:
    """Whether effects differ between units.

    Attributes
    ----------
    observed, replicated, interval
        T of the panel; its mean and interval over replications, in which effects are common.
    p
        Share of replications with as large a T.
    sd
        omega: of effects between units, in the outcome's unit. It is too small rather than too
        large, since autocorrelation and scales of the fit take up part of the differences.
    replications
        How many.
    errors
        Contrast -> covariance of the errors of its parts that differences of sd 1 bring, (K, K).
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "observed",
        "replicated",
        "interval",
        "p",
        "limit",
        "passed",
        "sd",
    )

    observed: float
    replicated: float
    interval: Interval
    p: float
    sd: float
    replications: int
    errors: dict[str, FloatArray] = field(default_factory=dict)

    @property
    def limit(self) -> float:
        """Of `p`, below which the model fails."""
        return LIMIT

    @property
    def passed(self) -> bool:
        """Whether effects that are common to units describe the data."""
        return self.p >= self.limit

    @property
    def found(self) -> str:
        """What was found, in a sentence."""
        low, high = self.interval.low, self.interval.high
        return (
            f"Effects {'do not clearly ' if self.passed else ''}differ between units of a cohort: "
            f"residuals go along with the policies by {self.observed:.2f}, where effects common "
            f"to units give {self.replicated:.2f} ({percent(self.interval.level)} {low:.2f} to "
            f"{high:.2f}; {p_words(self.p, 1 / (self.replications + 1))}, limit {self.limit:g})."
        )

    def wider(self, average: Average, name: str, tau: FloatArray, lower: bool) -> FloatArray:
        """Draws of a contrast that allow for the differences, shape (S,).

        Parameters
        ----------
        tau
            Draws of the coefficients, shape (S, P).
        lower
            Whether a lower outcome is better.
        """
        values, error = average.values(name, tau, lower), self.sd**2 * self.errors[name]
        if len(error) == 1:  # spread out around their mean, without noise of its own
            mean, sd = values.mean(), values.std()
            return np.asarray(mean + (values - mean) * np.sqrt(1 + error[0, 0] / sd**2))
        parts = tau @ average.parts.T
        rng = np.random.default_rng(0)
        parts += rng.multivariate_normal(np.zeros(len(error)), error, len(parts))
        return of_singles(name, parts[:, 0], parts[:, 1:].T, lower)


def differing(
    rows: OverlapDesign, fitted: Gls, averages: Mapping[str, Average], *, seed: int = 0
) -> Differing | None:
    """Compare a fit's residuals with those of replications; None where no unit tells.

    Parameters
    ----------
    fitted
        The headline's coefficients.
    averages
        The contrasts.
    """
    units = _Units.of(rows, fitted)
    if not units.columns.any():
        return None
    seen = float(units.squares(fitted.outcome[:, None])[0])
    rng = np.random.default_rng(seed)
    n = len(fitted.outcome)
    count = int(np.clip(_NUMBERS // n, *REPLICATIONS))
    step = max(1, _AT_ONCE // n)
    again = np.concatenate(
        [
            units.squares(rng.standard_normal((n, min(step, count - first))))
            for first in range(0, count, step)
        ]
    )
    size = float((units.columns**2).sum())
    T = np.sqrt(again / size)
    return Differing(
        float(np.sqrt(seen / size)),
        float(T.mean()),
        equal_tailed(T),
        float((1 + (again >= seen).sum()) / (count + 1)),
        float(np.sqrt(max(seen - float(again.mean()), 0.0) / units.cross())),
        count,
        {name: units.errors(rows, name, average) for name, average in averages.items()},
    )


@dataclass(frozen=True, slots=True)
class _Units:
    """Rows by unit, in order, each policy's whitened column without unit effects, and the fit.

    Attributes
    ----------
    first
        Position of each unit's first row, shape (N,).
    columns
        Of the policies, (n, K); zero where unit effects span one.
    free
        Residuals that each unit has beyond its own effects, (N,).
    mean, taken
        Whitened columns of the fit's mean, and these without unit effects, over their precision,
        shape (n, J) each: ``mean @ taken.T @ y`` is the fitted mean of a whitened outcome y.
    """

    flat: Whitening
    first: np.ndarray
    columns: FloatArray
    free: FloatArray
    mean: FloatArray
    taken: FloatArray

    @classmethod
    def of(cls, rows: OverlapDesign, fitted: Gls) -> _Units:
        """Levels of units are taken out of what is compared, whether they are random or not."""
        flat = replace(fitted.rows, prior=0.0)
        unit = flat.unit
        first = np.flatnonzero(np.append(True, unit[1:] != unit[:-1]))
        size = np.diff(np.append(first, len(unit)))
        white = flat.whiten((rows.age >= 0).astype(float))
        columns = flat.without_units(white)
        own, whole = (np.add.reduceat(v**2, first) for v in (columns, white))
        there = own > _ZERO * np.maximum(whole, 1e-300)
        slopes = (np.add.reduceat(flat.slopes**2, first) > 0).sum(axis=1)
        taken = fitted.rows.without_units(fitted.columns) @ np.linalg.inv(fitted.gram)
        columns = columns * np.repeat(there, size, axis=0)
        free = np.maximum(size - 1.0 - slopes, 1.0)
        return cls(flat, first, columns, free, fitted.columns, taken)

    def sums(self, values: FloatArray) -> FloatArray:
        """Over the rows of each unit, (n, S) -> (N, S)."""
        return np.asarray(np.add.reduceat(values, self.first))

    def over(self, values: FloatArray) -> FloatArray:
        """A value of each unit in its rows, (N, S) -> (n, S)."""
        size = np.diff(np.append(self.first, len(self.flat.unit)))
        return np.asarray(np.repeat(values, size, axis=0))

    def residuals(self, y: FloatArray) -> FloatArray:
        """Of whitened outcomes, less the mean that the fit gives them and unit effects, (n, S)."""
        found = y - self.mean @ (self.taken.T @ y)
        one = self.flat.one[:, None]
        found -= one * self.over(self.sums(one * found) / self.sums(one**2))
        for slope in self.flat.slopes.T[:, :, None]:
            found -= slope * self.over(self.sums(slope * found))
        return found

    def squares(self, y: FloatArray) -> FloatArray:
        """The numerator of T^2 of whitened outcomes, (n, S) -> (S,)."""
        residual = self.residuals(y)
        scale = self.sums(residual**2) / self.free[:, None]
        scale[scale <= 0] = np.inf
        along = [self.sums(residual * column[:, None]) ** 2 for column in self.columns.T]
        return np.asarray((np.sum(along, axis=0) / scale).sum(axis=0))

    def cross(self) -> float:
        """What the numerator grows by with omega^2."""
        pairs = (one * other for one in self.columns.T for other in self.columns.T)
        return float(sum((self.sums(pair[:, None]) ** 2).sum() for pair in pairs))

    def errors(self, rows: OverlapDesign, name: str, average: Average) -> FloatArray:
        """How far a contrast's parts are off what they are about, by effects of units: (K, K).

        Without the sd of these effects. Of several parts the first is the effect of all policies,
        the others that of each policy alone, at the same rows.
        """
        loading = self.taken[:, : average.parts.shape[1]] @ average.parts.T
        share = 1.0 - np.array(own_shares(name, rows.policies))
        counts = [share] if len(average.parts) == 1 else [share, *np.eye(len(share))]
        own = average.weights()[:, None] * (rows.age >= 0)
        about = self.sums(own[self.flat.order])
        off = [
            (self.sums(weight[:, None] * self.columns) - about * count).ravel()
            for weight, count in zip(loading.T, counts, strict=True)
        ]
        return np.asarray(np.array(off) @ np.array(off).T)
