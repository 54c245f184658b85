"""Sensitivity to violated parallel trends: the published example, closed forms, invariances."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesdid.contrasts.honest import relative_magnitudes, robust_sets, smooth_violation

# Medicaid expansion (ehec): flat path of 2008-2012 and 2014-2015 against 2013, clustered by state.


@pytest.fixture(scope="module")
def ehec():
    import warnings

    import moderndid
    import pyfixest

    frame = moderndid.load_ehec().to_pandas()
    frame = frame[(frame["year"] < 2016) & (frame["yexp2"].isna() | (frame["yexp2"] != 2015))]
    years = [year for year in range(2008, 2016) if year != 2013]
    frame = frame.assign(**{
        f"D{year}": ((frame["yexp2"] == 2014) & (frame["year"] == year)).astype(int)
        for year in years
    })  # fmt: skip
    names = [f"D{year}" for year in years]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = pyfixest.feols(f"dins ~ {' + '.join(names)} | stfips + year", frame,
                               vcov={"CRV1": "stfips"})  # fmt: skip
    return model.coef()[names].to_numpy(), np.asarray(model._vcov)


def test_the_medicaid_event_study(ehec):
    mean, covariance = ehec
    se = np.sqrt(np.diag(covariance))
    assert mean[5:] == pytest.approx([0.0464, 0.0692], abs=1e-4)
    assert se[5:] == pytest.approx([0.0092, 0.0104], abs=1e-4)


def test_smoothness_sets_of_the_readme(ehec):
    published = {0.0: (0.0259, 0.0607), 0.01: (0.0132, 0.0787), 0.02: (0.00286, 0.0907),
                 0.03: (-0.00714, 0.101), 0.05: (-0.0271, 0.121)}  # fmt: skip
    found = robust_sets(*ehec, 5, 2, "smoothness", tuple(published))
    for item in found:
        low, high = published[item.M]
        assert item.low == pytest.approx(low, abs=2e-4)
        assert item.high == pytest.approx(high, abs=6e-4)  # 0.101 is printed to 3 digits


def test_relative_magnitude_set_of_the_readme(ehec):
    # the package inverts a test on a grid: an end is off by a step of the published grid and ours
    grid_points = 60
    (item,) = robust_sets(*ehec, 5, 2, "relative_magnitude", (1.0,), grid_points=grid_points)
    step = 40 * np.sqrt(ehec[1][5, 5]) / grid_points
    assert abs(item.low - 0.0170) < step
    assert abs(item.high - 0.0720) < step


def test_identified_set_equals_the_extremes_over_all_violations():
    rng = np.random.default_rng(0)
    pre, post = rng.normal(size=(3, 4)), rng.normal(size=(3, 3))
    weights = np.array([0.5, -0.2, 0.7])
    found = relative_magnitudes(pre, post, weights)
    largest = np.abs(np.diff(np.column_stack([pre, np.zeros(3)]), axis=1)).max(axis=1)
    for s in range(3):
        corners = [post[s] @ weights - weights @ np.cumsum(1.3 * largest[s] * np.array(signs))
                   for signs in itertools.product((-1, 1), repeat=3)]  # fmt: skip
        assert max(corners) == pytest.approx(found.effect[s] + 1.3 * found.width[s])
        assert min(corners) == pytest.approx(found.effect[s] - 1.3 * found.width[s])


def test_breakdown_is_where_the_set_touches_zero():
    rng = np.random.default_rng(1)
    found = relative_magnitudes(rng.normal(size=(50, 4)), 2 + rng.normal(size=(50, 2)))
    sign = np.sign(found.effect)
    assert np.allclose(sign * found.effect - found.breakdown * found.width, 0.0)
    shares = [found.p_whole_set(m, 1.0) for m in np.linspace(0, 3, 20)]
    assert all(a >= b for a, b in itertools.pairwise(shares))


def test_without_curvature_the_linear_pre_trend_is_taken_out():
    t = np.array([-4.0, -3, -2, -1, 1, 2])
    slope, effect = 0.3, np.array([1.0, 1.5])
    mean = slope * t + np.concatenate([np.zeros(4), effect])
    covariance = 0.01 * np.eye(6)
    for weights in (np.array([1.0, 0.0]), np.array([0.5, 0.5])):
        value, sd = smooth_violation(mean, covariance, 4, 2, 0.0, weights=weights)
        assert value == pytest.approx(effect @ weights)
        assert sd**2 == pytest.approx(
            0.01 * weights @ weights + (weights @ t[4:]) ** 2 * 0.01 / (t[:4] @ t[:4])
        )


def test_smooth_violation_equals_the_joint_gaussian_by_brute_force():
    rng = np.random.default_rng(2)
    root = rng.normal(size=(6, 6)) * 0.2
    covariance, mean, M = root @ root.T + 0.05 * np.eye(6), rng.normal(size=6), 0.4
    # delta = slope t + sum of second differences; flat slope and effects by huge variances
    E = np.zeros((6, 5))
    grid = [-4, -3, -2, -1, 1, 2]
    for j, knot in enumerate((-3, -2, -1, 0, 1)):
        for i, t in enumerate(grid):
            if knot >= 0:
                E[i, j] = max(t - knot, 0)
            else:
                E[i, j] = max(knot - t, 0)
    # knots before the reference bend the earlier side, the one at it and after the later side
    V = covariance + M**2 * E @ E.T
    t = np.array(grid, dtype=float)
    X = np.column_stack([t, np.vstack([np.zeros((4, 2)), np.eye(2)])])
    P = np.linalg.inv(X.T @ np.linalg.inv(V) @ X)
    estimate = P @ X.T @ np.linalg.inv(V) @ mean
    value, sd = smooth_violation(mean, covariance, 4, 2, M)
    assert value == pytest.approx(estimate[1])
    assert sd == pytest.approx(np.sqrt(P[1, 1]))


@given(st.floats(0.1, 50.0), st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_units_of_the_outcome_do_not_matter(scale, seed):
    rng = np.random.default_rng(seed)
    pre, post = rng.normal(size=(30, 3)), rng.normal(size=(30, 2))
    one, other = relative_magnitudes(pre, post), relative_magnitudes(scale * pre, scale * post)
    assert np.allclose(one.breakdown, other.breakdown)
    root = rng.normal(size=(5, 5))
    V, mean = root @ root.T + np.eye(5), rng.normal(size=5)
    a = smooth_violation(mean, V, 3, 2, 0.3)
    b = smooth_violation(scale * mean, scale**2 * V, 3, 2, 0.3 * scale)
    assert np.allclose(np.array(a) * scale, b)
