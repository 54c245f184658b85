"""Periods in words and numbers: 2010q4, Q4 2010, 4Q10, Jan-08, 2008-W05, 2008年3月, FY2008."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Literal

from bayesdid.panel.dates import Odd, day_of, slashed_dates
from bayesdid.panel.han_dates import in_digits
from bayesdid.panel.kinds import (
    PER_YEAR,
    Kind,
    Writing,
    coverage,
    four_digits,
    iso_week,
    two_digits_said,
)

_HAN = {"一": 1, "二": 2, "三": 3, "四": 4, "上": 1, "下": 2}
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
_SHORT = 3  # letters of a month's name at least
_TEN = "一二三四五六七八九十"
# W1, wave 1, Round 2, t3, 第1期, 第一轮: the same words around numbers, of no calendar
_WAVE = re.compile(
    r"(?P<before>w|wave|t|time|r|rd|round|p|period|phase|stage|survey|welle|vague|ola|onda)"
    r"(?P<gap>[ ._-]*)(?P<k>[0-9]{1,3})"
    rf"|(?P<han>第?)\s*(?P<n>[0-9]{{1,3}}|[{_TEN}])\s*(?P<after>期|轮|次|波|阶段|轮次)"
)
_Y = r"(?P<y>\d{4})"
_YY = r"'?(?P<y>\d{4}|\d{2})"
_NAME = r"(?P<k>[a-z]{3,9})\.?"
_NTH = r"(?P<k>[1-4])(?:st|nd|rd|th)?"
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"
_FISCAL = re.compile(
    r"(?:fy|ay)[- ]?'?(?P<yy>\d{2})|(?:fy|ay)?[- ]?(?P<y>\d{4})(?:[-/–](?P<end>\d{2}|\d{4}))?"
)
_WEEK = re.compile(
    rf"{_YY}[-/ ]?w(?P<k>\d{{1,2}})|w(?P<k2>\d{{1,2}})[-/ ](?P<y2>\d{{4}})"
    r"|(?P<y3>\d{4}|\d{2})\s*年\s*第?\s*(?P<k3>\d{1,2})\s*周"
)
_SHORT_NAMED = re.compile(
    r"(?P<mon>[a-z]{3,9})\.?[-/ ]?'?(?P<n>\d{1,2})|(?P<n2>\d{1,2})[-/ ]?(?P<mon2>[a-z]{3,9})\.?"
)
_SHORT_PARTS = re.compile(r"(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})")
_UNNAMED = re.compile(r"(?P<y>\d{4})[-/.:_ ](?P<k>\d)|(?P<k2>\d)[-/.:_ ](?P<y2>\d{4})")
_WAYS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("year", re.compile(rf"{_YY}\s*年[末底初度]?")),
    ("year", re.compile(r"'(?P<y>\d{2})")),
    ("half-year", re.compile(rf"{_YY}[-/ ]?[hs](?P<k>[12])")),
    ("half-year", re.compile(rf"[hs](?P<k>[12])[-/.: ]?{_YY}")),
    ("half-year", re.compile(rf"(?P<k>[12])[hs][-/.: ]?{_YY}")),
    ("half-year", re.compile(rf"(?P<k>[12])(?:st|nd)?[- ]half[-/ ,]*(?:of )?{_YY}")),
    ("half-year", re.compile(rf"{_Y}[-/ ,]*(?P<k>[12])(?:st|nd)?[- ]half")),
    ("half-year", re.compile(rf"{_YY}\s*年?\s*(?P<k>[上下])半年")),
    ("quarter", re.compile(rf"{_YY}\s*年?[-/.: ]?q(?P<k>[1-4])")),
    ("quarter", re.compile(rf"q(?P<k>[1-4])[-/.: ]?{_YY}")),
    ("quarter", re.compile(rf"{_NTH}[- ]?(?:q|qtr|quarter)[-/.:, ]*(?:of )?{_YY}")),
    ("quarter", re.compile(rf"{_YY}\s*年\s*第?\s*(?P<k>[1-4一二三四])\s*季度?")),
    ("month", re.compile(rf"{_Y}[-/.:_ ](?P<k>\d{{1,2}})")),
    ("month", re.compile(rf"(?P<k>\d{{1,2}})[-/.:_ ]{_Y}")),
    ("month", re.compile(rf"(?:y(?=\d{{4}}))?{_YY}[-/_ ]?m(?P<k>\d{{1,2}})")),
    ("month", re.compile(rf"m(?P<k>\d{{1,2}})[-/ ]{_Y}")),
    ("month", re.compile(rf"{_YY}\s*年\s*(?P<k>\d{{1,2}})\s*月份?")),
    ("month", re.compile(rf"{_NAME}[-/., ]*{_Y}")),
    ("month", re.compile(rf"{_Y}[-/., ]*{_NAME}")),
    ("day", re.compile(rf"{_Y}[-/.](?P<m>\d{{1,2}})[-/.]{_DAY}(?:[t ]+\d{{1,2}}:[\d:.]+z?)?")),
    ("day", re.compile(rf"{_YY}\s*年\s*(?P<m>\d{{1,2}})\s*月\s*(?P<d>\d{{1,2}})\s*日")),
    ("day", re.compile(rf"{_DAY}[- ]?{_NAME.replace('<k>', '<mon>')}[-, ]*'?{_YY}")),
    ("day", re.compile(rf"{_NAME.replace('<k>', '<mon>')} ?{_DAY}[, ]+{_Y}")),
    ("day", re.compile(rf"{_Y}-w(?P<w>\d{{2}})-(?P<d>[1-7])")),
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What each text counts as, how all are written, and what was assumed of them."""

    writing: Writing
    counts: dict[str, int]
    assumed: tuple[str, ...] = field(default=())

    def renamed(self, names: list[str]) -> Counts:
        """The same counts of other texts, in the same order."""
        counts = dict(zip(names, self.counts.values(), strict=True))
        first = next(iter(self.counts))
        said = tuple(text.replace(first, names[0]) for text in self.assumed)
        return Counts(self.writing, counts, said)


def dated_texts(distinct: list[str], like: Writing | None) -> Counts:
    """Read texts that are all written in one way.

    Parameters
    ----------
    distinct
        Each text once.
    like
        How the panel's periods are written, for texts beside them.

    Raises
    ------
    Odd
        For the first text that is no period, or no period of the kind of the others, and for texts
        of which nothing in the column tells what they are.
    """
    if (plain := [*map(in_digits, distinct)]) != distinct and len({*plain}) == len(distinct):
        try:
            read = dated_texts(plain, like)
        except Odd as odd:
            raise Odd(distinct[plain.index(odd.text)], odd.problem, odd.remedy) from odd
        said = f"{distinct[0]} is read as {plain[0]}"
        return replace(read.renamed(distinct), assumed=(*read.assumed, said))
    if waves := _waves(distinct):
        return Counts(Writing("wave"), waves)
    if years := _fiscal(distinct):
        return Counts(Writing("year"), years)
    if slashed := slashed_dates(distinct, like):
        return Counts(Writing("day", order=slashed.order), slashed.days, slashed.assumed)
    for way in (_iso_weeks, _short_months, _short_parts, _unnamed_parts):
        if (found := way(distinct, like)) is not None:
            return found
    return _one_by_one(distinct)


def _one_by_one(distinct: list[str]) -> Counts:
    kinds: dict[str, Kind] = {}
    counts: dict[str, int] = {}
    for text in distinct:
        if (found := _text(text)) is None:
            raise Odd(text, "is not a period", _remedy(text))
        kinds[text], counts[text] = found
    first = kinds[distinct[0]]
    if other := next((text for text in distinct if kinds[text] != first), None):
        raise Odd(other, f"is a {kinds[other]}, but the rows before hold a {first}")
    return Counts(Writing(first), counts, _of_two_digits(distinct[0]))


def _remedy(text: str) -> str:
    """What to do about a text that is no period, where it looks like one."""
    if re.fullmatch(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{1,2}", text):
        return "write the year with four digits: 2010-10, or 2010-10-31"
    if _month(text.lower().strip(". ")):
        return "write the year beside the month: 2010-10"
    return ""


def _of_two_digits(text: str) -> tuple[str, ...]:
    """What was assumed of a year of two digits."""
    if re.search(r"\d{4}", text):
        return ()
    return (two_digits_said(text),)


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
        found[text] = _year(match["y"] or match["yy"])
    return found if len(found) > 1 or not _text(distinct[0]) else {}


def _iso_weeks(distinct: list[str], like: Writing | None) -> Counts | None:
    """Weeks of ISO 8601: written 2008-W05, or up to 53; other weeks are 52 in every year."""
    found = {}
    for text in distinct:
        if not (match := _WEEK.fullmatch(text.lower())):
            return None
        year, week = (match[name] or match[f"{name}2"] or match[f"{name}3"] for name in "yk")
        found[text] = _year(year), int(week)
    as_iso = all(re.fullmatch(r"\d{4}-W\d{2}", text) for text in distinct)
    as_iso |= any(week == 53 for _, week in found.values())
    if like is not None and like.kind in {"week", "ISO week"}:
        as_iso = like.kind == "ISO week"
    said = _of_two_digits(distinct[0])
    counts = {}
    for text, (year, week) in found.items():
        count = iso_week(year, week) if as_iso else 52 * year + week - 1
        if count is None or not 1 <= week <= (53 if as_iso else 52):
            raise Odd(text, "is no week of that year", "write weeks as 2008-W05, or dates")
        counts[text] = count
    return Counts(Writing("ISO week" if as_iso else "week"), counts, said)


def _short_months(distinct: list[str], like: Writing | None) -> Counts | None:
    """Jan-08 and 08-Jan as months of 2008, if the column does not look like days of a year.

    Raises
    ------
    Odd
        If it does, or nothing tells.
    """
    found, padded, named_first = {}, True, True
    for text in distinct:
        if not (match := _SHORT_NAMED.fullmatch(text.lower())):
            return None
        number = match["n"] or match["n2"]
        if not (month := _month(match["mon"] or match["mon2"])):
            return None
        padded, named_first = padded and len(number) == 2, named_first and bool(match["mon"])
        found[text] = month, number
    months = {t: 12 * _year(number) + month - 1 for t, (month, number) in found.items()}
    days = [day_of(2000, month, int(number)) for month, number in found.values()]
    told = [day for day in days if day is not None]
    as_days = coverage(told) if len(told) == len(days) else 0.0
    as_months = coverage([*months.values()]) if padded else 0.0
    if like is not None:
        sure = padded and (like.short or named_first)
    else:
        sure = as_months > 1.5 * as_days or (named_first and as_months > as_days / 1.5)
    if not sure:
        text = distinct[0]
        raise Odd(text, "names a day or a year of two digits", "write 2008-01, or 2008-01-31")
    said = _of_two_digits(distinct[0])
    return Counts(Writing("month", short=True), months, said)


def _short_parts(distinct: list[str], like: Writing | None) -> Counts | None:
    """1/08 or 08-01 as months of 2008: a column tells which part is the year of two digits.

    Every way of reading all of them (days of a year among these) has a share of the steps between
    its ends that are there. That of one way of months is far above the others, or nothing tells.

    Raises
    ------
    Odd
        If nothing tells.
    """
    if not all(matches := [_SHORT_PARTS.fullmatch(text) for text in distinct]):
        return None
    pairs = [(match["a"], match["b"]) for match in matches if match]
    ways = {"last": _months_of([(b, a) for a, b in pairs]), "first": _months_of(pairs)}
    days = [[day_of(2000, int(p[1 - k]), int(p[k])) for p in pairs] for k in (0, 1)]
    shares = {way: coverage(months) for way, months in ways.items() if months}
    others = [coverage([d for d in day if d]) for day in days if all(day)]
    best = max(shares, key=lambda way: shares[way], default="")
    others += [share for way, share in shares.items() if way != best]
    if like is not None and like.year and like.year in shares:
        best = like.year
    elif not best or shares[best] <= 1.5 * max(others, default=0.0):
        raise Odd(
            distinct[0],
            "has a month and a year of two digits, or a day and a month: nothing tells which",
            "write the year with four digits: 2010-10, or 2010-10-31",
        )
    months = ways[best]
    said = f"{distinct[0]} is read as {months[0] // 12}-{months[0] % 12 + 1:02d}"
    counts = dict(zip(distinct, months, strict=True))
    where: Literal["first", "last"] = "first" if best == "first" else "last"
    return Counts(Writing("month", short=True, year=where), counts, (said,))


def _months_of(pairs: list[tuple[str, str]]) -> list[int]:
    """Months of years and months in two digits; none if one is no month, or a year of one digit."""
    if not all(len(year) == 2 and 1 <= int(month) <= 12 for year, month in pairs):
        return []
    return [12 * four_digits(int(year)) + int(month) - 1 for year, month in pairs]


def _unnamed_parts(distinct: list[str], like: Writing | None) -> Counts | None:
    """2010-1 to 2010-4 as quarters, where no year has a number beyond 4; other numbers are months.

    Raises
    ------
    Odd
        For numbers 1 and 2 alone: months, quarters or half-years.
    """
    found = {}
    for text in distinct:
        if not (match := _UNNAMED.fullmatch(text)):
            return None
        found[text] = int(match["y"] or match["y2"]), int(match["k"] or match["k2"])
    parts, years = ({pair[k] for pair in found.values()} for k in (1, 0))
    if like is None and len(years) > 1 and parts == {1, 2}:
        raise Odd(
            distinct[0],
            "may be a half-year or a month: no number beyond 2 in any year",
            "write 2010h1 or 2010-01",
        )
    quarters = len(years) > 1 and parts == {1, 2, 3, 4}
    if not (quarters if like is None else like.part == "quarter" and parts <= {1, 2, 3, 4}):
        return None
    counts = {text: 4 * year + k - 1 for text, (year, k) in found.items()}
    said = f"{distinct[0]} is read as a quarter: no year has a number beyond 4 (months: 2010-01)"
    return Counts(Writing("quarter", part="quarter"), counts, (said,))


def _text(text: str) -> tuple[Kind, int] | None:
    if re.fullmatch(r"\d{4}(\.0+)?", text):
        return "year", int(text[:4])
    if match := _WEEK.fullmatch(text.lower()):
        return "week", 0
    for kind, way in _WAYS:
        if not (match := way.fullmatch(text.lower())):
            continue
        part = match.groupdict()
        year = _year(part["y"])
        if kind == "year":
            return kind, year
        if kind == "day":
            return None if (day := _day(part, year)) is None else (kind, day)
        raw = part["k"]
        k = _HAN.get(raw) or (int(raw) if raw.isdigit() else _month(raw))
        if not k or not 1 <= k <= PER_YEAR[kind]:
            return None
        return kind, PER_YEAR[kind] * year + k - 1
    return None


def _day(part: dict[str, str | None], year: int) -> int | None:
    if part.get("w"):
        monday = iso_week(year, int(part["w"] or 0))
        return None if monday is None else 7 * monday + int(part["d"] or 0)
    month = part.get("m") or _month(part.get("mon") or "")
    return day_of(year, int(month or 0), int(part["d"] or 0))


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else four_digits(int(text))


def _month(name: str) -> int:
    """1 to 12 of an English name, or of three letters and more that it begins with; else 0."""
    found = [k for k, month in enumerate(_MONTHS, 1) if month.startswith(name)]
    return found[0] if len(name) >= _SHORT and found else 0
