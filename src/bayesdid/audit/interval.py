"""Interval arithmetic: every printed number is a set of numbers that round to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bayesdid.study.printed import Printed

_SLACK = 1e-9  # of binary arithmetic, relative


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval of real numbers."""

    low: float
    high: float

    @classmethod
    def of(cls, text: str | Printed) -> Interval:
        """The numbers that round to a printed one."""
        return cls(*(Printed.parse(text) if isinstance(text, str) else text).interval)

    @classmethod
    def exactly(cls, value: float) -> Interval:
        """A single number."""
        return cls(value, value)

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Interval) -> Interval:
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(ends), max(ends))

    def __truediv__(self, other: Interval) -> Interval:
        """Quotient; unbounded where the divisor may be zero."""
        if other.low <= 0.0 <= other.high:
            if other.low == 0.0 and other.high > 0.0 and self.low >= 0.0:
                return Interval(self.low / other.high, math.inf)
            return Interval(-math.inf, math.inf)
        ends = [a / b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(ends), max(ends))

    def __abs__(self) -> Interval:
        if self.low >= 0.0:
            return self
        if self.high <= 0.0:
            return Interval(-self.high, -self.low)
        return Interval(0.0, max(-self.low, self.high))

    def square(self) -> Interval:
        """Squares of its numbers."""
        size = abs(self)
        return Interval(size.low**2, size.high**2)

    def sqrt(self) -> Interval:
        """Square roots of its non-negative numbers."""
        return Interval(math.sqrt(max(self.low, 0.0)), math.sqrt(max(self.high, 0.0)))

    def widen(self, margin: float) -> Interval:
        """Wider by `margin` on either side."""
        return Interval(self.low - margin, self.high + margin)

    def distance(self, other: Interval) -> float:
        """How far apart two intervals are; 0 if they meet."""
        gap = max(self.low - other.high, other.low - self.high)
        scale = max(abs(self.low), abs(other.low), 1e-300)
        return gap if gap > _SLACK * scale else 0.0

    @property
    def middle(self) -> float:
        """Its centre."""
        return (self.low + self.high) / 2

    @property
    def pair(self) -> tuple[float, float]:
        """Low and high."""
        return self.low, self.high
