"""Digits of n and decimal points of errors that other columns belie: found, and nothing else is."""

import pytest
from test_printed_beside import severities, study

from bayesdid.audit.digits import digits_of_n, points_of_errors


def columns(sizes, errors=(), outcomes=()):
    """Columns of one regressor, with 0.040 as its standard error and one outcome if not told."""
    pairs = zip(
        sizes, errors or ["0.040"] * len(sizes), outcomes or ["y"] * len(sizes), strict=True
    )
    return [
        {"n": n, "outcome": outcome, "coefficients": {"x": {"estimate": "0.10", "se": se}}}
        for n, se, outcome in pairs
    ]


WARNED = ["warning"]
OTHER = ("y", "z", "w", "v")


@pytest.mark.parametrize(
    ("sizes", "errors", "outcomes", "expected"),
    [
        (("4,821", "48,210", "4,821"), (), (), WARNED),
        (("4,821", "4,821", "482"), (), (), WARNED),  # a digit too few
        (("4,821", "48,821"), (), OTHER[:2], WARNED),  # an 8 twice
        (("4,821", "48,210"), ("0.040", "0.0127"), (), []),  # errors of ten times the rows
        (("4,821", "48,210"), ("0.040", "0.0235"), (), WARNED),  # 1.70 times, not 1.78
        (("4,821", "48,210"), ("0.040", "0.0215"), (), []),  # 1.86 times
        (("4,821", "48,210", "15,000"), (), (), []),  # samples of many sizes
        (("4,821", "48,210", "12,000"), (), (), WARNED),  # four times and more apart
        (("1,234",) * 10 + ("12,340",), (), (), []),  # parts that add up
        (("1,234",) * 9 + ("12,340",), (), (), WARNED),
        (("4,821", "4,702", "58,000"), (), (), WARNED),  # within 1.25 of ten times 4,821
        (("4,821", "4,702", "61,000"), (), (), []),
        (("4,821", "4,702", "58,000"), (), OTHER[:3], []),  # no errors to compare
        (("4,821", "50,000"), (), (), WARNED),  # within 1.05 of the only other
        (("4,821", "51,000"), (), (), []),
        (("1,200", "12,000"), (), OTHER[:2], []),  # two digits match by chance
        (("1,200", "1,200", "1,200", "12,000"), (), OTHER, WARNED),
        (("4,821", "4,702", "471"), (), (), []),  # a small sample, of other digits
        (("4,821", "4,821"), (), (), []),
    ],
)
def test_a_digit_more_than_others(sizes, errors, outcomes, expected):
    assert severities("digits_of_n", columns(sizes, errors, outcomes)) == expected


def test_it_says_which_column_and_why():
    cases = ("4,821", "48,210", "4,821"), ("4,821", "50,000"), ("821", "821", "82")
    found = [next(f for f in digits_of_n(study(columns(c))) if f is not None) for c in cases]
    assert [finding.place for finding in found] == ["t1.2:n", "t1.1, t1.2:n", "t1.3:n"]
    errors = "and its standard errors are not those of as many"
    assert [finding.text for finding in found] == [
        f"t1.2 prints n = 48,210, t1.1 4,821: a digit apart {errors} more rows.",
        f"t1.2 prints n = 50,000, t1.1 4,821 {errors} more rows.",
        f"t1.3 prints n = 82, t1.1 821: a digit apart {errors} fewer rows.",
    ]


def test_t_tells_errors_too():
    made = columns(("4,821", "48,210"))
    for column, t in zip(made, ("2.50", "7.87"), strict=True):
        column["coefficients"]["x"] = {"estimate": "0.100", "t": t}
    assert severities("digits_of_n", made) == []


SIZES = ("4,821", "4,821", "4,702", "4,821")


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        (("0.041", "0.40", "0.038", "0.045"), WARNED),
        (("0.41", "0.040", "0.38", "0.45"), WARNED),
        (("0.041", "0.38", "0.038", "0.045"), WARNED),  # .038 is just those of columns 1 and 3
        (("0.041", "0.30", "0.038", "0.045"), []),  # .030 is none of theirs
        (("0.041", "0.40", "0.38", "0.045"), []),  # two of four: another estimator
        (("0.041", "0.40", "0.038", "0.12"), []),  # errors of all sizes
        (("0.041", "0.045", "0.038", "0.045"), []),
    ],
)
def test_an_error_ten_times_those_of_the_other_columns(errors, expected):
    assert severities("points_of_errors", columns(SIZES, errors)) == expected


def test_errors_of_other_outcomes_and_other_sizes_are_none_beside():
    errors = ("0.041", "0.40", "0.038")
    for sizes, outcomes in ((SIZES[:3], OTHER[:3]), (("4,821", "1,200", "4,702"), ())):
        assert list(points_of_errors(study(columns(sizes, errors, outcomes)))) == []
    (few,) = {f.text for f in points_of_errors(study(columns(SIZES[:3], errors))) if f}
    assert few == (
        "t1.2 prints 0.4 as the standard error of x, t1.1 0.041: about ten times, as if its "
        "decimal point had moved."
    )
    moved = ("0.41", "0.040", "0.38")
    (few,) = {f.text for f in points_of_errors(study(columns(SIZES[:3], moved))) if f}
    assert "t1.1 0.41: about a tenth, as" in few
