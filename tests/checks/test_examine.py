"""Every check finds a fault that is planted for it, and is quiet where nothing is wrong."""

import dataclasses
from functools import cache

import numpy as np
import pytest
import xarray as xr
from panels import make_design
from scipy.stats import norm

import bayesdid as bd
from bayesdid.checks import left_out
from bayesdid.checks import loo as loo_module
from bayesdid.checks.beliefs import coefficient_beliefs, effects_of, log_prior, scale_beliefs
from bayesdid.checks.chains import chain_check
from bayesdid.checks.examine import arms_of, examine
from bayesdid.checks.left_out import Followed, _contrast, leave_one_unit_out
from bayesdid.checks.loo import loo, loo_check
from bayesdid.checks.pictures import distribution, replicated, spatial_dependence, with_pictures
from bayesdid.checks.pit import influence, loo_pit
from bayesdid.checks.predictive import predictive_checks
from bayesdid.checks.prior import prior_posterior, prior_predictive
from bayesdid.checks.sensitivity import (
    critical_sd,
    likelihood_alone,
    power_scaling,
    scepticism,
    sign_probability,
)
from bayesdid.checks.units import without_unit as units
from bayesdid.exceptions import InputError
from bayesdid.inference.result import Fit
from bayesdid.jsonio import plain
from bayesdid.model.bound import model as bind
from bayesdid.model.mean import Instrument, Mediation
from bayesdid.model.priors import PriorChoice
from bayesdid.spatial.weights.weights import make_weights
from cells import slow_but

TERM = "active:p"
ALL = {
    "prior_predictive",
    "prior_posterior",
    "chains",
    "overlay",
    "maximum",
    "skewness",
    "autocorrelation",
    "unit_variance",
    "pre_trends",
    "spatial_dependence",
    "loo",
    "pareto_k",
    "loo_pit",
    "leave_one_unit_out",
    "power_scaling",
    "scepticism",
}


@cache
def strong():
    """A true i.i.d. model with a large effect, and its fit."""
    design = make_design(3, N=24, T=8)
    design = dataclasses.replace(design, y=design.y - 1.5 * design.D[:, 0])
    return fitted(design)


def fitted(design, draws=400, **parts):
    return bd.fit(bind(design, **{"errors": "iid"} | parts), draws=draws)


def neighbours(design):
    N = len(design.units)
    return make_weights(np.eye(N, k=1) + np.eye(N, k=-1), design.units, "a line")


def test_nothing_is_found_where_nothing_is_wrong():
    fit = strong()
    found = examine(fit, weights=neighbours(fit.bound.design), refits=1)
    assert {check.name for check in found} == ALL
    assert [check.name for check in found if check.passed is False] == []
    never = {check.name for check in found if check.passed is None}
    assert never == {"chains", "pareto_k"}  # exact draws; k is no verdict
    for check in found:
        assert check.text.endswith(".")
        assert check.failing or check.name in {"chains", *_predictive()}
        assert check.done or check.name == "chains"
        assert plain(check)["figure"] is None or plain(check)["figure"]["series"]
    drawn = {check.name for check in found if check.figure is not None}
    assert drawn == ALL - {"maximum", "skewness", "loo", "chains"}


def _predictive():
    return {"maximum", "skewness", "autocorrelation", "unit_variance", "pre_trends", "loo"}


@pytest.mark.parametrize(
    "kind", slow_but(["mediation", "instrument", "sdm", "sem", "pooled"], "sdm", "instrument")
)
def test_every_family_is_examined(kind):
    """Each check gives a verdict or says why it has none."""
    design = make_design(1, N=16, T=6)
    if kind in {"sdm", "sem"}:
        design = bd.spatial_design(design, neighbours(design), kind)
    if kind == "pooled":
        group = design.unit_index % 2
        D = np.column_stack([design.D, design.D[:, 0] * group, design.D[:, 0] * (1 - group)])
        design = dataclasses.replace(
            design, D=D, treatments=(TERM, "g1", "g0"), part=("", "group", "group")
        )
    mean = {"mediation": Mediation(("x1",)), "instrument": Instrument("x1")}.get(kind)
    found = {check.name: check for check in examine(fitted(design, draws=60, mean=mean), refits=0)}
    assert set(found) >= ALL
    assert all(check.text for check in found.values())
    lost = found["leave_one_unit_out"].text
    assert ("another spatial model" in lost) == (kind in {"sdm", "sem"})
    assert (found["spatial_dependence"].passed is None) == (kind not in {"sdm", "sem"})


def test_a_fit_without_its_model_is_refused():
    with pytest.raises(InputError, match="does not hold its model"):
        examine(Fit(strong().tree))


def test_arms_are_whether_a_unit_is_ever_treated():
    design = strong().bound.design
    ever = np.array([design.D[design.unit_index == k].any() for k in range(24)])
    assert (arms_of(design).to_numpy() == np.where(ever, "treated", "untreated")).all()


# priors


def test_a_prior_that_decides_is_found():
    """Prior sd of a fiftieth of the standard error: the posterior is the prior."""
    design = strong().bound.design
    fit = fitted(design, priors=PriorChoice("weak", ((TERM, 0.0, 0.004),)))
    check = prior_posterior(fit.tree, fit.bound)
    assert check.passed is False
    assert f"the prior decides {TERM}" in check.text
    row = check.table.set_index("term").loc[TERM]
    assert row["contraction"] < 0.1
    assert "lies far outside" not in check.text
    scaled = power_scaling(fit.tree, fit.bound)
    assert scaled.passed is True or "sensitive to priors" in scaled.text


def test_a_prior_that_contradicts_the_data_is_found():
    """Prior 1 +- .3 against an estimate of about -2 +- .2: conflict, and power scaling moves it."""
    design = strong().bound.design
    fit = fitted(design, priors=PriorChoice("weak", ((TERM, 1.0, 0.3),)))
    scaled = power_scaling(fit.tree, fit.bound)
    assert scaled.passed is False
    assert f"sensitive to priors: {TERM}: prior-data conflict" in scaled.text
    check = prior_posterior(fit.tree, fit.bound)
    assert check.passed is False
    assert f"far outside the prior of {TERM}" in check.text
    # a contrast that the data tell is not made to fail by a coefficient that no claim is about
    noise = np.random.default_rng(0).normal(size=fit.tree["posterior"]["tau"].shape[:2])
    apart = power_scaling(fit.tree, fit.bound, {"noise": noise})
    assert apart.passed is True
    assert apart.text.endswith(f"of coefficients that no contrast is, these are sensitive: {TERM}.")
    assert "Power scaling: priors move noise most" in apart.text
    calm = power_scaling(strong().tree, strong().bound)
    assert calm.passed is True
    assert "no effect depends on its priors" in calm.text


def test_a_prior_in_other_units_is_found_before_the_data():
    design = strong().bound.design
    wrong = bind(design, errors="iid", priors=PriorChoice("weak", ((TERM, 1000.0, 1.0),)))
    check = prior_predictive(wrong)
    assert check.passed is False
    assert "far more variation than there is" in check.text
    narrow = {name: (name, 0.0, 1e-3) for name in (TERM, "x1", "x2")}
    own = PriorChoice("weak", tuple(narrow.values()))
    spread = dataclasses.replace(design, y=design.y * 1.0)
    assert prior_predictive(bind(spread, errors="iid", priors=own)).passed is True
    flat = prior_predictive(bind(design, errors="iid", priors="flat"))
    assert flat.passed is None
    assert "flat priors predict nothing" in flat.text


def test_data_beyond_the_priors_are_found_before_the_data():
    """Counts that vary within units and periods under priors of no effect of anything."""
    design = strong().bound.design
    counts = dataclasses.replace(design, y=np.round(np.exp(np.clip(3 * design.y, -5, 9))))
    own = tuple((name, 0.0, 1e-4) for name in (TERM, "x1", "x2"))
    check = prior_predictive(
        bind(counts, errors="iid", likelihood="poisson", priors=PriorChoice("weak", own))
    )
    assert check.passed is False
    assert "far less variation than there is" in check.text


@pytest.mark.slow
def test_log_prior_is_that_of_the_compiled_model():
    """Up to a constant: flat effects add none."""
    import pymc as pm

    fit = strong()
    some = fit.tree["posterior"].to_dataset().isel(chain=slice(0, 1), draw=slice(0, 6))
    tree = type(fit.tree).from_dict({"posterior": some})
    tree.attrs = dict(fit.tree.attrs)
    model = fit.bound.to_pymc()
    own = log_prior(tree, fit.bound)[0]
    with model:
        names = ("tau", "beta", "sigma")
        density = model.compile_logp(vars=[model[n] for n in names], jacobian=False)
        point = model.initial_point()
        expected = []
        for k in range(6):
            at = dict(point)
            at["tau"], at["beta"] = some["tau"][0, k].to_numpy(), some["beta"][0, k].to_numpy()
            at["sigma_log__"] = np.log(some["sigma"][0, k].to_numpy())
            expected.append(float(density(at)))
    assert isinstance(model, pm.Model)
    assert np.diff(own) == pytest.approx(np.diff(expected), abs=1e-8)


# scepticism


def test_a_prior_of_the_critical_sd_leaves_a_sign_just_not_sure():
    """Closed form against its own formula, and against the exact posterior under that prior."""
    assert sign_probability(-2.0, 0.5, critical_sd(-2.0, 0.5, 0.95)) == pytest.approx(
        0.95, abs=1e-4
    )
    # of a normal likelihood it is s q / sqrt(z^2 - q^2)
    q = norm.ppf(0.95)
    assert critical_sd(-2.0, 0.5, 0.95) == pytest.approx(0.5 * q / np.sqrt(16 - q**2), rel=1e-3)
    assert critical_sd(1.0, 1.0, 0.95) == float("inf")
    fit = strong()
    row = scepticism(fit.tree, fit.bound).table.iloc[0]
    assert row["sign"] == "negative"
    own = PriorChoice("weak", ((TERM, 0.0, row["prior sd: P(sign) < 0.95"]),))
    again = bd.fit(bind(fit.bound.design, errors="iid", priors=own), draws=4000)
    share = (effects_of(again.tree, again.bound)[TERM] < 0).mean()
    # 16,000 draws: mcse .002; the estimate is that of 1600 draws, 1 / 40 of its se
    assert share == pytest.approx(0.95, abs=0.012)


def test_likelihood_alone_takes_the_prior_out():
    """N(0, 1) prior, estimate 2 with se 1: posterior N(1, 1/2)."""
    draws = norm.ppf((np.arange(20_000) + 0.5) / 20_000, 1.0, np.sqrt(0.5))
    assert likelihood_alone(draws, 0.0, 1.0) == pytest.approx((2.0, 1.0), abs=0.01)
    assert likelihood_alone(draws) == pytest.approx((1.0, np.sqrt(0.5)), abs=0.01)
    assert likelihood_alone(draws, 0.0, np.sqrt(0.5))[1] == np.inf


def test_a_claim_that_leans_on_wide_priors_is_told_from_one_that_does_not():
    sure = scepticism(strong().tree, strong().bound)
    assert sure.passed is True
    assert f"{TERM} is negative (P at least 0.95) unless effects are believed" in sure.text
    assert "Not sure" not in sure.text
    design = strong().bound.design
    tree = strong().tree.copy(deep=True)
    z = norm.ppf((np.arange(1600) + 0.5) / 1600).reshape(4, 400, 1)
    tree["posterior"]["tau"][:] = -1.7 + z
    weak = scepticism(tree, bind(design, errors="iid", priors="flat"))
    assert weak.passed is False
    assert weak.table.iloc[0]["in sd(y)"] > 0.25
    tree["posterior"]["tau"][:] = -0.5 + z
    none = scepticism(tree, bind(design, errors="iid", priors="flat"))
    assert none.passed is None
    assert none.text.startswith("No sign is sure under any prior centred on zero")
    assert np.isnan(none.table.iloc[0]["P(as large) under it"])  # there is no such prior


def test_contrasts_that_claims_are_about_are_asked_how_sceptical_and_how_sensitive_first():
    """Of two contrasts the sentence says both; coefficients stand in the table alone."""
    tree, bound = strong().tree, strong().bound
    tau = effects_of(tree, bound)[TERM]
    centred = tau - tau.mean()
    asked = {"twice": 2 * tau, "nothing": centred + centred.std() / 2}
    found = scepticism(tree, bound, asked)
    assert found.table["term"].tolist() == ["twice", "nothing", TERM]
    assert found.text.startswith("twice is negative (P at least 0.95) unless")
    never = "Not sure under any prior centred on zero: nothing, positive with 0.69"
    assert never in found.text  # P(t > -1/2) = .691
    assert TERM not in found.text
    flat = {name: values.ravel() for name, values in asked.items()}  # as contrasts have them
    scaled = power_scaling(tree, bound, flat).table.set_index("term")
    assert scaled.index.tolist() == ["twice", "nothing", TERM]
    # a multiple is as sensitive as what it is of; psense is computed with 1,500 draws of each
    assert scaled.loc["twice", "prior"] == pytest.approx(scaled.loc[TERM, "prior"], rel=1e-6)


def test_the_sign_that_needs_least_scepticism_to_fail_is_told_first_and_others_by_their_range():
    """Signs as sure as each other, on scales of 1, 2 and 5: a prior must be as narrow in each."""
    tree, bound = strong().tree, strong().bound
    tau = effects_of(tree, bound)[TERM]
    found = scepticism(tree, bound, {"two": 2 * tau, "five": 5 * tau, "one": tau})
    needed = found.table.set_index("term")["in sd(y)"]
    assert needed["five"] == pytest.approx(5 * needed["one"], rel=1e-3)
    assert found.text.startswith("five is negative (P at least 0.95) unless")
    low, high = needed["one"], needed["two"]
    assert f"; the other 2 signs fail only below {low:.2g} to {high:.2g} sd (table)." in found.text
    pair = scepticism(tree, bound, {"five": 5 * tau, "one": tau}).text
    assert f"; one sign more fails only below {low:.2g} sd (table)." in pair


# fit


def test_a_skewed_outcome_does_not_lie_in_its_overlay():
    design = make_design(5, N=30, T=8)
    noise = np.random.default_rng(1).exponential(2.0, design.n) ** 1.5
    bad = fitted(dataclasses.replace(design, y=noise))
    found = distribution(replicated(bad.tree, bad.bound, arms_of(design)), False)
    assert found.passed is False
    assert "does not reproduce" in found.text
    fine = strong()
    good = distribution(replicated(fine.tree, fine.bound, arms_of(fine.bound.design)), False)
    assert good.passed is True
    assert "the model reproduces it" in good.text


def test_counts_have_a_rootogram():
    """Zeros that no Poisson has, against Poisson replications of mean four."""
    found = replicated(strong().tree, strong().bound, arms_of(strong().bound.design))
    rng = np.random.default_rng(0)
    new = rng.poisson(4.0, found.new.shape).astype(float)
    y = rng.poisson(4.0, len(found.y)).astype(float)
    fine = distribution(dataclasses.replace(found, y=y, new=new), True)
    assert (fine.name, fine.passed) == ("rootogram", True)
    zeros = np.where(rng.random(len(y)) < 0.3, 0.0, y)
    many = distribution(dataclasses.replace(found, y=zeros, new=new), True)
    assert many.passed is False
    first = many.table.iloc[0]
    assert first["count"] == 0
    assert first["observed"] > first["high"]
    assert first["observed"] ** 2 == pytest.approx((zeros == 0).sum())


def test_pictures_show_what_their_checks_find():
    """AR(1) at lag one, a noisy unit, a drift of the treated: each outside its band."""
    design = make_design(3, N=30, T=8)
    rng = np.random.default_rng(2)
    e = rng.standard_normal((30, 8))
    for t in range(1, 8):
        e[:, t] = 0.8 * e[:, t - 1] + 0.6 * e[:, t]
    e[7] *= 6.0
    arms = arms_of(design)
    drift = (arms == "treated").to_numpy()[design.unit_index] * design.period_index * 0.5
    y = e[design.unit_index, design.period_index] + drift
    fit = fitted(dataclasses.replace(design, y=y))
    found = replicated(fit.tree, fit.bound, arms)
    checks = with_pictures(predictive_checks(fit.tree, fit.bound, arms), found, {"7": "Seven"})
    figures = {check.name: check.figure for check in checks}
    again, seen = figures["autocorrelation"].series
    assert seen.y[0] > again.high[0]
    again, seen = figures["unit_variance"].series
    assert again.x[0] == "Seven"
    assert seen.y[0] > again.high[0]
    treated = next(s for s in figures["pre_trends"].series if s.label == "treated")
    assert treated.y[0] < treated.low[0]
    done = {check.name: check.done for check in checks}
    assert "ar1 errors" in done["autocorrelation"]
    assert "ar1_unit" in done["unit_variance"]


def test_dependence_between_neighbours_is_found():
    design = strong().bound.design
    W, arms = neighbours(design), arms_of(design)
    calm = spatial_dependence(replicated(strong().tree, strong().bound, arms), strong().bound, W)
    assert calm.passed is True
    assert "no dependence that the model lacks" in calm.text
    rng = np.random.default_rng(4)
    smooth = np.linalg.solve(np.eye(24) - 0.8 * W.dense(), rng.standard_normal((24, 8)))
    bad = fitted(dataclasses.replace(design, y=smooth[design.unit_index, design.period_index]))
    found = spatial_dependence(replicated(bad.tree, bad.bound, arms), bad.bound, W)
    assert found.passed is False
    assert "neighbours are more alike than the model has it" in found.text
    assert found.table.iloc[0]["observed"] > 0.3


def test_tails_that_the_model_lacks_are_found_by_loo_pit():
    design = make_design(6, N=40, T=8)
    rng = np.random.default_rng(3)
    bad = fitted(dataclasses.replace(design, y=rng.standard_t(1.3, design.n)))
    found = loo_pit(bad.tree, bad.bound)
    assert found.passed is False
    assert "which are too wide" in found.text  # a sd that outliers blew up
    fine = strong()
    wrong = fine.tree.copy(deep=True)
    wrong["posterior"]["sigma"][:] = wrong["posterior"]["sigma"] * 0.5
    narrow = loo_pit(wrong, fine.bound)
    assert narrow.passed is False
    assert "which are too narrow" in narrow.text
    assert loo_pit(fine.tree, fine.bound).passed is True


def test_false_alarms_of_loo_pit_are_rare():
    """Five panels, fixed effects and serial errors: at one per cent, two alarms are 1 in 10^3."""
    alarms = 0
    for seed in range(5):
        fit = bd.fit(bind(make_design(seed, N=20, T=6), errors="ar1"), draws=200)
        alarms += loo_pit(fit.tree, fit.bound).passed is False
    assert alarms < 2


def test_influence_names_the_unit_of_the_outlier():
    design = strong().bound.design
    y = design.y.copy()
    y[np.flatnonzero(design.unit_index == 5)[3]] += 30.0
    bad = fitted(dataclasses.replace(design, y=y))
    check = influence(loo(bad.tree, bad.bound, {"5": "Five"}))
    assert "largest" in check.text
    assert "in Five" in check.text
    assert "There elpd is rough" in check.text
    assert check.figure.series[0].x[0] == "Five"


# leave one unit out


def test_a_claim_that_rests_on_one_unit_is_found_by_refitting():
    design = make_design(8, N=20, T=8)
    D = ((design.unit_index < 3) & (design.period_index >= 4)) / 1.0
    noise = np.random.default_rng(5).standard_normal(design.n)
    alone = dataclasses.replace(design, D=D[:, None], y=noise - 6.0 * D * (design.unit_index == 0))
    fit = fitted(alone)
    check = leave_one_unit_out(fit, {"0": "Zero"}, refits=1)
    assert check.passed is False
    assert check.text.startswith("Without Zero ")
    assert "no longer sure without Zero" in check.text
    row = check.table.iloc[0]
    assert row["how"] == "refitted"
    rest = fitted(alone.take(alone.unit_index != 0))
    draws = effects_of(rest.tree, rest.bound)[TERM]
    assert row["mean"] == pytest.approx(draws.mean(), abs=5 * draws.std() / np.sqrt(1000))
    fine = leave_one_unit_out(strong(), refits=1)
    assert fine.passed is True
    assert "its sign stays sure without any of them" in fine.text


def test_a_unit_that_alone_has_a_treatment_is_left_out_with_it():
    design = make_design(3, N=8, T=8)
    own = ((design.unit_index == 2) & (design.period_index > 4)) / 1.0
    both = dataclasses.replace(
        design, D=np.column_stack([design.D, own]), treatments=(TERM, "own"), part=("", "cell")
    )
    check = leave_one_unit_out(fitted(both), refits=8)
    assert set(check.table["how"]) == {"refitted"}


# chains


def test_exact_draws_have_no_chains_and_chains_that_disagree_are_found():
    fit = strong()
    check = chain_check(fit, fit.bound)
    assert check.passed is None
    assert "1600 independent draws" in check.text
    tree = fit.tree.copy(deep=True)
    tree.attrs |= {"independent": 0, "engine": "as_written"}
    mixed = chain_check(Fit(tree, fit.bound), fit.bound)
    assert mixed.passed is True
    assert "the chains agree" in mixed.text
    tree["posterior"]["tau"][0] += 1.0
    apart = chain_check(Fit(tree, fit.bound), fit.bound)
    assert apart.passed is False
    assert "do not agree" in apart.text
    first = apart.figure.series[0]
    assert first.y[-1] > 2.0  # the chain that was moved has the highest ranks


def test_beliefs_are_by_the_names_of_quantities():
    bound = bind(make_design(1, N=12, T=5), mean=Mediation(("x1",)), errors="iid")
    assert set(coefficient_beliefs(bound)) == {TERM, "x1", "x2", f"x1 ~ {TERM}", "x1 ~ x2"}
    assert set(scale_beliefs(strong().tree, strong().bound)) == {"sigma"}


def test_the_contrast_that_is_followed_is_left_out_of_and_not_the_first_effect():
    """Twice the effect has twice its mean and sd without each unit; a refit follows it too."""
    fit = strong()
    follow = Followed("twice", {TERM: 2.0})
    one = leave_one_unit_out(fit, refits=1).table
    two = leave_one_unit_out(fit, follow=follow, refits=1)
    assert two.text.startswith("Without ")
    assert " twice is " in two.text
    assert two.table["mean"].to_numpy() == pytest.approx(2 * one["mean"].to_numpy())
    assert two.table["sd"].to_numpy() == pytest.approx(2 * one["sd"].to_numpy())
    assert (two.table["how"] == "refitted").sum() == 1
    lost = leave_one_unit_out(fit, follow=Followed("f", {TERM: 1.0, "unknown": 1.0}), refits=0)
    assert lost.passed is None
    assert "terms that the fit does not hold" in lost.text


def test_a_deviation_that_no_row_shows_is_one_of_its_part():
    """Weight w on a missing term of a part adds variance (w omega)^2 and no mean."""
    posterior = {
        "tau": (("chain", "draw", "treatment"), np.ones((2, 20000, 1))),
        "omega_c": (("chain", "draw"), np.full((2, 20000), 0.5)),
    }
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(posterior, {"treatment": ["a"]})})
    base = dataclasses.replace(
        make_design(3, N=4, T=3), treatments=("a", "c 1"), part=("", "c"), D=np.zeros((12, 2))
    )
    found = _contrast(tree, base, Followed("f", {"a": 3.0, "c 1": 2.0}), 0)
    assert found.mean() == pytest.approx(3.0, abs=5 / np.sqrt(40000))
    assert found.std() == pytest.approx(1.0, abs=5 / np.sqrt(2 * 40000))


def test_weights_of_units_are_made_once_and_are_the_same_numbers(monkeypatch):
    made = []
    monkeypatch.setattr(left_out, "without_unit", lambda *a, **k: made.append(1) or units(*a, **k))
    monkeypatch.setattr(
        loo_module, "without_unit", lambda *a, **k: made.append(1) or units(*a, **k)
    )
    fit = strong()
    found = {check.name: check for check in examine(fit, refits=0)}
    assert len(made) == 1
    assert found["loo"].table.equals(loo_check(loo(fit.tree, fit.bound)).table)
    names = {str(unit): str(unit) for unit in fit.bound.design.units}
    assert found["leave_one_unit_out"].table.equals(leave_one_unit_out(fit, names, refits=0).table)
