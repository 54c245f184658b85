"""Interval arithmetic: every printed number is a set of numbers that round to it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache

from bayesdid.study.printed import Printed

_SLACK = 1e-9  # of binary arithmetic, relative
_CUT: ContextVar[bool] = ContextVar("cut", default=False)


@contextmanager
def cut_off() -> Iterator[None]:
    """Read printed numbers as rounded or cut off, whichever it was: the wider intervals."""
    token = _CUT.set(True)
    try:
        yield
    finally:
        _CUT.reset(token)


@dataclass(frozen=True, slots=True)
class Bounds:
    """A closed interval of real numbers."""

    low: float
    high: float

    @classmethod
    def of(cls, text: str | Printed) -> Bounds:
        """The numbers that round to a printed one; within :func:`cut_off`, or are cut to it."""
        if isinstance(text, str):
            return _of_text(text, _CUT.get())
        return cls(*(text.cut if _CUT.get() else text.interval))

    @classmethod
    def exactly(cls, value: float) -> Bounds:
        """A single number."""
        return cls(value, value)

    def __add__(self, other: Bounds) -> Bounds:
        return Bounds(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Bounds) -> Bounds:
        return Bounds(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Bounds) -> Bounds:
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Bounds(min(ends), max(ends))

    def __truediv__(self, other: Bounds) -> Bounds:
        """Quotient; unbounded where the divisor may be zero."""
        if other.low <= 0.0 <= other.high:
            if other.low == 0.0 and other.high > 0.0 and self.low >= 0.0:
                return Bounds(self.low / other.high, math.inf)
            return Bounds(-math.inf, math.inf)
        ends = [a / b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Bounds(min(ends), max(ends))

    def __abs__(self) -> Bounds:
        if self.low >= 0.0:
            return self
        if self.high <= 0.0:
            return Bounds(-self.high, -self.low)
        return Bounds(0.0, max(-self.low, self.high))

    def square(self) -> Bounds:
        """Squares of its numbers."""
        size = abs(self)
        return Bounds(size.low**2, size.high**2)

    def sqrt(self) -> Bounds:
        """Square roots of its non-negative numbers."""
        return Bounds(math.sqrt(max(self.low, 0.0)), math.sqrt(max(self.high, 0.0)))

    def widen(self, margin: float) -> Bounds:
        """Wider by `margin` on either side."""
        return Bounds(self.low - margin, self.high + margin)

    def distance(self, other: Bounds) -> float:
        """How far apart two intervals are; 0 if they meet."""
        above, below = (self, other) if self.low >= other.low else (other, self)
        gap = above.low - below.high
        scale = max(abs(above.low), abs(below.high), 1e-300)
        return gap if gap > _SLACK * scale else 0.0

    @property
    def middle(self) -> float:
        """Its centre."""
        return (self.low + self.high) / 2

    @property
    def pair(self) -> tuple[float, float]:
        """Low and high."""
        return self.low, self.high


@lru_cache(maxsize=20_000)  # every rule reads the same cells again
def _of_text(text: str, cut: bool) -> Bounds:
    printed = Printed.parse(text)
    return Bounds(*(printed.cut if cut else printed.interval))
