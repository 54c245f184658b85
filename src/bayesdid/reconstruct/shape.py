"""What is printed of a column's distribution, or stands for it."""

from __future__ import annotations

from dataclasses import dataclass


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
