"""Printed columns of three policies: functionals, inversion, what is refused."""

import numpy as np
import pytest
from printing import study

from bayesdid.audit.run import audit_study
from bayesdid.design.overlap import pairs_of
from bayesdid.estimands.names import ALL, BEYOND_PAIRS, contrasts_of, sum_of
from bayesdid.exceptions import InputError
from bayesdid.published.columns import printed_columns
from bayesdid.published.functional import Path, effects_of, pair_orders, state_rows
from bayesdid.published.inversion import printed_weights, quantities, quantity_names
from bayesdid.published.synergy import published_cells, published_synergy
from bayesdid.published.timing import timings
from bayesdid.published.words import headline

POLICIES = ("a", "b", "c")
ADOPTION = {
    "a": {"2003": 5, "2006": 4},
    "b": {"2004": 5, "2006": 3},
    "c": {"2003": 4, "2005": 4},
    "a+b": {"2003,2005": 4, "2006,2004": 4},
    "a+c": {"2003,2006": 4, "2005,2003": 3},
    "b+c": {"2004,2004": 2, "2004,2007": 3},
    "all": {"2003,2005,2007": 4, "2006,2004,2005": 4},
}
DESIGN = {"timing": {"adoption": ADOPTION, "known": True}}
ALONE = [
    {"treatments": [f"only:{p}"], "sample": {"arms": ["none", "single"], "only": [p]}}
    for p in POLICIES
]
PAIRS = [
    {"treatments": [f"only:{x}+{y}"], "sample": {"arms": ["none", "dual"], "only": [f"{x}+{y}"]}}
    for x, y in pairs_of(POLICIES)
]
TRIPLE = [{"treatments": ["all"], "sample": {"arms": ["none", "triple"]}}]
WHOLE = [{"treatments": ["all"]}, {"treatments": ["both:a+b"]}]
COLUMNS = (*ALONE, *PAIRS, *TRIPLE, *WHOLE)
CELLS = {
    "all_none": "t.c6:all",
    "only_none": {p: f"t.c{k}:only:{p}" for k, p in enumerate(POLICIES)},
    "pair_none": {
        f"{x}+{y}": f"t.c{k + 3}:only:{x}+{y}" for k, (x, y) in enumerate(pairs_of(POLICIES))
    },
}
THETA = {"a": -0.5, "b": -0.4, "c": -0.3, "joint a+b": -0.3, "joint b+c": 0.25, "joint a+b+c": -0.2}
PATH = Path("growing", 4)


def made(values, **options):
    given = {"policies": POLICIES, "synergy": CELLS, "design": DESIGN, "panel": {"units": 75}}
    return study(COLUMNS, values=values, ses=[0.004] * len(values), **(given | options))


@pytest.fixture(scope="module")
def printed():
    """What the columns would print, and the contrasts behind them."""
    blank = made([0.0] * len(COLUMNS))
    (timing,) = timings(blank).members
    columns, left = printed_columns(blank, list(published_cells(blank).values()))
    assert left == {}
    effects = effects_of(timing, PATH)
    theta = np.array([THETA.get(name, 0.0) for name in effects.names])
    M = np.einsum("cnt,ntj->cj", printed_weights(columns, timing), effects.values)
    truth = dict(zip(quantity_names(POLICIES), quantities(timing, effects) @ theta, strict=True))
    return M @ theta, truth, timing, effects, theta


def test_quantities_are_averages_of_the_effects(printed):
    _, truth, timing, effects, theta = printed
    total, on = effects.values @ theta, timing.on
    assert list(truth) == [one.name for one in contrasts_of(made([0.0] * len(COLUMNS)))]
    assert truth["all - none"] == pytest.approx(total[on.all(axis=2)].mean())
    assert truth[ALL] == pytest.approx(-0.3 + 0.25 - 0.2)
    assert truth[BEYOND_PAIRS] == pytest.approx(-0.2)
    assert truth[sum_of(("a", "b"))] == pytest.approx(-0.3)
    assert truth[sum_of(("a", "c"))] == pytest.approx(0.0)
    just = on[..., 1] & on[..., 2] & ~on[..., 0]
    assert truth["b and c - none"] == pytest.approx(total[just].mean())
    assert truth["only:c - none"] == pytest.approx(
        total[on[..., 2] & ~on[..., :2].any(axis=2)].mean()
    )
    first, other, _ = (state_rows(timing, o) for o in pair_orders(("a", "b"), POLICIES))
    alone = on[..., 0] & on[..., 1] & ~on[..., 2]
    gap = total[first & alone].mean() - total[other & alone].mean()
    assert truth["order:a>b - order:b>a vs none"] == pytest.approx(gap)


def test_the_inversion_finds_the_departures_behind_the_columns(printed):
    values, truth, *_ = printed
    found = published_synergy(made(values))
    assert found.knowledge == "stated"
    assert "joint a+b+c" in found.functional.columns
    for name in (ALL, "all - none", *(sum_of(pair) for pair in pairs_of(POLICIES))):
        main = found.contrasts[name].main
        assert abs(main.mean - truth[name]) < 3 * main.sd + 0.02, name
        assert main.sd < 0.25, name
    # cells subtracted are no contrast: dual units are compared with their own years under one
    naive = found.contrasts[sum_of(("a", "b"))]
    assert naive.cells == ("t.c3:only:a+b", "t.c0:only:a", "t.c1:only:b")
    assert naive.naive == pytest.approx(values[3] - values[0] - values[1], abs=2e-3)
    assert headline(found).name == ALL


def test_counts_by_arm_are_no_contradiction():
    counts = {"none": 22, "single": 25, "dual": 20, "triple": 8, "only": {"a": 9, "b": 8, "c": 8}}
    fine = made([0.0] * len(COLUMNS), design=DESIGN | counts)
    wrong = made([0.0] * len(COLUMNS), design=DESIGN | counts | {"triple": 9})
    rules = [[f for f in audit_study(one).findings if f.rule == "counts"] for one in (fine, wrong)]
    assert rules[0] == []
    assert ["none + single + dual + triple" in f.text for f in rules[1]] == [True]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"synergy": {"both_none": "t.c6:all"}}, r"cells of both, among 3.*all_none, pair_none"),
        ({"synergy": {"pair_none": {"b+a": "t.c3:only:a+b"}}}, r"study's order.*b\+a.*a\+b"),
        ({"synergy": CELLS, "policies": ("a", "b")}, "unknown policy|of three and more"),
    ],
)
def test_cells_that_are_none_are_refused(options, says):
    with pytest.raises(InputError, match=says):
        made([0.0] * len(COLUMNS), **options)


def test_both_of_three_policies_is_refused_with_what_to_write():
    with pytest.raises(InputError, match=r"both does not say which of 3.*both:P\+Q.*all"):
        study([{"treatments": ["both"]}], values=[0.1], ses=[0.1], policies=POLICIES, synergy={})


def test_timing_that_is_not_stated_is_refused():
    counts = {"none": 22, "single": 25, "dual": 20}
    with pytest.raises(InputError, match=r"which of 3 policies when is not stated.*known = true"):
        published_synergy(made([0.0] * len(COLUMNS), design=counts))
    bad = {"timing": {"adoption": {"a+d": {"2003,2004": 1}}, "known": True}}
    with pytest.raises(InputError, match=r"unknown policy.*d"):
        published_synergy(made([0.0] * len(COLUMNS), design=bad))
    short = {"timing": {"adoption": {"a+b": {"2003": 1}}, "known": True}}
    with pytest.raises(InputError, match=r"not one period for each of a, b"):
        published_synergy(made([0.0] * len(COLUMNS), design=short))
