"""Printed numbers as estimates of what a claim is about."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.stats import norm

import bayesdid as bd
from bayesdid.estimands.judgement import judge
from bayesdid.estimands.question import question
from bayesdid.published.claim import CORRELATIONS, SUBTRACTED, printed_estimates
from bayesdid.published.synergy import published_synergy
from bayesdid.study.claims import Claim


@pytest.fixture(scope="module")
def dual(models):
    return bd.load_study(models / "dual_pilot")


@pytest.fixture(scope="module")
def synergy(dual):
    return published_synergy(dual)


def claim(study, name):
    return next(item for item in study.claims if item.id == name)


def test_a_printed_coefficient_is_a_normal_posterior(dual, synergy):
    """Moderation, a spatial effect, a covariate: estimate and standard error as printed."""
    for name, mean, se in (
        ("moderation", -80.622, 32.715),
        ("sr-level", -17.675, 9.477),
        ("spatial-direct-1", None, None),
    ):
        (found,) = printed_estimates(dual, question(dual, claim(dual, name)), synergy)
        if mean is not None:
            assert (found.mean, found.sd) == (mean, se)
        assert found.p_sign == pytest.approx(norm.cdf(-found.mean / found.sd))
        assert found.main
    assert question(dual, claim(dual, "moderation")).asks.size == 80.622
    turned = claim(dual, "sr-level").model_copy(update={"direction": "positive"})
    (other,) = printed_estimates(dual, question(dual, turned), synergy)
    assert other.p_sign == pytest.approx(1 - norm.cdf(17.675 / 9.477))


def test_two_printed_cells_over_correlations(dual, synergy):
    """Nothing says how columns of separate groups correlate: the range is stated and shown."""
    found = printed_estimates(dual, question(dual, claim(dual, "type")), synergy)
    assert [item.main for item in found] == [True, False, False]
    for item, r in zip(found, CORRELATIONS, strict=True):
        sd = math.sqrt(0.103**2 + 0.103**2 - 2 * r * 0.103**2)
        assert item.sd == pytest.approx(sd)
        assert item.mean == pytest.approx(-0.587 + 0.296)
        assert item.p_sign == pytest.approx(norm.cdf(0.291 / sd))
    answer = judge(found, "published")
    assert (answer.p_low, answer.p_high) == (found[1].p_sign, found[2].p_sign)


def test_the_correlation_of_columns_is_used_where_it_is_known(dual, synergy):
    """Inverting the comparison inverts the probability."""
    pair = {"stronger": "table2.5:both", "weaker": "table2.4:only:smart"}
    made = Claim.model_validate({"id": "a", "text": "t", "place": "p", "comparison": pair})
    (found,) = printed_estimates(dual, question(dual, made), synergy)
    names = list(synergy.columns.names)
    r = synergy.correlation[names.index(pair["stronger"]), names.index(pair["weaker"])]
    assert r != 0
    assert found.sd == pytest.approx(math.sqrt(0.074**2 + 0.068**2 - 2 * r * 0.074 * 0.068))
    swapped = {"stronger": pair["weaker"], "weaker": pair["stronger"]}
    made = Claim.model_validate({"id": "a", "text": "t", "place": "p", "comparison": swapped})
    (other,) = printed_estimates(dual, question(dual, made), synergy)
    assert other.p_sign == pytest.approx(1 - found.p_sign)


def test_a_contrast_has_every_inversion_and_the_cells_do_not_count(dual, synergy):
    found = printed_estimates(dual, question(dual, claim(dual, "synergy")), synergy)
    contrast = synergy.contrasts["both - sum of singles"]
    by = {item.model: item for item in found}
    *inverted, naive = found
    assert len(inverted) == len(contrast.p_claim)
    assert naive.false_here == SUBTRACTED
    assert naive.mean == contrast.naive
    assert not naive.counts
    answer = judge(found, "published")
    assert (answer.p, answer.p_low, answer.p_high) == pytest.approx(
        (contrast.p_claim["averaged"], *contrast.range)
    )
    for name, p in contrast.p_claim.items():
        label = "all columns, averaged" if name == "averaged" else f"all columns, {name}"
        assert by[label].p_sign == pytest.approx(p)
    sized = printed_estimates(dual, question(dual, claim(dual, "findings-dual-none")), synergy)
    assert 0.9 < sized[0].p_size < sized[0].p_sign


def test_columns_that_the_others_do_not_predict_settle_nothing(dual, synergy):
    first, *rest = synergy.held_out
    missed = dataclasses.replace(synergy, held_out=(dataclasses.replace(first, p=1e-4), *rest))
    found = printed_estimates(dual, question(dual, claim(dual, "synergy")), missed)
    assert judge(found, "published").word.startswith("not settled")
    assert all(np.isfinite(item.p_sign) for item in found)


def test_columns_on_one_effect_stand_together_if_the_claim_is_about_it(models):
    castle = bd.load_study(models / "castle_doctrine")
    found = printed_estimates(castle, question(castle, castle.claims[0]), None)
    assert [(item.mean, item.sd, item.main) for item in found] == [
        (0.0755, 0.0329, True),
        (0.0694, 0.0553, False),
    ]
    assert found[0].p_size == pytest.approx(norm.sf((0.08 - 0.0755) / 0.0329))


def test_a_number_without_a_standard_error_is_no_estimate(models):
    traffic = bd.load_study(models / "traffic_laws")
    made = Claim(
        id="a", text="t", place="p", effect="specs.perse:active:perse", direction="negative"
    )
    assert printed_estimates(traffic, question(traffic, made), None) == []
    assert printed_estimates(traffic, question(traffic, traffic.claims[0]), None) == []
