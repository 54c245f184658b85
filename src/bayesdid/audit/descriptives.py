"""Descriptive statistics against the inequalities that all data obey."""

from __future__ import annotations

import math

from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import count
from bayesdid.audit.finding import Finding, Outcome, compare
from bayesdid.study.load import Study
from bayesdid.study.schema import Moments

_ROWS = ("all four numbers describe the same rows",)


def descriptives(study: Study) -> Outcome:
    """Min <= mean <= max; sd at most sqrt((max - mean)(mean - min) n / (n - 1)); what extremes add.

    The bound on the sd is that of Bhatia & Davis (2000, doi:10.2307/2589180); a 0/1 variable
    attains it. One row each has the minimum and the maximum: the mean is at least (max - min) / n
    off either, and the sd at least what these two rows make of it.
    """
    for table in study.tables.values():
        for row in table.moments:
            yield from of_row(f"{table.id}:{row.column}", row, count(row.n or table.n))


def of_row(place: str, row: Moments, rows: int | None) -> Outcome:
    """One row of moments, of so many rows of data if that is printed."""
    if row.min is None or row.max is None:
        return
    n = rows or 1_000_000
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
    if rows is not None and n > 1:
        yield _mean_of_extremes(place, row, mean, low, high, n)
    if row.sd is None:
        return
    sd = Bounds.of(row.sd)
    if rows is not None and n > 2:
        yield _sd_of_extremes(place, row, mean, low, high, n)
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


def _mean_of_extremes(
    place: str, row: Moments, mean: Bounds, low: Bounds, high: Bounds, n: int
) -> Finding | None:
    """One row has the maximum and one the minimum: the mean is that far from either."""
    off = max(high.low - low.high, 0.0) / n
    return compare(
        "descriptives",
        place,
        "mean at least (max - min) / n from the extremes",
        mean,
        Bounds(low.low + off, high.high - off),
        severity="contradiction",
        assumptions=_ROWS,
        text=f"one of {n} rows has {row.min} and one {row.max}: the mean {row.mean} is nearer to "
        "one of them than that allows.",
    )


def _sd_of_extremes(
    place: str, row: Moments, mean: Bounds, low: Bounds, high: Bounds, n: int
) -> Finding | None:
    """The sd if all rows but the two extremes are alike, least over the means and extremes."""
    least = math.inf
    for centre in mean.pair:
        above, below = max(high.low - centre, 0.0), max(centre - low.high, 0.0)
        squares = above**2 + below**2 + (above - below) ** 2 / (n - 2)
        least = min(least, squares)
    inside = max(mean.low, min(mean.high, (high.low + low.high) / 2))
    squares = 2 * max(0.0, (high.low - low.high) / 2) ** 2
    if abs(inside - (high.low + low.high) / 2) < 1e-12:
        least = min(least, squares)
    bound = math.sqrt(least / n)
    return compare(
        "descriptives",
        place,
        "sd at least what the minimum and the maximum make of it",
        Bounds.of(str(row.sd)),
        Bounds(bound, math.inf),
        severity="contradiction",
        assumptions=_ROWS,
        text=f"{n} rows with mean {row.mean}, of which one is {row.min} and one {row.max}, have "
        f"an sd of at least {bound:.4g}; printed is {row.sd}.",
    )
