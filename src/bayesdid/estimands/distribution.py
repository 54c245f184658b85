"""A posterior of one quantity in few numbers: moments, an interval, how much lies below what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from bayesdid.arrays import FloatArray
from bayesdid.summary import Interval, hdi, normal_interval

# where quantiles of draws are kept: between them a probability is off by half a percent at most
PROBABILITIES = (0.0, 0.005, *(k / 100 for k in range(1, 100)), 0.995, 1.0)


@dataclass(frozen=True, slots=True)
class Distribution:
    """A posterior, or an estimate and its standard error read as one.

    Attributes
    ----------
    mean, sd, interval
        Of the quantity, in its unit.
    p_negative
        Probability below zero.
    quantiles
        At :data:`PROBABILITIES`; empty for a normal distribution, which mean and sd describe.
    """

    mean: float
    sd: float
    interval: Interval
    p_negative: float
    quantiles: tuple[float, ...] = ()

    def below(self, value: float) -> float:
        """Probability of less than `value`."""
        if value == 0.0:
            return self.p_negative
        if not self.quantiles:
            return _normal_below(self.mean, self.sd, value)
        return float(np.interp(value, self.quantiles, PROBABILITIES, left=0.0, right=1.0))

    def negated(self) -> Distribution:
        """Of minus the quantity."""
        low, high, level = self.interval.low, self.interval.high, self.interval.level
        return Distribution(
            -self.mean,
            self.sd,
            Interval(-high, -low, level),
            1 - self.p_negative,
            tuple(-value for value in reversed(self.quantiles)),
        )


def distribution_of(draws: FloatArray) -> Distribution:
    """Of draws, shape (S,)."""
    flat = np.ravel(draws)
    quantiles = np.quantile(flat, PROBABILITIES)
    return Distribution(
        float(flat.mean()),
        float(flat.std(ddof=1)),
        hdi(flat),
        float((flat < 0).mean()),
        tuple(float(value) for value in quantiles),
    )


def normal_distribution(mean: float, sd: float) -> Distribution:
    """Of an estimate and its standard error, under a flat prior."""
    return Distribution(mean, sd, normal_interval(mean, sd), _normal_below(mean, sd, 0.0))


def _normal_below(mean: float, sd: float, value: float) -> float:
    return float(norm.cdf((value - mean) / sd)) if sd > 0 else float(mean < value)
