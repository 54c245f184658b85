"""Numbers as they were printed, so that their rounding intervals are known.

A published ``-0.227**`` is not the number -0.227: it is *some* number in
``[-0.2275, -0.2265]`` with a claim about its p-value. Everything in a study file is kept as
the printed string; :class:`Printed` reads it exactly (decimal arithmetic, no binary floats).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

_MINUS = "\u2010\u2011\u2212\u2013"
_NUMBER = re.compile(
    r"^\s*(?P<open>[(\[])?\s*(?:p\s*(?=[<>=]))?(?P<bound>[<>=])?\s*"
    rf"(?P<sign>[-+{_MINUS}])?(?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    rf"(?:(?:[eE](?=[-+{_MINUS}])|\s*[x\u00d7]\s*10\^?)(?P<power>[-+{_MINUS}]?\d{{1,3}}))?"
    r"\s*(?P<percent>%)?\s*(?P<inner>[)\]])?"
    r"\s*(?P<mark>\*{1,4}|[+#^\u2020\u2021\u00a7\u00b6]{1,3}|[a-d\u1d43\u1d47\u1d9c\u1d48])?"
    r"\s*(?P<close>[)\]])?\s*$"
)


@dataclass(frozen=True, slots=True)
class Printed:
    """One printed number.

    Attributes
    ----------
    text
        The string as printed, e.g. ``"-0.227**"``, ``"3,488"``, ``"(0.088)"``.
    value
        Its exact decimal value, without stars, brackets and thousands separators.
    places
        Decimal place of its last digit: digits after the decimal point, 7 for ``-5.18e-05``,
        negative where it stands before the point, -1 for ``1.2e+02``.
    stars
        How many significance stars follow it.
    mark
        The mark of significance that follows it: stars, a dagger, a letter; empty without one.
    bound
        ``"<"`` or ``">"`` where only a bound is printed, as of a p-value, ``<.001``.
    """

    text: str
    value: Decimal
    places: int
    stars: int
    mark: str = ""
    bound: str = ""

    @classmethod
    @lru_cache(maxsize=20_000)  # every rule reads the same cells again
    def parse(cls, text: str) -> Printed:
        """Read a printed number.

        Unicode minus signs, thousands separators, powers of ten (``5.18e-05``,
        ``5.18 x 10^-5``), percent (``37.6%`` is 0.376), marks other than stars (``+``, daggers,
        letters) and bounds (``<.001``) are understood.

        Raises
        ------
        ValueError
            If `text` is not one number with optional brackets and stars.
        """
        match = _NUMBER.match(text)
        closing = match is not None and (match["inner"] or match["close"])
        twice = match is not None and match["inner"] and match["close"]
        if match is None or twice or bool(match["open"]) != bool(closing):
            raise ValueError(f"'{text}' is not a printed number such as '-0.227**' or '3,488'")
        digits = match["digits"].replace(",", "")
        power = int(re.sub(f"[{_MINUS}]", "-", match["power"] or "0"))
        power -= 2 if match["percent"] else 0
        value = Decimal(digits).scaleb(power)
        if match["sign"] not in (None, "+"):
            value = -value
        places = len(digits.partition(".")[2]) - power
        mark, bound = match["mark"] or "", (match["bound"] or "").replace("=", "")
        return cls(text, value, places, mark.count("*"), mark, bound)

    @property
    def half_width(self) -> Decimal:
        """Half a unit of the last printed digit: the largest rounding error."""
        return Decimal(1).scaleb(-self.places) / 2

    @property
    def interval(self) -> tuple[float, float]:
        """The closed interval of numbers that round to the printed one, or lie in its bound."""
        if self.bound == "<":
            return min(0.0, float(self.value)), float(self.value)
        if self.bound == ">":
            return float(self.value), math.inf
        return float(self.value - self.half_width), float(self.value + self.half_width)

    @property
    def cut(self) -> tuple[float, float]:
        """The numbers that it may stand for if digits were cut off rather than rounded."""
        if self.bound:
            return self.interval
        unit, (low, high) = self.half_width * 2, self.interval
        below = self.value <= 0 or self.text.strip("([ ").startswith(tuple(f"-{_MINUS}"))
        return (
            float(self.value - unit) if below else low,
            float(self.value + unit) if self.value >= 0 else high,
        )

    def __float__(self) -> float:
        return float(self.value)


def number(text: str | None) -> float:
    """The value of a printed number, ``"1,234"`` or ``"\u22120.61"``; 0 of none."""
    return 0.0 if text is None else float(Printed.parse(text))
