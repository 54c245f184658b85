"""Checks pass where the model is true, at the declared rate, and fail where it is wrong."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from panels import make_design
from scipy.stats import binom

from bayesdid.checks.loo import loo, loo_check
from bayesdid.checks.predictive import FALSE_ALARM, predictive_checks
from bayesdid.engines.fit import fit
from bayesdid.errors import ResultError


def arms_of(design):
    treated = pd.Series(design.D[:, 0]).groupby(design.units[design.unit_index].astype(str)).max()
    return treated.map({0.0: "none", 1.0: "single"})


def failed(design, **kwargs):
    tree = fit(design, draws=400)
    results = predictive_checks(tree, design, arms_of(design), **kwargs)
    return {result.name for result in results if not result.passed}


def test_false_alarms_are_as_rare_as_declared():
    """Binomial upper bound, wrong once in 10 000 runs."""
    alarms = sum(bool(failed(make_design(200 + seed, N=30, T=8))) for seed in range(40))
    assert alarms <= binom.ppf(1 - 1e-4, 40, FALSE_ALARM)


def test_serial_correlation_is_found():
    design = make_design(1, N=40, T=14)
    rng = np.random.default_rng(0)
    e = rng.standard_normal((40, 14))
    for t in range(1, 14):
        e[:, t] = 0.6 * e[:, t - 1] + 0.8 * e[:, t]
    assert "autocorrelation" in failed(dataclasses.replace(design, y=design.y + e.ravel()))


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
    assert loo_check(loo(fit(design, draws=500), design)).passed


def test_loo_equals_refitting_without_the_row():
    """elpd of one row by importance sampling is the density under the posterior without it."""
    from scipy.special import logsumexp
    from scipy.stats import norm

    design = make_design(5, N=12, T=6)
    result = loo(fit(design, draws=500), design)
    exact = []
    for row in range(design.n):
        keep = np.arange(design.n) != row
        parts = {name: getattr(design, name)[keep]
                 for name in ("y", "D", "X", "unit_index", "period_index")}  # fmt: skip
        posterior = fit(dataclasses.replace(design, **parts), draws=500)["posterior"]
        mean = posterior["constant"] + posterior["tau"].to_numpy() @ design.D[row]
        mean = mean + posterior["beta"].to_numpy() @ design.X[row]
        mean = mean + posterior["city_effect"].to_numpy()[..., design.unit_index[row]]
        mean = mean + posterior["year_effect"].to_numpy()[..., design.period_index[row]]
        value = norm.logpdf(design.y[row], mean, posterior["sigma"])
        exact.append(logsumexp(value) - np.log(value.size))
    # both are Monte Carlo: 2000 and 1000 draws; per-row error about 0.03, so sqrt(72) of it
    assert result.elpd == pytest.approx(sum(exact), abs=5 * 0.05 * np.sqrt(design.n))


def test_effects_are_needed():
    design = make_design(6, N=12, T=6)
    tree = fit(design, draws=50)
    tree["posterior"] = type(tree)(tree["posterior"].to_dataset().drop_vars("city_effect"))
    with pytest.raises(ResultError, match="city effects"):
        predictive_checks(tree, design, arms_of(design))
