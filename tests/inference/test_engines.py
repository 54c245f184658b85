"""Three engines, one posterior; flat priors give least squares; effects are recovered exactly."""

import json

import numpy as np
import pytest
from panels import TRUTH, make_design
from panels import fit_iid as fit

from cells import slow_but


def ols(design):
    """Least squares with all dummies: coefficients, iid standard errors, degrees of freedom."""
    Z = design.regressors
    units = (design.unit_index[:, None] == np.arange(len(design.units))).astype(float)
    periods = (design.period_index[:, None] == np.arange(1, len(design.periods))).astype(float)
    W = np.hstack([Z, units, periods])
    coef = np.linalg.lstsq(W, design.y, rcond=None)[0]
    dof = design.n - W.shape[1]
    s2 = np.sum((design.y - W @ coef) ** 2) / dof
    se = np.sqrt(s2 * np.diag(np.linalg.inv(W.T @ W)))
    return coef[: Z.shape[1]], se[: Z.shape[1]], dof


def coefficients(tree):
    post = tree["posterior"]
    both = [post["tau"].to_numpy(), post["beta"].to_numpy()]
    return np.concatenate(both, axis=-1).reshape(-1, 3)


@pytest.mark.parametrize("balanced", [True, False])
def test_flat_prior_posterior_is_least_squares(balanced):
    """Mean equals OLS within 4 MCSE; sd is the iid SE times sqrt(dof / (dof - 2))."""
    design = make_design(3, balanced=balanced)
    coef, se, dof = ols(design)
    draws = coefficients(fit(design, priors="flat", draws=5000))
    size = len(draws)
    assert np.all(np.abs(draws.mean(axis=0) - coef) < 4 * draws.std(axis=0) / np.sqrt(size))
    # the sd of a standard deviation estimated from S normal draws is sd / sqrt(2 S)
    expected = se * np.sqrt(dof / (dof - 2))
    assert np.all(np.abs(draws.std(axis=0) / expected - 1) < 5 / np.sqrt(2 * size))


@pytest.mark.parametrize("balanced", [True, False])
def test_mundlak_equals_within_estimate(balanced):
    """Unit and period components make tau the within estimate, balanced or not."""
    design = make_design(4, balanced=balanced, unit="mundlak", period="mundlak")
    coef, _, _ = ols(design)
    draws = coefficients(fit(design, priors="flat", draws=4000))
    assert np.all(np.abs(draws.mean(axis=0) - coef) < 4 * draws.std(axis=0) / np.sqrt(len(draws)))


def test_random_effects_differ_where_covariates_are_correlated_with_units():
    """Negative control: plain random effects are not the within estimate of x2."""
    design = make_design(4, unit="random", period="random")
    coef, se, _ = ols(design)
    assert abs(coefficients(fit(design)).mean(axis=0)[2] - coef[2]) > se[2]


@pytest.mark.sampling
@pytest.mark.parametrize(
    ("engine", "unit", "period", "balanced"),
    slow_but(
        [
            ("collapsed", "fixed", "fixed", True),
            ("collapsed", "random", "random", True),
            ("collapsed", "fixed", "fixed", False),
            ("collapsed", "random", "random", False),
            ("collapsed", "mundlak", "mundlak", False),
            ("collapsed", "mundlak", "mundlak", True),
            ("as_written", "fixed", "fixed", True),
            ("as_written", "fixed", "fixed", False),
            ("as_written", "random", "random", False),
            ("as_written", "mundlak", "mundlak", False),
            ("as_written", "mundlak", "mundlak", True),
        ],
        ("as_written", "mundlak", "mundlak", False),
    ),
)
def test_engines_agree(engine, unit, period, balanced):
    """Means of all parameters, effects included, agree within 5 joint Monte Carlo errors."""
    import arviz as az

    design = make_design(7, N=14, T=6, balanced=balanced, unit=unit, period=period)
    exact = fit(design, draws=2000, chains=4)["posterior"].to_dataset()
    other = fit(design, engine=engine, draws=600, chains=2, tune=600)["posterior"].to_dataset()
    ess = az.ess(other)
    for name in other.data_vars:
        a, b = exact[name], other[name]
        mcse = np.sqrt(
            a.var(("chain", "draw")) / (a.sizes["chain"] * a.sizes["draw"])
            + b.var(("chain", "draw")) / ess[name]
        )
        gap = np.abs(a.mean(("chain", "draw")) - b.mean(("chain", "draw")))
        assert float((gap / mcse).max()) < 5, name


def test_true_parameters_are_recovered():
    """Over 40 panels the 89 % intervals of tau cover the truth at the binomial rate."""
    inside = 0
    for seed in range(40):
        tau = coefficients(fit(make_design(100 + seed), draws=500, chains=2))[:, 0]
        low, high = np.quantile(tau, [0.055, 0.945])
        inside += low <= TRUTH["coef"][0] <= high
    assert inside >= 29  # P(X < 29 | 40, .89) = 0.001


def test_pointwise_log_likelihood_is_that_of_the_drawn_parameters():
    tree = fit(make_design(8), draws=50, chains=2, log_likelihood=True, posterior_predictive=True)
    post, y = tree["posterior"], tree["observed_data"]["y"].to_numpy()
    const = tree["constant_data"]
    mean = (
        post["constant"].to_numpy()[..., None]
        + post["tau"].to_numpy() @ const["D"].to_numpy().T
        + post["beta"].to_numpy() @ const["X"].to_numpy().T
        + post["city_effect"].to_numpy()[..., const["unit_index"].to_numpy()]
        + post["year_effect"].to_numpy()[..., const["period_index"].to_numpy()]
    )
    sigma = post["sigma"].to_numpy()[..., None]
    expected = -0.5 * ((y - mean) / sigma) ** 2 - np.log(sigma) - 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(tree["log_likelihood"]["y"].to_numpy(), expected, rtol=1e-9)
    assert tree["posterior_predictive"]["y"].shape == expected.shape


@pytest.mark.slow
def test_a_chain_that_has_not_converged_is_marked():
    design = make_design(9, N=12, T=5, unit="random", period="random")
    tree = fit(design, engine="collapsed", draws=8, tune=3, chains=2)
    assert tree.attrs["converged"] == 0
    assert any(not item["passed"] for item in json.loads(tree.attrs["gate"]))


def test_shifting_and_scaling_the_outcome_shifts_and_scales_the_posterior():
    import dataclasses

    design = make_design(10, unit="random")
    moved = dataclasses.replace(design, y=3.0 * design.y + 7.0)
    a, b = coefficients(fit(moved, seed=1)), 3.0 * coefficients(fit(design, seed=2))
    mcse = np.hypot(a.std(axis=0), b.std(axis=0)) / np.sqrt(len(a))
    assert np.all(np.abs(a.mean(axis=0) - b.mean(axis=0)) < 5 * mcse)
    assert np.all(np.abs(a.std(axis=0) / b.std(axis=0) - 1) < 5 / np.sqrt(len(a)))
