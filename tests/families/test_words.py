"""Sentences of analyses turn with what they are about: each fails if it is inverted."""

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from made import make_panel, make_study, spec_of, staggered

import bayesdid as bd
from bayesdid.checks.placebo import Placebo
from bayesdid.design.build import as_two_way, build_design
from bayesdid.design.cohort import cohort_design
from bayesdid.design.overlap import overlap_design
from bayesdid.estimands.boundary import BoundaryReport
from bayesdid.estimands.evidence import evidence_word, grades
from bayesdid.estimands.honest import RobustSet
from bayesdid.estimands.spread import SMALL, spread_of, spread_sentence
from bayesdid.estimands.verdict import SURE
from bayesdid.families.cohort import analysis as cohorts
from bayesdid.families.errors import analysis as errors
from bayesdid.families.event_study import analysis as event_study
from bayesdid.families.event_study.analysis import honest_path
from bayesdid.families.mediation.analysis import Paths, no_proportion
from bayesdid.families.overlap import analysis as overlap
from bayesdid.families.overlap.states import imputation_peers
from bayesdid.families.placebo.analysis import _sentence as placebo_sentence
from bayesdid.families.sdm.models import PRIORS, Comparison
from bayesdid.families.sdm.output import favoured
from bayesdid.families.spillover_distance.output import Curves
from bayesdid.families.spillover_distance.output import sentences as distance_sentences
from bayesdid.model.overlap import overlap_pooling, part_label
from bayesdid.peers.bootstrap import WildBootstrap
from bayesdid.peers.impute import UNBALANCED
from bayesdid.peers.staggered import TermWeights, term_weights
from bayesdid.summary import Interval, band, hdi

COHORT = {"id": "c", "outcome": "y", "treatments": ["active:a"], "family": "cohort"}
OVERLAP = {"id": "o", "outcome": "y", "family": "overlap"}


def one_policy(seed=1, **column):
    frame, adoption = staggered(seed)
    return make_study(("a",), [COHORT | column]), frame, adoption


def test_the_sd_at_which_the_average_effect_could_be_zero():
    """Effects of this sd and average zero give the coefficient; none of a smaller sd do."""
    study, frame, adoption = one_policy()
    design = build_design(as_two_way(spec_of(study, "c")), make_panel(frame, adoption))
    (item,) = term_weights(design)
    own = item.weight[design.D[:, 0] == 1] * int(design.D.sum())  # of mean one
    effects = item.estimate * (own - 1) / own.var()
    assert effects.mean() == pytest.approx(0, abs=1e-12)
    assert effects.std() == pytest.approx(item.zero_sd)
    assert (own * effects).mean() == pytest.approx(item.estimate)
    # Cauchy-Schwarz: of effects with mean zero and any direction, none reaches it with less
    other = np.random.default_rng(0).normal(size=(200, len(own)))
    other -= other.mean(axis=1, keepdims=True)
    reach = np.abs(other @ (own - 1)) / len(own) / other.std(axis=1)
    assert (abs(item.estimate) / reach >= item.zero_sd).all()


def weights_said(monkeypatch, negative_rows, zero_sd):
    study, frame, adoption = one_policy()
    cells = cohort_design(spec_of(study, "c"), make_panel(frame, adoption))
    monkeypatch.setattr(cohorts, "bacon", lambda _: None)
    weights = TermWeights("a", -0.5, np.ones(1), 1.0, -0.2, negative_rows, {}, {}, zero_sd)
    return cohorts.weights_sentences(weights, cells)[0]


def test_no_negative_weights_are_no_promise_that_twfe_is_the_att(monkeypatch):
    said = weights_said(monkeypatch, 0, 0.397)
    assert "gives no negative weight to the effect of any treated row" in said
    assert "it need not equal the average effect: that could be zero if effects vary" in said
    assert "with an sd of 0.397 or more" in said
    assert "gives negative weight to the effects in 3 treated rows" in weights_said(
        monkeypatch, 3, 0.397
    )
    alike = weights_said(monkeypatch, 0, float("inf"))
    assert "all its weights are alike, so that it is the average effect" in alike
    assert "need not equal" not in alike


def omega_tree(**draws):
    return xr.DataTree.from_dict(
        {"posterior": xr.Dataset({k: ("draw", v) for k, v in draws.items()})}
    )


def test_effects_differ_clearly_only_where_a_small_sd_is_improbable():
    small, large = SMALL * 2.0 * 0.5, SMALL * 2.0 * 3
    share = int(1000 * (1 - SURE))
    few, more = np.full(1000, large), np.full(1000, large)
    few[:share], more[: share + 1] = small, small
    found = {
        name: spread_of(omega_tree(omega_x=draws), "x", 2.0)
        for name, draws in {"few": few, "more": more}.items()
    }
    assert found["few"].clear
    assert not found["more"].clear
    said = spread_sentence(found)
    assert f"between few sd {few.mean():.3f} ({hdi(few):.3f}; a clear difference)" in said
    assert f"more sd {more.mean():.3f} ({hdi(more):.3f}; no clear difference)" in said
    assert "half-normal prior of scale 2.000" in said
    assert "prior probability of 0.080, has a posterior one of at most 0.05" in said


@pytest.mark.parametrize(("shift", "clear"), [(0.0, False), (1.5, True)])
def test_a_cohort_analysis_tells_different_cohorts_from_alike_ones(shift, clear):
    """Effects of -1.5, .3 and 1.5 in three cohorts, or none; errors are independent."""
    frame, adoption = staggered(
        5, N=80, effect=lambda s, t: shift * (s[0] - 6.5) / 2.5 if t >= s[0] else 0.0
    )
    study = make_study(("a",), [COHORT])
    result = bd.analyse(study, "t.c", make_panel(frame, adoption), draws=250)
    (said,) = [s for s in result.sentences if s.startswith("How far effects differ")]
    verdict = re.search(r"[ ,]cohorts sd [^;]+; (\w+) clear difference", said)[1]
    assert verdict == ("a" if clear else "no")
    assert not any("which is too sure" in s for s in result.sentences)


def correlated(seed, N, T, policies):
    """Errors of a unit correlate by .7."""
    frame, adoption = staggered(seed, N=N, T=T, policies=policies, sigma=0.0)
    rng = np.random.default_rng(seed)
    e = rng.standard_normal((N, T))
    for t in range(1, T):
        e[:, t] = 0.7 * e[:, t - 1] + np.sqrt(0.51) * e[:, t]
    return frame.assign(y=frame["y"] + 0.3 * e.ravel()), adoption


@pytest.mark.parametrize("column", [COHORT, OVERLAP], ids=["cohort", "overlap"])
def test_cohort_and_overlap_warn_of_independent_errors_where_errors_correlate(column):
    policies = ("a",) if column is COHORT else ("a", "b")
    frame, adoption = correlated(2, 60, 10, policies)
    study = make_study(policies, [column])
    result = bd.analyse(study, f"t.{column['id']}", make_panel(frame, adoption), draws=250)
    (said,) = [s for s in result.sentences if s.startswith("Errors are AR(1) within units")]
    assert "which is too sure: errors of a unit are correlated here" in said


@pytest.mark.parametrize("module", [cohorts, overlap], ids=["cohort", "overlap"])
@pytest.mark.parametrize("balanced", [True, False])
def test_imputation_has_to_be_equal_in_balanced_panels_alone(module, balanced):
    policies, column = (("a",), COHORT) if module is cohorts else (("a", "b"), OVERLAP)
    frame, adoption = staggered(1, N=100, policies=policies)
    if not balanced:
        frame = frame[np.random.default_rng(1).random(len(frame)) > 0.1]
    study = make_study(policies, [column])
    made = module._peers if module is cohorts else imputation_peers
    peers = made(spec_of(study, column["id"]), make_panel(frame, adoption))
    peers = [peer for peer in peers if "imputation" in peer.estimator]
    imputed = [peer for peer in peers if peer.quantity.endswith("imputed")]
    peers = [peer for peer in peers if peer not in imputed]  # which impute themselves
    assert all(abs(peer.mean - peer.estimate) < 1e-8 for peer in imputed)
    assert all(np.isfinite(peer.tolerance) for peer in imputed)
    gap = max(abs(peer.mean - peer.estimate) for peer in peers)
    assert all(peer.holds for peer in peers)
    assert all(np.isfinite(peer.tolerance) == balanced for peer in peers)
    assert (gap < 1e-8) == balanced  # another number altogether in an unbalanced one
    assert "need not be equal" in UNBALANCED


def test_analyses_of_unbalanced_panels_say_that_imputation_differs():
    for policies, column in ((("a",), COHORT), (("a", "b"), OVERLAP)):
        frame, adoption = staggered(1, policies=policies)
        study = make_study(policies, [column | {"options": {"errors": "iid"}}])
        for rows, said in ((frame, False), (frame.drop(index=[5, 100, 200]), True)):
            result = bd.analyse(study, f"t.{column['id']}", make_panel(rows, adoption), draws=100)
            assert (UNBALANCED in result.notes) == said


def path_said(effect, sd=0.2, *, robust=False):
    draws = np.random.default_rng(0).normal(size=(4000, 5)) * sd
    draws[:, 3:] += effect
    return honest_path("t.e", "E", [-4, -3, -2, 0, 1], draws, -1, "units", robust=robust)


def test_a_sign_that_is_not_established_has_no_breakdown_value():
    for effect, side in ((0.05, "positive"), (-0.05, "negative")):
        said = path_said(effect).sentences[0]
        p = float(re.search(rf"even under parallel trends \(P\({side}\) = (\S+)\)", said)[1])
        assert 0.5 < p < SURE
        assert "its sign is not established" in said
        assert "It stays" not in said
        assert "breakdown" not in said
    assert path_said(0.05).figures[0].verticals == ()


def test_a_sign_that_is_established_has_one():
    for effect, side in ((0.6, "positive"), (-0.6, "negative")):
        found = path_said(effect)
        assert f"It stays {side} if trends diverge by up to" in found.sentences[0]
        assert "not established" not in found.sentences[0]
        median = float(re.search(r"up to (\S+) times the largest", found.sentences[0])[1])
        assert 0 < median == round(found.figures[0].verticals[0], 2)


def test_a_robust_set_that_holds_zero_at_once_says_under_what(monkeypatch):
    def said(value):
        monkeypatch.setattr(event_study, "robust_breakdown", lambda *_: value)
        monkeypatch.setattr(
            event_study, "robust_sets", lambda *a: [RobustSet(m, 0, 0) for m in a[5]]
        )
        return path_said(0.8, robust=True).sentences[1]

    assert "relative magnitudes: at no M-bar, not even 0 (parallel trends)" in said(0.0)
    assert "smoothness: at no M, not even 0 (a linear trend carried on)" in said(0.0)
    assert "relative magnitudes: up to M-bar = 0.7; smoothness: up to M = 0.7" in said(0.7)
    assert "not even" not in said(0.7)


def test_placebos_give_a_bound_where_none_is_as_large():
    def said(actual):
        mean = np.linspace(-1, 1, 99)
        return placebo_sentence(
            Placebo("t.1", "permuted", mean, np.ones(99), np.full(99, 0.5), actual, 1.0)
        )

    assert "of 99 assignments none is as large as the actual effect (2.000; p ≤ 0.01)" in said(2.0)
    assert "of 99 assignments 2 are as large as the actual effect (1.000; p = 0.03)" in said(1.0)


def test_a_wild_bootstrap_gives_a_bound_where_no_draw_is_as_extreme(monkeypatch):
    from panels import make_design

    design = make_design(1, N=20, T=6)
    draws = {"iid": np.random.default_rng(0).normal(size=400)}
    for p, label in ((1e-4, "(p ≤ 0.0001)"), (0.02, "(p = 0.02)")):
        monkeypatch.setattr(
            errors, "wild_bootstrap", lambda *_, p=p, **__: WildBootstrap(p, 0.1, 1e-4)
        )
        frame = errors._frame(draws, design, 0, 0)
        assert frame["model"].iloc[-1].endswith(label)


def compared(**shares):
    """Three models whose probabilities under each prior are given in order."""
    columns = {f"P({prior})": shares[key] for prior, key in zip(PRIORS, shares, strict=True)}
    frame = pd.DataFrame({"model": ["sdem", "sdm", "slx"], "weights": "W", **columns})
    return favoured(Comparison(frame, {}))


def test_which_model_the_data_favour_is_said_to_depend_on_the_prior_where_it_does():
    split = compared(unit=[0.91, 0.05, 0.04], weak=[0.27, 0.13, 0.60], flat=[1.0, 0.0, 0.0])
    assert "has the highest probability depends on the prior." in split
    assert "weak: SLX (W), probability 0.60" in split
    assert "unit information: SDEM (W), probability 0.91" in split
    sure = compared(unit=[0.96, 0.02, 0.02], weak=[0.97, 0.02, 0.01], flat=[1.0, 0.0, 0.0])
    assert "is the same under every prior tried." in sure
    unsure = compared(unit=[0.96, 0.02, 0.02], weak=[0.6, 0.3, 0.1], flat=[1.0, 0.0, 0.0])
    assert "is the same under every prior tried, but not surely." in unsure
    assert "spreads: 0.02 (unit information), 0.30 (weak), 0.00" in unsure


def test_a_boundary_is_set_against_prior_draws_not_against_any_smooth_curve():
    grid = np.linspace(0, 100, 5)
    theta = np.random.default_rng(0).normal(size=(100, 5))
    curves = Curves("w", grid, theta, theta, "lower", 0.1, ())
    nowhere = Interval(0.0, 0.0, 0.89)
    report = BoundaryReport(0.0, 0.735, 0.615, np.nan, nowhere, (0, 1), 0, 0, 0, 0, np.nan, nowhere)
    said = " ".join(
        distance_sentences(curves, [report, report], (), pd.DataFrame(), band(theta), None)
    )
    assert "with probability 0.735 by sign alone, as a share of 0.615 of prior draws do" in said
    assert "any smooth curve" not in said


def paths(indirect, direct, sd):
    rng = np.random.default_rng(0)
    a, noise = np.full((4000, 1), 1.0), rng.normal(size=(2, 4000)) * sd
    return Paths(a, indirect + noise[:1].T, direct + noise[1], np.ones(4000))


def test_a_proportion_mediated_is_one_only_if_signs_agree_and_the_total_is_established():
    assert no_proportion(paths(-0.2, -0.5, 0.05)) == ""
    assert no_proportion(paths(0.2, 0.5, 0.05)) == ""
    for indirect, direct in ((0.02, -0.5), (-0.02, 0.5)):
        why = no_proportion(paths(indirect, direct, 0.005))
        assert why == "as direct and indirect effect have opposite signs"
    assert "the sign of the total is not established" in no_proportion(paths(-0.1, -0.1, 0.5))


@pytest.mark.parametrize("b", [-0.8, 0.3])
def test_mediation_prints_no_proportion_where_signs_are_opposite(b):
    """With a of .5 and a direct effect of -.3, b decides."""
    from test_mechanisms import COLUMN, mediated

    frame, adoption = mediated(5, b=b)
    study = make_study(("a",), [COLUMN])
    result = bd.analyse(study, "t.m", make_panel(frame, adoption), draws=200)
    direct, indirect = (
        result.tables[0].frame.set_index("quantity").loc[name, "mean"]
        for name in ("direct", "M: indirect a b")
    )
    shown = "proportion mediated" in result.tables[0].frame["quantity"].tolist()
    assert shown == (direct * indirect > 0)
    assert ("median proportion mediated" in result.sentences[0]) == shown
    assert ("have opposite signs" in result.sentences[0]) == (not shown)


@pytest.mark.parametrize(
    ("factors", "word"),
    [
        ((3.1, 40.0), "positive for"),
        ((21.0, 40.0), "strong for"),
        ((151.0, 900.0), "very strong for"),
        ((0.01, 0.3), "positive against"),
        ((0.001, 0.006), "very strong against"),
        ((0.4, 2.9), "none either way"),
        ((0.245, 2.24), "depends on the prior"),
        ((0.3, 5.0), "depends on the prior"),
    ],
)
def test_bayes_factors_have_their_word(factors, word):
    assert evidence_word(factors) == word
    assert "very strong from 150 on, strong from 20 on, positive from 3 on" in grades()


def test_labels_of_parts_are_those_of_their_columns():
    """What a part's columns are on rows tells what its sd is about."""
    frame, adoption = staggered(6, N=100, policies=("a", "b"))
    rows = overlap_design(spec_of(make_study(columns=[OVERLAP]), "o"), make_panel(frame, adoption))
    pooling = overlap_pooling(rows)
    part, D = np.array(pooling.part), pooling.design.D

    def columns(name):
        return D[:, part == name]

    expected = {}
    for k, policy in enumerate(rows.policies):
        age, on = rows.age[:, k], rows.age[:, k] >= 0
        for name, label in (
            ("path", f"steps of {policy} from one age to the next"),
            ("cohort", f"levels of cohorts of {policy}"),
            ("slope", f"growth by cohort of {policy}"),
        ):
            expected[f"{name}_{policy}"] = label
        np.testing.assert_array_equal(columns(f"path_{policy}").sum(axis=1), np.maximum(age, 0))
        np.testing.assert_array_equal(columns(f"cohort_{policy}").sum(axis=1), on)
        np.testing.assert_array_equal(columns(f"slope_{policy}").sum(axis=1), np.maximum(age, 0))
        assert set(np.unique(columns(f"path_{policy}"))) == {0, 1}  # steps, not slopes
        assert columns(f"slope_{policy}").max() > 1
    expected["since"] = "steps of the synergy over time since the second adoption"
    np.testing.assert_array_equal(
        columns("since").sum(axis=1), np.where(rows.both, rows.since(rows.policies), 0)
    )
    expected["order"] = "orders of adoption"
    np.testing.assert_array_equal(columns("order").sum(axis=1), rows.both)
    assert {name: part_label(name) for name in pooling.parts} == expected
