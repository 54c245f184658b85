"""Printed numbers, terms and cell references."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesdid.exceptions import InputError
from bayesdid.families.registry.load import load_study
from bayesdid.study.printed import Printed
from bayesdid.study.terms import parse_term


@given(st.integers(-(10**7), 10**7), st.integers(0, 4), st.integers(0, 3))
def test_round_trip(digits, places, stars):
    value = digits / 10**places
    text = f"{value:.{places}f}" + "*" * stars
    printed = Printed.parse(text)
    assert float(printed) == pytest.approx(value)
    assert (printed.places, printed.stars) == (places, stars)
    low, high = printed.interval
    assert low <= value <= high
    assert high - low == pytest.approx(10.0**-places)


@given(st.floats(-1e4, 1e4), st.integers(0, 4))
def test_a_number_lies_in_the_interval_of_its_rounding(value, places):
    low, high = Printed.parse(f"{value:.{places}f}").interval
    assert low - 1e-9 <= value <= high + 1e-9


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3,488", 3488),
        ("−0.227**", -0.227),
        ("–1.5", -1.5),
        ("(0.088)", 0.088),
        ("[12]", 12),
        ("+0.5*", 0.5),
        (".25", 0.25),
        ("1,234,567.8", 1234567.8),
        ("-5.18e-05***", -5.18e-05),
        ("(9.29E-06)", 9.29e-06),
        ("5.18 × 10^−5*", 5.18e-05),
        ("1.2e+02", 120),
    ],
)
def test_ways_of_printing(text, value):
    assert float(Printed.parse(text)) == value


@given(st.integers(100, 999), st.integers(-12, 6))
def test_a_power_of_ten_moves_the_rounding_along(digits, power):
    """As many digits are known of 5.18e-05 as of 5.18: the same value in another unit."""
    plain, scaled = (Printed.parse(f"{digits / 100:.2f}{tail}") for tail in ("", f"e{power:+03d}"))
    assert scaled.value == plain.value.scaleb(power)
    assert scaled.half_width == plain.half_width.scaleb(power)


@pytest.mark.parametrize("text", ["", "abc", "(0.1", "1 2", "0.1***** ", "--1", "1e5", "12,34"])
def test_what_is_not_a_number(text):
    with pytest.raises(ValueError, match="not a printed number"):
        Printed.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "active:p",
        "only:p",
        "first:p",
        "both",
        "any",
        "simultaneous",
        "x",
        "centred:x",
        "both * centred:x",
        "active:a * active:b",
    ],
)
def test_terms_round_trip(text):
    assert str(parse_term(text)) == text


@pytest.mark.parametrize("text", ["", "a b", "x + y", "exp(x)", "active:", "__import__('os')", "*"])
def test_anything_else_is_not_a_term(text):
    with pytest.raises(ValueError, match="not a term"):
        parse_term(text)


def test_cells(models):
    study = load_study(models / "dual_pilot")
    assert study.cell("table2.5:both").value.text == "-0.698***"
    assert float(study.cell("table2.5:both").se) == 0.074
    assert float(study.cell("table2.5:both.se").value) == 0.074
    assert float(study.cell("table1:safety.mean").value) == 1.397
    assert float(study.cell("table7.1:W:both").value) == -3.866
    assert float(study.cell("table7.1:both.total").value) == -10.337
    assert float(study.cell("table2.5:n").value) == 2224
    assert float(study.cell("figure4:step").value) == 100
    for wrong in ("table2.5:nothing", "table2.99:both", "table99:x", "table2.5"):
        with pytest.raises(InputError, match="no such published cell"):
            study.cell(wrong)


@pytest.mark.parametrize(
    ("text", "value", "mark"),
    [
        ("−0.61†", -0.61, "†"),
        ("0.42 **", 0.42, "**"),
        ("(0.18)*", 0.18, "*"),
        ("1.2+", 1.2, "+"),
        (".05a", 0.05, "a"),
        ("37.6%", 0.376, ""),
        ("-4.5%***", -0.045, "***"),
    ],
)
def test_marks_and_percent(text, value, mark):
    printed = Printed.parse(text)
    assert (float(printed), printed.mark) == (value, mark)
    assert printed.interval[0] < value < printed.interval[1]


def test_a_bound_is_the_interval_below_or_above_it():
    assert Printed.parse("<.001").interval == (0.0, 0.001)
    assert Printed.parse("p > 0.10").interval == (0.1, float("inf"))
    assert Printed.parse("p = .03").interval == pytest.approx((0.025, 0.035))


def test_digits_cut_off_lie_farther_from_zero():
    assert Printed.parse("0.29").cut == pytest.approx((0.285, 0.30))
    assert Printed.parse("−0.29*").cut == pytest.approx((-0.30, -0.285))
    assert Printed.parse("(0.00)").cut == pytest.approx((-0.01, 0.01))
