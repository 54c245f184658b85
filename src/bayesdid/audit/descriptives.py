"""Descriptive statistics against the inequalities that all data obey."""

from __future__ import annotations

import math

from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import count
from bayesdid.audit.finding import Outcome, compare
from bayesdid.study.load import Study

_ROWS = ("all four numbers describe the same rows",)


def descriptives(study: Study) -> Outcome:
    """Min <= mean <= max; sd at most sqrt((max - mean)(mean - min) n / (n - 1)).

    The bound on the sd is that of Bhatia & Davis (2000, doi:10.2307/2589180); a 0/1 variable
    attains it.
    """
    for table in study.tables.values():
        n = count(table.n) or 1_000_000
        for row in table.moments:
            place = f"{table.id}:{row.column}"
            if row.min is None or row.max is None:
                continue
            mean, low, high = Bounds.of(row.mean), Bounds.of(row.min), Bounds.of(row.max)
            yield compare(
                "descriptives",
                place,
                "min <= mean <= max",
                mean,
                Bounds(low.low, high.high),
                severity="contradiction",
                assumptions=_ROWS,
                text=f"the mean {row.mean} lies outside {row.min} to {row.max}.",
            )
            if row.sd is None:
                continue
            sd = Bounds.of(row.sd)
            factor = math.sqrt(n / (n - 1))
            most = math.sqrt(max(high.high - mean.low, 0) * max(mean.high - low.low, 0)) * factor
            yield compare(
                "descriptives",
                place,
                "sd at most sqrt((max - mean)(mean - min))",
                sd,
                Bounds(0.0, most),
                severity="contradiction",
                assumptions=_ROWS,
                text=f"the sd {row.sd} is larger than any data with mean {row.mean} between "
                f"{row.min} and {row.max} can have ({most:.4f}).",
            )
            if row.column == "both" and (low.middle, high.middle) == (0.0, 1.0):
                exact = (mean * (Bounds.exactly(1.0) - mean)).sqrt() * Bounds.exactly(factor)
                yield compare(
                    "descriptives",
                    place,
                    "sd of a 0/1 variable = sqrt(mean (1 - mean))",
                    sd,
                    exact,
                    severity="contradiction",
                    assumptions=("the variable is 0 or 1",),
                    text=f"a 0/1 variable with mean {row.mean} has sd {exact.middle:.4f}, printed "
                    f"is {row.sd}.",
                )
