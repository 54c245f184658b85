"""Ways to write a period: years, quarters, months, weeks, dates, and numbers that stand for them.

Every way is mapped to a count of its own kind (quarters since year 0, days since year 1), in which
neighbours are one apart. Nothing is guessed value by value: a way counts if all values of the
column are written in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import pandas as pd

from bayesdid.exceptions import InputError

Kind = Literal["number", "year", "half-year", "quarter", "month", "week", "day", "wave"]
NEVER = frozenset({"", ".", "na", "nan", "nat", "never", "none", "null", "<na>", "inf"})

_PER_YEAR = {"year": 1, "half-year": 2, "quarter": 4, "month": 12, "week": 52}
_FIRST, _LAST = 1500, 2500  # years that a number with a month or quarter in it may hold
_BIGGEST = 2.0**53  # beyond, not every whole number is a double
_HAN = {"一": 1, "二": 2, "三": 3, "四": 4, "上": 1, "下": 2}
# kind, how many a year has, and how far from a whole number two or three decimals may lead
_DECIMALS: tuple[tuple[Kind, int, float], ...] = (("quarter", 4, 0.02), ("month", 12, 0.07))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TEN = "一二三四五六七八九十"
# W1, wave 1, Round 2, t3, 第1期, 第一轮: the same words around numbers, of no calendar
_WAVE = re.compile(
    r"(?P<before>w|wave|t|time|r|rd|round|p|period|phase|stage|survey|welle|vague|ola|onda)"
    r"(?P<gap>[ ._-]*)(?P<k>[0-9]{1,3})"
    rf"|(?P<han>第?)\s*(?P<n>[0-9]{{1,3}}|[{_TEN}])\s*(?P<after>期|轮|次|波|阶段|轮次)"
)
_Y = r"(?P<y>\d{4})"
_FISCAL = re.compile(rf"(?:fy|ay)?[- ]?{_Y}(?:[-/–](?P<end>\d{{2}}|\d{{4}}))?")
_WAYS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("year", re.compile(rf"{_Y}\s*年")),
    ("half-year", re.compile(rf"{_Y}[-/ ]?[hs](?P<k>[12])")),
    ("half-year", re.compile(rf"{_Y}\s*年?\s*(?P<k>[上下])半年")),
    ("quarter", re.compile(rf"{_Y}[-/.: ]?q(?P<k>[1-4])")),
    ("quarter", re.compile(rf"q(?P<k>[1-4])[-/.: ]?{_Y}")),
    ("quarter", re.compile(rf"{_Y}\s*年\s*第?\s*(?P<k>[1-4一二三四])\s*季度?")),
    ("month", re.compile(rf"{_Y}[-/.](?P<k>\d{{1,2}})")),
    ("month", re.compile(rf"{_Y}[-/ ]?m(?P<k>\d{{1,2}})")),
    ("month", re.compile(rf"{_Y}\s*年\s*(?P<k>\d{{1,2}})\s*月")),
    ("month", re.compile(rf"(?P<k>[a-z]{{3,9}})[-/. ]*{_Y}")),
    ("month", re.compile(rf"{_Y}[-/. ]*(?P<k>[a-z]{{3,9}})")),
    ("week", re.compile(rf"{_Y}[-/ ]?w(?P<k>\d{{1,2}})")),
    ("day", re.compile(rf"{_Y}[-/.](?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}})(?:[t ][\d:.]+z?)?")),
    ("day", re.compile(rf"{_Y}\s*年\s*(?P<m>\d{{1,2}})\s*月\s*(?P<d>\d{{1,2}})\s*日")),
    ("day", re.compile(r"(?P<d>\d{1,2})[- ]?(?P<mon>[a-z]{3,9})[- ]?(?P<y>\d{4})")),
)


@dataclass(frozen=True, slots=True)
class Periods:
    """A column of periods: their common kind, their counts, and each as it was typed."""

    kind: Kind
    index: pd.Series
    typed: list[str]


def read_periods(
    values: pd.Series,
    source: str,
    column: str,
    rows: pd.Series,
    *,
    as_kind: Kind | None = None,
    decimal: bool = False,
) -> Periods:
    """Read a column that holds no missing value.

    Parameters
    ----------
    values
        Numbers, dates or text.
    rows
        Row of each value as a person counts, for messages.
    as_kind
        Kind of the panel's periods, for a column that is to be compared with them.
    decimal
        Whether these are years with decimals, so that 2010 is the first quarter or month of it.

    Raises
    ------
    InputError
        Naming the first value that is no period, or no period of the kind of the others.
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        stamps = values.dt.tz_localize(None) if values.dt.tz is not None else values
        days = pd.Series([moment.toordinal() for moment in stamps], index=values.index)
        dates = [f"{moment:%Y-%m-%d}" for moment in stamps]
        return (
            _from_days(days, dates, stored=True) if as_kind is None else Periods("day", days, dates)
        )
    typed = [_plain(value) for value in values]
    distinct = list(dict.fromkeys(typed))
    numbers = {text: _number(text) for text in distinct}
    if all(number is not None for number in numbers.values()):
        known = {text: number for text, number in numbers.items() if number is not None}
        found = _numbers(known, as_kind, decimal)
        if found is None:
            odd = next(text for text, number in known.items() if not _whole(number))
            raise _refusal(odd, "must be a whole number", typed, source, column, rows)
        kind, counts = found
    elif waves := _waves(distinct):
        kind, counts = "wave", waves
    elif years := _fiscal(distinct):
        kind, counts = "year", years
    else:
        kind, counts = _texts(distinct, typed, source, column, rows)
    index = pd.Series([counts[text] for text in typed], index=values.index)
    if kind == "day" and as_kind is None:
        return _from_days(index, typed, stored=False)
    return Periods(kind, index, typed)


def written(kind: Kind, index: int) -> str:
    """A count in the usual way of its kind: 2010, 2010q4, 2010-10, 2010-10-31."""
    if kind in {"number", "year"}:
        return str(index)
    if kind == "wave":
        return f"wave {index}"
    if kind == "day":
        return (date.min + timedelta(days=index - 1)).isoformat()
    year, k = divmod(index, _PER_YEAR[kind])
    if kind == "month":
        return f"{year}-{k + 1:02d}"
    return f"{year}{kind[0]}{k + 1}"


def coarser(kind: Kind, to: Kind, index: pd.Series) -> pd.Series:
    """Counts of one kind in a coarser one: the year of a date. NaN if `to` is not coarser."""
    if to == "number":
        to = "year"
    if kind == "number" or kind == to or "wave" in {kind, to}:
        return index.astype(float) if kind == to else index * np.nan
    if kind == "day":
        days = [date.fromordinal(int(value)) for value in index]
        months = pd.Series([12 * day.year + day.month - 1 for day in days], index=index.index)
        if to == "week":
            week = [52 * d.year + min((d.timetuple().tm_yday - 1) // 7, 51) for d in days]
            return pd.Series(week, index=index.index, dtype=float)
        return coarser("month", to, months)
    fine, coarse = _PER_YEAR[kind], _PER_YEAR.get(to, 0)
    if not coarse or fine % coarse or fine < coarse:
        return index * np.nan
    return (index // (fine // coarse)).astype(float)


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


def _numbers(
    numbers: dict[str, float], as_kind: Kind | None, decimal: bool
) -> tuple[Kind, dict[str, int]] | None:
    """Numbers as what they stand for: 201012 a month, 20104 and 2010.75 a quarter."""
    if not decimal and all(_whole(number) for number in numbers.values()):
        whole = {text: int(number) for text, number in numbers.items()}
        if as_kind == "wave":
            return "wave", whole
        packed: tuple[tuple[Kind, int, int], ...] = (("month", 100, 12), ("quarter", 10, 4))
        for kind, base, most in packed:
            if all(_FIRST <= n // base <= _LAST and 1 <= n % base <= most for n in whole.values()):
                return kind, {t: most * (n // base) + n % base - 1 for t, n in whole.items()}
        days = {text: _day(n // 10000, n // 100 % 100, n % 100) for text, n in whole.items()}
        if all(day is not None for day in days.values()):
            return "day", {text: day for text, day in days.items() if day is not None}
        years = all(_FIRST <= n <= _LAST for n in whole.values())
        if as_kind not in {None, "number"} and years:
            return "year", whole
        return "number", whole
    inside = all(_FIRST <= number <= _LAST for number in numbers.values())
    fractional = sum(not _whole(number) for number in numbers.values())
    if inside and (decimal or (as_kind is None and 5 * fractional >= 2 * len(numbers))):
        for kind, per_year, slack in _DECIMALS:
            scaled = {text: number * per_year for text, number in numbers.items()}
            fits = all(abs(value - round(value)) <= slack for value in scaled.values())
            if fits and as_kind in {None, kind}:
                return kind, {text: round(value) for text, value in scaled.items()}
    return None


def _texts(
    distinct: list[str], typed: list[str], source: str, column: str, rows: pd.Series
) -> tuple[Kind, dict[str, int]]:
    kinds: dict[str, Kind] = {}
    counts: dict[str, int] = {}
    for text in distinct:
        found = _text(text)
        if found is None:
            raise _refusal(text, "is not a period", typed, source, column, rows)
        kinds[text], counts[text] = found
    if len(set(kinds.values())) > 1:
        first = kinds[distinct[0]]
        other = next(text for text in distinct if kinds[text] != first)
        problem = f"is a {kinds[other]}, but the rows before hold a {first}"
        raise _refusal(other, problem, typed, source, column, rows)
    return kinds[distinct[0]], counts


def _waves(distinct: list[str]) -> dict[str, int]:
    """Number of each wave, where all are written with the same word; empty where they are not."""
    found, words = {}, set()
    for text in distinct:
        if not (match := _WAVE.fullmatch(text.lower())):
            return {}
        part = match.groupdict()
        raw = part["k"] or part["n"]
        words.add(part["before"] or part["after"])
        found[text] = int(raw) if raw.isdecimal() else _TEN.index(raw) + 1
    return found if len(words) == 1 else {}


def _fiscal(distinct: list[str]) -> dict[str, int]:
    """First year of each fiscal or school year, FY2008, 2008/09, 2008-2009; empty if one is none.

    ``2008-09`` is September where not every period ends in the year after it begins.
    """
    found = {}
    for text in distinct:
        match = _FISCAL.fullmatch(text.lower())
        if not match or not (match["end"] or text[0].isalpha()):
            return {}
        if match["end"] and (int(match["y"]) + 1) % 100 != int(match["end"]) % 100:
            return {}
        found[text] = int(match["y"])
    return found if len(found) > 1 or not _text(distinct[0]) else {}


def _text(text: str) -> tuple[Kind, int] | None:
    if re.fullmatch(r"\d{4}(\.0+)?", text):
        return "year", int(text[:4])
    for kind, way in _WAYS:
        if not (match := way.fullmatch(text.lower())):
            continue
        part = match.groupdict()
        year = int(part["y"])
        if kind == "year":
            return kind, year
        if kind == "day":
            month = part.get("m") or _month(part.get("mon") or "")
            day = _day(year, int(month or 0), int(part["d"]))
            return None if day is None else (kind, day)
        raw = part["k"]
        k = _HAN.get(raw) or (int(raw) if raw.isdigit() else _month(raw))
        if not k or not 1 <= k <= _PER_YEAR[kind]:
            return None
        return kind, _PER_YEAR[kind] * year + k - 1
    return None


def _month(name: str) -> int:
    short = name[:3]
    return _MONTHS.index(short) + 1 if short in _MONTHS else 0


def _day(year: int, month: int, day: int) -> int | None:
    if not _FIRST <= year <= _LAST:
        return None
    try:
        return date(year, month, day).toordinal()
    except ValueError:
        return None


def _from_days(days: pd.Series, typed: list[str], *, stored: bool) -> Periods:
    """Dates that stand for months or years are read as these: all on the first, or on the last."""
    dates = [date.fromordinal(int(value)) for value in days]
    firsts = len({day.day for day in dates}) == 1
    lasts = all((day + timedelta(days=1)).day == 1 for day in dates)
    if not (firsts or lasts):
        return Periods("day", days, typed)
    months = pd.Series([12 * day.year + day.month - 1 for day in dates], index=days.index)
    if len(set(months.mod(12))) == 1:
        years = months // 12
        return Periods("year", years, [str(y) for y in years] if stored else typed)
    if stored:
        quarters = len(set(months.mod(3))) == 1
        kind: Kind = "quarter" if quarters else "month"
        index = months // 3 if quarters else months
        return Periods(kind, index, [written(kind, int(value)) for value in index])
    return Periods("month", months, typed)


def _refusal(
    text: str, problem: str, typed: list[str], source: str, column: str, rows: pd.Series
) -> InputError:
    where = typed.index(text)
    subject = "a period" if problem.startswith("must") else f"'{text}'"
    return InputError(
        f"{subject} {problem}",
        file=source,
        column=column,
        row=int(rows.iloc[where]),
        value=text,
        remedy="write all periods in one way: 2010, 2010q4, 2010-10, 2010-10-31, W1 or 1, 2, 3",
    )
