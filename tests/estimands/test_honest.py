"""Sensitivity to violated parallel trends: the published example, closed forms, invariances."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from bayesdid.estimands.honest import robust_breakdown, robust_sets
from bayesdid.estimands.violation import (
    curvature,
    path_times,
    relative_magnitudes,
    smooth_violation,
    smoothness,
)
from bayesdid.exceptions import InputError
from bayesdid.families.event_study.analysis import honest_path
from cells import slow_but

# The README of HonestDiD, 2014 effect of the Medicaid expansion, 5 periods before and 2 after.
RELATIVE = {
    0.5: (0.0240, 0.0672),
    1.0: (0.0170, 0.0720),
    1.5: (0.00824, 0.0797),
    2.0: (-0.000916, 0.0881),
}
SMOOTH = {
    0.0: (0.0259, 0.0607),
    0.01: (0.0132, 0.0787),
    0.02: (0.00286, 0.0907),
    0.03: (-0.00714, 0.101),
    0.04: (-0.0171, 0.111),
    0.05: (-0.0271, 0.121),
}


@pytest.fixture(scope="module")
def ehec():
    """Path of 2008-2012 and 2014-2015 against 2013 and its covariance, clustered by state."""
    import moderndid
    import pyfixest

    frame = moderndid.load_ehec().to_pandas()
    frame = frame[(frame["year"] < 2016) & (frame["yexp2"].isna() | (frame["yexp2"] != 2015))]
    years = [year for year in range(2008, 2016) if year != 2013]
    frame = frame.assign(
        **{
            f"D{year}": ((frame["yexp2"] == 2014) & (frame["year"] == year)).astype(int)
            for year in years
        }
    )
    names = [f"D{year}" for year in years]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the package
        model = pyfixest.feols(
            f"dins ~ {' + '.join(names)} | stfips + year", frame, vcov={"CRV1": "stfips"}
        )
    return model.coef()[names].to_numpy(), np.asarray(model._vcov)


def random_path(seed, n_pre=4, n_post=3):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n_pre + n_post, n_pre + n_post)) * 0.3
    return rng.normal(size=n_pre + n_post), root @ root.T + 0.1 * np.eye(n_pre + n_post)


def test_the_medicaid_event_study(ehec):
    mean, covariance = ehec
    se = np.sqrt(np.diag(covariance))
    assert mean[5:] == pytest.approx([0.0464, 0.0692], abs=5e-5 + 1e-6)  # printed to 4 decimals
    assert se[5:] == pytest.approx([0.0092, 0.0104], abs=5e-5 + 1e-6)


def test_relative_magnitude_sets_of_the_readme(ehec):
    # Published ends lie on a grid of 1000 points that HonestDiD lays over the identified set at
    # the estimate and 20 standard errors either side; ours are refined. An accepted grid point is
    # less than one step (4e-4) from the end; half the last printed digit comes on top. The
    # published critical values are simulated with 1000 draws: 40 reseeds of ours at that size
    # moved the ends by sds of 1.2e-4 to 2.7e-4, which takes no more room than the step leaves.
    mean, covariance = ehec
    largest = np.abs(np.diff(np.append(mean[:5], 0.0))).max()
    for item in robust_sets(mean, covariance, 5, 2, "relative_magnitude", tuple(RELATIVE)):
        step = 2 * (item.M * largest + 20 * np.sqrt(covariance[5, 5])) / 999
        assert (item.low, item.high) == pytest.approx(RELATIVE[item.M], abs=step + 5e-5)
        assert item.reason == ""


def test_smoothness_sets_of_the_readme(ehec):
    # Three printed digits. HonestDiD simulates the quantile of |N| with 10^6 draws: its error at
    # 0.95 has sd sqrt(0.05 * 0.95 / 10^6) / (2 * 0.0584) = 0.0019, times the estimator's sd, which
    # is at most that which carries the last slope on (0.014); four of these are 1.1e-4.
    for item in robust_sets(*ehec, 5, 2, "smoothness", tuple(SMOOTH)):
        low, high = SMOOTH[item.M]
        assert item.low == pytest.approx(low, abs=5e-5 + 1.1e-4)
        assert item.high == pytest.approx(high, abs=(5e-4 if high > 0.1 else 5e-5) + 1.1e-4)


def lp_extremes(pre, post, weights, m, kind):
    """Largest and smallest effect over all violations after the reference, by programs."""
    n = len(post)
    if kind == "relative":
        A = np.eye(n) - np.eye(n, k=-1)
        known = np.zeros(n)
        bound = m * np.abs(np.diff(np.append(pre, 0.0))).max()
    else:
        A = np.eye(n) - 2 * np.eye(n, k=-1) + np.eye(n, k=-2)
        known = np.append(pre[-1], np.zeros(n - 1))  # delta_1 - 2 * 0 + delta_{-1}
        bound = m
    A_ub, b_ub = np.vstack([A, -A]), np.concatenate([bound - known, bound + known])
    ends = [linprog(s * weights, A_ub=A_ub, b_ub=b_ub, bounds=(None, None)) for s in (1, -1)]
    return post @ weights + ends[1].fun, post @ weights - ends[0].fun


@pytest.mark.parametrize(
    ("build", "kind"), [(relative_magnitudes, "relative"), (smoothness, "smooth")]
)
@pytest.mark.parametrize("weights", [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0.5, -0.2, 0.7]])
def test_identified_sets_equal_linear_programs(build, kind, weights):
    rng = np.random.default_rng(0)
    pre, post, w = rng.normal(size=(4, 4)), rng.normal(size=(4, 3)), np.array(weights)
    low, high = build(pre, post, w).bounds(1.3)
    for s in range(4):
        assert (low[s], high[s]) == pytest.approx(lp_extremes(pre[s], post[s], w, 1.3, kind))


def test_the_earliest_increment_counts():
    """The increment that moderndid 0.2.0 leaves out: alone it makes the set wide."""
    import moderndid
    from moderndid.didhonest.delta.rm.rm import compute_identified_set_rm

    path = np.array([1.0, 0.0, 0.0, 0.0, 5.0, 6.0])
    covariance = 1e-4 * np.eye(6)
    found = relative_magnitudes(path[None, :4], path[None, 4:])
    assert np.ravel(found.bounds(1.0)) == pytest.approx([4.0, 6.0])
    (item,) = robust_sets(path, covariance, 4, 2, values=(1.0,))
    assert item.low < 4.0
    assert item.high > 6.0
    if moderndid.__version__ == "0.2.0":
        theirs = compute_identified_set_rm(1.0, path, np.array([1.0, 0.0]), 4, 2)
        assert theirs.id_ub - theirs.id_lb < 1e-9


@pytest.mark.parametrize("m_bar", slow_but([0.5, 1.5], 1.5))
@pytest.mark.parametrize("weights", [[1.0, 0.0], [0.5, 0.5]])
def test_closed_form_test_equals_moderndid_on_one_polyhedron(ehec, m_bar, weights):
    """Same decisions where the package's polyhedron is right, given the same critical value."""
    import dataclasses

    from moderndid.didhonest.arp_nuisance import _construct_gamma, lp_conditional_test
    from moderndid.didhonest.delta.rm.rm import _create_relative_magnitudes_constraint_matrix

    from bayesdid.estimands.honest import _RelativeMagnitudes

    mean, covariance = ehec
    w = np.array(weights)
    model = _RelativeMagnitudes.build(mean, covariance, 5, w)
    ours = model.test(m_bar, model.before[3], 0.05)
    ours = dataclasses.replace(ours, critical=2.4)
    # their s = -2 is the increment between the fourth and the fifth period before the reference
    A = _create_relative_magnitudes_constraint_matrix(5, 2, m_bar, -2, True)
    rows = np.flatnonzero(np.any(A[:, 5:] != 0, axis=1))
    X = A[:, 5:] @ np.linalg.inv(_construct_gamma(w))
    # half-steps, away from where the two could differ by rounding
    grid = mean[5:] @ w + np.linspace(-4, 4, 61) * 0.0093
    theirs = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the package
        for effect in grid:
            result = lp_conditional_test(
                A @ mean - X[:, 0] * effect,
                X[:, 1:],
                A @ covariance @ A.T,
                0.05,
                "LF",
                {"hybrid_kappa": 0.005, "lf_cv": 2.4},
                rows,
            )
            theirs.append(not result["reject"])
    assert ours.accepts(grid).tolist() == theirs
    assert 0 < sum(theirs) < len(grid)


def test_coverage_where_the_earliest_increment_is_the_largest():
    """The least favourable trend is covered; without the earliest increment it is not."""
    import dataclasses

    from bayesdid.estimands.honest import _relative_set, _RelativeMagnitudes

    rng = np.random.default_rng(5)
    V, w, truth = 0.01 * (np.eye(5) + 0.3), np.array([1.0, 0.0]), 0.7
    path = np.array([-1.0, -0.2, -0.1, 0.8 + truth, 1.6 + truth])  # changes 0.8 and at most 0.8
    right, wrong = [], []
    for _ in range(100):
        model = _RelativeMagnitudes.build(rng.multivariate_normal(path, V), V, 3, w)
        without = dataclasses.replace(model, before=model.before[1:])
        for found, item in (
            (right, _relative_set(model, 1.0, 0.05)),
            (wrong, _relative_set(without, 1.0, 0.05)),
        ):
            found.append(item.low <= truth <= item.high)
    assert np.mean(right) > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 100)
    assert np.mean(wrong) < 0.5


def test_bias_of_the_fixed_length_interval_is_the_worst_case():
    """Curvature spans all paths of bounded second differences: bias by program and in closed form.

    At M = 0 the interval is generalised least squares with a linear trend, the flat-prior posterior
    of the same model.
    """
    mean, V = random_path(1, 5, 9)
    w = np.ones(9) / 9
    E, t = curvature(5, 9), path_times(5, 9)
    v = np.append(np.zeros(4), [w @ t[5:]])
    v = np.append(v, w)
    whole = np.insert(np.eye(14), 5, 0.0, axis=0)  # with the reference
    A = np.diff(whole, n=2, axis=0)
    worst = linprog(-v, A_ub=np.vstack([A, -A]), b_ub=np.ones(2 * len(A)), bounds=(None, None))
    assert -worst.fun == pytest.approx(np.abs(v @ E).sum())
    (item,) = robust_sets(mean, V, 5, 9, "smoothness", (0.0,), w)
    value, sd = smooth_violation(mean, V, 5, 9, 0.0, weights=w)
    assert (item.low + item.high) / 2 == pytest.approx(value, rel=1e-8)
    assert (item.high - item.low) / 2 == pytest.approx(1.959963984540 * sd, rel=1e-8)


@pytest.mark.parametrize("weights", [[1.0, 0.0], [0.5, 0.5]])
def test_without_curvature_the_linear_pre_trend_is_taken_out(weights):
    t, w, effect = path_times(4, 2), np.array(weights), np.array([1.0, 1.5])
    mean = 0.3 * t + np.concatenate([np.zeros(4), effect])
    V = 0.01 * np.eye(6)
    value, sd = smooth_violation(mean, V, 4, 2, 0.0, weights=w)
    assert value == pytest.approx(effect @ w)
    assert sd**2 == pytest.approx(0.01 * (w @ w + (w @ t[4:]) ** 2 / (t[:4] @ t[:4])))
    found = smoothness(mean[None, :4], mean[None, 4:], w)
    assert np.ravel(found.bounds(0.0)) == pytest.approx([effect @ w] * 2)
    assert found.required[0] == pytest.approx(0.0, abs=1e-12)
    (item,) = robust_sets(mean, V, 4, 2, "smoothness", (0.0,), w)
    assert (item.low + item.high) / 2 == pytest.approx(effect @ w)


def test_smooth_violation_equals_the_joint_gaussian_by_brute_force():
    mean, V = random_path(2, 4, 2)
    total = V + 0.4**2 * curvature(4, 2) @ curvature(4, 2).T
    X = np.column_stack([path_times(4, 2), np.vstack([np.zeros((4, 2)), np.eye(2)])])
    P = np.linalg.inv(X.T @ np.linalg.inv(total) @ X)
    value, sd = smooth_violation(mean, V, 4, 2, 0.4)
    assert value == pytest.approx((P @ X.T @ np.linalg.inv(total) @ mean)[1])
    assert sd == pytest.approx(np.sqrt(P[1, 1]))


@given(st.integers(0, 10_000), st.floats(0, 3), st.floats(0, 3))
@settings(max_examples=25, deadline=None)
def test_sets_widen_with_the_bound(seed, one, other):
    small, large = sorted((one, other))
    mean, V = random_path(seed)
    rng = np.random.default_rng(seed)
    draws = rng.multivariate_normal(mean, V, 50)
    for build in (relative_magnitudes, smoothness):
        item = build(draws[:, :4], draws[:, 4:], np.ones(3) / 3)
        (a, b), (c, d) = item.bounds(small), item.bounds(large)
        assert (c <= a).all()
        assert (b <= d).all()
        assert item.p_whole_set(large, 1.0) <= item.p_whole_set(small, 1.0)
        assert item.p_some(large, 1.0) >= item.p_some(small, 1.0)
        uniform = item.effect_under(large, rng)
        assert (c - 1e-9 <= uniform).all()
        assert (uniform <= d + 1e-9).all()


def test_robust_sets_widen_with_the_bound(ehec):
    for kind, values in (
        ("relative_magnitude", np.linspace(0, 3, 13)),
        ("smoothness", np.linspace(0, 0.05, 13)),
    ):
        found = robust_sets(*ehec, 5, 2, kind, tuple(values), np.array([0.5, 0.5]))
        widths = [item.high - item.low for item in found]
        assert all(a <= b + 1e-6 for a, b in itertools.pairwise(widths))


@pytest.mark.parametrize("build", [relative_magnitudes, smoothness])
def test_breakdown_is_where_the_set_touches_zero(build):
    rng = np.random.default_rng(1)
    item = build(rng.normal(size=(500, 4)), 2 + rng.normal(size=(500, 2)))
    value = item.breakdown(item.sign)
    own = item.sign * item.centre > 0
    assert (value[~own] == 0).all()
    nearest = item.sign * item.centre - value * item.width
    assert np.allclose(nearest[own], 0.0)
    for m in (0.0, 0.3, 1.0):
        assert (value > m).mean() == item.p_whole_set(m, item.sign)


@pytest.mark.parametrize(
    ("kind", "largest"), [("relative_magnitude", 10.0), ("smoothness", 0.0915)]
)
def test_robust_breakdown_touches_zero(ehec, kind, largest):
    value = robust_breakdown(*ehec, 5, 2, kind)
    at, beyond = robust_sets(*ehec, 5, 2, kind, (value, value + 2e-4 * largest))
    assert at.low > 0 >= beyond.low  # bisected to 1e-4 of the range
    # between the values of the README's sets whose signs differ
    assert {"relative_magnitude": 1.5, "smoothness": 0.02}[kind] < value
    assert value < {"relative_magnitude": 2.0, "smoothness": 0.03}[kind]
    assert robust_breakdown(np.zeros(7), ehec[1], 5, 2, kind) == 0.0


@given(st.floats(1e-3, 1e3), st.integers(0, 10_000))
@settings(max_examples=8, deadline=None)
def test_units_of_the_outcome_do_not_matter(c, seed):
    mean, V = random_path(seed)
    mean = mean + np.array([0, 0, 0, 0, 2, 2, 2])
    draws = np.random.default_rng(seed).multivariate_normal(mean, V, 30)
    for build, unit in ((relative_magnitudes, 1.0), (smoothness, c)):
        one, other = (build(y[:, :4], y[:, 4:]) for y in (draws, c * draws))
        assert np.allclose(unit * one.breakdown(1.0), other.breakdown(1.0))
    assert np.allclose(
        c * np.array(smooth_violation(mean, V, 4, 3, 0.3)),
        smooth_violation(c * mean, c**2 * V, 4, 3, 0.3 * c),
    )
    (a,), (b,) = (robust_sets(k * mean, k**2 * V, 4, 3, values=(0.8,)) for k in (1.0, c))
    assert (c * a.low, c * a.high) == pytest.approx((b.low, b.high), abs=1e-3 * c)


def test_units_do_not_matter_for_fixed_length_intervals(ehec):
    mean, V = ehec
    (a,) = robust_sets(mean, V, 5, 2, "smoothness", (0.01,))
    (b,) = robust_sets(100 * mean, 1e4 * V, 5, 2, "smoothness", (1.0,))
    assert (100 * a.low, 100 * a.high) == pytest.approx((b.low, b.high), abs=1e-3)


def test_what_cannot_be_computed_says_so(ehec):
    mean, V = ehec
    (item,) = robust_sets(np.full(7, np.nan), V, 5, 2, values=(1.0,))
    assert item.reason.startswith("failed")
    assert not item.excludes_zero
    with pytest.raises(InputError, match="widen the event window"):
        robust_sets(mean[4:], V[4:, 4:], 1, 2)
    with pytest.raises(InputError, match="weights"):
        robust_sets(mean, V, 5, 2, l_vec=np.ones(3))


def test_the_analysis_of_a_path(ehec):
    draws = np.random.default_rng(0).multivariate_normal(*ehec, 2000)
    times = [-6, -5, -4, -3, -2, 0, 1]
    found = honest_path("medicaid", "Medicaid", times, draws, -1, "share", rope=0.01, moments=ehec)
    assert len(found.sentences) == 4
    assert "M-bar = 1.94" in found.sentences[3]
    table = {item.name: item.frame for item in found.tables}["relative_first"]
    assert table["robust 95% low"].iloc[2] == pytest.approx(RELATIVE[1.0][0], abs=1e-3)
    (figure,) = found.figures
    assert len(figure.verticals) <= 2
    assert len(honest_path("m", "M", times, draws, -1, "", robust=False).sentences) == 2
    with pytest.raises(InputError, match="every period"):
        honest_path("m", "M", [-7, *times[1:]], draws, -1, "")
