"""What a claim asks, and the word for all models of it."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import norm

import bayesdid as bd
from bayesdid.estimands.distribution import distribution_of, normal_distribution
from bayesdid.estimands.few_treated import error_model
from bayesdid.estimands.judgement import RANGE_RULE, UNSETTLED, estimate, judge
from bayesdid.estimands.permutation import permute
from bayesdid.estimands.permuted import permuted_effect
from bayesdid.estimands.question import Asked, question
from bayesdid.estimands.verdict import WORDS
from bayesdid.exceptions import InputError
from bayesdid.study.claims import Claim
from bayesdid.study.load import assemble_study


def made(model, p, **more):
    """An estimate with a given probability of being below zero."""
    found = normal_distribution(-float(norm.ppf(p)), 1.0)
    return estimate(Asked(-1), found, model, more.pop("source", "panel"), "a", **more)


@pytest.fixture(scope="module")
def dual(models):
    return bd.load_study(models / "dual_pilot")


def asked(study, name):
    return question(study, next(claim for claim in study.claims if claim.id == name))


def test_a_distribution_of_draws_is_that_of_the_draws():
    """Between kept quantiles a probability is off by at most half a percent."""
    draws = np.random.default_rng(0).normal(0.3, 2.0, 20_000)
    found = distribution_of(draws)
    assert found.p_negative == (draws < 0).mean() == found.below(0.0)
    for value in (-3.0, -0.5, 0.7, 4.0):
        assert found.below(value) == pytest.approx((draws < value).mean(), abs=0.005)
        assert found.negated().below(-value) == pytest.approx(1 - found.below(value), abs=1e-9)
    assert found.below(-1e9) == 0.0
    assert found.below(1e9) == 1.0


def test_an_estimate_and_its_standard_error_are_a_normal_posterior():
    found = normal_distribution(-1.0, 0.5)
    assert found.p_negative == pytest.approx(norm.cdf(2.0))
    assert found.below(-1.5) == pytest.approx(norm.cdf(-1.0))
    assert found.negated().below(1.5) == pytest.approx(norm.cdf(1.0))
    assert normal_distribution(-1.0, 0.0).below(0.0) == 1.0


def test_sign_and_size_turn_with_the_claim():
    found = normal_distribution(-1.0, 0.5)
    down, up = Asked(-1, size=1.2), Asked(1, size=1.2)
    assert down.p_sign(found) == pytest.approx(norm.cdf(2.0))
    assert up.p_sign(found) == pytest.approx(1 - norm.cdf(2.0))
    assert down.p_size(found) == pytest.approx(norm.cdf(-0.4))
    assert up.p_size(found) == pytest.approx(norm.sf(4.4))
    assert up.p_size(found.negated()) == pytest.approx(down.p_size(found))
    assert Asked(-1).p_size(found) is None
    ratio = Asked(1, null=1.0)
    assert ratio.p_sign(normal_distribution(1.5, 0.5)) == pytest.approx(norm.cdf(1.0))
    none = Asked(0, rope=0.5)
    assert none.p_sign(normal_distribution(0.0, 0.5)) == pytest.approx(norm.cdf(1) - norm.cdf(-1))
    assert none.p_size(found) is None


def test_the_range_is_that_of_the_models_that_count():
    """One that supposes what is false, or fails its check, is left out; so is the other source."""
    models = [
        made("main", 0.96, main=True),
        made("other", 0.80),
        made("static", 0.10, false_here="constant effects"),
        made("failed", 0.20, passes=False),
        made("printed", 0.01, source="published"),
    ]
    found = judge(models, "panel")
    assert (found.model, found.word, found.models) == ("main", "supported, fragile", 2)
    assert (found.p, found.p_low, found.p_high) == pytest.approx((0.96, 0.80, 0.96))
    assert found.moved == ""
    assert judge(models, "published").word == "contradicted"
    assert [item.counts for item in models] == [True, True, False, False, True]
    assert judge(models[:1], "published") is None


def test_a_main_model_that_fails_gives_way_to_the_simplest_that_passes():
    models = [
        made("rich", 0.99, main=True, passes=False),
        made("middle", 0.70, passes=True),
        made("unchecked", 0.60),
        made("simple", 0.80, passes=True),
        made("wrong", 0.99, passes=True, false_here="constant effects"),
    ]
    found = judge(models, "panel")
    assert (found.model, found.word) == ("simple", "undecided, leaning for")
    assert (found.p_low, found.p_high) == pytest.approx((0.60, 0.80))
    assert "rich fails a check" in found.moved
    assert "answers, simple" in found.moved
    kept = judge([dataclasses.replace(models[0], passes=None), *models[1:]], "panel")
    assert (kept.model, kept.moved) == ("rich", "")


def test_without_a_model_that_passes_nothing_is_settled():
    models = [made("rich", 0.99, main=True, passes=False), made("unchecked", 0.99)]
    found = judge(models, "panel")
    assert found.word == UNSETTLED
    assert "no other model is known to pass" in found.moved
    assert UNSETTLED in RANGE_RULE
    assert UNSETTLED not in WORDS
    assert judge([made("rich", 0.99, main=True, passes=True)], "panel").word == "supported"


def test_sizes_have_a_range_of_their_own():
    asks = Asked(1, size=1.0)
    models = [
        estimate(asks, normal_distribution(mean, 1.0), str(mean), "panel", "a", main=mean == 2)
        for mean in (2.0, 1.0)
    ]
    found = judge(models, "panel")
    assert found.p_size == pytest.approx(norm.cdf(1.0))
    assert (found.size_low, found.size_high) == pytest.approx((0.5, norm.cdf(1.0)))
    assert judge([made("a", 0.9)], "panel").p_size is None


def test_what_claims_of_a_study_ask(dual):
    """Contrast, sign and size of every kind of claim; what is about no effect asks nothing."""
    both = asked(dual, "abstract-dual-none")  # names a cell that the study reads as a contrast
    assert (both.contrast, both.asks.sign) == ("both - none", -1)
    assert both.asks.size == pytest.approx(0.698)
    assert asked(dual, "findings-dual-none").contrast == "both - none"
    assert asked(dual, "smart-only").contrast == "only:smart - none"
    assert asked(dual, "ti-level").asks.sign == 1
    spatial = asked(dual, "spatial-indirect-1")
    assert (spatial.cell.name, spatial.cell.term, spatial.contrast) == (
        "both.indirect",
        "both",
        None,
    )
    moderated = asked(dual, "moderation")
    assert (moderated.cell.name, moderated.asks.size) == ("both * SR", 80.622)
    baseline = asked(dual, "placebo-baseline")  # its sign is printed in the text
    assert (baseline.asks.sign, baseline.asks.size) == (-1, 0.554)
    event = asked(dual, "event-lag")
    assert (event.cell.spec.id, event.cell.name, event.asks.size) == ("figure2.1", "both@2", None)
    west = asked(dual, "region-west")
    assert (west.asks.sign, west.asks.rope) == (0, 0.05)
    groups = asked(dual, "type")
    assert (groups.cell.spec.id, groups.weaker.spec.id) == ("table8.2", "table8.1")
    assert groups.asks.sign == -1  # the stronger is printed below zero
    assert asked(dual, "sequence-none").contrast == "first:innovation - first:smart vs none"
    for name in ("sample-n", "iv-lm-level", "placebo-p", "accidents", "spillover-step"):
        assert asked(dual, name) is None, name


def test_a_study_of_one_policy_asks_of_its_effect(models):
    castle = bd.load_study(models / "castle_doctrine")
    found = asked(castle, "eight-percent")
    assert (found.contrast, found.asks.sign, found.asks.size) == ("only:castle - none", 1, 0.08)


def test_directions_of_contrasts_are_the_better_one_unless_said(dual):
    turned = dataclasses.replace(
        dual,
        file=dual.file.model_copy(
            update={"outcome": dual.file.outcome.model_copy(update={"better": "higher"})}
        ),
    )
    assert asked(dual, "synergy").asks.sign == -1
    assert asked(turned, "synergy").asks.sign == 1
    assert asked(turned, "findings-dual-none").asks.sign == -1  # said to be negative


def test_an_effect_of_no_spec_is_refused(dual):
    bad = Claim(id="bad", text="t", place="p", effect="table99.1:both", direction="negative")
    with pytest.raises(InputError, match="no such spec"):
        assemble_study(dual.path, dual.file, dual.tables, (bad,))


def test_a_permutation_is_one_more_estimate(models):
    """Its interval and p-value are the permutation's; the other sign has the other probability."""
    castle = bd.load_study(models / "castle_doctrine")
    design = bd.build_design(castle["published.unweighted"], bd.load_panel(castle))
    tree = bd.fit(design, draws=250).tree
    term = design.treatments[0]
    found = permuted_effect(tree, design, term)
    own = permute(design, 0, error_model(tree, design), 0)
    assert (found.name, found.constant) == (term, True)
    assert tuple(found.found.interval) == own.interval(
        found.found.interval.level, float(tree["posterior"]["tau"].std())
    )
    z = own.statistics(0.0)[1]
    assert found.found.p_negative == pytest.approx((z >= z[0]).mean())
    turned = permuted_effect(tree, dataclasses.replace(design, y=-design.y), term)
    # the actual assignment is on both sides
    assert turned.found.p_negative == pytest.approx((z <= z[0]).mean(), abs=2 / len(z))
