"""What is printed of a column's distribution, or stands for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Shape:
    """Moments of a sought column.

    Attributes
    ----------
    mean, sd, low, high
        Moments; infinite bounds where none are printed.
    within
        Standard deviation that unit and period effects leave, 0 < within < sd.
    never_low
        Whether the lowest value is a bound that no cell need have.
    """

    mean: float
    sd: float
    low: float
    high: float
    within: float
    never_low: bool = False

    @property
    def skewed(self) -> bool:
        """Whether values within two standard deviations of the mean would pass a bound."""
        return self.mean - 2 * self.sd < self.low

    @property
    def stretch(self) -> float:
        """By what factor its log scale is that of a skewed column whose sd is its mean; >= 1.

        The log scale of a log-normal variable whose sd is c times its mean is sqrt(log(1 + c^2)).
        """
        if not self.skewed or not np.isfinite(self.low) or self.mean <= self.low:
            return 1.0
        c = self.sd / (self.mean - self.low)
        return max(1.0, float(np.sqrt(np.log1p(c**2) / np.log(2.0))))
