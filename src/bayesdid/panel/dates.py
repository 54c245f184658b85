"""Dates in numbers, day and month before the year: which of the two comes first, a column tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from bayesdid.panel.kinds import Order, Writing, four_digits, two_digits_said

FIRST, LAST = 1500, 2500
"""Years that a date may lie in."""
RECENT = 2029
"""Last year that two digits stand for in a date; 30 and 31 are days, so that a column tells."""

_SLASHED = re.compile(
    r"(?P<a>\d{1,2})(?P<mark>[-/.])(?P<b>\d{1,2})(?P=mark)(?P<y>\d{4}|\d{2})"
    r"(?:[t ]+\d{1,2}:[\d:.]+(?: ?[ap]m)?z?)?"
)
_PLAIN = "write it as 2010-10-31"
_LONG_YEAR = "write the year with four digits: 2010-10-31"


class Odd(Exception):  # noqa: N818 -- becomes an InputError where file and row are known
    """A text that cannot be read as the others of its column are, or in two ways at once."""

    def __init__(self, text: str, problem: str, remedy: str = "") -> None:
        super().__init__(text)
        self.text, self.problem = text, problem
        self.remedy = remedy or (
            "write all periods in one way: 2010, 2010q4, 2010-10, 2010-10-31, W1 or 1, 2, 3"
        )


@dataclass(frozen=True, slots=True)
class Slashed:
    """Days since year 1, the order that they were read in, and what was assumed."""

    order: Order
    days: dict[str, int]
    assumed: tuple[str, ...]


def slashed_dates(distinct: list[str], like: Writing | None) -> Slashed | None:
    """Dates such as 31/12/2008, 12/31/08, 31.12.2008; None if one of the texts is none.

    A number above 12 tells the day. Where there is none the panel's own order counts, then the
    part that is 1 in all of them (the first of every month), then the dot, which stands between day
    and month. A year of two digits comes last where it cannot come first: 08/01/31 is refused.

    Raises
    ------
    Odd
        For dates of both orders, for one that there is none of, and where nothing tells.
    """
    parts, short = {}, []
    for text in distinct:
        if not (match := _SLASHED.fullmatch(text.lower())):
            return None
        year = int(match["y"])
        if len(match["y"]) == 2:
            short.append(text)
            year = four_digits(year)
        parts[text] = (int(match["a"]), int(match["b"]), year, match["mark"])
    if short:
        _last(short, parts, like)
    order, assumed = _order(parts, like)
    said = [assumed] if assumed else []
    said += [two_digits_said(short[0])] if short else []
    days = {}
    for text, (a, b, year, _) in parts.items():
        month, day = (b, a) if order == "day first" else (a, b)
        if (found := day_of(year, month, day)) is None:
            raise Odd(text, f"is no date, {order}", _PLAIN)
        days[text] = found
    return Slashed(order, days, tuple(said))


def _last(
    short: list[str], parts: dict[str, tuple[int, int, int, str]], like: Writing | None
) -> None:
    """Refuse years of two digits that may as well come first, and years that are days."""
    if late := next((text for text in short if parts[text][2] > RECENT), None):
        raise Odd(late, f"has a year of two digits after {RECENT}, or its year first", _LONG_YEAR)
    if like is not None and like.order:
        return
    firsts = [text[:2] for text in short]
    if all(
        first.isdecimal()
        and four_digits(int(first)) <= RECENT
        and day_of(four_digits(int(first)), parts[text][1], parts[text][2] % 100) is not None
        for first, text in zip(firsts, short, strict=True)
    ):
        raise Odd(short[0], "has two digits that may be its year at either end", _LONG_YEAR)


def _order(parts: dict[str, tuple[int, int, int, str]], like: Writing | None) -> tuple[Order, str]:
    firsts, seconds = ({part[k] for part in parts.values()} for k in (0, 1))
    day_first = next((text for text, part in parts.items() if part[0] > 12), "")
    month_first = next((text for text, part in parts.items() if part[1] > 12), "")
    if day_first and month_first:
        raise Odd(month_first, f"has its month first, {day_first} its day", _PLAIN)
    if day_first or month_first:
        return ("day first" if day_first else "month first"), ""
    if like is not None and like.order:
        return like.order, ""
    of_year = like is not None and like.kind in {"number", "year"}  # in which either order lies
    if of_year or (like is None and len(firsts) == len(seconds) == 1):
        return "day first", ""
    example = next(iter(parts))
    dotted = all(part[3] == "." for part in parts.values())
    orders: dict[bool, Order] = {firsts == {1}: "day first", seconds == {1}: "month first"}
    if firsts == {1} == seconds:
        return "day first", ""
    if True in orders or dotted:
        order = orders.get(True, "day first")
        why = "no number is above 12, and that part is 1 in all" if True in orders else "a dot"
        return order, f"{example} is read {order} ({why}); if that is wrong write it as 2010-10-31"
    raise Odd(
        example,
        "may be a day and a month or a month and a day: no number is above 12",
        f"{_PLAIN}, in pandas pd.to_datetime(df[column], dayfirst=True) or dayfirst=False",
    )


def day_of(year: int, month: int, day: int) -> int | None:
    """Days since year 1; None if there is no such date, or not in a year that a panel may hold."""
    if not FIRST <= year <= LAST:
        return None
    try:
        return date(year, month, day).toordinal()
    except ValueError:
        return None
