"""Cheap tests of words and numbers that a planted fault (faults.py) once got past.

Each says a fact that turns false when a sign, a threshold, a word or a constant does.
"""

import dataclasses
import re

import numpy as np
import pytest
import xarray as xr
from made import make_panel, make_study, spec_of, staggered
from panels import make_design
from scipy.stats import multivariate_normal, poisson
from test_mechanisms import COLUMN, mediated

import bayesdid as bd
from bayesdid.audit.bounds import Bounds
from bayesdid.audit.stars import _judge
from bayesdid.checks.placebo import Placebo
from bayesdid.cli.model_options import variant_of
from bayesdid.design.cohort import cohort_design
from bayesdid.design.overlap import overlap_design
from bayesdid.design.regressors import regressors
from bayesdid.design.within import absorb
from bayesdid.estimands.contrasts import claim_probability, contrast_values
from bayesdid.estimands.event_study import event_path
from bayesdid.estimands.names import MAX_SINGLE, RATIO, SUM
from bayesdid.families.cohort import analysis as cohorts
from bayesdid.families.iv_second.analysis import _sentences
from bayesdid.families.mediation.analysis import Paths
from bayesdid.families.registry.discover import families
from bayesdid.families.registry.load import load_study
from bayesdid.files import seal, seal_of
from bayesdid.inference.exact.rows import sorted_rows
from bayesdid.inference.gate import chain_gate, table_gate
from bayesdid.inference.pointwise import pointwise
from bayesdid.model.bound import model as bind
from bayesdid.model.errors import Errors
from bayesdid.model.priors import PriorChoice, resolve_priors
from bayesdid.model.serial import serial_rows
from bayesdid.peers.instrument import TwoStage
from bayesdid.peers.staggered import Bacon, TermWeights
from bayesdid.published.synergy import published_synergy
from bayesdid.published.verdict import published_verdicts
from bayesdid.report.results import sections
from bayesdid.summary import equal_tailed, hdi, normal_interval


def test_a_published_verdict_ranges_over_its_assumptions(models):
    study = load_study(models / "dual_pilot")
    synergy = published_synergy(study)
    for verdict in published_verdicts(study, synergy):
        low, high = synergy.contrasts[verdict.contrast].range
        assert (verdict.p_low, verdict.p_high) == (low, high)
        assert low < verdict.p < high or verdict.p in {low, high}
        assert low < high or low in {0.0, 1.0}  # a claim that no assumption shakes
    assert {v.claim: v.p_low < v.p_high for v in published_verdicts(study, synergy)}["synergy"]


def test_a_claim_is_the_share_of_draws_in_its_direction():
    draws = np.array([-3.0, -2.0, -1.0, 4.0])
    assert claim_probability(SUM, draws, below=True) == 0.75
    assert claim_probability(SUM, draws, below=False) == 0.25
    assert claim_probability(RATIO, draws, below=True) == 0.25


def test_contrasts_of_known_states():
    """Effects -1 and -2 alone, -4 together: -5 where a came first and -3.5 where b did."""
    state = {
        "only:a": np.array([1.0, 0, 0, 0]),
        "only:b": np.array([0, 1.0, 0, 0]),
        "both, first:a": np.array([0, 0, 1.0, 0]),
        "both, first:b": np.array([0, 0, 0, 1.0]),
        "both": np.array([0, 0, 1 / 3, 2 / 3]),
        "single": np.array([0.5, 0.5, 0, 0]),
    }
    found = contrast_values(state, np.array([[-1.0, -2.0, -5.0, -3.5]]), "lower")
    assert found[RATIO] == pytest.approx(4 / 3)
    assert found[MAX_SINGLE] == pytest.approx(-2)
    assert found[SUM] == pytest.approx(-1)
    assert found["first:a - first:b vs none"] == pytest.approx(-1.5)
    higher = contrast_values(state, np.array([[-1.0, -2.0, -5.0, -3.5]]), "higher")
    assert higher[MAX_SINGLE] == pytest.approx(-3)


def test_states_name_the_policy_that_came_first():
    frame, adoption = staggered(6, policies=("a", "b"))
    study = make_study(columns=[{"id": "o", "outcome": "y", "family": "overlap"}])
    rows = overlap_design(spec_of(study, "o"), make_panel(frame, adoption))
    a, b = rows.start.T
    assert (rows.state[rows.both & (a < b)] == "both, first:a").all()
    assert (rows.state[rows.both & (a > b)] == "both, first:b").all()
    assert (rows.both & (a < b)).any()


def two_stage_of(F):
    return TwoStage(-0.4, 0.2, 0.5, 0.1, F, 0.05, ((-0.9, 0.1),))


def instrumented(rho, F=30.0):
    draws = np.random.default_rng(1).standard_normal((4, 2000)) / 20
    return _sentences(draws[0], rho + draws[1], two_stage_of(F), 0)


def test_an_instrument_is_called_weak_below_ten():
    assert "the instrument is weak" in instrumented(0.0, F=9.9)[1]
    assert "weak:" not in instrumented(0.0, F=10.1)[1]


def test_an_instrument_is_needed_where_errors_correlate():
    assert "endogenous if the instrument is valid" in instrumented(0.6)[2]
    assert "no sign that least squares needs an instrument" in instrumented(0.0)[2]


def test_the_region_of_a_moderator_is_where_the_effect_has_its_sign():
    """An effect of 0.2 - 0.4 SR is below zero from SR = 0.5 on."""
    rng = np.random.default_rng(4)
    frame, adoption = staggered(4, N=120)
    frame["SR"] = rng.gamma(2.0, 1.0, len(frame))
    on = frame["period"] >= adoption["a"].reindex(frame["unit"]).to_numpy(float, na_value=np.inf)
    frame["y"] += on * (0.2 - 0.4 * frame["SR"])
    column = COLUMN | {"family": "moderation", "options": {"moderator": "SR"}}
    study = make_study(("a",), [column])
    slope, region, *_, line = bd.analyse(study, "t.m", make_panel(frame, adoption)).sentences
    assert "P(< 0) > 0.999" in slope
    assert "P(effect < 0) is above 0.975 for SR between" in region
    low, high = (float(text) for text in re.search(r"between (\S+) and (\S+) \(", region).groups())
    assert 0.5 < low < 1.0
    assert high > np.quantile(frame["SR"], 0.99)
    p = float(re.search(r"model is (\S+?)[:,]", line)[1])
    assert ("no sign of curvature" in line) == (p >= 0.05)


def test_forbidden_comparisons_have_their_share_and_their_warning(monkeypatch):
    frame, adoption = staggered(7)
    column = {"id": "c", "outcome": "y", "treatments": ["active:a"], "family": "cohort"}
    study = make_study(("a",), [column])
    cells = cohort_design(spec_of(study, "c"), make_panel(frame, adoption))
    weights = TermWeights("a", -0.5, np.ones(1), 1.0, 0.0, 0, {}, {}, 1.0)

    def said(never, earlier, forbidden):
        shares = {"never": never, "earlier": earlier, "forbidden": forbidden}
        monkeypatch.setattr(cohorts, "bacon", lambda _: Bacon(-0.5, shares, shares))
        return cohorts.weights_sentences(weights, cells)[1]

    few, many = said(0.6, 0.35, 0.05), said(0.2, 0.3, 0.5)
    assert "60% of the weight compares with never-treated units, 35% with later and 5% with" in few
    assert "a small part here" in few
    assert "and 50% with earlier treated ones; the last can bias the coefficient" in many


def test_a_mediation_that_little_would_undo_says_so():
    def said(b):
        frame, adoption = mediated(5, b=b)
        study = make_study(("a",), [COLUMN])
        return bd.analyse(study, "t.m", make_panel(frame, adoption), draws=200).sentences[2]

    assert "a very small amount" in said(0.0)
    assert "a very small amount" not in said(-0.8)


def test_a_highest_density_interval_is_the_shortest():
    """Of an exponential the shortest interval begins at zero."""
    draws = -np.log1p(-(np.arange(10_000) + 0.5) / 10_000)
    found = hdi(draws, 0.8)
    assert found.low < 1e-3
    assert found.high == pytest.approx(-np.log(0.2), abs=0.01)


def test_intervals_that_name_no_level_have_the_one_constant(monkeypatch):
    monkeypatch.setattr("bayesdid.summary.LEVEL", 0.8)
    draws = np.linspace(0, 1, 1001)
    for found in (hdi(draws), equal_tailed(draws), normal_interval(0.0, 1.0)):
        assert found.level == 0.8
    assert hdi(draws).high - hdi(draws).low == pytest.approx(0.8, abs=0.01)


def test_a_steep_pre_trend_has_a_small_tail_area():
    draws = np.random.default_rng(0).standard_normal((4000, 4))
    assert event_path([-3, -2, 0, 1], draws).pre_p > 0.5
    assert event_path([-3, -2, 0, 1], draws + np.array([5.0, 4.0, 0, 0])).pre_p < 1e-4


def test_the_actual_assignment_counts_among_the_placebos():
    mean = np.linspace(-1, 1, 99)
    found = Placebo("t.1", "permuted", mean, np.ones(99), np.full(99, 0.5), 2.0, 1.0)
    assert found.tail == pytest.approx(1 / 100)


def test_chains_that_disagree_fail_the_gate():
    rng = np.random.default_rng(2)

    def passed(values):
        posterior = xr.Dataset({"tau": (("chain", "draw"), values)})
        items = chain_gate(xr.DataTree.from_dict({"posterior": posterior}))
        return {item.name: item.passed for item in items}

    chains = rng.standard_normal((4, 1000))
    assert all(passed(chains).values())
    assert not passed(chains + np.array([[0.0], [0], [0], [0.6]]))["rhat"]
    slow = np.cumsum(chains, axis=1)
    assert not passed(slow)["ess_bulk"]
    assert not passed(slow)["ess_tail"]


def test_a_rough_quadrature_fails_the_gate():
    def failed(*values):
        return [item.name for item in table_gate(*values) if not item.passed]

    assert failed(0.001, 0.9, 1e-6) == []
    assert failed(0.5, 0.9, 1e-6) == ["quadrature_error"]
    assert failed(0.001, 0.1, 1e-6) == ["acceptance"]
    assert failed(0.001, 0.9, 0.1) == ["edge_mass"]


def test_no_analysis_is_missing_from_the_sections():
    known = {name: family for name, family in families().items() if family.has_analysis}
    contents = [{"family": name, "spec": f"t.{name}"} for name in known]
    named = [spec for section in sections(contents, known) for spec in section["specs"]]
    assert sorted(named) == sorted(f"t.{name}" for name in known)


def test_options_of_the_commands_reach_the_model():
    found = variant_of("iid", "student_t", "random", "sceptical")
    assert found.errors == Errors.parse("iid") != variant_of(None, "normal", None, None).errors
    assert found.priors == PriorChoice("sceptical")
    assert found.likelihood.name == "student_t"
    assert found.effects == "random"


def test_a_seal_is_compared_with_the_bytes(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"one result")
    written = seal(path)
    assert seal_of(path) == written
    path.write_bytes(path.read_bytes().replace(b"one", b"two"))
    assert seal_of(path) is None


def test_stars_that_rounding_allows_are_no_contradiction(models):
    study = load_study(models / "dual_pilot")
    spec = study["table2.5"]
    stars, level = "*", spec.table.stars["*"]
    near = Bounds(0.9 * level, 1.1 * level)
    assert _judge(spec, "stars", "t.1", stars, near, "") is None
    found = _judge(spec, "stars", "t.1", stars, Bounds(1.1 * level, 1.2 * level), "")
    assert found.severity == "contradiction"


def test_rows_know_how_long_ago_the_row_before_was():
    design = make_design(3, N=12, T=8, balanced=False)
    seen: dict[int, int] = {}
    expected = []
    for unit, period in zip(design.unit_index, design.period_index, strict=True):
        expected.append(period - seen.get(unit, period))  # rows are in order of unit and time
        seen[unit] = period
    assert max(expected) > 1
    rows = serial_rows(design)
    assert (rows.gap * rows.follows == expected).all()
    assert (sorted_rows(design, regressors(design), serial=True)[0].gap == expected).all()


def one_draw(design, **values):
    """A posterior of one draw without effects, and the linear predictor there."""
    tau, beta = np.array([-0.5]), np.array([0.3, 0.1])
    found = {"alpha": 0.2, "tau": tau, "beta": beta, **values}
    dims = {"tau": ("treatment",), "beta": ("covariate",)}
    posterior = xr.Dataset(
        {
            name: (("chain", "draw", *dims.get(name, ())), np.asarray(value)[None, None])
            for name, value in found.items()
        },
        {"chain": [0], "draw": [0]},
    )
    Z = design.regressors - design.regressors.mean(axis=0)
    return posterior, 0.2 + Z @ np.concatenate([tau, beta])


def test_rows_of_ar1_errors_have_the_joint_density():
    design = make_design(3, N=4, T=6, balanced=False, unit="none", period="none")
    posterior, mu = one_draw(design, sigma=0.8, phi=0.6)
    model = bind(design, errors="ar1").model
    found = pointwise(posterior, model, design)["log_likelihood"]["y"].to_numpy()
    gap = np.abs(design.period_index[:, None] - design.period_index)
    covariance = 0.64 * 0.6**gap * (design.unit_index[:, None] == design.unit_index)
    joint = multivariate_normal(mu, covariance).logpdf(design.y)
    assert found.sum() == pytest.approx(joint, abs=1e-9)


def test_densities_of_counts_have_the_exposure():
    design = make_design(3, N=4, T=6, unit="none", period="none")
    exposure = np.random.default_rng(1).uniform(1, 9, design.n)
    design = dataclasses.replace(design, y=np.round(np.abs(design.y)), exposure=exposure)
    posterior, eta = one_draw(design)
    model = bind(design, likelihood="poisson", errors="iid").model
    found = pointwise(posterior, model, design)["log_likelihood"]["y"].to_numpy()[0, 0]
    assert found == pytest.approx(poisson.logpmf(design.y, exposure * np.exp(eta)), abs=1e-9)


def test_priors_are_as_wide_as_they_say():
    """A weak one has 2.5 sd(y) over the within sd of x, a sceptical one .25 sd(y) for a swing."""
    design = make_design(2)
    Z = absorb(design.regressors, design.unit_index, design.period_index, unit=True, period=True)
    weak, sceptical = (resolve_priors(PriorChoice(name), design) for name in ("weak", "sceptical"))
    assert weak.of(design.names)[1] == pytest.approx(2.5 * design.y.std() / Z.std(axis=0))
    assert sceptical.sds["active:p"] == pytest.approx(0.25 * design.y.std())
    assert sceptical.sds["x1"] == weak.sds["x1"]
    assert weak.scale == pytest.approx(design.y.std())


def test_an_indirect_effect_is_a_product():
    draws = Paths(np.array([[2.0]]), np.array([[-0.5]]), np.array([-2.0]), np.array([1.0]))
    assert draws.indirect == pytest.approx(-1.0)
    assert draws.total == pytest.approx(-3.0)
