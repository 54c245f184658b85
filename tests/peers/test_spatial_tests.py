"""Moran's I and LM tests: their score and moments, size where there is nothing, power else."""

import warnings

import numpy as np
import pytest
from spatial_panels import base_design, grid_weights, knn_weights, simulate

from bayesdid.peers.spatial_profile import profile, setup, spectrum
from bayesdid.peers.spatial_tests import moran_and_lm
from bayesdid.spatial.design import spatial_design, with_kind
from bayesdid.spatial.weights.weights import make_weights

LEVEL, REPS = 0.05, 800
BINOMIAL = 4 * np.sqrt(LEVEL * (1 - LEVEL) / REPS)


def null_panels(weights, unit, period, reps=REPS, T=4):
    for seed in range(reps):
        yield simulate(weights, "none", unit, period, T=T, seed=seed)


def rejections(designs, **options):
    p = np.array([moran_and_lm(d, **options).p_values for d in designs])
    return (p < LEVEL).mean(axis=0)


@pytest.mark.parametrize("unit", ["none", "fixed"])
@pytest.mark.parametrize("period", ["none", "fixed"])
def test_size_is_nominal(unit, period):
    """Each test rejects in 5 % of panels without dependence: binomial, and .01 for asymptotics."""
    rate = rejections(null_panels(grid_weights(6, 6), unit, period))
    assert (abs(rate - LEVEL) < BINOMIAL + 0.01).all(), rate


def test_size_with_asymmetric_weights_of_different_row_sums():
    near = (knn_weights(36, 4, 3).dense() > 0).astype(float)
    near[:6] = 0  # islands in one direction
    weights = make_weights(near, np.arange(36), "knn", "spectral")
    rate = rejections(null_panels(weights, "fixed", "fixed"))
    assert (abs(rate - LEVEL) < BINOMIAL + 0.01).all(), rate


def test_formulas_for_pooled_data_on_demeaned_data_reject_too_often():
    """With T = 4 the unit effects alone scale the LM-error statistic by 4 / 3."""
    rate = rejections(null_panels(grid_weights(6, 6), "fixed", "none"), transform="direct")
    expected = 2 * 0.04482  # P(chi2_1 > 3.8415 * 3 / 4) = 2 Phi(-1.6974)
    assert abs(rate[2] - expected) < 4 * np.sqrt(expected / REPS) + 0.01
    both = rejections(null_panels(grid_weights(6, 6), "fixed", "fixed"), transform="direct")
    assert both[2] > LEVEL + BINOMIAL


@pytest.mark.parametrize(("kind", "found", "robust", "other"), [("sar", 1, 3, 4), ("sem", 2, 4, 3)])
def test_power_and_which_dependence(kind, found, robust, other):
    """The robust test of what is there finds it, that of the alternative does so less."""
    options = {"T": 8, "rho": 0.3, "beta": 2.0}
    panels = [
        simulate(grid_weights(8, 8), kind, "fixed", "fixed", **options, seed=s) for s in range(60)
    ]
    designs = [with_kind(panel, "none") for panel in panels]
    rate = rejections(designs)
    assert rate[0] > 0.95
    assert rate[found] > 0.95
    assert rate[robust] > 0.9
    assert rate[other] < rate[robust] - 0.3


@pytest.mark.parametrize(
    "weights", [grid_weights(4, 5), knn_weights(20, 4, 2)], ids=["grid", "knn"]
)
@pytest.mark.parametrize("kind", ["sar", "sem"])
def test_lm_statistic_is_the_score_of_the_transformed_likelihood(weights, kind):
    """d log L / d rho at 0 of the likelihood that spatial_ml maximises, over its information."""
    design = simulate(weights, kind, "fixed", "fixed", T=5, rho=0.2, seed=1)
    at = profile(design, setup(design, "fixed", "fixed", "lee_yu", "lag_first"), spectrum(weights))
    h = 1e-3
    score = (
        8 * (at(h, 1).loglik - at(-h, 1).loglik) - (at(2 * h, 1).loglik - at(-2 * h, 1).loglik)
    ) / (12 * h)
    N, T = 20, 5
    J = np.eye(N) - 1 / N
    inner = J @ weights.dense() @ J
    information = (T - 1) * ((inner**2).sum() + (inner * inner.T).sum())
    if kind == "sar":
        y, x = (np.kron(J, np.eye(T) - 1 / T) @ v.reshape(-1) for v in (design.Y, design.Z[0]))
        b = x @ y / (x @ x)
        sigma2 = ((y - b * x) ** 2).sum() / ((N - 1) * (T - 1))
        lag = np.kron(J @ weights.dense(), np.eye(T)) @ x * b
        lag = lag - x * (x @ lag) / (x @ x)
        information += lag @ lag / sigma2
    found = moran_and_lm(design).statistics[1 if kind == "sar" else 2]
    assert found == pytest.approx(score**2 / information, rel=1e-6)


@pytest.mark.parametrize("unit", ["none", "fixed"])
@pytest.mark.parametrize("period", ["none", "fixed"])
def test_moran_has_exact_moments(unit, period):
    """Mean and variance of e'We / e'e from the dense projection, against the low-rank formulas."""
    weights = knn_weights(12, 3, 2)
    N, T = 12, 4
    design = simulate(weights, "slx", unit, period, T=T, seed=1)
    columns = [z.reshape(-1) for z in design.Z] + [np.ones(N * T)]
    dummies = [np.empty((N * T, 0))]
    if unit == "fixed":
        dummies.append(np.kron(np.eye(N), np.ones((T, 1))))
    if period == "fixed":
        dummies.append(np.kron(np.ones((N, 1)), np.eye(T)))
    X = np.hstack([np.column_stack(columns), *dummies])
    M = np.eye(N * T) - X @ np.linalg.pinv(X)
    W = np.kron(weights.dense(), np.eye(T))
    e = M @ design.Y.reshape(-1)
    A = M @ (W + W.T) @ M / 2
    df = np.trace(M)
    mean = np.trace(A) / df
    variance = (2 * np.trace(A @ A) + np.trace(A) ** 2) / (df * (df + 2)) - mean**2
    found = moran_and_lm(design)
    scale = N * T / W.sum()
    assert found.moran_i == pytest.approx(scale * (e @ W @ e) / (e @ e))
    assert found.moran_expected == pytest.approx(scale * mean)
    z = ((e @ W @ e) / (e @ e) - mean) / np.sqrt(variance)
    assert found.statistics[0] == pytest.approx(z)


def test_direct_version_equals_spreg_on_demeaned_data():
    """spreg divides by n - k, not n, and its LM-lag has tr(W'W + WW) squared, not times T (1.9.1).

    With both undone, the same four numbers.
    """
    import libpysal
    import spreg
    from scipy.sparse import csr_matrix

    weights, T = grid_weights(5, 5), 6
    design = simulate(weights, "sar", "fixed", "none", T=T, seed=2)

    def long(v):
        return (v - v.mean(axis=1, keepdims=True)).T.reshape(-1, 1)

    y, x = long(design.Y), long(design.Z[0])
    W = libpysal.weights.WSP(csr_matrix(weights.matrix)).to_W(silence_warnings=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its condition number may be complex by rounding
        tests = (spreg.panel_LMlag, spreg.panel_LMerror, spreg.panel_rLMlag, spreg.panel_rLMerror)
        peers = [test(y, x, W)[0] for test in tests]
    dense = np.kron(np.eye(T), weights.dense())
    trace = (weights.dense() ** 2).sum() + (weights.dense() * weights.dense().T).sum()
    b = (x * y).sum() / (x * x).sum()
    e, lag = y - b * x, dense @ x * b
    lag = lag - x * (x * lag).sum() / (x * x).sum()

    def formulas(n, in_lag):
        sigma2 = (e * e).sum() / n
        lags, errors = (e * (dense @ y)).sum() / sigma2, (e * (dense @ e)).sum() / sigma2
        extra, t = (lag * lag).sum() / sigma2, T * trace
        share = t / (extra + t)
        return [
            lags**2 / (extra + in_lag),
            errors**2 / t,
            (lags - errors) ** 2 / extra,
            (errors - share * lags) ** 2 / (t * (1 - share)),
        ]

    ours = moran_and_lm(design, transform="direct").statistics[1:]
    assert ours == pytest.approx(formulas(25 * T, T * trace))
    assert peers == pytest.approx(formulas(25 * T - 2, trace**2))


def test_without_regressors_only_the_error_can_be_tested():
    design = simulate(grid_weights(4, 4), "none", "fixed", "fixed")
    bare = spatial_design(base_design(design.Y, np.empty((0, 16, 6))), design.weights, "none")
    found = moran_and_lm(bare)
    assert np.isfinite(found.statistics[[0, 2]]).all()
    assert np.isnan(found.statistics[[1, 3, 4]]).all()
    assert list(found.table()["test"])[:3] == ["Moran's I", "LM lag", "LM error"]
