"""Habits are drawn in proportion to how well they explain the printed estimates."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import chi2, multivariate_normal
from test_prior import N, T, bare, covariance

from bayesdid.reconstruct.evidence import in_turn, log_evidence
from bayesdid.reconstruct.regression import Factor, Regression
from bayesdid.reconstruct.solve import Problem
from bayesdid.reconstruct.targets import Target

UNIT, PERIOD = (index.ravel().astype(np.int64) for index in np.mgrid[:N, :T])
CELLS = np.arange(N * T)


def problem(latent, printed):
    """One column: the outcome on two regressors that are given, with unit and period effects."""
    rng = np.random.default_rng(0)
    treatments = rng.standard_normal((2, N * T))
    regression = Regression(
        "r",
        Factor(np.ones(N * T), "y", CELLS),
        tuple(Factor(x, None, CELLS) for x in treatments),
        ("a", "b"),
        UNIT,
        PERIOD,
        True,
        True,
    )
    targets = tuple(
        Target(f"r:{name}", "r", name, "estimate", value - 0.05, value + 0.05)
        for name, value in zip("ab", printed, strict=True)
    )
    return Problem({"r": regression}, targets, {"y": latent}, {})


def test_it_is_the_density_of_the_printed_estimates():
    latent, rng, printed = bare(), np.random.default_rng(1), np.array([0.3, -0.4])
    of = problem(latent, printed)
    fit = of.regressions["r"].estimate({"y": np.zeros(N * T)})
    V = fit.H @ covariance(latent) @ fit.H.T + np.eye(2) * 0.05**2 / 3
    wanted = multivariate_normal(np.zeros(2), V).logpdf(printed) + np.log(2 * np.pi)
    for _ in range(2):  # at any draw, for all is linear
        assert log_evidence(of, {"y": latent.drawn(rng)}) == pytest.approx(wanted)


def test_weights_of_persistences_are_probabilities():
    # one of three persistences makes an outcome; what is printed of it weighs the three
    rng, latents = np.random.default_rng(2), [bare(phi=phi) for phi in (0.0, 0.5, 0.95)]
    right, weights = np.zeros((400, 3)), np.zeros((400, 3))
    for k in range(400):
        true = int(rng.integers(3))
        right[k, true] = 1
        y = latents[true].value(latents[true].drawn(rng), {})
        b = problem(bare(), (0, 0)).regressions["r"].estimate({"y": y}).b
        logs = np.array([log_evidence(problem(x, b), {"y": x.drawn(rng)}) for x in latents])
        weights[k] = np.exp(logs - logs.max()) / np.exp(logs - logs.max()).sum()
    off = right - weights
    assert np.abs(off.mean(axis=0) / off.std(axis=0) * np.sqrt(400)).max() < 3.3
    of_right = (right * weights).sum(axis=1)  # they tell something
    assert of_right.mean() > 1 / 3 + 3.3 * of_right.std() / np.sqrt(400)


def test_the_choice_is_in_proportion_to_evidence():
    rng = np.random.default_rng(3)
    picks = np.bincount(
        [in_turn(np.log([1.0, 3.0, 6.0]) + 700, rng)[0] for _ in range(3000)], minlength=3
    )
    expected = 300 * np.array([1.0, 3.0, 6.0])
    assert ((picks - expected) ** 2 / expected).sum() < chi2(2).ppf(0.999)


def test_nothing_printed_is_no_evidence():
    of = dataclasses.replace(problem(bare(), (0, 0)), targets=())
    assert log_evidence(of, {"y": bare().drawn(np.random.default_rng(4))}) == 0.0
