"""Least squares by pyfixest, and its agreement with the posterior."""

import numpy as np
import pytest
from panels import make_design

from bayesdid.design.build import with_effects
from bayesdid.engines.fit import fit
from bayesdid.frequentist.agreement import agree
from bayesdid.frequentist.fixest import least_squares


def dense(design):
    """Least squares with all dummies, written out: estimates, iid and clustered errors."""
    units = (design.unit_index[:, None] == np.arange(len(design.units))).astype(float)
    periods = (design.period_index[:, None] == np.arange(1, len(design.periods))).astype(float)
    W = np.hstack([design.regressors, units, periods])
    K = design.regressors.shape[1]
    bread = np.linalg.inv(W.T @ W)
    coef = bread @ W.T @ design.y
    e = design.y - W @ coef
    dof = design.n - W.shape[1]
    iid = np.sqrt(np.diag(bread) * (e @ e) / dof)
    G = len(design.units)
    scores = np.array([W[design.unit_index == g].T @ e[design.unit_index == g] for g in range(G)])
    # the unit dummies are nested in the clusters and do not count as parameters
    k = K + len(design.periods)
    factor = G / (G - 1) * (design.n - 1) / (design.n - k)
    cluster = np.sqrt(np.diag(bread @ scores.T @ scores @ bread) * factor)
    return coef[:K], iid[:K], cluster[:K], dof


@pytest.mark.parametrize("balanced", [True, False])
def test_pyfixest_equals_dense_least_squares(balanced):
    design = make_design(21, balanced=balanced)
    coef, iid, cluster, dof = dense(design)
    estimates = least_squares(design)
    np.testing.assert_allclose(estimates.table["estimate"], coef, rtol=1e-7)
    np.testing.assert_allclose(estimates.table["se_iid"], iid, rtol=1e-7)
    np.testing.assert_allclose(estimates.table["se_cluster"], cluster, rtol=1e-6)
    assert estimates.dof == dof


@pytest.mark.parametrize("balanced", [True, False])
def test_flat_posterior_agrees_with_least_squares(balanced):
    design = make_design(22, balanced=balanced)
    agreement = agree(design, {"flat": fit(design, priors="flat"), "fixed": fit(design)})
    assert agreement.identity
    assert (agreement.table["fixed_gap_se"].abs() < 0.2).all()


def test_a_posterior_of_another_model_does_not_agree():
    """Negative control: random effects passed off as the flat fit."""
    design = make_design(23)
    wrong = fit(with_effects(design, "random", "random"), priors="flat")
    assert agree(design, {"flat": wrong}).identity is False


def test_mundlak_returns_to_the_within_estimate_and_random_does_not():
    design = make_design(24)
    fits = {
        kind: fit(with_effects(design, kind, kind), priors="flat") for kind in ("random", "mundlak")
    }
    table = agree(design, fits).table
    assert (table["mundlak_gap_mcse"].abs() < 4).all()
    assert table["random_gap_se"].abs().max() > 1  # x2 is correlated with the unit effects


def test_clustered_errors_exceed_iid_under_serial_correlation():
    """With a persistent treatment and AR(1) errors the i.i.d. error is too small."""
    import dataclasses

    ratios = []
    for seed in range(6):
        design = make_design(30 + seed, N=60, T=12)
        rng = np.random.default_rng(seed)
        error = rng.standard_normal((60, 12))
        for t in range(1, 12):
            error[:, t] = 0.7 * error[:, t - 1] + np.sqrt(1 - 0.49) * error[:, t]
        table = least_squares(dataclasses.replace(design, y=error.ravel())).table
        ratios.append(table["se_cluster"].iloc[0] / table["se_iid"].iloc[0])
    assert np.mean(ratios) > 1.2
