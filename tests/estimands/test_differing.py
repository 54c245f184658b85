"""Effects that differ between units: the comparison's size and power, what widths become, words."""

import dataclasses
import re

import numpy as np
import pytest
from made import make_panel, make_study
from scipy.stats import binom
from synergy_worlds import World, make

from bayesdid.checks.differing import NAME, differing_check
from bayesdid.design.overlap import overlap_design
from bayesdid.estimands.beside import CELLS, DIFFERING, HEADLINE, ModelSays
from bayesdid.estimands.deciding import deciding
from bayesdid.estimands.differing import LIMIT, Differing, differing
from bayesdid.estimands.gls import Scalars, gls
from bayesdid.estimands.names import ALL, BEYOND_PAIRS, MAX_SINGLE, RATIO, SUM, order_gap, sum_of
from bayesdid.estimands.row_weights import own_shares
from bayesdid.estimands.state_effects import state_averages
from bayesdid.estimands.synergy import _contrast, headline_spec, synergy
from bayesdid.estimands.violated_synergy import violated_synergy
from bayesdid.exceptions import InputError
from bayesdid.model.overlap import overlap_pooling
from bayesdid.summary import Interval, normal_interval

STUDY = make_study(columns=[{"id": "o", "outcome": "y", "family": "overlap"}])
COMMON = World(phi=0.5)


def fitted(world, seed, *, N=50, T=9, random=False):
    """Rows, coefficients given the true scalars, and averages of a panel: no draws are needed."""
    made = make(world, seed, N=N, T=T)
    rows = overlap_design(headline_spec(STUDY), make_panel(made.frame, made.adoption))
    pooling = overlap_pooling(rows)
    omega = dict.fromkeys(pooling.parts, 0.1)
    unit = 1.0 if random else np.inf
    scalars = Scalars(made.scales[rows.design.units], world.phi, unit, np.inf, omega)
    return rows, gls(pooling, scalars), state_averages(rows, pooling)[0], pooling


def test_common_effects_pass_and_effects_that_differ_do_not():
    """Size and power by counting, each bound wrong once in a thousand runs."""
    count = 12
    p = [differing(*fitted(COMMON, seed)[:3]).p for seed in range(count)]
    below = sum(value < 0.25 for value in p)
    assert binom.ppf(5e-4, count, 0.25) <= below <= binom.ppf(1 - 5e-4, count, 0.25)
    differ = dataclasses.replace(COMMON, unit_effects=1.0)
    found = [differing(*fitted(differ, seed)[:3]) for seed in range(3)]
    assert all(item.p < LIMIT and not item.passed for item in found)
    # of about 50 effects each the sd is known to a tenth; four errors of three panels' mean
    assert np.mean([item.sd for item in found]) == pytest.approx(1.0, abs=0.3)


def test_scales_of_units_do_not_look_like_differences():
    """T is the same whatever a unit's outcomes and scale are multiplied by."""
    rows, own, averages, pooling = fitted(COMMON, 3)
    one = differing(rows, own, averages)
    half = Scalars(np.full(len(rows.design.units), 0.3), 0.5, np.inf, np.inf, {})
    half = dataclasses.replace(half, omega=dict.fromkeys(pooling.parts, 0.1))
    wrong = differing(rows, gls(pooling, half), averages)
    twice = dataclasses.replace(half, sigma=half.sigma * 2, omega=dict.fromkeys(half.omega, 0.2))
    right = differing(rows, gls(pooling, twice, flat=tuple(pooling.design.treatments)), averages)
    flat = differing(rows, gls(pooling, half, flat=tuple(pooling.design.treatments)), averages)
    assert one.replicated == pytest.approx(wrong.replicated, abs=0.05)
    assert flat.observed == pytest.approx(right.observed, rel=0.05)


def test_widths_are_those_of_planted_differences():
    """Errors of a contrast over drawn effects of units: what the estimate moves by less what it is
    about moves by."""
    rows, own, averages, _ = fitted(COMMON, 5)
    found = differing(rows, own, averages)
    rng = np.random.default_rng(0)
    unit = rows.design.unit_index
    on = rows.age >= 0
    draws = 2000
    u = rng.standard_normal((draws, len(rows.design.units), 2))
    felt = u[:, unit] * on  # (S, n, 2)
    moved = felt.sum(axis=2)
    for name, about in {
        SUM: np.zeros(draws),
        "only:a - none": moved @ averages["only:a - none"].weights(),
        "both - none": moved @ averages["both - none"].weights(),
        "both - only:a": felt[:, :, 1] @ averages["both - only:a"].weights(),
    }.items():
        (weights,) = averages[name].parts
        error = moved @ (weights @ own.loading) - about
        (variance,) = np.diag(found.errors[name])
        # the sd of a sample variance of normal draws is its sqrt(2 / S), here .032
        assert error.var() == pytest.approx(variance, rel=0.13)
    # the ratio and the better single are of three parts, the sum of singles is their difference
    parts = found.errors[RATIO]
    less = np.array([1.0, -1.0, -1.0])
    assert less @ parts @ less == pytest.approx(float(found.errors[SUM][0, 0]), rel=0.2)


def test_draws_are_spread_out_and_stay_where_they_are():
    _, _, averages, pooling = fitted(COMMON, 5)
    errors = {SUM: np.array([[4.0]]), MAX_SINGLE: 4.0 * np.eye(3)}
    found = Differing(1.3, 1.0, Interval(0.9, 1.1, 0.89), 0.001, 0.5, 999, errors)
    tau = np.random.default_rng(1).normal(0, 0.1, (4000, len(pooling.design.treatments)))
    values = averages[SUM].values(SUM, tau, True)
    wide = found.wider(averages[SUM], SUM, tau, True)
    assert wide.mean() == pytest.approx(values.mean())
    assert wide.var() == pytest.approx(values.var() + 0.25 * 4.0)
    apart = found.wider(averages[MAX_SINGLE], MAX_SINGLE, tau, True)
    assert apart.std() > 1.0 > 2 * averages[MAX_SINGLE].values(MAX_SINGLE, tau, True).std()


def test_random_unit_effects_and_lone_rows_are_allowed_for():
    rows, own, averages, _ = fitted(COMMON, 7, random=True)
    assert 0.02 < differing(rows, own, averages).p < 0.98
    made = make(COMMON, 7, N=50, T=9)
    frame = made.frame[(made.frame["unit"] != 3) | (made.frame["period"] == 9)]
    few = overlap_design(headline_spec(STUDY), make_panel(frame, made.adoption))
    pooling = overlap_pooling(few)
    scalars = Scalars(np.ones(50), 0.5, np.inf, np.inf, dict.fromkeys(pooling.parts, 0.1))
    found = differing(few, gls(pooling, scalars), state_averages(few, pooling)[0])
    assert np.isfinite([found.observed, found.replicated, found.sd]).all()


def test_what_a_contrast_is_about_of_each_policy():
    """Departures do not depend on a row's own effects of single policies; effects of states do."""
    two, three = ("a", "b"), ("a", "b", "c")
    assert own_shares(SUM, two) == (1.0, 1.0)
    assert own_shares("both - only:a", two) == (1.0, 0.0)
    assert own_shares("both - none", two) == own_shares(RATIO, two) == (0.0, 0.0)
    departures = (ALL, BEYOND_PAIRS, sum_of(("a", "c")), order_gap(("a", "c"), "sum"))
    assert all(own_shares(name, three) == (1.0,) * 3 for name in departures)
    others = ("all - none", "a and c - none", order_gap(("a", "c"), "none"))
    assert all(own_shares(name, three) == (0.0,) * 3 for name in others)


@pytest.fixture(scope="module")
def differ():
    """A panel in which effects differ by more than they are large."""
    world = World(path="constant", unit_effects=1.0)
    made = make(world, 2, N=40, T=9)
    panel = make_panel(made.frame, made.adoption)
    return panel, synergy(STUDY, panel, draws=50, chains=2)


def test_the_word_and_violations_follow_the_wider_model(differ, monkeypatch):
    def no_sets(*_):
        raise InputError("not asked here", remedy="none")

    monkeypatch.setattr("bayesdid.estimands.violated_synergy.departure_path", no_sets)
    panel, found = differ
    item = found[SUM]
    main, wide = item.models[HEADLINE], item.models[DIFFERING]
    assert not found.differing.passed
    assert list(item.models)[:2] == [HEADLINE, DIFFERING]
    assert (item.mean, item.sd, item.p_claim) == (main.mean, main.sd, main.p_claim)
    assert wide.mean == pytest.approx(main.mean)
    assert wide.sd > 1.2 * main.sd
    assert item.answering is wide
    assert item.p_range[0] <= wide.p_claim <= item.p_range[1]
    assert violated_synergy(STUDY, panel, found, periods=()).p_parallel == wide.p_claim
    summary, average = item.summary, found.averages[SUM]
    models = {HEADLINE: says(-0.3, 0.1, 0.97), DIFFERING: says(-0.3, 0.2, 0.93)}
    one = _contrast(SUM, SUM, "< 0", average, found.rows, models, {}, panel, summary)
    assert (one.word, one.p_claim, one.p_range) == ("undecided, leaning for", 0.97, (0.93, 0.97))
    assert found.differing.found in repr(found)
    sure = dataclasses.replace(item, p_claim=1.0, p_range=(0.0, 1.0))
    shown = dataclasses.replace(found, contrasts={SUM: sure})
    assert re.search(r"> 0.999 +< 0.001 +> 0.999", repr(shown))
    assert "&gt; 0.999" in shown._repr_html_()
    passing = dataclasses.replace(found.differing, p=0.5)
    assert passing.found not in repr(dataclasses.replace(found, differing=passing))


def test_the_check_says_what_failing_means_and_what_was_done(differ):
    _, found = differ
    check = differing_check(found)
    main, wide = found[SUM].models[HEADLINE], found[SUM].models[DIFFERING]
    assert (check.name, check.passed) == (NAME, False)
    assert check.text.startswith(
        "Effects differ between units of a cohort: residuals of a unit follow"
    )
    assert f"has to be about {100 * (wide.sd / main.sd - 1):.0f} % wider" in check.text
    assert "are common to units of a cohort, fails." in check.text
    assert DIFFERING in check.done
    assert "too narrow" in check.failing
    row = check.table.iloc[0]
    assert row["observed"] > row["high89"]
    fine = dataclasses.replace(found, differing=dataclasses.replace(found.differing, p=LIMIT))
    calm = differing_check(fine)
    assert (calm.passed, calm.done) == (True, "")
    assert calm.text.startswith("Effects do not clearly differ between units")
    assert differing_check(dataclasses.replace(found, differing=None)).passed is None


def says(mean, sd, p):
    return ModelSays(mean, sd, normal_interval(mean, sd), p, "")


def test_a_contrast_says_what_differences_do_to_it():
    """From a twentieth of the width on, or where another word follows."""
    main = says(-0.3, 0.1, 0.97)
    text = deciding({HEADLINE: main, DIFFERING: says(-0.3, 0.12, 0.96)})
    assert "the sd is 0.120 in the place of 0.100, so that the interval is about 20 % wider" in text
    assert "0.960 in the place of 0.970" in text
    assert deciding({HEADLINE: main, DIFFERING: says(-0.3, 0.104, 0.96)}) == ""
    assert "4 % wider" in deciding({HEADLINE: main, DIFFERING: says(-0.3, 0.104, 0.94)})
    assert CELLS not in deciding({HEADLINE: main})
