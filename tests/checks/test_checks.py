"""Checks pass where the model is true, at the declared rate, and fail where it is wrong."""

import dataclasses
import warnings

import arviz as az
import numpy as np
import pandas as pd
import pytest
from panels import fit_iid as fit
from panels import make_design
from scipy.stats import binom, kstest

import bayesdid as bd
from bayesdid.checks.loo import loo, loo_check
from bayesdid.checks.predictive import FALSE_ALARM, MEANING, _result, predictive_checks
from bayesdid.checks.run import run_checks
from bayesdid.checks.units import without_unit
from bayesdid.design.build import with_effects
from bayesdid.exceptions import InputError, ResultError
from bayesdid.inference.exact.gaussian import fit_gaussian
from bayesdid.inference.fit import fit_model
from bayesdid.inference.registry import Size
from bayesdid.jsonio import plain
from bayesdid.model.bound import model as bind
from bayesdid.model.priors import resolve_priors
from cells import slow_but


def iid(design):
    return bind(design, errors="iid")


def arms_of(design):
    treated = pd.Series(design.D[:, 0]).groupby(design.units[design.unit_index].astype(str)).max()
    return treated.map({0.0: "none", 1.0: "single"})


def failed(design, **kwargs):
    tree = fit(design, draws=400)
    results = predictive_checks(tree, iid(design), arms_of(design), **kwargs)
    return {result.name for result in results if not result.passed}


@pytest.mark.parametrize("effects", slow_but(["fixed", "mundlak"], "fixed"))
def test_false_alarms_are_as_rare_as_declared(effects):
    """Binomial upper bound, wrong once in 10 000 runs."""
    designs = [make_design(200 + seed, N=30, T=8) for seed in range(15)]
    alarms = sum(bool(failed(with_effects(design, effects, effects))) for design in designs)
    assert alarms <= binom.ppf(1 - 1e-4, 15, FALSE_ALARM)


def test_all_checks_pass_where_the_model_is_true():
    design = make_design(7, N=20, T=8)
    results = run_checks(fit(design, draws=400), iid(design), arms_of(design), minimum=-100.0)
    assert {result.name: result.passed for result in results} == dict.fromkeys(
        (
            "negative_share",
            "maximum",
            "skewness",
            "autocorrelation",
            "unit_variance",
            "pre_trends",
            "loo",
        ),
        True,
    )
    assert all(plain(result)["table"] and result.text for result in results)


def test_serial_correlation_is_found():
    """Power at phi = 0.6: each of ten panels."""
    for seed in range(10):
        design = make_design(seed, N=40, T=14)
        rng = np.random.default_rng(seed)
        e = rng.standard_normal((40, 14))
        for t in range(1, 14):
            e[:, t] = 0.6 * e[:, t - 1] + 0.8 * e[:, t]
        y = design.regressors @ np.array([-0.5, 0.3, -0.2]) + e.ravel()
        assert "autocorrelation" in failed(dataclasses.replace(design, y=y))


def test_counts_are_found():
    """Small Poisson counts: bounded below, long-tailed, and noisier where the mean is higher."""
    design = make_design(2, N=60, T=10)
    rng = np.random.default_rng(1)
    level = np.exp(rng.normal(-0.5, 1.2, 60))[design.unit_index]
    counts = dataclasses.replace(design, y=rng.poisson(level).astype(float))
    assert {"negative_share", "maximum", "unit_variance"} <= failed(counts, minimum=0.0)


def test_diverging_trends_before_treatment_are_found():
    design = make_design(3, N=60, T=10)
    arms = arms_of(design)
    drifting = (arms == "single").reindex(design.units.astype(str)).to_numpy()[design.unit_index]
    y = design.y + 0.3 * drifting * design.period_index
    assert "pre_trends" in failed(dataclasses.replace(design, y=y))


def test_loo_names_the_unit_with_an_outlier():
    design = make_design(4, N=20, T=8)
    y = design.y.copy()
    y[design.unit_index == 7] += np.where(np.arange(8) == 3, 25.0, 0.0)
    spoilt = dataclasses.replace(design, y=y)
    result = loo(fit(spoilt, draws=500), iid(spoilt), {"7": "Seven"})
    assert result.by_unit["label"].iloc[0] == "Seven"
    check = loo_check(result)
    assert not check.passed
    assert "Seven" in check.text


@pytest.mark.parametrize(
    ("errors", "effects"),
    slow_but(
        [
            ("iid", "fixed"),
            ("iid", "random"),
            ("iid", "mundlak"),
            ("iid", "none"),
            ("ar1_unit", "fixed"),
            ("ar1_unit", "random"),
            ("ar1", "random"),
            ("iid_unit", "fixed"),
        ],
        ("iid", "random"),
        ("ar1_unit", "fixed"),
    ),
)
def test_tail_probabilities_of_left_out_units_are_uniform(errors, effects):
    """30 units of each panel: wrong once in 1000 runs; and alarms are as rare as declared."""
    values, alarms = [], 0
    panels = 5 if errors.endswith("unit") else 15
    for seed in range(panels):
        design = with_effects(_made(500 + seed, errors, effects), effects, "none")
        bound = bind(design, errors=errors)
        tree = fit_model(bound.model, design, size=Size(draws=250, seed=seed)).tree
        p = without_unit(tree, bound)["p"]
        values += p.tolist()
        alarms += bool(p.min() < FALSE_ALARM / len(p))
    assert kstest(values, "uniform").pvalue > 1e-3
    assert alarms <= binom.ppf(1 - 1e-4, panels, FALSE_ALARM)


def _made(seed, errors, effects):
    """A panel of 30 units under errors of a kind: phi .6, unit scales with five degrees."""
    design = make_design(seed, N=30, T=6, balanced=seed % 2 == 0)
    noise = np.random.default_rng(seed)
    e = noise.standard_normal((30, 6))
    if errors.startswith("ar1"):
        for t in range(1, 6):
            e[:, t] = 0.6 * e[:, t - 1] + 0.8 * e[:, t]
    if errors.endswith("unit"):
        e /= np.sqrt(noise.gamma(2.5, 1 / 2.5, 30))[:, None]
    levels = noise.standard_normal(30)[design.unit_index] * (effects != "none")
    y = design.regressors @ np.array([-0.5, 0.3, -0.2]) + levels
    return dataclasses.replace(design, y=y + 0.7 * e[design.unit_index, design.period_index])


def test_autocorrelation_that_the_model_has_is_no_failure_and_too_much_of_it_is_one():
    """Errors at .6 under the default model pass; independent ones held to .9 fail, downwards."""
    design = _made(4, "ar1", "fixed")
    bound = bind(design, errors="ar1")
    tree = fit_model(bound.model, design, size=Size(draws=250)).tree
    verdicts = {c.name: c for c in predictive_checks(tree, bound, arms_of(design))}
    assert verdicts["autocorrelation"].passed
    design = _made(4, "iid", "fixed")
    bound = bind(design, errors="ar1")
    tree = fit_model(bound.model, design, size=Size(draws=250)).tree
    tree["posterior"]["phi"][:] = 0.9
    wrong = {c.name: c for c in predictive_checks(tree, bound, arms_of(design))}["autocorrelation"]
    assert not wrong.passed
    assert "less correlated over time than the model has it" in wrong.text
    assert "too narrow" not in wrong.text


def test_unit_density_equals_brute_force_quadrature():
    """The unit's effect and scale integrated out: against integration of both in one dimension."""
    from scipy.integrate import quad
    from scipy.stats import gamma, multivariate_normal

    from bayesdid.checks.units import _Residuals, _Scales, _Shape

    rng = np.random.default_rng(1)
    S, T = 4, 5
    phi, nu = np.array([-0.3, 0.2, 0.6, 0.9]), np.array([2.5, 4.0, 8.0, 60.0])
    sigma, level = np.array([0.5, 1.0, 2.0, 1.0]), np.array([3.0, 0.2, 1.0, 8.0])
    e = rng.standard_normal((S, T)) * 2 + np.array([0.0, 1.0, 9.0, -9.0])[:, None]
    gaps = np.abs(np.subtract.outer(np.arange(T), np.arange(T)))
    R, root = phi[:, None, None] ** gaps, np.sqrt(rng.uniform(0.5, 2.0, T))
    found = _Residuals(e, _Shape.of(R, root)).log_density(_Scales(sigma, level, phi, nu))
    for s in range(S):

        def integrand(u, s=s):
            """Over log lambda."""
            V = sigma[s] ** 2 / np.exp(u) * R[s] + level[s] ** 2 * np.outer(root, root)
            prior = gamma.pdf(np.exp(u), nu[s] / 2, scale=2 / nu[s]) * np.exp(u)
            return prior * multivariate_normal.pdf(e[s], np.zeros(T), V)

        exact = quad(integrand, -9, 4, points=[-3, -1, 0, 1], epsabs=0, limit=400)[0]
        assert found[s] == pytest.approx(np.log(exact), abs=1e-5)


@pytest.mark.parametrize("likelihood", slow_but(["student_t", "poisson"]))
def test_checks_work_on_other_likelihoods(likelihood):
    """Normal data pass under Student t; counts four times as variable as Poisson ones do not."""
    design = make_design(3, N=12, T=5)
    rng = np.random.default_rng(2)
    y = design.y
    if likelihood == "poisson":
        y = rng.poisson(6.0 * rng.gamma(2.0, 0.5, design.n)).astype(float)
    own = dataclasses.replace(design, y=y)
    bound = bind(own, errors="iid", likelihood=likelihood)
    tree = fit_model(bound.model, own, size=Size(draws=300, tune=300, chains=2)).tree
    results = {c.name: c for c in run_checks(tree, bound, arms_of(own))}
    assert results["loo"].passed is None
    assert "cannot be left out" in results["loo"].text
    failing = {name for name, c in results.items() if c.passed is False}
    if likelihood == "student_t":
        assert failing == set()
        assert "dispersion" not in results
    else:
        assert "dispersion" in failing
        assert "counts vary more than the likelihood allows" in results["dispersion"].text


@pytest.mark.parametrize("effects", ["fixed", "random"])
def test_leaving_a_unit_out_equals_refitting_without_it(effects):
    design = with_effects(make_design(5, N=15, T=8), effects, "fixed")
    tree = fit(design, draws=1000, seed=1)
    table = without_unit(tree, iid(design))
    priors, full = resolve_priors("weak", design), tree["posterior"]["tau"]
    gaps = []
    for unit in np.flatnonzero(table["unit_k"] < 0.5):
        keep = design.unit_index != unit
        parts = {name: getattr(design, name)[keep] for name in ("y", "D", "X", "period_index")}
        index = design.unit_index[keep]
        rest = dataclasses.replace(
            design, **parts, unit_index=index - (index > unit), units=np.delete(design.units, unit)
        )
        refitted = fit_gaussian(rest, draws=1000, seed=2, priors=priors)["posterior"]["tau"]
        gaps.append(float((refitted.mean() - full.mean()) / full.std()) - table["shift"].iloc[unit])
    assert len(gaps) >= 5
    # 1500 weighted and 4000 free draws; weights with k < 0.5 are worth a tenth of them or more
    assert np.abs(gaps).max() < 4 * np.sqrt(1 / 150 + 1 / 4000)


def test_loo_of_rows_is_that_of_arviz():
    design = make_design(5, N=12, T=6)
    bound = iid(design)
    tree = bd.fit(bound, draws=250, log_likelihood=True).tree
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large k
        whole = az.loo(tree, var_name=next(iter(tree["log_likelihood"])), pointwise=True, reff=1.0)
    found = loo(tree, bound)
    assert (found.elpd, found.se, found.p) == pytest.approx((whole.elpd, whole.se, whole.p))
    assert found.k_limit == whole.good_k
    assert found.by_unit["k"].max() == pytest.approx(float(whole.pareto_k.max()))


def test_loo_equals_refitting_without_the_row():
    """elpd of one row by importance sampling is the density under the posterior without it."""
    from scipy.special import logsumexp
    from scipy.stats import norm

    design = make_design(5, N=12, T=6)
    result = loo(fit(design, draws=500), iid(design))
    exact = []
    for row in range(design.n):
        keep = np.arange(design.n) != row
        parts = {
            name: getattr(design, name)[keep]
            for name in ("y", "D", "X", "unit_index", "period_index")
        }
        posterior = fit(dataclasses.replace(design, **parts), draws=500)["posterior"]
        mean = posterior["constant"] + posterior["tau"].to_numpy() @ design.D[row]
        mean = mean + posterior["beta"].to_numpy() @ design.X[row]
        mean = mean + posterior["city_effect"].to_numpy()[..., design.unit_index[row]]
        mean = mean + posterior["year_effect"].to_numpy()[..., design.period_index[row]]
        value = norm.logpdf(design.y[row], mean, posterior["sigma"])
        exact.append(logsumexp(value) - np.log(value.size))
    # both are Monte Carlo: 2000 and 1000 draws; per-row error about 0.03, so sqrt(72) of it
    assert result.elpd == pytest.approx(sum(exact), abs=5 * 0.05 * np.sqrt(design.n))


def test_arms_are_needed_for_all_units():
    design = make_design(6, N=12, T=6)
    with pytest.raises(InputError, match="1 units have no arm"):
        predictive_checks(fit(design, draws=50), iid(design), arms_of(design).drop("3"))


def test_effects_are_needed():
    design = make_design(6, N=12, T=6)
    tree = fit(design, draws=50)
    tree["posterior"] = type(tree)(tree["posterior"].to_dataset().drop_vars("city_effect"))
    with pytest.raises(ResultError, match="city effects"):
        predictive_checks(tree, iid(design), arms_of(design))


@pytest.mark.parametrize("name", sorted(MEANING))
@pytest.mark.parametrize("above", [True, False])
def test_what_a_failure_means_depends_on_which_of_the_two_is_larger(name, above):
    """Observed above all replications, or below all; p is then a bound, which is said."""
    replicated = np.random.default_rng(0).normal(13.7, 0.1, 1500)
    observed = np.full(1500, 20.0 if above else 12.6)
    result = _result(name, observed, replicated, 0.01)
    assert not result.passed
    more, less = MEANING[name]
    assert result.text.endswith(f"the model fails: {more if above else less}.")
    assert f"observed {observed[0]:.3g}, replicated 13.7" in result.text
    assert ", p ≤ 0.00133; " in result.text
    near = np.append(replicated[:-1], observed[0])  # one of them as far out: no bound any more
    assert ", p = 0.002; " in _result(name, observed, near, 0.01).text


def test_the_meaning_of_each_direction_is_not_that_of_the_other():
    assert "larger than the model allows; single unit-periods" in MEANING["maximum"][0]
    assert "generates larger outcomes than there are" in MEANING["maximum"][1]
    assert "more correlated" in MEANING["autocorrelation"][0]
    assert "less correlated" in MEANING["autocorrelation"][1]
    assert "to the right" in MEANING["skewness"][0]
    assert "to the left" in MEANING["skewness"][1]
    assert "more outcomes are below" in MEANING["negative_share"][0]
    assert "much more than others" in MEANING["unit_variance"][0]
    assert "counts vary more" in MEANING["dispersion"][0]
    assert "moving apart" in MEANING["pre_trends"][0]
