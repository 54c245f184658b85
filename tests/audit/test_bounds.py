"""Bounds arithmetic contains every result of arithmetic on its members."""

import math

from hypothesis import given
from hypothesis import strategies as st

from bayesdid.audit.bounds import Bounds

number = st.floats(-1e3, 1e3)
share = st.floats(0, 1)


@st.composite
def inside(draw):
    a, b = sorted((draw(number), draw(number)))
    value = a + draw(share) * (b - a)
    return Bounds(a, b), min(max(value, a), b)


def holds(interval, value):
    margin = 1e-9 * max(1.0, abs(value)) if math.isfinite(value) else 0.0
    return interval.low - margin <= value <= interval.high + margin


@given(inside(), inside())
def test_arithmetic_encloses(left, right):
    (a, x), (b, y) = left, right
    assert holds(a + b, x + y)
    assert holds(a - b, x - y)
    assert holds(a * b, x * y)
    if y != 0 and math.isfinite(x / y):
        assert holds(a / b, x / y)
    assert holds(abs(a), abs(x))
    assert holds(a.square(), x * x)
    assert holds(abs(a).sqrt(), math.sqrt(abs(x)))


@given(inside(), inside())
def test_intervals_with_a_common_point_are_not_apart(left, right):
    (a, x), (b, _) = left, right
    joint = Bounds(min(b.low, x), max(b.high, x))
    assert a.distance(joint) == 0.0


def test_printed_numbers():
    interval = Bounds.of("-0.227**")
    assert interval.low < -0.2274 < -0.2266 < interval.high
    assert Bounds.of("1.00").distance(Bounds.of("1.02")) > 0
    assert Bounds.of("1.00").distance(Bounds.of("1.01")) == 0.0
