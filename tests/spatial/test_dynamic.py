"""Dynamic spatial panels: cumulative effects by brute force, initial conditions, Nickell bias."""

import dataclasses

import numpy as np
import pytest
from planted import base_design, near, simulated, within_reach

from bayesdid.exceptions import InputError
from bayesdid.inference.exact.durbin_fit import draw_durbin
from bayesdid.spatial.design import spatial_design
from bayesdid.spatial.operators.dynamic import PAST, PAST_LAG, cumulative_effects, dynamic_design
from bayesdid.spatial.operators.spectrum import eigenvalues
from bayesdid.spatial.weights.weights import make_weights

N = 20
WEIGHTS = {
    "nearest": near(N),
    "symmetric": within_reach(N, 0.6),
    "islands": within_reach(N, 0.2),
    "spectral": within_reach(N, 0.4, normalisation="spectral"),
    "nearest, spectral, one row doubled": make_weights(
        near(N, 3, 1).dense() * (1 + (np.arange(N) == 2))[:, None], np.arange(N), "made", "spectral"
    ),
    "min-max": within_reach(N, 0.4, normalisation="min-max"),
}


def draws(weights, size=12, seed=0):
    """Draws of rho, past, past_lag, beta, theta; in the second half y[t-1] has 1.1 to 1.4."""
    rng = np.random.default_rng(seed)
    found = rng.uniform([-0.2, 0.1, -0.2, -1, -1], [0.3, 0.4, 0.2, 1, 1], (size, 5)).T
    found[1, size // 2 :] += 1.0
    return found


def recursion(weights, rho, past, past_lag, beta, theta, horizon):
    """Mean diagonal and row sum of dy_h / dx' after a change that lasts, and the limit."""
    W, eye = weights.dense(), np.eye(weights.n)
    A, now = np.linalg.inv(eye - rho * W), np.zeros((weights.n, weights.n))
    P = A @ (past * eye + past_lag * W)
    shown = []
    for _ in range(horizon + 1):
        now = P @ now + A @ (beta * eye + theta * W)
        shown.append((np.trace(now) / weights.n, now.sum() / weights.n))
    limit = np.linalg.solve(eye - P, A @ (beta * eye + theta * W))
    return (
        np.array(shown),
        (np.trace(limit) / weights.n, limit.sum() / weights.n),
        (abs(np.linalg.eigvals(P)).max()),
    )


@pytest.mark.parametrize("name", WEIGHTS)
def test_cumulative_effects_are_those_of_the_recursion(name):
    """Rounding grows with the condition of the eigenvectors, below 1e5 here: 1e-9."""
    weights = WEIGHTS[name]
    parameters = draws(weights)
    found = cumulative_effects(weights, eigenvalues(weights), *parameters, horizon=6)
    assert found.direct.shape == found.total.shape == (7, 12)
    assert 0 < found.stable.sum() < 12  # both sorts were tried
    for s, draw in enumerate(parameters.T):
        brute, limit, radius = recursion(weights, *draw, 6)
        assert np.allclose(found.direct[:, s], brute[:, 0], rtol=1e-8, atol=1e-9)
        assert np.allclose(found.total[:, s], brute[:, 1], rtol=1e-8, atol=1e-9)
        assert found.stable[s] == (radius < 1)
        if radius < 1:
            assert found.long_run_direct[s] == pytest.approx(limit[0], rel=1e-7, abs=1e-9)
            assert found.long_run_total[s] == pytest.approx(limit[1], rel=1e-7, abs=1e-9)
        else:
            assert np.isnan(found.long_run_direct[s])
            assert np.isnan(found.long_run_total[s])


def test_effects_reach_their_limit_or_run_away():
    """After h periods a stable draw is within radius^h of its limit."""
    weights = WEIGHTS["nearest"]
    rho, past, past_lag = np.array([0.3, 0.3]), np.array([0.4, 0.9]), np.array([0.1, 0.1])
    one = np.ones(2)
    found = cumulative_effects(
        weights, eigenvalues(weights), rho, past, past_lag, one, one, horizon=200
    )
    assert found.stable.tolist() == [True, False]
    assert found.direct[-1, 0] == pytest.approx(found.long_run_direct[0], rel=1e-9)
    assert found.total[-1, 0] == pytest.approx(found.long_run_total[0], rel=1e-9)
    # rows sum to one: (beta + theta) / (1 - rho - past - past_lag)
    assert found.long_run_total[0] == pytest.approx(2 / 0.2)
    assert np.isnan(found.long_run_total[1])
    assert found.total[-1, 1] > 1e6


def test_without_a_past_the_effects_are_there_at_once():
    weights = WEIGHTS["spectral"]
    rho, _, _, beta, theta = draws(weights)
    nothing = np.zeros_like(rho)
    found = cumulative_effects(weights, eigenvalues(weights), rho, nothing, nothing, beta, theta, 4)
    assert np.allclose(found.direct, found.direct[0])
    assert np.allclose(found.total, found.long_run_total)


@pytest.mark.parametrize("n", [6, 30])
def test_weights_without_eigenvectors_are_refused_or_right(n):
    """A chain that flows one way has one eigenvalue, 0, and one eigenvector."""
    weights = make_weights(np.eye(n, k=1), np.arange(n))
    parameters = draws(weights)
    try:
        found = cumulative_effects(weights, eigenvalues(weights), *parameters, horizon=6)
    except InputError:
        return
    for s, draw in enumerate(parameters.T):
        brute, _, _ = recursion(weights, *draw, 6)
        assert np.allclose(found.direct[:, s], brute[:, 0], rtol=1e-8, atol=1e-9)
        assert np.allclose(found.total[:, s], brute[:, 1], rtol=1e-8, atol=1e-9)


def test_the_design_starts_one_period_later():
    design = simulated(near(12), "sdm", T=6)
    moving = dynamic_design(design)
    W = design.weights.dense()
    assert (moving.N, moving.T) == (12, 5)
    assert moving.names == (
        "x0",
        "x1",
        "W x0",
        "W x1",
        PAST,
        PAST_LAG,
        "y[0]",
        "W y[0]",
        "mean x0",
        "mean x1",
        "mean W x0",
        "mean W x1",
    )
    assert moving.Z.shape == (12, 12, 5)
    part = dict(zip(moving.names, moving.Z, strict=True))
    assert np.array_equal(moving.Y, design.Y[:, 1:])
    assert np.array_equal(part["x1"], design.Z[1, :, 1:])
    assert np.array_equal(part[PAST], design.Y[:, :-1])
    assert np.allclose(part[PAST_LAG], W @ design.Y[:, :-1])
    assert np.allclose(part["W y[0]"], (W @ design.Y[:, :1]) * np.ones(5))
    assert np.allclose(part["mean x0"], design.Z[0, :, 1:].mean(axis=1)[:, None] * np.ones(5))
    assert np.allclose(part["mean W x0"], W @ part["mean x0"])
    assert moving.base.unit_effects == "random"
    assert moving.base.n == 60
    assert moving.base.is_balanced
    assert moving.theta_of(1) == 3


def test_what_does_not_move_has_no_mean_beside_it():
    design = simulated(near(12), "sdm", T=6)
    Z = np.stack([design.Z[0], design.Z[1, :, :1] * np.ones((1, 6))])
    moving = dynamic_design(spatial_design(base_design(design.Y, Z), design.weights, "sdm"))
    assert "mean x0" in moving.names
    assert "mean x1" not in moving.names
    assert "mean W x1" not in moving.names


def test_rows_in_any_order_give_the_same_design():
    design = simulated(near(12), "sdm", T=6)
    base, order = design.base, np.random.default_rng(0).permutation(72)
    mixed = dataclasses.replace(
        base,
        y=base.y[order],
        D=base.D[order],
        X=base.X[order],
        unit_index=base.unit_index[order],
        period_index=base.period_index[order],
    )
    one, other = (dynamic_design(spatial_design(b, design.weights, "sdm")) for b in (base, mixed))
    assert np.array_equal(one.Z, other.Z)
    fits = [draw_durbin(d, size=400) for d in (one, other)]
    assert np.allclose(fits[0].b, fits[1].b, rtol=1e-8)


@pytest.mark.parametrize("kind", ["none", "sem", "slx", "sdem"])
def test_models_without_a_lag_of_y_are_refused(kind):
    with pytest.raises(InputError, match="spatial lag of y"):
        dynamic_design(simulated(near(12), kind, T=6))


def test_three_periods_are_too_few():
    with pytest.raises(InputError, match="needs 4 periods"):
        dynamic_design(simulated(near(12), "sdm", T=3))
    assert dynamic_design(simulated(near(12), "sdm", T=4)).T == 3


# Nickell bias

TRUTH = {"rho": 0.3, PAST: 0.5, PAST_LAG: -0.1, "x0": 1.0}
PANELS = 20


def moving_panel(seed, *, N=70, T=9, burn=40):
    """A stationary dynamic SAR panel: effects of units are correlated with x and with y_0."""
    rng = np.random.default_rng([seed, 3])
    weights = near(N, 4, seed)
    W = weights.dense()
    spread = np.linalg.inv(np.eye(N) - TRUTH["rho"] * W)
    a = rng.normal(size=(N, 1))
    x = 0.5 * a + rng.normal(size=(N, T + burn))
    g, noise = rng.normal(size=T + burn), rng.normal(size=(N, T + burn))
    y = np.zeros((N, T + burn))
    for t in range(1, T + burn):
        past = TRUTH[PAST] * y[:, t - 1] + TRUTH[PAST_LAG] * W @ y[:, t - 1]
        y[:, t] = spread @ (past + TRUTH["x0"] * x[:, t] + a[:, 0] + g[t] + noise[:, t])
    return spatial_design(base_design(y[:, burn:], x[None, :, burn:]), weights, "sar")


def within(moving):
    """The same periods and regressors with fixed unit effects instead of initial conditions."""
    kept = moving.names.index(PAST_LAG) + 1
    base = dataclasses.replace(moving.base, unit_effects="fixed")
    return dataclasses.replace(moving, base=base, Z=moving.Z[:kept], names=moving.names[:kept])


@pytest.fixture(scope="module")
def estimates():
    """Posterior means by panel, shape (panels,): with initial conditions, with fixed effects."""
    found = {"initial": [], "fixed": []}
    for seed in range(PANELS):
        moving = dynamic_design(moving_panel(seed))
        for label, design in (("initial", moving), ("fixed", within(moving))):
            fit = draw_durbin(design, size=500, seed=seed)
            assert fit.converged
            means = {
                name: fit.b[:, design.names.index(name)].mean() for name in (PAST, PAST_LAG, "x0")
            }
            found[label].append(means | {"rho": fit.rho.mean()})
    return found


def z_values(rows):
    """Mean distance from the truth over its standard error across panels, by parameter."""
    off = {name: np.array([row[name] for row in rows]) - truth for name, truth in TRUTH.items()}
    return {name: v.mean() / (v.std(ddof=1) / np.sqrt(len(v))) for name, v in off.items()}


def test_initial_conditions_leave_no_nickell_bias(estimates):
    """|t| of 19 degrees of freedom exceeds 4 with probability 0.0008, for each of four.

    A posterior mean is off by order 1 / N (100 panels: -0.015 at N = 70, -0.005 at N = 300, whose
    standard error is 0.005), which 20 panels cannot tell from zero; fixed effects by order 1 / T.
    """
    assert max(map(abs, z_values(estimates["initial"]).values())) < 4
    off = {
        label: np.mean([row[PAST] for row in rows]) - TRUTH[PAST]
        for label, rows in estimates.items()
    }
    assert abs(off["initial"]) < abs(off["fixed"]) / 3


def test_fixed_effects_have_it(estimates):
    """Near -(1 + tau) / T (Nickell 1981), -0.19 at T = 8; less with a strong x. Here many SEs."""
    assert z_values(estimates["fixed"])[PAST] < -8
    bias = np.mean([row[PAST] for row in estimates["fixed"]]) - TRUTH[PAST]
    assert -1.5 / 8 < bias < -0.03


def test_the_row_before_a_gap_is_not_the_period_before():
    """With a period missing there is no y[t-1] after it: refused, and the gap named."""
    design = simulated(near(12), "sdm", T=6)
    base = dataclasses.replace(design.base, periods=np.array([1, 2, 3, 5, 6, 7]))
    with pytest.raises(InputError, match="the period before every period") as caught:
        dynamic_design(dataclasses.replace(design, base=base))
    assert "no row in 4" in str(caught.value)
