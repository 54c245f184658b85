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
    r"(?:(?:[eE](?=[-+\u2212\u2013])|\s*[x\u00d7]\s*10\^?)(?P<power>[-+\u2212\u2013]?\d{1,3}))?"
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
        Decimal place of its last digit: digits after the decimal point, 7 for ``-5.18e-05``,
        negative where it stands before the point, -1 for ``1.2e+02``.
    stars
        How many significance stars follow it.
    """

    text: str
    value: Decimal
    places: int
    stars: int

    @classmethod
    def parse(cls, text: str) -> Printed:
        """Read a printed number.

        Unicode minus signs, thousands separators and powers of ten (``5.18e-05``,
        ``5.18 x 10^-5``) are understood.

        Raises
        ------
        ValueError
            If `text` is not one number with optional brackets and stars.
        """
        match = _NUMBER.match(text)
        if match is None or bool(match["open"]) != bool(match["close"]):
            raise ValueError(f"'{text}' is not a printed number such as '-0.227**' or '3,488'")
        digits = match["digits"].replace(",", "")
        power = int((match["power"] or "0").replace("\u2212", "-").replace("\u2013", "-"))
        value = Decimal(digits).scaleb(power)
        if match["sign"] not in (None, "+"):
            value = -value
        places = len(digits.partition(".")[2]) - power
        return cls(text, value, places, len(match["stars"]))

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
