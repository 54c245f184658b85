"""Contrasts from printed columns, their range and words: answers of the shipped study and small."""

import re
from dataclasses import replace
from inspect import signature

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from printing import BOTH, COUNTS, INTERACTION, ONLY_A, ONLY_B, study
from scipy.stats import norm

from bayesdid.cli.synergy import command
from bayesdid.estimands.evidence import design_errors, savage_dickey, update
from bayesdid.estimands.names import RATIO, SUM
from bayesdid.estimands.verdict import LEANS, SURE, WORDS, rules, word_for
from bayesdid.exceptions import InputError
from bayesdid.families.registry.load import load_study
from bayesdid.published.contrasts import MAIN, contrast_draws
from bayesdid.published.groups import PublishedGroup, pooled_cells
from bayesdid.published.inversion import HeldOut
from bayesdid.published.synergy import KINDS, PHIS, invert, published_synergy, quantity_draws
from bayesdid.published.timing import TIMINGS, timings
from bayesdid.published.verdict import published_verdicts
from bayesdid.published.words import held_out_sentence, naive_sentence, path_evidence, what_decides
from bayesdid.report.figures import assumptions_figure
from bayesdid.study.claims import Claim
from bayesdid.summary import hdi, summarise, summarise_normal
from published_docs import page, treated_baseline

CLAIM = Claim(id="more", text="1 + 1 > 2", place="Abstract", synergy=SUM)


@pytest.fixture(scope="module")
def dual(models):
    return load_study(models / "dual_pilot")


@pytest.fixture(scope="module")
def synergy(dual):
    return published_synergy(dual)


@pytest.fixture(scope="module")
def small():
    return published_synergy(study())


def test_the_answer_of_the_shipped_study(dual, synergy):
    """Both minus the sum of singles: about +.15 and P(1 + 1 > 2) about .2, undecided."""
    item = synergy.contrasts[SUM]
    assert item.main.mean == pytest.approx(0.155, abs=0.02)
    assert item.p_claim[MAIN] == pytest.approx(0.21, abs=0.03)
    assert item.p_claim["constant, phi 0"] < 0.3
    assert item.p_claim["growing, phi 0"] < 0.1
    assert item.p_claim["fading, phi 0"] > 0.6
    words = {v.claim: v.word for v in published_verdicts(dual, synergy)}
    assert words["synergy"] == "undecided, leaning against"
    assert words["findings-dual-none"] == "supported"


def test_the_naive_difference_stays_as_a_line_of_its_own(dual, synergy):
    item = synergy.contrasts[SUM]
    assert item.cells == ("table2.5:both", "table2.3:only:innovation", "table2.4:only:smart")
    assert item.naive == pytest.approx(-0.698 + 0.576 + 0.376)
    assert item.naive_se == pytest.approx(0.1112, abs=2e-4)  # rounding of .0003 included
    assert np.isnan(synergy.contrasts[RATIO].naive)
    first = synergy.contrasts["first:innovation - first:smart vs none"]
    assert first.naive == pytest.approx(-0.937 + 0.657)


def test_the_page_has_the_numbers_of_the_command(root, dual, synergy):
    text = (root / "docs" / "published.md").read_text(encoding="utf-8")
    assert page(text, dual, synergy) == text  # else: make map
    assert treated_baseline(timings(dual, size=1).members[0]) == pytest.approx(0.48, abs=0.01)


def test_every_column_of_the_shipped_study_is_predicted(synergy):
    assert len(synergy.held_out) == 9
    assert min(item.p for item in synergy.held_out) > 0.05
    assert synergy.knowledge == "drawn"
    assert synergy.scale == pytest.approx(1.455)
    assert sum(synergy.path_weights.values()) == pytest.approx(1)


def test_the_range_is_that_of_all_that_the_figure_shows(synergy):
    shown = {f"{label}, phi {phi:g}" for label in KINDS.values() for phi in PHIS}
    for item in synergy.contrasts.values():
        assert set(item.p_claim) == shown | {MAIN}
        assert set(item.posteriors) == set(item.p_claim)
        assert item.range == (min(item.p_claim.values()), max(item.p_claim.values()))
    item = synergy.contrasts[SUM]
    assert item.range[0] < item.p_claim[MAIN] < item.range[1]
    drawn = assumptions_figure([{"label": item.label, "p_claim": item.p_claim}])
    for label in (*KINDS.values(), MAIN):
        assert label in drawn


def test_contrasts_of_known_quantities():
    rng = np.random.default_rng(0)
    names = ("both", "joint", "only:a", "only:b", "a at both", "b at both", "first:a", "first:b")
    q = dict(zip(names, rng.standard_normal((len(names), 50)), strict=True))
    q |= {"first:a, singles": q["only:a"] / 2, "first:b, singles": q["only:b"] / 3}
    a, b = q["a at both"], q["b at both"]

    def found(name, lower=True):
        return contrast_draws(name, q, ("a", "b"), lower)

    np.testing.assert_array_equal(found("both - none"), q["both"])
    np.testing.assert_array_equal(found("only:b - none"), q["only:b"])
    np.testing.assert_array_equal(found("both - only:a"), q["both"] - a)
    np.testing.assert_allclose(found("both - single"), q["both"] - (a + b) / 2)
    np.testing.assert_array_equal(found("both - max single"), q["both"] - np.minimum(a, b))
    np.testing.assert_array_equal(found("both - max single", False), q["both"] - np.maximum(a, b))
    np.testing.assert_array_equal(found(SUM), q["joint"])
    np.testing.assert_array_equal(found(RATIO), q["both"] / (a + b))
    gap = q["first:a"] - q["first:b"]
    np.testing.assert_array_equal(found("first:a - first:b vs none"), gap)
    against = gap - q["first:a, singles"] + q["first:b, singles"]
    np.testing.assert_allclose(found("first:a - first:b vs single"), against)


def test_a_claim_is_better_where_the_outcome_is_meant_to_go(small):
    other = published_synergy(study(better="higher"))
    for name in (SUM, "both - none", "only:a - none"):
        here, there = small.contrasts[name], other.contrasts[name]
        assert here.p_claim[MAIN] == here.main.p_negative
        for key, p in here.p_claim.items():
            assert p + there.p_claim[key] == pytest.approx(1)
    assert small.contrasts["both - none"].p_claim[MAIN] > 0.99


def test_a_study_of_one_interaction_gives_the_synergy(small):
    made = study(
        [INTERACTION],
        values=(-0.5, -0.3, 0.4),
        ses=(0.08, 0.08, 0.1),
        synergy={"interaction": "t.c0:active:a * active:b"},
        claims=(CLAIM,),
    )
    found = published_synergy(made)
    item = found.contrasts[SUM]
    assert item.cells == ("t.c0:active:a * active:b",)
    assert (item.naive, item.naive_se) == pytest.approx((0.4, 0.1), abs=1e-4)
    assert item.posteriors["constant, phi 0"].mean == pytest.approx(0.4, abs=0.05)
    (verdict,) = published_verdicts(made, found)
    assert verdict.p == item.p_claim[MAIN] < 0.5
    assert naive_sentence(item).startswith("What the paper reads it from: t.c0:active:a * active:b")


def test_a_study_of_one_policy():
    made = study(
        [
            {"treatments": ["active:a"]},
            {"treatments": ["active:a"], "sample": {"arms": ["single"]}},
        ],
        values=(-0.5, -0.4),
        ses=(0.1, 0.15),
        policies=("a",),
        synergy={"only_none": {"a": "t.c0:active:a"}},
        design={"none": 10, "single": 8, "timing": {"rounds": {"a": (2003, 2007)}}},
        claims=(Claim(id="lowers", text="it lowers y", place="p. 1", synergy="only:a - none"),),
    )
    found = published_synergy(made)
    (item,) = found.contrasts.values()
    assert item.cells == ("t.c0:active:a",)
    assert item.naive == pytest.approx(-0.5)
    assert item.posteriors["constant, phi 0"].mean == pytest.approx(-0.47, abs=0.06)
    assert [v.word for v in published_verdicts(made, found)] == ["supported"]
    assert len(found.held_out) == 2


def test_orders_of_adoption_are_those_of_the_inversion(dual, synergy):
    cells = {
        "first:innovation": PublishedGroup("table3.a1", -0.937, 0.1, "***"),
        "first:smart": PublishedGroup("table3.a2", -0.657, 0.096, "***"),
    }
    draws = pooled_cells(dual, "sequence", cells, 1.0, seed=1)
    gap = draws[:, 0] - draws[:, 1]
    item = synergy.contrasts["first:innovation - first:smart vs none"]
    assert gap.mean() == pytest.approx(item.main.mean, abs=0.02)  # draws of timings differ
    assert gap.std() == pytest.approx(item.main.sd, rel=0.1)
    assert abs(gap.mean() - item.naive) > 0.02  # not the difference of the cells
    untold = replace(dual, file=dual.file.model_copy(update={"design": type(dual.file.design)()}))
    assert pooled_cells(untold, "sequence", cells, 1.0) is None


# ------------------------------------------------------------------------------------ words


@pytest.mark.parametrize(
    ("p", "low", "high", "word"),
    [
        (0.99, 0.96, 1.0, "supported"),
        (0.99, 0.90, 1.0, "supported, fragile"),
        (0.90, 0.40, 0.99, "undecided, leaning for"),
        (LEANS, 0.40, 0.99, "undecided, leaning for"),
        (0.60, 0.40, 0.99, "undecided"),
        (0.40, 0.10, 0.99, "undecided"),
        (1 - LEANS, 0.10, 0.99, "undecided, leaning against"),
        (0.10, 0.01, 0.80, "undecided, leaning against"),
        (0.03, 0.01, 0.80, "contradicted, fragile"),
        (0.03, 0.00, 0.05, "contradicted"),
    ],
)
def test_the_word_for_a_probability_and_its_range(p, low, high, word):
    assert word_for(p, low, high) == word


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_words_follow_the_probabilities(a, b, c):
    low, p, high = sorted((a, b, c))
    word = word_for(p, low, high)
    assert word in WORDS
    assert (word == "supported") == (low >= SURE)
    assert ("leaning for" in word) == (LEANS <= p < SURE)
    assert (word == "contradicted") == (high <= 1 - SURE)


def probabilities(path=(0.5, 0.5, 0.5, 0.5), phi=(0.0, 0.0, 0.0)):
    return {MAIN: 0.5} | {
        f"{label}, phi {value:g}": p + shift
        for label, p in zip(KINDS.values(), path, strict=True)
        for value, shift in zip(PHIS, phi, strict=True)
    }


def test_what_decides_is_said_with_its_values(small):
    item = small.contrasts[SUM]
    by_path = what_decides(
        replace(item, p_claim=probabilities((0.1, 0.2, 0.8, 0.4), (0, 0.1, 0.1)))
    )
    assert "What decides is how the effect of each policy alone develops" in by_path
    assert "0.167 if constant, 0.267 if growing, 0.867 if fading, 0.467 if free to vary" in by_path
    by_phi = what_decides(
        replace(item, p_claim=probabilities((0.4, 0.45, 0.4, 0.4), (0, 0.2, 0.4)))
    )
    assert "What decides is the autocorrelation behind the printed standard errors" in by_phi
    assert re.search(r"0\.41\d at 0, 0\.61\d at 0\.3, 0\.81\d at 0\.6\.", by_phi)
    none = what_decides(
        replace(item, p_claim=probabilities((0.5, 0.55, 0.5, 0.5), (0, 0.01, 0.02)))
    )
    assert none == "No assumption that was varied decides it."


def test_whether_the_columns_single_out_a_path(small):
    weights = dict(zip(KINDS.values(), (0.1, 0.6, 0.2, 0.1), strict=True))
    said = path_evidence(replace(small, path_weights=weights))
    assert "3 coefficients" in said
    assert "constant 0.10, growing 0.60" in said
    assert said.endswith("they fit growing effects best.")
    even = dict(zip(KINDS.values(), (0.3, 0.4, 0.2, 0.1), strict=True))
    assert path_evidence(replace(small, path_weights=even)).endswith("do not single one out.")


def test_the_naive_sentence_says_how_far_and_on_which_side(small):
    item = small.contrasts[SUM]
    mean = item.main.mean
    above = naive_sentence(replace(item, naive=mean + 0.25, naive_se=0.111))
    assert "(SE 0.111), 0.250 above the contrast" in above
    below = naive_sentence(replace(item, naive=mean - 0.25))
    assert "0.250 below the contrast" in below
    assert naive_sentence(replace(item, naive=float("nan"))) == ""


def test_the_held_out_sentence_names_what_is_not_predicted(small):
    fine, wrong = (
        HeldOut("t.c0:both", -0.5, -0.4, 0.1, 0.3),
        HeldOut("t.c1:x", 0.5, -0.4, 0.1, 1e-5),
    )
    said = held_out_sentence(replace(small, held_out=(fine, fine)))
    assert said.startswith("Each of the 2 coefficients is predicted by the others")
    said = held_out_sentence(replace(small, held_out=(fine, wrong)))
    assert said.startswith("1 of 2 coefficients are not predicted by the others")
    assert "t.c1:x prints 0.500, the others predict -0.400 (0.100)" in said
    assert "t.c0" not in said
    assert "nothing is left to check" in held_out_sentence(replace(small, held_out=()))


def test_notes_say_what_was_assumed(synergy, small):
    texts = {note.name: note.text for note in synergy.notes}
    assert "timings are drawn that meet" in texts["timing"]
    assert "suppose independent errors" in texts["serial_correlation"]
    assert {n.name: n.text for n in small.notes}["timing"].endswith("stated in the study's file")


# ----------------------------------------------------------------------------------- errors


def test_a_study_without_cells_says_so(models):
    for name in ("traffic_laws", "castle_doctrine"):
        with pytest.raises(InputError, match="names no published cells"):
            published_synergy(load_study(models / name))


def test_what_is_missing_is_named():
    with pytest.raises(InputError, match=r"who adopted when.*none, single and dual"):
        published_synergy(study(design={k: v for k, v in COUNTS.items() if k != "none"}))
    lone = {"treatments": ["both"], "coefficients": {"both": {"estimate": "-0.7"}}}
    with pytest.raises(InputError, match="no standard error"):
        published_synergy(study([lone], values=(), ses=(), synergy={"both_none": "t.c0:both"}))
    random = BOTH | {"unit_effects": "random"}
    with pytest.raises(InputError, match=r"no printed column.*not two-way fixed effects"):
        published_synergy(
            study([random], values=(-1,), ses=(1,), synergy={"both_none": "t.c0:both"})
        )


def test_columns_with_other_covariates_are_left_out():
    columns = (BOTH, ONLY_A, ONLY_B, {"treatments": ["both"], "covariates": ["x"]})
    found = published_synergy(study(columns, values=(-0.7, -0.5, -0.4, 5.0), ses=(0.1,) * 4))
    assert found.left == {"t.c3": "other covariates than the cells of the contrasts"}
    assert len(found.columns.names) == 3


def test_python_and_the_command_have_one_default_seed():
    entries = (published_synergy, invert, quantity_draws, timings, command)
    assert {signature(entry).parameters["seed"].default for entry in entries} == {0}


def test_a_timing_under_which_a_column_could_not_be_estimated_is_left_out():
    """Rounds in which all single units may join at once leave nothing to compare among them."""
    one = {"treatments": ["active:a"], "sample": {"arms": ["single"]}}
    design = {"none": 10, "single": 3, "timing": {"rounds": {"a": (2003, 2007)}}}

    def made(**timing):
        return study(
            [{"treatments": ["active:a"]}, one],
            values=(-0.5, -0.4),
            ses=(0.1, 0.15),
            policies=("a",),
            synergy={"only_none": {"a": "t.c0:active:a"}},
            design=design | {"timing": design["timing"] | timing},
        )

    found = published_synergy(made())
    assert 5 < found.timings < TIMINGS
    with pytest.raises(InputError, match=r"could not have been estimated.*t\.c1:active:a"):
        published_synergy(made(known=True, adoption={"a": {"2003": 3}}))


# ---------------------------------------------------------------- evidence and summaries


def test_savage_dickey_equals_the_ratio_of_marginal_likelihoods():
    for factor in savage_dickey(0.25, 0.13, 1.4):
        alone = norm.pdf(0.25, 0.0, 0.13)
        marginal = norm.pdf(0.25, 0.0, np.hypot(0.13, factor.prior_sd))
        assert factor.bf10 == pytest.approx(marginal / alone, rel=1e-9)


def test_design_errors_by_simulation():
    """Closed form against simulated replications; tolerance from their Monte Carlo error."""
    rng = np.random.default_rng(1)
    estimate, se, prior = 0.2, 0.15, 0.4
    mean, sd = update(estimate, se, prior)
    truth = rng.normal(mean, sd, 400_000)
    seen = rng.normal(truth, se)
    significant = np.abs(seen) > norm.ppf(0.975) * se
    errors = design_errors(estimate, se, prior)
    wrong = np.sign(seen[significant]) != np.sign(truth[significant])
    ratio = np.abs(seen[significant]).mean() / np.abs(truth[significant]).mean()
    assert errors.power == pytest.approx(significant.mean(), abs=4 * 0.5 / 400_000**0.5)
    assert errors.type_s == pytest.approx(wrong.mean(), abs=4 * 0.1 / significant.sum() ** 0.5)
    assert errors.type_m == pytest.approx(ratio, rel=0.01)


def test_hdi_of_a_normal():
    draws = np.random.default_rng(0).standard_normal(200_000)
    low, high = hdi(draws, 0.89)
    assert high - low == pytest.approx(2 * norm.ppf(0.945), rel=0.01)
    closed, drawn = summarise_normal(0.3, 1.0, rope=0.1), summarise(draws + 0.3, rope=0.1)
    assert drawn.p_negative == pytest.approx(closed.p_negative, abs=5 * 0.5 / 200_000**0.5)
    assert drawn.p_rope == pytest.approx(closed.p_rope, abs=5 * 0.5 / 200_000**0.5)


def test_the_rules_of_words_are_those_that_choose_them():
    """The thresholds in the sentence, put to the function."""
    said = rules("the probability", "every assumption")
    pattern = r"Supported: at least (\S+), contradicted: at most (\S+), under every assumption;"
    sure, wrong = re.search(pattern, said).groups()
    leans, against = re.search(r"leaning for from (\S+) on, against from (\S+) down", said).groups()
    sure, wrong, leans, against = map(float, (sure, wrong, leans, against.rstrip(".")))
    assert word_for(sure, sure, 1.0) == "supported"
    assert word_for(sure, sure - 0.01, 1.0) == "supported, fragile"
    assert "fragile: so under the main one, not under all." in said
    assert word_for(wrong - 1e-9, 0.0, wrong - 1e-9) == "contradicted"
    assert word_for(wrong - 1e-9, 0.0, wrong + 0.01) == "contradicted, fragile"
    assert word_for(leans, 0.0, 1.0) == "undecided, leaning for"
    assert word_for(leans - 1e-9, 0.0, 1.0) == "undecided"
    assert word_for(against, 0.0, 1.0) == "undecided, leaning against"
