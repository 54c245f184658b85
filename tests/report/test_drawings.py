"""Drawings: maps with one scale for one sign and a legend of sizes; small, and the same picture."""

import re

import numpy as np
import pytest

from bayesdid.report.analysis_figures import analysis_figure, scale_of
from bayesdid.report.figures import (
    STAMP,
    columns_figure,
    name_rows,
    pyplot,
    room_for_numbers,
    size,
    svg,
    tips,
)
from bayesdid.report.svg_small import once, small


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


@pytest.mark.parametrize("label", ["x", "the outcome of a policy\nin units of its own\nand more"])
def test_the_stamp_stands_below_all_that_is_drawn(label):
    """And not far below, whether or not labels reach beyond the figure."""
    figure, axes = pyplot().subplots(figsize=(3, 1))
    axes.set_xlabel(label)
    drawn = svg(figure, "t", synthetic=True)
    texts = re.findall(r'<text [^>]*?(?: y="|translate\([\d.]+ )([\d.]+)[^>]*>([^<]*)<', drawn)
    lines = {text: float(y) for y, text in texts}
    assert set(label.split("\n")) < set(lines)
    stamp = lines.pop(STAMP)
    lowest = max(lines.values())  # base lines, of ten points the label's
    assert 8 < stamp - lowest < 20
    assert stamp < size(drawn)[1]


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


def rings(solid):
    """Two drawings' worth of one mark, by its class."""
    use = '<use xlink:href="#m0123456789" x="1.0" y="{}" style="fill: {}; stroke: red"/>'
    fill = "red" if solid else "none"
    return (
        '<svg xmlns:xlink="x"><defs><style type="text/css"></style>'
        '<path id="m0123456789" d="M 0 1 L 2 2 " style="stroke: red"/></defs>'
        + "".join(use.format(y, fill) for y in (1, 2, 3))
        + "</svg>"
    )


def test_a_mark_has_its_class_once_and_a_name_of_its_own():
    """Else the filled mark of one drawing would be drawn for the hollow one of the next."""
    solid, hollow = small(rings(True)), small(rings(False))
    names = [re.findall(r'id="(\w+)" class="(s\w+)"', text) for text in (solid, hollow)]
    for text, found in zip((solid, hollow), names, strict=True):
        ((own, name),) = found
        assert text.count(f'<use href="#{own}"') == 3
        assert text.count(f'class="{name}"') == 1
        assert "xlink" not in text
    assert names[0][0][0] != names[1][0][0]
    own = small(rings(True).replace("fill: red; stroke: red", "stroke: red"))  # of the mark itself
    assert re.search(r'id="m012345" d="[^"]*" class="s', own)
    mixed = small(rings(True).replace("fill: red", "fill: none", 1))
    assert "<use" in mixed
    assert mixed.count('id="m012345"') == 1


def test_a_page_defines_a_mark_and_a_rule_once():
    """And keeps those that differ: a mark of another class, another clip, a rule of one drawing."""
    drawings = [small(rings(solid)).replace("><path", "></defs><defs><path") for solid in (1, 0, 1)]
    clips = [f'<defs><clipPath id="{name}"><rect/></clipPath></defs>' for name in "pqp"]
    page = once("<p>a</p>".join([*drawings, RAW, RAW, *clips]))
    assert re.findall(r'<clipPath id="(\w)"', page) == ["p", "q"]
    assert "<defs></defs>" not in page
    marks = re.findall(r' id="(m\w+)"', page)
    assert len(marks) == len(set(marks)) == 2
    assert page.count('<use href="#') == 9
    rules = re.findall(r"[.*]\w*\{[^}]*\}", page)
    assert len(rules) == len(set(rules)) == 3
    assert page.count("<style") == 3
    assert once(page) == page


def test_lines_along_an_axis_are_short_and_others_are_kept():
    text = small(
        '<svg><defs><style></style></defs><path d="M 1 2 L 1 5 M 3 4 L 9 4 L 9.5 4 "/></svg>'
    )
    assert 'd="M1 2V5M3 4H9L9.5 4"' in text
    text = small('<svg><style></style><path d="M 1 2 L 10 5 "/></svg>')
    assert 'd="M1 2L10 5"' in text
    clipped = '<path d="M 1 2 L 2 5 " clip-path="url(#p0)" style="fill: none"/>' * 3
    found = small(f"<svg><defs><style></style></defs>{clipped}</svg>")
    assert found.count("url(#p0)") == 1
    assert ";clip-path:url(#p0)}" in found


@pytest.mark.parametrize(("scale", "least", "most"), [(1.0, 4, 12), (1e4, 3, 5)])
def test_numbers_below_an_axis_stand_beside_each_other(scale, least, most):
    """Before, numbers of six digits were written over each other."""
    figure, axes = pyplot().subplots(figsize=(3.6, 2.0))
    axes.plot([-6 * scale, 0.0], [0, 1])
    room_for_numbers(axes)
    low, high = axes.get_xlim()
    shown = [f"{at:.0f}" for at in axes.get_xticks() if low <= at <= high]
    pyplot().close(figure)
    assert least <= len(shown) <= most
    # points of a digit of ten points' height, of the axis
    assert len(shown) * max(map(len, shown)) * 6.4 <= 72 * 3.6 * 0.8


def test_lines_of_a_rows_name_end_at_one_edge_in_any_font():
    """Matplotlib's own have their beginnings fixed, so that they are ragged in another font."""
    axes = pyplot().subplots()[1]
    name_rows(axes, ["short", "a name of\ntwo lines"])
    drawn = svg(axes.figure, "t")
    for line in ("short", "a name of", "two lines"):
        style = re.search(rf"<text([^>]*)>{line}</text>", drawn)[1]
        named = re.search(r'class="(\w+)"', style)
        rule = re.search(rf"\.{named[1]}{{([^}}]*)}}", drawn)[1] if named else style
        assert "text-anchor:end" in rule.replace(": ", ":"), line
    first, second = (
        float(re.search(rf'<text[^>]*\by="([\d.]+)"[^>]*>{line}<', drawn)[1])
        for line in ("a name of", "two lines")
    )
    assert second - first == pytest.approx(1.2 * 9, abs=0.2)  # in the order they are read


def test_columns_are_drawn_with_the_unit_of_their_effects():
    row = {"label": "a", "ols": 1.0, "se_cluster": 0.5, "mean": 1.0, "low": 0.0, "high": 2.0}
    assert "effect, 89 % intervals; deaths" in columns_figure([row], 0.89, False, "deaths")
    assert ";" not in re.search(r">(effect, [^<]*)<", columns_figure([row], 0.89, False))[1]


def test_a_mouse_over_a_bar_shows_its_numbers():
    """Of a forest, a path and a specification curve; not where an end is missing."""
    series = {"label": "fit", "x": ["a", "b"], "y": [0.5, 1.0], "low": [0.1, None]}
    series |= {"high": [0.9, 2.0], "band_low": None, "band_high": None}
    item = {"kind": "forest", "caption": "What: x", "series": [series], "reference": 0.0}
    text = analysis_figure(item | {"xlabel": "u"}, False)
    assert re.findall(
        r'<path class="tip" d="M[\d.]+ [\d.]+H[\d.]+"><title>(.*?)</title>', text
    ) == ["fit, a: 0.5 (0.1 to 0.9)"]
    assert "tip:" not in text
    x = {"x": [-2, 3], "low": [0.1, 0.2]}
    more = {"verticals": [], "ylabel": "u", "rug": None, "xlabel": "t"}
    text = analysis_figure(item | more | {"kind": "points", "series": [series | x]}, False)
    assert "<title>fit, −2: 0.5 (0.1 to 0.9)</title>" in text
    figure, axes = pyplot().subplots(figsize=(3, 1))
    tips(axes, [(0, 0)], [(0, 1)], ["period -6, 89%: 1"])
    assert "<title>period −6, 89\N{NO-BREAK SPACE}%: 1</title>" in svg(figure, "t")
    assert re.search(r'class="tip" d="M[\d.]+ [\d.]+V[\d.]+"><title>fit, 3: 1 \(0.2 to 2\)', text)
    alone = analysis_figure(
        item
        | more
        | {
            "kind": "points",
            "series": [series | x | {k: v[:1] for k, v in x.items()} | {"y": [0.5], "high": [0.9]}],
        },
        False,
    )
    assert [">−3</text>" in alone, "−2.0" in alone] == [True, False]  # whole periods
    chosen = {"errors: iid": [True, False], "sample: all": [True, True]}
    curve = item | {"kind": "specification", "ylabel": "u", "matrix": chosen}
    curve["series"] = [series | {"low": [0.1, 0.2]}]
    assert "<title>iid, all: 0.5 (0.1 to 0.9)</title>" in analysis_figure(curve, False)
