"""Intervals with their level, and one summary of a quantity: every table and sentence reads these.

The level of an interval travels with it. :data:`LEVEL` stands here and nowhere else; headings,
captions and sentences name the level by :func:`percent`, :func:`hdi_columns` or the interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.stats import norm

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError

LEVEL = 0.89  # of every interval that names no other
INNER, OUTER = 0.50, 0.95  # shown beside it


def levels() -> tuple[float, ...]:
    """Levels of the intervals of a :class:`Summary`, narrowest first."""
    return INNER, LEVEL, OUTER


def percent(level: float | None = None) -> str:
    """A level in words, ``89 %``; default :data:`LEVEL`."""
    return f"{100 * _level(level):g} %"


def hdi_columns(level: float | None = None) -> tuple[str, str]:
    """Headings of the two ends in every table: ``HDI 89% low`` and ``HDI 89% high``."""
    name = f"HDI {100 * _level(level):g}%"
    return f"{name} low", f"{name} high"


def reach(level: float | None = None) -> float:
    """Half width of a normal distribution's central interval, in standard deviations."""
    return float(norm.ppf(0.5 + _level(level) / 2))


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval that holds a quantity with probability `level`.

    Formatting it writes level and ends in a format of theirs:

    >>> f"{Interval(0.1, 0.25, 0.89):.2f}"
    '89 % HDI 0.10 to 0.25'
    """

    low: float
    high: float
    level: float

    def __iter__(self) -> Iterator[float]:
        """The two ends, for unpacking."""
        return iter((self.low, self.high))

    def __format__(self, spec: str) -> str:
        return f"{percent(self.level)} HDI {self.low:{spec}} to {self.high:{spec}}"

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside."""
        return self.low > 0 or self.high < 0

    def columns(self) -> dict[str, float]:
        """The two ends as cells of a table."""
        return dict(zip(hdi_columns(self.level), self, strict=True))


@dataclass(frozen=True, slots=True)
class Summary:
    """Posterior of one quantity, in the outcome's units.

    Attributes
    ----------
    mean, sd, median
        Of the posterior.
    hdi
        Highest-density intervals at :func:`levels`.
    p_negative
        Probability of being below zero.
    p_rope
        Probability of lying within plus or minus `rope`; NaN without a ROPE.
    rope
        Half width of the region of practical equivalence.
    mcse
        Monte Carlo standard error of the mean; 0 for closed forms.
    level
        Of the main interval.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "mean",
        "sd",
        "median",
        "*ends",
        "p_negative",
        "p_rope",
        "rope",
        "mcse",
        "level",
    )

    mean: float
    sd: float
    median: float
    hdi: tuple[Interval, ...]
    p_negative: float
    p_rope: float
    rope: float
    mcse: float
    level: float

    @property
    def interval(self) -> Interval:
        """The main interval."""
        return next(interval for interval in self.hdi if interval.level == self.level)

    @property
    def ends(self) -> dict[str, tuple[float, float]]:
        """The intervals by name, ``hdi89`` and its like."""
        return {f"hdi{100 * item.level:g}": (item.low, item.high) for item in self.hdi}


def hdi(draws: FloatArray, level: float | None = None) -> Interval:
    """Shortest interval that holds `level` of the draws, shape (S,) (Hyndman 1996)."""
    level = _level(level)
    ordered = np.sort(np.ravel(draws))
    inside = int(np.ceil(level * len(ordered)))
    if inside >= len(ordered):
        return Interval(float(ordered[0]), float(ordered[-1]), level)
    width = ordered[inside:] - ordered[: len(ordered) - inside]
    start = int(width.argmin())
    return Interval(float(ordered[start]), float(ordered[start + inside]), level)


def tails(level: float | None = None) -> tuple[float, float]:
    """Probabilities at the ends of an equal-tailed interval."""
    level = _level(level)
    return (1 - level) / 2, (1 + level) / 2


def equal_tailed(draws: FloatArray, level: float | None = None) -> Interval:
    """Interval with as much of the draws, shape (S,), below it as above."""
    low, high = np.quantile(draws, tails(level))
    return Interval(float(low), float(high), _level(level))


def normal_interval(mean: float, sd: float, level: float | None = None) -> Interval:
    """Central interval of a normal distribution, or of an estimate and its standard error."""
    half = reach(level) * sd
    return Interval(mean - half, mean + half, _level(level))


@dataclass(frozen=True, slots=True)
class Band:
    """Many quantities at once, shape (G,) each: pointwise HDIs and a simultaneous band.

    All of the quantities lie inside `band_low` to `band_high` with probability `level`.
    """

    mean: FloatArray
    sd: FloatArray
    low: FloatArray
    high: FloatArray
    band_low: FloatArray
    band_high: FloatArray
    level: float


def band(draws: FloatArray, level: float | None = None) -> Band:
    """Pointwise HDIs and the sup-t band of draws, shape (S, G).

    Montiel Olea & Plagborg-Moller (2019), doi:10.1002/jae.2656.
    """
    level = _level(level)
    mean = draws.mean(axis=0)
    sd = np.maximum(draws.std(axis=0, ddof=1), 1e-300)
    wide = float(np.quantile(np.abs((draws - mean) / sd).max(axis=1), level))
    ends = [hdi(column, level) for column in draws.T]
    return Band(
        mean,
        sd,
        np.array([interval.low for interval in ends]),
        np.array([interval.high for interval in ends]),
        mean - wide * sd,
        mean + wide * sd,
        level,
    )


def chance(p: float) -> str:
    """A probability to three digits, never written as 0 or 1."""
    if p < 0.001:
        return "< 0.001"
    return "> 0.999" if p > 0.999 else f"{p:.3f}"


def equals(p: float) -> str:
    """A probability after its name: ``= 0.120``, ``< 0.001`` or ``> 0.999``."""
    said = chance(p)
    return said if said[0] in "<>" else f"= {said}"


def significant(value: float, digits: int = 4) -> str:
    """A number to some significant digits, without a power of ten below ten billion.

    Examples
    --------
    >>> significant(12345.6), significant(0.00012345), significant(-1.5)
    ('12346', '0.0001234', '-1.5')
    """
    if 10**digits <= abs(value) < 1e10:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def is_chance(heading: str) -> bool:
    """Whether a column of a table holds probabilities: ``P(< 0)``."""
    return heading.startswith("P(")


def p_words(p: float, smallest: float) -> str:
    """A p-value from finitely many draws: a bound where no draw was as extreme.

    Parameters
    ----------
    smallest
        The p-value of an outcome that no draw reaches.
    """
    return f"p ≤ {p:.3g}" if p <= smallest * (1 + 1e-9) else f"p = {p:.3g}"


def summarise(draws: FloatArray, *, rope: float | None = None, ess: float | None = None) -> Summary:
    """Summary of draws, shape (S,); independent unless an effective sample size is given."""
    draws = np.ravel(draws)
    sd = float(draws.std(ddof=1))
    return Summary(
        mean=float(draws.mean()),
        sd=sd,
        median=float(np.median(draws)),
        hdi=tuple(hdi(draws, level) for level in levels()),
        p_negative=float((draws < 0).mean()),
        p_rope=float("nan") if rope is None else float((np.abs(draws) < rope).mean()),
        rope=float("nan") if rope is None else rope,
        mcse=sd / float(np.sqrt(ess or len(draws))),
        level=LEVEL,
    )


def summarise_normal(mean: float, sd: float, *, rope: float | None = None) -> Summary:
    """Summary of a normal posterior in closed form."""
    safe = max(sd, 1e-12)
    p_rope = float("nan")
    if rope is not None:
        p_rope = float(norm.cdf((rope - mean) / safe) - norm.cdf((-rope - mean) / safe))
    return Summary(
        mean=mean,
        sd=sd,
        median=mean,
        hdi=tuple(normal_interval(mean, safe, level) for level in levels()),
        p_negative=float(norm.cdf(-mean / safe)),
        p_rope=p_rope,
        rope=float("nan") if rope is None else rope,
        mcse=0.0,
        level=LEVEL,
    )


def _level(level: float | None) -> float:
    """The level asked for, or the one of everything that names no other.

    Raises
    ------
    InputError
        Unless it is a probability: 95 would be an interval that no data make wider.
    """
    if level is None:
        return LEVEL  # looked up when called: one constant rules all
    if isinstance(level, bool) or not isinstance(level, int | float | np.number):
        raise InputError("a level is a number", value=repr(level), remedy="such as level=0.95")
    if not 0 < level < 1:
        likely = level / 100 if 1 < level < 100 else 0.95
        raise InputError(
            "a level is a probability, above 0 and below 1",
            value=level,
            remedy=f"such as level={likely:g}",
        )
    return float(level)
