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
replication costs a projection. With w_i in the place of v_i, the mean square of what a unit's
columns leave of its residuals, the excess

.. math::

    \sum_k (x_{ik}' e_i)^2 - w_i |x_{ik}|^2

over its mean in replications has the expectation :math:`\omega^2 \sum_{jk} (x_{ij}' x_{ik})^2`
whatever the scale; omega^2 is their weighted ratio over units. A contrast that weighs whitened rows
by l and is about effects of its own rows that weigh t_ik then has a variance more of
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
_ZERO = 1e-9  # of a column, below which unit effects span it
_STEPS = 3


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
        large, since the autocorrelation of the fit takes up part of the differences.
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
            f"residuals of a unit follow its policies by {self.observed:.2f}, and by "
            f"{self.replicated:.2f} if effects were common ({percent(self.interval.level)} "
            f"{low:.2f} to {high:.2f}; {p_words(self.p, 1 / (self.replications + 1))}, limit "
            f"{self.limit:g})."
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
    seen, excess = units.compared(fitted.outcome[:, None])
    rng = np.random.default_rng(seed)
    n = len(fitted.outcome)
    count = int(np.clip(_NUMBERS // n, *REPLICATIONS))
    step, sums, usual = max(1, _AT_ONCE // n), [], np.zeros(len(units.first))
    for first in range(0, count, step):
        T2, more = units.compared(rng.standard_normal((n, min(step, count - first))))
        sums.append(T2)
        usual += more.sum(axis=1) / count
    again = np.concatenate(sums)
    size = float((units.columns**2).sum())
    T = np.sqrt(again / size)
    return Differing(
        float(np.sqrt(seen[0] / size)),
        float(T.mean()),
        equal_tailed(T),
        float((1 + (again >= seen[0]).sum()) / (count + 1)),
        units.between(excess[:, 0] - usual),
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
    cross, inverse
        Cross-products of each unit's columns, and their pseudo-inverse, (N, K, K).
    mean, taken
        Whitened columns of the fit's mean, and these without unit effects, over their precision,
        shape (n, J) each: ``mean @ taken.T @ y`` is the fitted mean of a whitened outcome y.
    """

    flat: Whitening
    first: np.ndarray
    columns: FloatArray
    free: FloatArray
    cross: FloatArray
    inverse: FloatArray
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
        columns, K = columns * np.repeat(there, size, axis=0), columns.shape[1]
        free = np.maximum(size - 1.0 - slopes, 1.0)
        pairs = [[columns[:, j] * columns[:, k] for k in range(K)] for j in range(K)]
        cross = np.add.reduceat(np.array(pairs), first, axis=2).transpose(2, 0, 1)
        inverse = np.linalg.pinv(cross, rcond=_ZERO, hermitian=True)
        return cls(flat, first, columns, free, cross, inverse, fitted.columns, taken)

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

    def compared(self, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The numerator of T^2 of whitened outcomes, (n, S) -> (S,), and the excesses, (N, S)."""
        residual = self.residuals(y)
        along = np.stack([self.sums(residual * column[:, None]) for column in self.columns.T])
        square, sums = self.sums(residual**2), (along**2).sum(axis=0)
        scale = square / self.free[:, None]
        scale[scale <= 0] = np.inf
        explained = np.einsum("kns,nkl,lns->ns", along, self.inverse, along)
        left = np.maximum(self.free - self.rank, 1.0)
        return (sums / scale).sum(axis=0), sums - self.size[:, None] * (square - explained) / left[
            :, None
        ]

    def between(self, excess: FloatArray) -> float:
        """omega, from each unit's excess, (N,); units whose columns leave nothing tell nothing."""
        told = (self.rank > 0.5) & (self.free - self.rank >= 0.5)
        if not told.any():
            return 0.0
        cross, size = (self.cross**2).sum(axis=(1, 2))[told], self.size[told]
        variance = 0.0
        for _ in range(_STEPS):  # weights are inverse to the variances that it implies
            weight = (1.0 + variance * cross / size) ** -2.0
            variance = max(float(weight @ excess[told] / (weight @ cross)), 0.0)
        return float(np.sqrt(variance))

    @property
    def size(self) -> FloatArray:
        """Squared length of each unit's columns, (N,)."""
        return np.asarray(np.trace(self.cross, axis1=1, axis2=2))

    @property
    def rank(self) -> FloatArray:
        """How many of each unit's columns are independent, (N,)."""
        return np.asarray(np.einsum("nkl,nlk->n", self.cross, self.inverse))

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
