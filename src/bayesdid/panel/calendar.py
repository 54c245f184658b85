"""A column of periods as counts of one kind: quarters since year 0, days since year 1.

Neighbours are one apart. Nothing is guessed value by value: a way to write a period counts if all
values of the column are written in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from bayesdid.exceptions import InputError
from bayesdid.panel.dated_texts import Counts, dated_texts
from bayesdid.panel.dates import Odd, day_of
from bayesdid.panel.kinds import (
    Kind,
    Writing,
    coverage,
    four_digits,
    two_digits_said,
    weekdays,
    written,
)

NEVER = frozenset(
    {"", ".", "na", "nan", "nat", "never", "none", "null", "<na>", "inf", "no", "control"}
    | {"never treated", "never-treated", "not treated", "untreated", "never adopted"}
    | {"否", "无", "从未", "未", "未试点", "未实施", "非试点", "未处理", "对照组", "控制组"}
)

_FIRST, _LAST = 1500, 2500  # years that a number with a month or quarter in it may hold
_BIGGEST = 2.0**53  # beyond, not every whole number is a double
# kind, how many a year has, and how far from a whole number two or three decimals may lead
_DECIMALS: tuple[tuple[Kind, int, float], ...] = (("quarter", 4, 0.02), ("month", 12, 0.07))
_EPOCH = date(1899, 12, 30).toordinal()  # day 0 of a spreadsheet, as it counts from March 1900 on
_SERIAL = (date(1970, 1, 1).toordinal() - _EPOCH, date(2100, 1, 1).toordinal() - _EPOCH)
_MONTH_YEAR = re.compile(r"(0?[1-9]|1[0-2])\.(1[5-9]|2[0-4])[0-9]{2}")  # 03.2008: no number
_YEARS = 1900, 2100  # as days of a spreadsheet they lie in 1905, of which there are no panels
_CODE = 10_000  # numbers beyond, of which few follow each other, are some code of dates
_FEW = 0.1
_MOST = 0.9


@dataclass(frozen=True, slots=True)
class Periods:
    """A column of periods: how it is written, its counts, each as typed, and what was assumed."""

    writing: Writing
    index: pd.Series
    typed: list[str]
    assumed: tuple[str, ...] = field(default=())

    @property
    def kind(self) -> Kind:
        """What a period is."""
        return self.writing.kind


def read_periods(
    values: pd.Series, source: str, column: str, rows: pd.Series, *, like: Writing | None = None
) -> Periods:
    """Read a column that holds no missing value.

    Parameters
    ----------
    values
        Numbers, dates or text.
    rows
        Row of each value as a person counts, for messages.
    like
        How the panel's periods are written, for a column that is to be compared with them.

    Raises
    ------
    InputError
        Naming the first value that is no period, or no period of the kind of the others, or that
        can be read in two ways which nothing in the column tells apart.
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        stamps = values.dt.tz_localize(None) if values.dt.tz is not None else values
        _refuse_far(stamps, source, column, rows)
        days = pd.Series([moment.toordinal() for moment in stamps], index=values.index)
        dates = [f"{moment:%Y-%m-%d}" for moment in stamps]
        if (days - _EPOCH).between(*_YEARS).all():
            years = days - _EPOCH
            said = f"{dates[0]} is read as {years.iloc[0]}: a year under a format of dates"
            return Periods(Writing("year"), years, [*map(str, years)], (said,))
        found = Periods(Writing("day"), days, dates)
        return _from_days(found, stored=True) if like is None else found
    typed = [_plain(value) for value in values]
    distinct = list(dict.fromkeys(typed))
    numbers = {text: _number(text) for text in distinct}
    try:
        if all(number is not None for number in numbers.values()) and not all(
            map(_MONTH_YEAR.fullmatch, distinct)
        ):
            read = _numbers({t: n for t, n in numbers.items() if n is not None}, like)
        else:
            read = dated_texts(distinct, like)
    except Odd as odd:
        where = typed.index(odd.text)
        subject = "a period" if odd.problem.startswith("must") else f"'{odd.text}'"
        raise InputError(
            f"{subject} {odd.problem}",
            file=source,
            column=column,
            row=int(rows.iloc[where]),
            value=odd.text,
            remedy=odd.remedy,
        ) from odd
    index = pd.Series([read.counts[text] for text in typed], index=values.index)
    periods = Periods(read.writing, index, typed, read.assumed)
    return _from_days(periods, stored=False) if like is None else periods


def _refuse_far(stamps: pd.Series, source: str, column: str, rows: pd.Series) -> None:
    """Refuse stored dates beyond the years 1 to 9999: a code under a format of dates."""
    years = stamps.dt.year
    if (far := ~years.between(1, 9999)).any():
        raise InputError(
            f"a date in the year {years[far.idxmax()]}: a code that is shown as a date?",
            file=source,
            column=column,
            row=int(rows[far.idxmax()]),
            remedy="leave the cell empty where there is no date",
        )


def _plain(value: object) -> str:
    if str(value).strip().lower() in {"true", "false"}:  # of two waves the later one
        return str(int(str(value).strip().lower() == "true"))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) and "_" not in text else None


def _whole(number: float) -> bool:
    return number % 1 == 0 and abs(number) < _BIGGEST


def _numbers(numbers: dict[str, float], like: Writing | None) -> Counts:
    """Numbers as what they stand for: 201012 a month, 20104 and 2010.75 a quarter."""
    decimal = like is not None and like.decimal
    if not decimal and all(_whole(number) for number in numbers.values()):
        return _whole_numbers({text: int(number) for text, number in numbers.items()}, like)
    inside = all(_FIRST <= number <= _LAST for number in numbers.values())
    fractional = sum(not _whole(number) for number in numbers.values())
    if inside and (decimal or (like is None and 5 * fractional >= 2 * len(numbers))):
        for kind, per_year, slack in _DECIMALS:
            scaled = {text: number * per_year for text, number in numbers.items()}
            fits = all(abs(value - round(value)) <= slack for value in scaled.values())
            if fits and (like is None or like.kind == kind):
                counts = {text: round(value) for text, value in scaled.items()}
                return Counts(Writing(kind, decimal=True), counts)
    if inside and not decimal and (found := _dotted(numbers, like)) is not None:
        return found
    raise Odd(next(t for t, n in numbers.items() if not _whole(n)), "must be a whole number")


def _dotted(numbers: dict[str, float], like: Writing | None) -> Counts | None:
    """2010.01 to 2010.12 as months, as a number 2010.1 the tenth; 2010.1 to 2010.4 as quarters."""
    parts = {text: text.partition(".")[2] for text in numbers}
    years = {text: text[:4] for text in numbers}
    quarters = {*parts.values()} == {"1", "2", "3", "4"} and len({*years.values()}) > 1
    if quarters if like is None else like.part == "quarter":
        texts = [f"{years[text]}-{part}" for text, part in parts.items()]
        return dated_texts(texts, like).renamed([*numbers])
    if like is None and {"1", "10"} <= {*parts.values()}:  # typed as text: no number ends in 0
        return _months_behind(parts, r"[1-9]|1[0-2]", Writing("month", part="month"))
    if like is not None and like.part == "month":
        return _months_behind(parts, r"0?[1-9]|1[0-2]", like)
    padded = any(part.startswith("0") for part in parts.values())
    if not (padded if like is None else like.kind in {"month", "number", "year"}):
        return None
    parts = {text: f"{part:<02}" for text, part in parts.items()}
    return _months_behind(parts, r"0[1-9]|1[0-2]", Writing("month"))


def _months_behind(parts: dict[str, str], way: str, writing: Writing) -> Counts | None:
    """Months whose number stands behind the dot; None if that of one is not written that way."""
    if not all(re.fullmatch(way, part) for part in parts.values()):
        return None
    counts = {text: 12 * int(text[:4]) + int(part) - 1 for text, part in parts.items()}
    return Counts(writing, counts)


def _whole_numbers(whole: dict[str, int], like: Writing | None) -> Counts:
    if like is not None and like.kind == "wave":
        return Counts(Writing("wave"), whole)
    for of_two_digits in (_short_years, _short_months):
        if (short := of_two_digits(whole, like)) is not None:
            return short
    if all(_FIRST <= n // 100 <= _LAST and 1 <= n % 100 <= 12 for n in whole.values()):
        return Counts(
            Writing("month"), {t: 12 * (n // 100) + n % 100 - 1 for t, n in whole.items()}
        )
    if all(_FIRST <= n // 10 <= _LAST and 1 <= n % 10 <= 4 for n in whole.values()):
        parts = [f"{n // 10}q{n % 10}" for n in whole.values()]
        if like is None and _are_halves(whole):
            raise Odd(
                next(iter(whole)),
                "may be a quarter or a half-year: no number beyond 2 in any year",
                "write 2010q1 or 2010h1",
            )
        return dated_texts(parts, like).renamed([*whole])
    if all(_FIRST <= n // 100 <= _LAST and 1 <= n % 100 <= 53 for n in whole.values()):
        return dated_texts([f"{n // 100}w{n % 100}" for n in whole.values()], like).renamed(
            [*whole]
        )
    for of in (_year_month_day, _year_day):
        days = {text: of(n) for text, n in whole.items()}
        if all(day is not None for day in days.values()):
            return Counts(Writing("day"), {t: day for t, day in days.items() if day is not None})
    if (like is None or like.serial) and all(_SERIAL[0] <= n < _SERIAL[1] for n in whole.values()):
        counts = {text: n + _EPOCH for text, n in whole.items()}
        text, day = next(iter(counts.items()))
        said = f"{text} is read as {written('day', day)}: a spreadsheet's count of days"
        return Counts(Writing("day", serial=True), counts, (said,))
    years = all(_FIRST <= n <= _LAST for n in whole.values())
    if like is not None and like.kind != "number" and years:
        return Counts(Writing("year"), whole)
    if like is None and max(whole.values()) > _CODE and coverage([*whole.values()]) < _FEW:
        raise Odd(
            next(iter(whole)),
            "is a number of which few of the others are neighbours: a date in some code?",
            "write all periods in one way: 2010, 2010q4, 2010-10, 2010-10-31, or 1, 2, 3",
        )
    return Counts(Writing("number"), whole)


def _short_years(whole: dict[str, int], like: Writing | None) -> Counts | None:
    """98, 99, 00, 01 as years, where both centuries are there and these have no such gap."""
    if not all(0 <= n < 100 for n in whole.values()):
        return None
    years = {text: four_digits(n) for text, n in whole.items()}
    if like is None:
        turned = min(years.values()) < 2000 <= max(years.values())
        if not turned or coverage([*years.values()]) <= 2 * coverage([*whole.values()]):
            return None
    elif not (like.kind == "year" and like.short):
        return None
    return Counts(Writing("year", short=True), years, (two_digits_said(next(iter(whole))),))


def _short_months(whole: dict[str, int], like: Writing | None) -> Counts | None:
    """801 to 1012 as months of 2008 to 2010, where these are all there and numbers have gaps."""
    if not all(0 < n < 10_000 and 1 <= n % 100 <= 12 for n in whole.values()):
        return None
    months = {text: 12 * four_digits(n // 100) + n % 100 - 1 for text, n in whole.items()}
    if like is None:
        seen = coverage([*months.values()])
        if seen < _MOST or seen <= 2 * coverage([*whole.values()]):
            return None
    elif not (like.kind == "month" and like.year == "first"):
        return None
    text, month = next(iter(months.items()))
    said = f"{text} is read as {written('month', month)}: a year of two digits and a month"
    return Counts(Writing("month", short=True, year="first"), months, (said,))


def _are_halves(whole: dict[str, int]) -> bool:
    return {n % 10 for n in whole.values()} == {1, 2} and len({n // 10 for n in whole.values()}) > 1


def _year_month_day(n: int) -> int | None:
    return day_of(n // 10000, n // 100 % 100, n % 100)


def _year_day(n: int) -> int | None:
    """2008032, the 32nd day of 2008."""
    first = day_of(n // 1000, 1, 1)
    if first is None or not 1 <= n % 1000 <= 366:
        return None
    day = first + n % 1000 - 1
    return day if date.fromordinal(day).year == n // 1000 else None


def _one_in_each(days: pd.Series, months: pd.Series) -> str:
    """Whether dates are one in each ``month`` or ``year``: last trading days, days of interviews.

    As days hardly any of their steps would be there, as months or years nearly all are.
    """
    seen = days.unique()
    if coverage(seen) >= _FEW:
        return ""
    for name, index in (("month", months), ("year", months // 12)):
        held = index.unique()
        if len(held) == len(seen) and coverage(held) >= _MOST:
            return name
    return ""


def _without_weekends(read: Periods) -> Periods:
    """Days as Mondays to Fridays, where none lies on a weekend and nearly all others are there."""
    counted = weekdays(read.index)
    if ((read.index - 1) % 7 >= 5).any() or coverage(read.index.unique()) >= _MOST:
        return read
    if coverage(counted.unique()) < _MOST:
        return read
    said = "days count from Monday to Friday: none is on a weekend"
    return replace(
        read,
        writing=replace(read.writing, kind="weekday"),
        index=counted,
        assumed=(*read.assumed, said),
    )


def _from_days(read: Periods, *, stored: bool) -> Periods:
    """Dates that stand for months or years are read as these: on the first, the last, one in each.

    Stored dates that begin the 52 weeks that Stata gives a year are these weeks: the last has eight
    days or nine, so that days would be what is between them all.
    """
    if read.kind != "day":
        return read
    days = read.index
    dates = [date.fromordinal(int(value)) for value in days]
    firsts = len({day.day for day in dates}) == 1
    lasts = all((day + timedelta(days=1)).day == 1 for day in dates)
    months = pd.Series([12 * day.year + day.month - 1 for day in dates], index=days.index)
    each = "" if firsts or lasts else _one_in_each(days, months)
    if each == "year":
        months -= months.mod(12)
    if not (firsts or lasts or each):
        starts = [day.timetuple().tm_yday - 1 for day in dates]
        seen = np.unique(days)
        uneven = int(np.gcd.reduce(np.diff(seen))) % 7 if len(seen) > 1 else 0
        if stored and uneven and all(k % 7 == 0 and k < 7 * 52 for k in starts):
            weeks = [52 * day.year + k // 7 for day, k in zip(dates, starts, strict=True)]
            typed = [written("week", week) for week in weeks]
            return Periods(Writing("week"), pd.Series(weeks, index=days.index), typed)
        return _without_weekends(read)

    def at(kind: Kind, index: pd.Series) -> Periods:
        said = (f"{read.typed[0]} stands for its {kind}: one date in each",) if each else ()
        typed = [written(kind, int(value)) for value in index] if stored else read.typed
        return Periods(replace(read.writing, kind=kind), index, typed, (*read.assumed, *said))

    if len(set(months.mod(12))) == 1:
        return at("year", months // 12)
    if stored and len(set(months.mod(6))) == 1:
        return at("half-year", months // 6)
    if stored and len(set(months.mod(3))) == 1:
        return at("quarter", months // 3)
    return at("month", months)
