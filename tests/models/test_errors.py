"""Observation models with a known truth: variances of units, counts with an exposure, tails."""

import dataclasses

import numpy as np
import pytest

from bayesdid.engines.errors import fit_errors
from bayesdid.engines.fit import fit

pytestmark = [pytest.mark.sampling, pytest.mark.filterwarnings("ignore")]  # of Numba and nutpie

N, T, TAU = 40, 12, -0.5
SIZE = {"draws": 1000, "chains": 2, "cores": 2}


@pytest.fixture
def planted():
    """Design whose linear predictor has effect TAU, unit and period effects, and no noise."""
    from panels import make_design

    design = make_design(21, N=N, T=T)
    rng = np.random.default_rng(22)
    level, year = rng.normal(0.0, 0.5, N), rng.normal(0.0, 0.2, T)
    mu = design.regressors @ [TAU, 0.3, -0.2] + level[design.unit_index] + year[design.period_index]
    return dataclasses.replace(design, y=mu)


def near(draws, truth):
    """Within four posterior sds: missed once in 16,000 if the posterior is calibrated."""
    return abs(draws.mean() - truth) < 4 * draws.std()


def draws_of(tree, name):
    return tree["posterior"][name].to_numpy().ravel()


def test_variances_of_units_are_recovered_and_sharpen_tau(planted):
    rng = np.random.default_rng(23)
    true = 0.5 * np.exp(0.8 * rng.standard_normal(N))
    noise = true[planted.unit_index] * rng.standard_normal(planted.n)
    design = dataclasses.replace(planted, y=planted.y + noise)
    tree = fit_errors(design, "unit_variance", **SIZE)
    assert tree.attrs["converged"]
    tau, omega = draws_of(tree, "tau"), draws_of(tree, "omega")
    assert near(tau, TAU)
    assert near(omega, np.log(true).std(ddof=1))
    found = tree["posterior"]["sigma_of_unit"]
    logs = np.log(found)
    # of 40 independent 4-sd statements none fails but once in 400 times
    error = (logs.mean(("chain", "draw")) - np.log(true)) / logs.std(("chain", "draw"))
    assert float(np.abs(error).max()) < 4.0
    # optimal weights beat equal ones: a weighted mean's sd is never above the plain mean's
    assert tau.std() < draws_of(fit(design, draws=1000), "tau").std()


def test_equal_variances_are_not_told_apart(planted):
    """Negative control: with one variance omega is near zero, not near that of the test above."""
    noise = 0.5 * np.random.default_rng(24).standard_normal(planted.n)
    tree = fit_errors(dataclasses.replace(planted, y=planted.y + noise), "unit_variance", **SIZE)
    # a unit's log sd is known to 1 / sqrt(2 (T - 1)) = 0.21, omega to about that over sqrt(N)
    assert draws_of(tree, "omega").mean() < 0.21


def test_log_effect_and_overdispersion_of_counts_are_recovered(planted):
    rng = np.random.default_rng(25)
    exposure = rng.uniform(100.0, 10_000.0, planted.n)
    spread = 0.3
    rate = 0.05 * np.exp(planted.y) * rng.gamma(spread**-2, spread**2, planted.n)
    design = dataclasses.replace(planted, y=rng.poisson(exposure * rate).astype(float))
    tree = fit_errors(design, "negative_binomial", exposure=exposure, **SIZE)
    assert tree.attrs["converged"]
    assert near(draws_of(tree, "tau"), TAU)
    assert near(draws_of(tree, "spread"), spread)


def test_without_its_exposure_the_spread_of_counts_is_overstated(planted):
    """Negative control: leaving the exposure out puts its variation into the spread."""
    rng = np.random.default_rng(26)
    exposure = np.exp(rng.normal(5.0, 1.0, planted.n))
    y = rng.poisson(exposure * 0.2 * np.exp(planted.y)).astype(float)
    design = dataclasses.replace(planted, y=y)
    wrong = draws_of(fit_errors(design, "negative_binomial", **SIZE), "spread")
    right = draws_of(fit_errors(design, "negative_binomial", exposure=exposure, **SIZE), "spread")
    assert wrong.min() > right.max()


def test_degrees_of_freedom_are_recovered(planted):
    noise = 0.5 * np.random.default_rng(27).standard_t(3.0, planted.n)
    tree = fit_errors(dataclasses.replace(planted, y=planted.y + noise), "student_t", **SIZE)
    assert tree.attrs["converged"]
    assert near(draws_of(tree, "tau"), TAU)
    assert near(draws_of(tree, "nu"), 3.0)
    assert near(draws_of(tree, "sigma"), 0.5)
