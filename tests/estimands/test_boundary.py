"""Boundaries of a profile over distance: found where planted, not claimed where there are none."""

import dataclasses

import numpy as np
import pytest
from distances import adoption, design_of, places, planted
from numpy.testing import assert_allclose

import bayesdid as bd
from bayesdid.estimands.boundary import boundaries, boundary_report, claim_probabilities, crossings
from bayesdid.inference.exact.profile import prior_profiles
from bayesdid.model.spillover import demean, profile_design
from bayesdid.summary import band, hdi

GRID = np.array([0.0, 100.0, 200.0, 300.0, 400.0])


def test_crossings_are_where_lines_cut_zero():
    theta = np.array([[-1.0, 1.0, 3.0, -1.0, -1.0], [1.0, 1.0, 1.0, 1.0, 1.0]])
    assert_allclose(crossings(GRID, theta)[0, [0, 2]], [50.0, 275.0])
    assert np.isnan(crossings(GRID, theta)[0, [1, 3]]).all()
    assert np.isnan(crossings(GRID, theta)[1]).all()


def test_first_boundary_goes_from_help_to_harm_and_second_back():
    theta = np.array(
        [
            [-1.0, -1.0, 1.0, 1.0, -1.0],  # helps, harms, helps
            [1.0, -1.0, -1.0, 3.0, 3.0],  # harms first: its boundary is further out
            [1.0, 1.0, -1.0, -1.0, -1.0],  # harms, then helps: no boundary
        ]
    )
    found = boundaries(GRID, theta, "lower")
    assert_allclose(found.first, [150.0, 225.0, np.nan])
    assert_allclose(found.second, [350.0, np.nan, np.nan])
    mirrored = boundaries(GRID, -theta, "higher")
    assert_allclose(mirrored.first, found.first)
    assert_allclose(mirrored.second, found.second)


def test_with_a_rope_small_swings_are_no_boundary():
    theta = np.array([[-0.1, 0.1, -1.0, 1.0, 0.0], [-0.1, 0.1, -0.1, 0.1, 0.0]])
    assert_allclose(boundaries(GRID, theta).first, [50.0, 50.0])
    found = boundaries(GRID, theta, rope=0.5)
    assert_allclose(found.first, [250.0, np.nan])
    assert_allclose(found.second, [350.0, np.nan])  # harm falls from 1 to 0: below 0.5 halfway


def test_the_band_holds_whole_curves_at_its_level():
    draws = np.random.default_rng(0).standard_normal((4000, 8)) @ np.tri(8)
    found = band(draws)
    inside = ((draws >= found.band_low) & (draws <= found.band_high)).all(axis=1).mean()
    assert abs(inside - 0.89) < 1 / 4000 + 1e-9
    assert (found.band_low <= found.low + 0.1 * found.sd).all()


def test_claims_of_a_known_curve():
    grid = np.arange(50.0, 2000.0, 25.0)
    theta = np.where(grid <= 800, -1.0, np.where(grid <= 1400, 1.0, 0.01))[None, :]
    prior = np.random.default_rng(0).standard_normal((500, len(grid)))
    found = claim_probabilities(grid, theta, prior, first=800, second=1400, rope=0.1)
    by_claim = {(c.claim, c.definition): c.posterior for c in found}
    assert all(value == 1.0 for (claim, _), value in by_claim.items() if claim != "both boundaries")
    flipped = claim_probabilities(
        grid, theta, prior, first=800, second=1400, rope=0.1, better="higher"
    )
    assert flipped[0].posterior == 0.0
    assert all(0 <= c.prior <= 0.6 for c in found)


# ---------------------------------------------------------------- simulated panels of real size


def helps_to_800(d):
    """Helps by 0.1 next door, harms by 0.07 at 1,100 km, nothing beyond 1,400 km."""
    near, far = -0.1 * np.sin(np.pi * (800 - d) / 1600), 0.07 * np.sin(np.pi * (d - 800) / 600)
    return np.where(d < 800, near, np.where(d < 1400, far, 0.0))


def fitted(rng, d, theta, N=218, T=16):
    """Grid, posterior draws, prior draws, and a ROPE of a tenth of sigma for a typical ring."""
    D = adoption(rng, N, T)
    design = profile_design(design_of(planted(rng, d, D, theta), D), d)
    tree = bd.fit(design, draws=200, seed=int(rng.integers(1 << 30))).tree
    assert tree.attrs["converged"]
    draws = tree["posterior"]["profile"].to_numpy().reshape(-1, len(design.grid))
    rope = 0.1 * design.priors.reference / design.typical
    return design.grid, draws, prior_profiles(design, 500)["profile"], rope


@pytest.fixture(scope="module")
def real_size():
    """218 random points in 3,000 x 2,500 km."""
    return places(np.random.default_rng(2024))


def test_a_planted_boundary_is_found(real_size):
    """Of 10 intervals at 89 % five or more miss with probability 0.003 if they are calibrated."""
    rng = np.random.default_rng(1)
    misses, errors, exists = 0, [], []
    for _ in range(10):
        grid, draws, prior, rope = fitted(rng, real_size, helps_to_800)
        first = boundaries(grid, draws).first
        low, high = hdi(first[np.isfinite(first)])
        misses += not low <= 800 <= high
        report = boundary_report(grid, draws, prior, rope=rope)
        errors.append(report.median - 800)
        exists.append(report.p_exists)
        assert report.prior_exists < 0.6
        assert report.p_window > 2 * report.prior_window
    assert misses <= 4
    assert np.median(exists) > 0.89
    assert np.abs(errors).max() < 150


def test_without_spillover_a_boundary_is_no_likelier_than_a_priori(real_size):
    """Signs alone say nothing: they cross a posteriori as they do a priori. The ROPE does say."""
    rng = np.random.default_rng(2)
    signs, ropes = [], []
    for _ in range(6):
        grid, draws, prior, rope = fitted(rng, real_size, np.zeros_like)
        signs.append(boundary_report(grid, draws, prior))
        ropes.append(boundary_report(grid, draws, prior, rope=rope))
    # no false claim at 0.89, nor at a tenth of the prior's own probability
    assert max(r.p_exists for r in ropes) < 0.1 * ropes[0].prior_exists
    assert 0.3 < np.mean([s.p_exists for s in signs]) < 0.95
    assert 0.5 < signs[0].prior_exists < 0.75


@pytest.mark.slow
def test_bands_and_boundaries_are_calibrated(real_size):
    """Truth drawn from the prior, so that all that is stated holds on average over panels.

    Over n = 60 panels the simultaneous band's coverage is binomial with sd 0.040; that of
    pointwise intervals, averaged over rings, has at most that. The sum of (probability of a
    boundary - whether there is one) has variance sum p (1 - p). All within 3.3 sd.
    """
    rng = np.random.default_rng(3)
    D = adoption(rng, 218, 16)
    null = planted(rng, real_size, D, np.zeros_like)
    design = profile_design(design_of(null, D), real_size)
    truth = prior_profiles(design, 60, seed=4)
    sigma, n = design.priors.reference, 60
    simultaneous, pointwise, gap, variance = [], [], 0.0, 0.0
    for k in range(n):
        mean = truth["tau"][k] * D + np.tensordot(truth["theta"][k], design.raw, axes=1)
        Y = demean(mean + sigma * rng.standard_normal(D.shape))
        tree = bd.fit(dataclasses.replace(design, Y=Y), draws=200, seed=k).tree
        assert tree.attrs["converged"]
        draws = tree["posterior"]["profile"].to_numpy().reshape(-1, len(design.grid))
        found, curve = band(draws), truth["profile"][k]
        simultaneous.append(((curve >= found.band_low) & (curve <= found.band_high)).all())
        pointwise.append(((curve >= found.low) & (curve <= found.high))[::4].mean())
        p = np.isfinite(boundaries(design.grid, draws).first).mean()
        gap += p - np.isfinite(boundaries(design.grid, curve[None]).first[0])
        variance += p * (1 - p)
    tolerance = 3.3 * np.sqrt(0.89 * 0.11 / n)
    assert abs(np.mean(simultaneous) - 0.89) < tolerance
    assert abs(np.mean(pointwise) - 0.89) < tolerance
    assert abs(gap) < 3.3 * np.sqrt(variance)
