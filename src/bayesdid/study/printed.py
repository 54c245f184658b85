"""Numbers as they were printed, so that their rounding intervals are known.

A published ``-0.227**`` is not the number -0.227: it is *some* number in
``[-0.2275, -0.2265]`` with a claim about its p-value. Everything in a study file is kept as
the printed string; :class:`Printed` reads it exactly (decimal arithmetic, no binary floats).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_NUMBER = re.compile(
    r"^\s*(?P<open>[(\[])?\s*"
    r"(?P<sign>[-+\u2212\u2013])?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?P<stars>\*{0,4})\s*(?P<close>[)\]])?\s*$"
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
        Digits after the decimal point.
    stars
        How many significance stars follow it.
    """

    text: str
    value: Decimal
    places: int
    stars: int

    @classmethod
    def parse(cls, text: str) -> Printed:
        """Read a printed number; Unicode minus signs and thousands separators are understood.

        Raises
        ------
        ValueError
            If `text` is not one number with optional brackets and stars.
        """
        match = _NUMBER.match(text)
        if match is None or bool(match["open"]) != bool(match["close"]):
            raise ValueError(f"'{text}' is not a printed number such as '-0.227**' or '3,488'")
        digits = match["digits"].replace(",", "")
        value = Decimal(digits)
        if match["sign"] not in (None, "+"):
            value = -value
        return cls(text, value, len(digits.partition(".")[2]), len(match["stars"]))

    @property
    def half_width(self) -> Decimal:
        """Half a unit of the last printed digit: the largest rounding error."""
        return Decimal(1).scaleb(-self.places) / 2

    @property
    def interval(self) -> tuple[float, float]:
        """The closed interval of numbers that round to the printed one."""
        return float(self.value - self.half_width), float(self.value + self.half_width)

    def __float__(self) -> float:
        return float(self.value)
