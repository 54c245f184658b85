"""Drawings: maps with one scale for one sign and a legend of sizes; small, and the same picture."""

import re

import numpy as np
import pytest

from bayesdid.report.analysis_figures import analysis_figure, scale_of
from bayesdid.report.svg_small import small


def a_map(values):
    n = len(values)
    series = {"label": "deaths", "x": list(range(n)), "y": list(range(30, 30 + n)), "low": values}
    series |= {"high": [0.5, 0.75, 0.99], "band_low": [0.0, 1.0, 0.0], "band_high": None}
    return {"kind": "map", "caption": "What: x", "series": [series], "xlabel": "lon"} | {
        "ylabel": "lat"
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.1, 0.2, 0.4], ("Reds", 0.0, 0.4)),
        ([-0.1, -0.2, -0.4], ("Blues_r", -0.4, 0.0)),
        ([-0.1, 0.2, -0.4], ("RdBu_r", -0.4, 0.4)),
    ],
)
def test_values_of_one_sign_have_a_sequential_scale_from_zero(values, expected):
    assert scale_of(np.array(values)) == expected


def test_a_map_says_what_sizes_mean():
    text = analysis_figure(a_map([0.1, 0.2, 0.4]), False)
    for label in ("P 0.5", "P 0.75", "P 0.95", "P 1", "probability of the sign"):
        assert f">{label}</text>" in text


RAW = """<svg width="100%"><defs><style type="text/css">*{stroke-linejoin: round}</style></defs>
<g id="a"><g id="b"><path d="M 0 0.04 L 5 5 z " style="fill: none"/></g>
<g clip-path="url(#q)"><path d="M 0.123 -1.26 L 2.0 30.05 " style="stroke: red; fill: none"/>
<path d="M 1 1 L 2 2 " style="stroke: red; fill: none"/>
<text style="fill: red" x="10.26" y="3.0" transform="rotate(-0 10.26 3)">a - b</text>
<text style="fill: red" x="1" y="3" transform="rotate(-90 1 3)">M 1</text>
<path d="M 3 1 L 2 2 " style="stroke: red; fill: none"/></g></g></svg>"""


def test_what_nobody_sees_is_left_out_and_all_else_is_kept():
    text = small(RAW)
    assert len(text) < 0.75 * len(RAW)
    assert text.count("<g") == text.count("</g>") == 1  # the clipped one
    assert 'd="M0.1 -1.2L2 30"' in text
    (name,) = set(re.findall(r'class="(s\w+)"', text))
    assert text.count(f'class="{name}"') == 3
    assert f".{name}{{stroke:red;fill:none}}" in text
    assert 'style="fill:red"' in text  # twice is not worth a class
    assert ">a - b</text>" in text
    assert ">M 1</text>" in text
    assert "rotate(-90 1 3)" in text
    assert "rotate(-0" not in text


def test_a_class_is_named_by_what_it_says():
    red, blue = (
        set(re.findall(r'class="(s\w+)"', small(RAW.replace("red", colour))))
        for colour in ("red", "blue")
    )
    assert red.isdisjoint(blue)
