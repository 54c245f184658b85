"""Checks pass where the model is true, at the declared rate, and fail where it is wrong."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from panels import fit_iid as fit
from panels import make_design
from scipy.stats import binom, kstest

from bayesdid.checks.loo import loo, loo_check, without_unit
from bayesdid.checks.predictive import FALSE_ALARM, predictive_checks
from bayesdid.checks.run import run_checks
from bayesdid.design.build import with_effects
from bayesdid.exceptions import InputError, ResultError
from bayesdid.inference.exact.gaussian import fit_gaussian
from bayesdid.jsonio import plain
from bayesdid.model.priors import resolve_priors


def arms_of(design):
    treated = pd.Series(design.D[:, 0]).groupby(design.units[design.unit_index].astype(str)).max()
    return treated.map({0.0: "none", 1.0: "single"})


def failed(design, **kwargs):
    tree = fit(design, draws=400)
    results = predictive_checks(tree, design, arms_of(design), **kwargs)
    return {result.name for result in results if not result.passed}


@pytest.mark.parametrize("effects", ["fixed", "mundlak"])
def test_false_alarms_are_as_rare_as_declared(effects):
    """Binomial upper bound, wrong once in 10 000 runs."""
    designs = [make_design(200 + seed, N=30, T=8) for seed in range(30)]
    alarms = sum(bool(failed(with_effects(design, effects, effects))) for design in designs)
    assert alarms <= binom.ppf(1 - 1e-4, 30, FALSE_ALARM)


def test_all_checks_pass_where_the_model_is_true():
    design = make_design(7, N=20, T=8)
    results = run_checks(fit(design, draws=400), design, arms_of(design), minimum=-100.0)
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
    result = loo(fit(spoilt, draws=500), spoilt, {"7": "Seven"})
    assert result.by_unit["label"].iloc[0] == "Seven"
    check = loo_check(result)
    assert not check.passed
    assert "Seven" in check.text


@pytest.mark.parametrize("effects", ["fixed", "random", "mundlak", "none"])
def test_tail_probabilities_of_left_out_units_are_uniform(effects):
    """600 units of 20 panels: wrong once in 1000 runs; and alarms are as rare as declared."""
    values, alarms = [], 0
    for seed in range(20):
        design = make_design(500 + seed, N=30, T=6, balanced=seed % 2 == 0)
        noise = np.random.default_rng(seed)
        levels = noise.standard_normal(30)[design.unit_index] * (effects != "none")
        y = design.regressors @ np.array([-0.5, 0.3, -0.2]) + levels
        y = y + 0.7 * noise.standard_normal(design.n)
        design = with_effects(dataclasses.replace(design, y=y), effects, "none")
        p = without_unit(fit(design, draws=250, seed=seed), design)["p"]
        values += p.tolist()
        alarms += bool(p.min() < FALSE_ALARM / len(p))
    assert kstest(values, "uniform").pvalue > 1e-3
    assert alarms <= binom.ppf(1 - 1e-4, 20, FALSE_ALARM)


@pytest.mark.parametrize("effects", ["fixed", "random"])
def test_leaving_a_unit_out_equals_refitting_without_it(effects):
    design = with_effects(make_design(5, N=15, T=8), effects, "fixed")
    tree = fit(design, draws=1000, seed=1)
    table = without_unit(tree, design)
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


def test_loo_equals_refitting_without_the_row():
    """elpd of one row by importance sampling is the density under the posterior without it."""
    from scipy.special import logsumexp
    from scipy.stats import norm

    design = make_design(5, N=12, T=6)
    result = loo(fit(design, draws=500), design)
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
        predictive_checks(fit(design, draws=50), design, arms_of(design).drop("3"))


def test_effects_are_needed():
    design = make_design(6, N=12, T=6)
    tree = fit(design, draws=50)
    tree["posterior"] = type(tree)(tree["posterior"].to_dataset().drop_vars("city_effect"))
    with pytest.raises(ResultError, match="city effects"):
        predictive_checks(tree, design, arms_of(design))
