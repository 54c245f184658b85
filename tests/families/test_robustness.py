"""Instrument, matching and specification curve: identities, planted truth, refusals."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from made import make_panel, make_study, spec_of, staggered
from panels import fit_iid as fit
from panels import make_design
from scipy.stats import norm
from stated import main_of, stated

import bayesdid as bd
from bayesdid.design.build import build_design
from bayesdid.design.design import Design
from bayesdid.design.within import absorb
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.families.psm_did.analysis import effect_on, match
from bayesdid.families.specification_curve import analysis as curve
from bayesdid.families.specification_curve.analysis import choices, effect_draws
from bayesdid.inference.exact.instrument import draw_instrument, reduced_ratio, with_instrument
from bayesdid.inference.exact.propensity import draw_propensity
from bayesdid.model.bound import BoundModel
from bayesdid.model.likelihood import Likelihood
from bayesdid.model.mean import Propensity
from bayesdid.model.model import Model
from bayesdid.model.priors import PriorChoice
from bayesdid.peers.instrument import anderson_rubin, two_stage
from cells import slow_but
from engines_agree import same_posterior

MCSE = 5.0


def endogenous(seed, *, tau=-0.5, pi=0.8, rho=0.6, N=60, T=8):
    rng = np.random.default_rng(seed)
    n = N * T
    unit, period = np.repeat(np.arange(N), T), np.tile(np.arange(T), N)
    z, x = rng.normal(size=n), rng.normal(size=n)
    e = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], n)
    d = pi * z + 0.5 * x + rng.normal(size=N)[unit] + e[:, 1]
    y = tau * d + 0.3 * x + rng.normal(size=N)[unit] + rng.normal(size=T)[period] + e[:, 0]
    design = Design(
        "iv.1",
        "iv",
        "y",
        y,
        d[:, None],
        x[:, None],
        ("d",),
        ("x",),
        unit,
        period,
        np.arange(N),
        np.arange(T),
        "u",
        "t",
        "fixed",
        "fixed",
        None,
        "0" * 64,
    )
    return design, d, z


def test_two_stage_equals_linearmodels_with_dummies():
    from linearmodels.iv import IV2SLS

    design, d, z = endogenous(1, N=20)
    found = two_stage(design, d, z)
    dummies = pd.concat(
        [
            pd.get_dummies(pd.Series(design.unit_index), prefix="u", dtype=float),
            pd.get_dummies(
                pd.Series(design.period_index), prefix="t", drop_first=True, dtype=float
            ),
        ],
        axis=1,
    )
    exog = dummies.assign(x=design.X[:, 0])
    peer = IV2SLS(
        pd.Series(design.y, name="y"), exog, pd.DataFrame({"d": d}), pd.DataFrame({"z": z})
    ).fit(cov_type="unadjusted")
    assert found.estimate == pytest.approx(float(peer.params["d"]), rel=1e-8)


def test_reduced_form_ratio_is_two_stage_and_finds_the_truth():
    design, d, z = endogenous(2)
    peer = two_stage(design, d, z)
    found = draw_instrument(with_instrument(design, z, "z"), d, tau=(0.0, 10.0), pi=(0.0, 10.0))
    assert all(item.passed for item in found.gate)
    sd = found.tau.std()
    ratio = reduced_ratio(with_instrument(design, z, "z"), d)
    assert abs(np.median(ratio) - peer.estimate) < 0.1 * sd + MCSE * 1.25 * sd / 60
    assert abs(found.tau.mean() + 0.5) < 4 * sd
    assert abs(found.rho.mean() - 0.6) < 4 * found.rho.std()
    ols = fit(design, priors="flat")["posterior"]["tau"].to_numpy()
    assert abs(ols.mean() + 0.5) > 6 * ols.std()  # least squares is biased here
    assert len(peer.ar_set) == 1
    assert peer.ar_set[0][0] < -0.5 < peer.ar_set[0][1]


def test_units_of_the_instrument_do_not_matter():
    design, d, z = endogenous(3)
    one, other = two_stage(design, d, z), two_stage(design, d, 1000 * z)
    assert one.estimate == pytest.approx(other.estimate)
    assert pytest.approx(other.F) == one.F
    assert np.allclose(one.ar_set, other.ar_set)


def test_anderson_rubin_covers_a_weak_instrument_and_may_be_unbounded():
    covered = bounded = 0
    for seed in range(100):
        design, d, z = endogenous(seed, pi=0.05, N=30, T=5)
        ar = two_stage(design, d, z).ar_set
        covered += any(low < -0.5 < high for low, high in ar)
        bounded += len(ar) == 1 and bool(np.isfinite(ar).all())
    assert covered >= 87  # binomial(100, 0.95): P(< 87) < 0.001
    assert bounded < 60
    assert anderson_rubin(0.0, 0.0, np.eye(2), 50) == ((-np.inf, np.inf),)


def residualised(design, d, z):
    both = np.column_stack([design.y, d, z, design.X])
    within = absorb(both, design.unit_index, design.period_index, unit=True, period=True)
    rest, X = within[:, :3], within[:, 3:]
    absorbed = len(design.units) + len(design.periods) - 1 + X.shape[1]
    return rest - X @ np.linalg.lstsq(X, rest, rcond=None)[0], absorbed


@pytest.mark.sampling
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("pi", slow_but([0.8, 0.1]))
def test_the_two_equations_in_pymc_have_this_posterior(pi):
    from bayesdid.model.bound import model as bind
    from bayesdid.model.mean import Instrument
    from bayesdid.model.priors import PriorChoice

    design, d, z = endogenous(4, N=40, pi=pi)
    wide = dataclasses.replace(
        design,
        D=d[:, None],
        treatments=("d",),
        X=np.column_stack([design.X, z]),
        covariates=(*design.covariates, "z"),
    )
    own = PriorChoice("weak", (("d", 0.1, 0.3), ("d ~ z", 0.2, 0.5)))
    bound = bind(wide, mean=Instrument("z"), priors=own)
    ours = bd.fit(bound, log_likelihood=True)
    assert ours.tree.attrs["engine"] == "instrument"
    assert ours.converged
    theirs = bd.fit(bound, engine="nuts", draws=600, chains=2, seed=1, log_likelihood=True)
    same_posterior(ours, theirs)
    assert ours.tidy().loc["d ~ z", "mean"] == pytest.approx(
        float(ours.tree["posterior"]["pi"].mean())
    )


@pytest.mark.parametrize("pi", [0.8, 0.1, 0.02, 0.0])
@pytest.mark.parametrize("tau_sd", [0.2, 20.0])
def test_draws_follow_the_density_from_strong_to_irrelevant_instruments(pi, tau_sd):
    design, d, z = endogenous(6, N=30, T=6, pi=pi)
    pi_sd, size = 2.0, 20_000
    found = draw_instrument(
        with_instrument(design, z, "z"), d, tau=(0.0, tau_sd), pi=(0.0, pi_sd), size=size
    )
    assert all(item.passed for item in found.gate)
    rest, absorbed = residualised(design, d, z)
    y, d, z = rest.T
    # on a grid of its own
    hat, sd = z @ d / (z @ z), d.std() / np.linalg.norm(z)
    first = hat + sd * np.linspace(-7, 7, 281)[:, None]
    effect = np.concatenate([s * np.geomspace(1e-4, 8, 4000) * tau_sd for s in (-1.0, 1.0)])
    effect = np.sort(np.concatenate([effect, np.linspace(-2, 1, 3001)]))[None, :]
    ee = y @ y - 2 * effect * (y @ d) + effect**2 * (d @ d)
    en = y @ d - effect * (d @ d) - first * (y @ z - effect * (d @ z))
    nn = d @ d - 2 * first * (d @ z) + first**2 * (z @ z)
    log = -0.5 * (len(y) - absorbed) * np.log(ee * nn - en**2)
    log += norm.logpdf(effect, 0, tau_sd) + norm.logpdf(first, 0, pi_sd)
    mass = np.exp(log - log.max()) * np.gradient(effect[0])
    by_tau, by_pi = mass.sum(axis=0) / mass.sum(), mass.sum(axis=1) / mass.sum()
    for grid, weight, draws in ((effect[0], by_tau, found.tau), (first[:, 0], by_pi, found.pi)):
        for level in (0.05, 0.5, 0.95):
            k = np.searchsorted(np.cumsum(weight), level)
            expected = np.cumsum(weight)[k] - weight[k] / 2
            error = np.sqrt(level * (1 - level) / size) + weight[k]
            assert abs((draws < grid[k]).mean() - expected) < 4 * error


def test_an_instrument_constant_in_time_is_refused():
    frame, adoption = staggered(1)
    frame["colleges"] = np.random.default_rng(0).poisson(5, 60)[frame["unit"]].astype(float)
    column = {
        "id": "i",
        "outcome": "y",
        "treatments": ["active:a"],
        "family": "iv_second",
        "instrument": "colleges",
    }
    panel = make_panel(frame, adoption)
    with pytest.raises(NotIdentifiedError, match="constant in time"):
        bd.analyse(make_study(("a",), [column]), "t.i", panel)
    moving = make_study(("a",), [column | {"instrument": "colleges * period"}])
    found = bd.analyse(moving, "t.i", panel)
    assert found.family == "iv_second"
    assert found.tables[0].frame["mean"].iloc[0] == main_of(found, "active:a").found.mean
    two_stages = stated(found, "active:a")["2SLS, clustered"].found
    assert (two_stages.mean, two_stages.sd) == (found.peers[0].estimate, found.peers[0].se)
    strength = found.tables[1].frame.iloc[0]
    assert f"first-stage F of {strength['F']:.1f}" in found.sentences[1] or strength["F"] >= 10
    assert strength["posterior sd"] == pytest.approx(found.tables[0].frame["sd"].iloc[0])
    assert f"effect N(0, {strength['prior sd']:.3g}²)" in found.tables[0].caption


def selected(seed, N=150, T=10):
    """Treatment and trends both follow x: only units alike in x are comparable."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=N)
    treated = rng.random(N) < 1 / (1 + np.exp(-1.5 * x))
    period = np.arange(1, T + 1)
    y = rng.normal(size=N)[:, None] + 0.3 * x[:, None] * period + 0.3 * rng.normal(size=(N, T))
    y -= 0.5 * (treated[:, None] & (period >= 6))
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(N), T),
            "period": np.tile(period, N),
            "y": y.ravel(),
            "x": np.repeat(x, T) + 1e-3 * rng.normal(size=N * T),
        }
    )
    adoption = pd.DataFrame(
        {"a": np.where(treated, 6.0, np.nan)}, index=pd.Index(np.arange(N), name="unit")
    )
    return frame, adoption


PSM = {
    "id": "m",
    "outcome": "y",
    "treatments": ["active:a"],
    "covariates": ["x"],
    "family": "psm_did",
}


def test_matching_removes_most_of_the_selection_on_trends():
    frame, adoption = selected(1)
    study = make_study(("a",), [PSM | {"options": {"errors": "iid"}}])
    result = bd.analyse(study, "t.m", make_panel(frame, adoption))
    assert result.converged
    assert all(peer.holds for peer in result.peers)
    matched = result.tables[0].frame.iloc[0]
    assert main_of(result, "active:a").found.mean == matched["mean"]
    once = stated(result, "active:a")["matched once, least squares, clustered"].found
    assert (once.mean, once.sd) == (result.peers[0].estimate, result.peers[0].se)
    plain = dataclasses.replace(
        spec_of(study, "m"), column=spec_of(study, "m").column.model_copy(update={"family": "twfe"})
    )
    design = build_design(plain, make_panel(frame, adoption))
    naive = fit(design, priors="flat")["posterior"]["tau"].to_numpy().mean()
    assert abs(matched["mean"] + 0.5) < 0.3 * abs(naive + 0.5)
    balance = result.tables[1].frame.iloc[0]
    assert abs(balance["matched once"]) < 0.2 < abs(balance["before matching"])


def test_pairs_are_nearest_within_the_caliper_and_renaming_units_does_not_matter():
    rng = np.random.default_rng(0)
    score, treated = rng.normal(size=80), rng.random(80) < 0.4
    pairs = match(score, treated, 0.2)
    assert treated[pairs[:, 0]].all()
    assert not treated[pairs[:, 1]].any()
    assert len(set(pairs[:, 1])) == len(pairs)  # each control serves once
    limit = 0.2 * score.std()
    assert (np.abs(score[pairs[:, 0]] - score[pairs[:, 1]]) <= limit).all()
    unused = np.setdiff1d(np.flatnonzero(~treated), pairs[:, 1])
    for one in np.setdiff1d(np.flatnonzero(treated), pairs[:, 0]):
        assert np.abs(score[unused] - score[one]).min() > limit
    order = rng.permutation(80)
    again = match(score[order], treated[order], 0.2)
    assert {tuple(sorted(p)) for p in order[again].tolist()} == {
        tuple(sorted(p)) for p in pairs.tolist()
    }


def test_too_few_pairs_give_no_effect():
    frame, adoption = selected(2)
    study = make_study(("a",), [PSM | {"options": {"caliper": 1e-9}}])
    with pytest.raises(NotIdentifiedError, match="overlap"):
        bd.analyse(study, "t.m", make_panel(frame, adoption))
    spec = spec_of(study, "m")
    plain = dataclasses.replace(spec, column=spec.column.model_copy(update={"family": "twfe"}))
    design = build_design(plain, make_panel(frame, adoption))
    assert effect_on(design, np.array([[0, 1]])) is None


@pytest.mark.sampling
@pytest.mark.filterwarnings("ignore")
def test_the_propensity_model_in_pymc_has_this_posterior():
    """One covariate with a prior of its own, so that priors are seen to be read."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(120, 2))
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    treated = rng.random(120) < 1 / (1 + np.exp(-x[:, 0]))
    both = make_design(0, N=120, T=2)
    units = both.take(both.period_index == 0)
    design = dataclasses.replace(
        units, y=treated.astype(float), X=x, D=np.empty((120, 0)), treatments=()
    )
    model = Model(
        mean=Propensity(),
        likelihood=Likelihood("binomial"),
        effects=(),
        priors=PriorChoice("weak", (("x2", 1.0, 0.2),)),
    )
    bound = BoundModel(model, design)
    ours = bd.fit(bound, draws=1000)
    assert ours.tree.attrs["engine"] == "propensity"
    same_posterior(ours, bd.fit(bound, engine="nuts", draws=600, chains=2, seed=1))
    plain = bd.fit(BoundModel(model.but(priors=PriorChoice()), design), draws=1000)
    scores, quality = draw_propensity(treated, x, size=4000)
    assert all(item.passed for item in quality.gate())
    post = plain.tree["posterior"]
    beta = post["beta"].to_numpy().reshape(-1, 2)
    np.testing.assert_allclose(scores, post["alpha"].to_numpy().reshape(-1, 1) + beta @ x.T)
    flat = BoundModel(model.but(priors=PriorChoice("flat")), design)
    with pytest.raises(InputError, match="coefficients have proper priors"):
        bd.fit(flat, engine="exact")


def test_a_specification_that_does_not_converge_is_left_out(monkeypatch):
    tree = xr.DataTree.from_dict(
        {"posterior": xr.Dataset({"tau": (("chain", "draw", "treatment"), [[[1.0]]])})}
    )
    for converged in (True, False):
        found = SimpleNamespace(converged=converged, tree=tree)
        monkeypatch.setattr(curve, "fit", lambda *_, found=found, **__: found)
        assert (effect_draws(None, "iid") is not None) == converged


def test_specification_curve_runs_every_combination_once():
    frame, adoption = staggered(5, N=40, T=8, policies=("a", "b"))
    rng = np.random.default_rng(0)
    frame = frame.assign(x=rng.normal(size=len(frame)), w=rng.normal(size=len(frame)))
    column = {
        "id": "s",
        "outcome": "y",
        "treatments": ["both"],
        "covariates": ["x", "w"],
        "family": "specification_curve",
    }
    study = make_study(columns=[column])
    panel = make_panel(frame, adoption)
    found = list(choices(study, spec_of(study, "s"), panel, ("fixed", "random"), ("iid", "ar1")))
    assert len({choice.labels for choice in found}) == len(found) == 2 * 2 * 4 * 3
    first = found[0]
    exact = fit(first.design)["posterior"]["tau"].to_numpy().ravel()
    quick = effect_draws(first.design, "iid", draws=500, seed=1)
    assert abs(quick.mean() - exact.mean()) < MCSE * exact.std() / np.sqrt(1300)
    small = make_study(columns=[column | {"options": {"errors": ["iid"], "effects": ["fixed"]}}])
    result = bd.analyse(small, "t.s", panel)
    matrix = result.figures[0].matrix
    assert sum(matrix["controls: none"]) == 3
    assert all(sum(row) >= 1 for row in matrix.values())
    means = result.tables[1].frame["mean"]
    assert (means.diff().dropna() >= 0).all()


def test_stacking_prefers_what_predicts_and_sums_to_one():
    from bayesdid.families.comparison.analysis import stacking

    rng = np.random.default_rng(0)
    good, bad = rng.normal(-1, 0.3, 60), rng.normal(-2, 0.3, 60)
    weights = stacking(np.column_stack([bad, good]))
    assert weights.sum() == pytest.approx(1.0)
    assert weights[1] > 0.95
    half = np.where(np.arange(60) % 2 == 0, -1.0, -4.0)  # each is right for half of the units
    assert stacking(np.column_stack([half, half[::-1]])) == pytest.approx([0.5, 0.5], abs=1e-3)


@pytest.mark.slow
def test_leaving_units_out_by_weights_equals_refitting():
    from bayesdid.checks.units import without_unit
    from bayesdid.design.build import with_effects
    from bayesdid.families.comparison.analysis import k_fold

    frame, adoption = staggered(8, N=40, T=8)
    column = {"id": "c", "outcome": "y", "treatments": ["active:a"]}
    study = make_study(("a",), [column])
    base = build_design(spec_of(study, "c"), make_panel(frame, adoption))
    for kind, errors in (("fixed", "ar1_unit"), ("random", "iid")):
        design = with_effects(base, kind, kind)
        bound = bd.model(design, errors=errors)
        left = without_unit(bd.fit(bound).tree, bound, contrasts_only=True)["unit_elpd"].to_numpy()
        # two units at a time: nearly leave-one-out
        folds = k_fold(design, errors=errors, folds=20)
        assert np.corrcoef(left, folds)[0, 1] > 0.99
        # who else is in its fold moves a unit's density at random: four standard errors
        gap = left - folds
        assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(gap))


def test_comparison_finds_the_model_that_made_the_data():
    frame, adoption = staggered(
        9, N=60, policies=("a", "b"), effect=lambda s, t: -1.0 * (t >= s[0]) - 0.8 * (t >= s[1])
    )
    columns = [
        {"id": "one", "outcome": "y", "treatments": ["active:a"]},
        {"id": "two", "outcome": "y", "treatments": ["active:a", "active:b"]},
        {
            "id": "c",
            "outcome": "y",
            "family": "comparison",
            "options": {"specs": ["t.one", "t.two"], "effects": ["fixed"], "errors": ["iid"]},
        },
    ]
    result = bd.analyse(make_study(columns=columns), "t.c", make_panel(frame, adoption), draws=250)
    table = result.tables[0].frame
    assert table["model"].iloc[0] == "t.two, fixed effects, i.i.d. errors"
    assert table["stacking weight"].iloc[0] > 0.9
