"""A design before there are data: how many units adopt what, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.design.design import Design
from bayesdid.exceptions import InputError


@dataclass(frozen=True, slots=True)
class Plan:
    """A balanced panel of units under none, one or both of two policies.

    Attributes
    ----------
    none, first, second, both
        Units of each arm.
    periods
        How many.
    start, second_start
        Position (from 0) of the period in which the first and the second policy begin.
    """

    none: int
    first: int
    second: int = 0
    both: int = 0
    periods: int = 10
    start: int = 5
    second_start: int = 5

    def __post_init__(self) -> None:
        for name in ("none", "first", "second", "both"):
            if (value := getattr(self, name)) < 0:
                raise InputError(f"an arm of {name} has no units", value=value, remedy="give >= 0")
        if not 0 < self.start < self.periods or not 0 < self.second_start < self.periods:
            raise InputError(
                "a policy begins outside of the panel, or in its first period",
                value=f"{self.start}, {self.second_start} of {self.periods}",
                remedy="let it begin after the first period and before the last ends",
            )
        if not self.first + self.second + self.both:
            raise InputError("nobody is treated", remedy="give an arm with a policy")

    @property
    def design(self) -> Design:
        """The regressors; outcomes are zero, since there are none yet."""
        arms = np.repeat(np.arange(4), (self.none, self.first, self.second, self.both))
        N, T = len(arms), self.periods
        unit, period = (a.ravel().astype(np.int64) for a in np.mgrid[:N, :T])
        a = (np.isin(arms[unit], (1, 3)) & (period >= self.start)) / 1.0
        b = (np.isin(arms[unit], (2, 3)) & (period >= self.second_start)) / 1.0
        columns = {"first": a, "second": b, "both beyond their sum": a * b}
        kept = {name: values for name, values in columns.items() if values.any()}
        return Design(
            spec_id="plan",
            study_id="plan",
            outcome="outcome",
            y=np.zeros(N * T),
            D=np.column_stack([*kept.values()]),
            X=np.empty((N * T, 0)),
            treatments=tuple(kept),
            covariates=(),
            unit_index=unit,
            period_index=period,
            units=np.arange(N),
            periods=np.arange(T),
            unit_dim="unit",
            period_dim="period",
            unit_effects="fixed",
            period_effects="fixed",
            synthetic=None,
            panel_sha256="",
        )
