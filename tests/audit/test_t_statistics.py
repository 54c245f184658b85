"""Tables that print t statistics in the place of standard errors."""

import pytest

from bayesdid.audit.columns import size_of_t
from bayesdid.audit.measures import measures
from bayesdid.audit.stars import stars
from bayesdid.families.registry.load import load_study
from bayesdid.study.schema import Cell
from smallest import study_with

STUDY = study_with("units = 200\n", unit="id", policy='adoption = "first"')
TABLE = """
id = "t"
title = "T"
kind = "regression"
[[column]]
id = "1"
outcome = "y"
treatments = ["active:p"]
[column.coefficients]
"active:p" = {{ estimate = "{estimate}", t = "{t}" }}
"""


def findings(folder, estimate, t):
    folder.mkdir()
    (folder / "study.toml").write_text(STUDY)
    (folder / "t.toml").write_text(TABLE.format(estimate=estimate, t=t))
    return [found for found in stars(load_study(folder)) if found is not None]


def test_stars_are_judged_by_the_printed_t(tmp_path):
    """t = 2.35 is p = .019: two stars hold, three contradict, however the estimate is scaled."""
    for k, estimate in enumerate(("0.42**", "-0.42**", "4.2e-05**")):
        assert findings(tmp_path / str(k), estimate, "2.35") == []
    (found,) = findings(tmp_path / "three", "0.42***", "2.35")
    assert found.severity == "contradiction"
    assert "0.42*** (t = 2.35)" in found.text


def test_its_size_is_the_rounding_interval():
    size = size_of_t(Cell(estimate="0.42", t="-2.35"))
    assert (size.low, size.high) == pytest.approx((2.345, 2.355))


@pytest.mark.parametrize(
    ("estimate", "t", "other", "found"),
    [
        ("0.42", "2.35", "-1.20", 0),
        ("0.42", "-2.35", "1.20", 1),
        ("-0.42", "2.35", "-1.20", 1),
        ("-0.42", "2.35", "1.20", 0),  # absolute values
        ("0.00", "-0.31", "1.20", 0),  # may be negative
        ("-0.42", "0.00", "-1.20", 0),
    ],
)
def test_t_has_the_sign_of_its_estimate(tmp_path, estimate, t, other, found):
    (tmp_path / "study.toml").write_text(STUDY)
    side = "-" if other.startswith("-") else ""
    text = TABLE.replace('t = "{t}" }}', 't = "{t}" }}\nx = {{ estimate = "{x}", t = "{other}" }}')
    text = text.replace(
        'treatments = ["active:p"]', 'treatments = ["active:p"]\ncovariates = ["x"]'
    )
    x = f"{side}0.3" if estimate != "-0.42" or side else "-0.3"
    (tmp_path / "t.toml").write_text(text.format(estimate=estimate, t=t, x=x, other=other))
    said = [item for item in measures(load_study(tmp_path)) if item is not None]
    assert [item.severity for item in said] == ["contradiction"] * found
    assert [item.place for item in said] == ["t.1:active:p"] * found


def test_one_column_of_signed_t_says_that_all_of_the_table_are(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    first = TABLE.format(estimate="-0.42", t="2.35")
    second = TABLE[TABLE.index("[[column]]") :].replace('id = "1"', 'id = "2"')
    for t, found in (("-1.20", ["t.1:active:p"]), ("1.20", [])):
        (tmp_path / "t.toml").write_text(first + second.format(estimate="-0.30", t=t))
        said = [item for item in measures(load_study(tmp_path)) if item is not None]
        assert [item.place for item in said] == found
