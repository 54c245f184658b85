"""Kinds of periods: how many a year has, how a count of one is written, which is coarser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import pandas as pd

Kind = Literal[
    "number", "year", "half-year", "quarter", "month", "week", "ISO week", "weekday", "day", "wave"
]
Order = Literal["", "day first", "month first"]

LATE = 69
"""Years of two digits from here on are of the century before."""

PER_YEAR = {"year": 1, "half-year": 2, "quarter": 4, "month": 12, "week": 52}
"""Periods of a year, of the kinds that divide it; weeks as Stata counts them. ISO weeks do not."""


@dataclass(frozen=True, slots=True)
class Writing:
    """How a panel's periods are written, by which a column beside them is read.

    Attributes
    ----------
    kind
        What they are.
    order
        Of day and month, where both are numbers before the year.
    decimal
        Whether they are years with decimals, so that 2010 is the first quarter or month of it.
    serial
        Whether they are counts of days as spreadsheets store dates.
    short
        Whether they are years of two digits, or months by name with one.
    part
        What numbers from 1 to 4 beside a year are, where it is not months; ``month`` where 2010.1
        is January, not October.
    year
        Where a year of two digits stands beside the number of a month.
    """

    kind: Kind = "number"
    order: Order = ""
    decimal: bool = False
    serial: bool = False
    short: bool = False
    part: Literal["", "quarter", "month"] = ""
    year: Literal["", "first", "last"] = ""


def written(kind: Kind, index: int) -> str:
    """A count in the usual way of its kind: 2010, 2010q4, 2010-10, 2010-W42, 2010-10-31."""
    if kind in {"number", "year"}:
        return str(index)
    if kind == "wave":
        return f"wave {index}"
    if kind in {"day", "weekday"}:
        day = index if kind == "day" else day_of_weekday(index)
        return (date.min + timedelta(days=day - 1)).isoformat()
    if kind == "ISO week":
        year, week, _ = _monday(index).isocalendar()
        return f"{year}-W{week:02d}"
    year, k = divmod(index, PER_YEAR[kind])
    if kind == "month":
        return f"{year}-{k + 1:02d}"
    return f"{year}{kind[0]}{k + 1}"


def year_of(kind: Kind, index: int) -> int:
    """The year that a count lies in; a plain number is its own."""
    if kind in {"day", "weekday"}:
        return date.fromordinal(index if kind == "day" else day_of_weekday(index)).year
    if kind == "ISO week":
        return _monday(index).isocalendar().year
    return index // PER_YEAR.get(kind, 1)


def coarser(kind: Kind, to: Kind, index: pd.Series) -> pd.Series:
    """Counts of one kind in a coarser one: the year of a date. NaN if `to` is not coarser."""
    if to == "number":
        to = "year"
    if kind == "number" or kind == to or "wave" in {kind, to}:
        return index.astype(float) if kind == to else index * np.nan
    if kind == "ISO week":  # it lies where its Thursday does
        return coarser("day", to, 7 * index + 4) if to != "day" else index * np.nan
    if kind == "weekday":
        return coarser("day", to, day_of_weekday(index)) if to != "day" else index * np.nan
    if kind == "day":
        if to == "weekday":
            return weekdays(index).astype(float)
        if to == "ISO week":
            return ((index - 1) // 7).astype(float)
        days = [date.fromordinal(int(value)) for value in index]
        months = pd.Series([12 * day.year + day.month - 1 for day in days], index=index.index)
        if to == "week":
            week = [52 * d.year + min((d.timetuple().tm_yday - 1) // 7, 51) for d in days]
            return pd.Series(week, index=index.index, dtype=float)
        return coarser("month", to, months)
    fine, coarse = PER_YEAR[kind], PER_YEAR.get(to, 0)
    if not coarse or fine % coarse or fine < coarse:
        return index * np.nan
    return (index // (fine // coarse)).astype(float)


def weekdays(days: pd.Series) -> pd.Series:
    """Mondays to Fridays before each day; what lies on a weekend counts as the Monday after."""
    return 5 * ((days - 1) // 7) + ((days - 1) % 7).clip(upper=5)


def day_of_weekday[N: (int, pd.Series)](index: N) -> N:
    """The day, or days, that :func:`weekdays` counts so."""
    return 7 * (index // 5) + index % 5 + 1


def iso_week(year: int, week: int) -> int | None:
    """Weeks from that of the first day there is to a week of ISO 8601; None if there is none."""
    try:
        return (date.fromisocalendar(year, week, 1).toordinal() - 1) // 7
    except ValueError:
        return None


def four_digits(year: int) -> int:
    """A year of two digits as POSIX reads it: 69 is 1969, 68 is 2068."""
    return year + (1900 if year >= LATE else 2000)


def two_digits_said(example: str) -> str:
    """What is assumed of years of two digits."""
    return f"years of two digits are {four_digits(LATE)} to {four_digits(LATE - 1)} ({example})"


def coverage(counts: Sequence[int]) -> float:
    """Share of the steps between first and last, at the spacing of all, that are there."""
    seen = np.unique(np.asarray(counts, dtype=np.int64))
    if len(seen) < 2:
        return 1.0
    return len(seen) / (int(seen[-1] - seen[0]) / int(np.gcd.reduce(np.diff(seen))) + 1)


def _monday(index: int) -> date:
    return date.fromordinal(7 * index + 1)
