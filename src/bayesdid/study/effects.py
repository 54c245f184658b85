"""Effects beside those of unit and period: ``region^year``, ``state[year, year^2]``, ``industry``.

====================  ============================================================
effect                what it adds
====================  ============================================================
``f``                 a level for each value of the column f
``f^g``               a level for each combination of f and g (group x period)
``f[x]``              a level and a slope of x for each value of f
``f[x, x^2]``         the same with a second slope, of the square
``f[[x]]``            slopes alone
``random(...)``       any of these with a normal prior whose scale is estimated
====================  ============================================================

A slope of the period's column is a trend: it counts observed steps. The names are fixest's but
for ``random``. Parsed, never evaluated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator

from bayesdid.study.derived import COLUMN, quoted, split_outside, unquoted

FurtherKind = Literal["fixed", "random"]
_RANDOM = re.compile(r"random\s*\((.*)\)", re.DOTALL)
_EFFECT = re.compile(rf"({COLUMN}(?:\s*\^\s*{COLUMN})*)\s*(\[.*\])?", re.DOTALL)
_SLOPE = re.compile(rf"({COLUMN})(?:\s*\^\s*([2-9]))?")
LONGEST = 200
"""Characters of one effect."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A power of a column."""

    column: str
    power: int = 1

    def __str__(self) -> str:
        column = quoted(self.column)
        return column if self.power == 1 else f"{column}^{self.power}"


@dataclass(frozen=True, slots=True)
class EffectTerm:
    """An effect as written.

    Attributes
    ----------
    factors
        Columns whose combinations are the levels.
    slopes
        What a slope of its own is estimated of in each level.
    has_levels
        Whether each level also has a constant.
    kind
        ``fixed`` (flat) or ``random`` (normal, with a scale of its own).
    """

    factors: tuple[str, ...]
    slopes: tuple[Slope, ...] = ()
    has_levels: bool = True
    kind: FurtherKind = "fixed"

    def __str__(self) -> str:
        marks = ("[", "]") if self.has_levels else ("[[", "]]")
        inner = ", ".join(map(str, self.slopes)).join(marks) if self.slopes else ""
        text = "^".join(map(quoted, self.factors)) + inner
        return text if self.kind == "fixed" else f"random({text})"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of levels, then of slopes, each once."""
        return tuple(dict.fromkeys([*self.factors, *(slope.column for slope in self.slopes)]))


def parse_effect(text: str) -> EffectTerm:
    """Read one effect.

    Raises
    ------
    ValueError
        For anything else, saying what there is.
    """
    inner, kind = text.strip(), "fixed"
    if (wrapped := _RANDOM.fullmatch(inner)) is not None:
        inner, kind = wrapped[1].strip(), "random"
    found = _EFFECT.fullmatch(inner) if len(inner) <= LONGEST else None
    if found is None:
        raise ValueError(_unknown(text))
    factors = tuple(unquoted(part.strip()) for part in split_outside(found[1], "^"))
    marked = found[2] or ""
    has_levels = not marked.startswith("[[")
    bars = 1 if has_levels else 2
    if marked and not (marked.endswith("]" * bars) and "[" not in marked[bars:]):
        raise ValueError(_unknown(text))
    slopes = []
    for part in split_outside(marked[bars : len(marked) - bars], ",") if marked else ():
        slope = _SLOPE.fullmatch(part.strip())
        if slope is None:
            raise ValueError(_unknown(text))
        slopes.append(Slope(unquoted(slope[1]), int(slope[2] or 1)))
    if len(set(factors)) < len(factors) or len(set(slopes)) < len(slopes):
        raise ValueError(f"'{text.strip()}' names one column twice")
    return EffectTerm(factors, tuple(slopes), has_levels, "random" if kind == "random" else "fixed")


def _unknown(text: str) -> str:
    return (
        f"'{text.strip()[:60]}' is no effect: write f, f^g, f[x], f[x, x^2], f[[x]] or random(...)"
    )


def split_effects(text: str) -> list[str]:
    """The summands of the part of a formula behind ``|``."""
    return [part.strip() for part in split_outside(text, "+")] if text.strip() else []


def _canonical(text: str) -> str:
    return str(parse_effect(text))


EffectText = Annotated[str, AfterValidator(_canonical)]
