"""Observation models with a known truth: variances of units, counts with an exposure, tails."""

import dataclasses

import numpy as np
import pytest
from panels import fit_iid as fit
from panels import make_design

from bayesdid.families.errors.analysis import fit_errors

pytestmark = [pytest.mark.sampling, pytest.mark.filterwarnings("ignore")]  # of Numba and nutpie

N, T, TAU = 40, 12, -0.5
SIZE = {"draws": 1000, "chains": 2}


def planted(seed):
    """Design whose outcome is its linear predictor: effect TAU, two-way effects, no noise."""
    design = make_design(seed, N=N, T=T)
    rng = np.random.default_rng(seed + 1)
    level, year = rng.normal(0.0, 0.5, N), rng.normal(0.0, 0.2, T)
    mu = design.regressors @ [TAU, 0.3, -0.2] + level[design.unit_index] + year[design.period_index]
    return dataclasses.replace(design, y=mu)


def near(draws, truth):
    """Within four posterior sds: missed once in 16,000 if the posterior is calibrated."""
    return abs(draws.mean() - truth) < 4 * draws.std()


def draws_of(tree, name):
    return tree["posterior"][name].to_numpy().ravel()


@pytest.mark.parametrize("seed", [21, 31])
def test_variances_of_units_are_recovered_and_sharpen_tau(seed):
    design = planted(seed)
    rng = np.random.default_rng(seed + 2)
    true = 0.5 / np.sqrt(rng.gamma(2.0, 0.5, N))  # four degrees of freedom
    noise = true[design.unit_index] * rng.standard_normal(design.n)
    design = dataclasses.replace(design, y=design.y + noise)
    tree = fit_errors(design, "unit_variance", **SIZE)
    assert tree.attrs["converged"]
    tau = draws_of(tree, "tau")
    assert near(tau, TAU)
    assert near(np.log(draws_of(tree, "nu_unit")), np.log(4.0))
    logs = np.log(tree["posterior"]["sigma_of_unit"])
    # of 40 independent statements at 4 sds one fails once in 400 times
    error = (logs.mean(("chain", "draw")) - np.log(true)) / logs.std(("chain", "draw"))
    assert float(np.abs(error).max()) < 4.0
    # rows weighted by their precision say more about tau than rows weighted equally
    assert tau.std() < draws_of(fit(design, draws=1000), "tau").std()


def test_equal_variances_are_not_told_apart():
    """Negative control: with one variance nu_unit is large, and no unit differs from sigma."""
    design = planted(21)
    noise = 0.5 * np.random.default_rng(24).standard_normal(design.n)
    tree = fit_errors(dataclasses.replace(design, y=design.y + noise), "unit_variance", **SIZE)
    assert tree.attrs["converged"]
    assert np.median(draws_of(tree, "nu_unit")) > 12.0
    post = tree["posterior"]
    logs = np.log(post["sigma_of_unit"] / post["sigma"])
    # a unit's log sd is known to 1 / sqrt(2 (T - 1)) = 0.21; shrinkage leaves less
    assert float(logs.mean(("chain", "draw")).std()) < 0.21 / 2


@pytest.mark.slow
def test_log_effect_and_overdispersion_of_counts_are_recovered():
    design = planted(21)
    rng = np.random.default_rng(25)
    exposure = rng.uniform(100.0, 10_000.0, design.n)
    spread = 0.3
    rate = 0.05 * np.exp(design.y) * rng.gamma(spread**-2, spread**2, design.n)
    counts = dataclasses.replace(
        design, y=rng.poisson(exposure * rate).astype(float), exposure=exposure
    )
    tree = fit_errors(counts, "negative_binomial", **SIZE)
    assert tree.attrs["converged"]
    assert near(draws_of(tree, "tau"), TAU)
    assert near(draws_of(tree, "spread"), spread)


@pytest.mark.slow
def test_degrees_of_freedom_are_recovered():
    design = planted(21)
    noise = 0.5 * np.random.default_rng(27).standard_t(3.0, design.n)
    tree = fit_errors(dataclasses.replace(design, y=design.y + noise), "student_t", **SIZE)
    assert tree.attrs["converged"]
    assert near(draws_of(tree, "tau"), TAU)
    assert near(draws_of(tree, "nu"), 3.0)
    assert near(draws_of(tree, "sigma"), 0.5)
