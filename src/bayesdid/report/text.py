"""How numbers are written in prose and tables. Nothing here computes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bayesdid.escape import RAISED
from bayesdid.summary import chance
from bayesdid.summary import significant as digits


def number(value: Any, places: int = 3) -> str:
    """A number with a true minus sign; an en dash for what is missing."""
    if value is None or value != value:
        return "–"
    return f"{float(value):.{places}f}".replace("-", "−")


def probability(value: Any) -> str:
    """A probability, never written as 0 or 1."""
    if value is None or value != value:
        return "–"
    return chance(float(value))


_MINUS = re.compile(r"(?<![\w.)\]–-])-(?=\.?\d)")
_PERCENT = re.compile(r"(?<=\d)%")
_ONE = re.compile(r"(?<![\d.,])1 (unit|period|row|column|spec|fit|draw|cohort|model|check|city)s\b")
_POWER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)e([-+−]?)0*(\d{1,3})\b")
_RAISED = str.maketrans("0123456789", RAISED)
_BOUND = re.compile(r"([<>≤≥]) (?=\d)")  # never at the end of a line
_CERTAIN = re.compile(
    r"\b([Pp](?:robability)?(?:\([^()]*\))?(?: of [^.;,]{1,40}?)?(?: is| =)?) ([01])\.000\b"
)


def typeset(text: str) -> str:
    r"""One minus, one percent sign, "1 unit", powers of ten, no probability of nought or one.

    Examples
    --------
    >>> typeset("P = 1.000 of -0.5, 80% of 1 units, 2008-2023, 1.68e+29")
    'P >\xa00.999 of −0.5, 80\xa0% of 1 unit, 2008-2023, 1.68 × 10²⁹'
    """
    text = _POWER.sub(_power, text)
    text = _CERTAIN.sub(lambda at: f"{at[1].removesuffix(' =')} {chance(float(at[2]))}", text)
    text = _ONE.sub(r"1 \1", _PERCENT.sub("\N{NO-BREAK SPACE}%", text))
    text = _MINUS.sub("−", text).replace(" %", "\N{NO-BREAK SPACE}%")
    return _BOUND.sub("\\1\N{NO-BREAK SPACE}", text)


def _power(found: re.Match[str]) -> str:
    minus = "⁻" * (found[2] in {"-", "−"})
    return f"{found[1]} × 10{minus}{found[3].translate(_RAISED)}"


def interval(pair: Any, places: int = 3) -> str:
    """``a to b``."""
    if pair is None or pair[0] is None:
        return "–"
    return f"{number(pair[0], places)} to {number(pair[1], places)}"


def hdi(summary: Mapping[str, Any], level: float | None = None) -> Any:
    """Ends of a stored summary's interval at `level`; default: at its main level."""
    return summary[f"hdi{100 * (summary['level'] if level is None else level):g}"]


def factor(value: Any) -> str:
    """A Bayes factor in a readable magnitude."""
    if value is None:
        return "–"
    if value >= 1000:
        return f"> 10{str(len(str(int(value))) - 1).translate(_RAISED)}"
    return f"{value:.3g}" if value >= 0.001 else "< 0.001"


def estimate(mean: Any, sd: Any, places: int = 3) -> str:
    """``mean (sd)``."""
    if mean is None or mean != mean:
        return "–"
    return f"{number(mean, places)} ({number(sd, places)})"


def significant(value: Any) -> str:
    """Four significant digits, integers as they are, no powers of ten below ten billion."""
    if value is None or value != value:
        return "–"
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e6):
        return str(int(value)).replace("-", "−")
    return digits(float(value)).replace("-", "−")
