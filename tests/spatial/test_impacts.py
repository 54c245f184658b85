"""Direct, indirect and total effects against the whole matrix, by brute force."""

import dataclasses

import numpy as np
import pytest
from planted import near, within_reach

from bayesdid.spatial.operators.impacts import (
    by_order,
    multipliers,
    received,
    row_sum_note,
    smooth,
    solved,
)
from bayesdid.spatial.operators.logdet import log_determinant
from bayesdid.spatial.weights.weights import make_weights

N = 25
RNG = np.random.default_rng(11)


def of(matrix, normalisation="row"):
    return make_weights(matrix, np.arange(len(matrix)), "made", normalisation)


WEIGHTS = {
    "nearest": near(N),
    "symmetric": within_reach(N, 0.6),
    "islands": within_reach(N, 0.15),
    "as it stands": within_reach(N, 0.3, normalisation="none"),
    "nearest, as it stands": near(N, 3, 2, "none"),
    "spectral": within_reach(N, 0.3, normalisation="spectral"),
    "nearest, one row doubled": of(near(N).dense() * (1 + (np.arange(N) == 4))[:, None], "none"),
    "min-max": within_reach(N, 0.3, normalisation="min-max"),
    "acyclic": of(np.tril(RNG.random((N, N)) < 0.15, -1) * 1.0),
    "one link": of(np.eye(N, k=1) * (np.arange(N) == 3)[:, None]),
    "dense, unequal": of(RNG.random((N, N)) * (1 - np.eye(N)), "spectral"),
    "tiny numbers": of(within_reach(N, 0.3, normalisation="none").dense() * 1e-14, "none"),
    "huge numbers": of(within_reach(N, 0.3, normalisation="none").dense() * 1e5, "none"),
}
# every row of these sums to one
EQUAL = {name for name, w in WEIGHTS.items() if np.allclose(w.dense().sum(axis=1), 1, atol=1e-12)}


def draws(weights, size=40, share=0.9, seed=0):
    """Draws of rho all over its interval, of beta and theta."""
    rng = np.random.default_rng(seed)
    ends = log_determinant(weights).interval
    rho = share * np.where((u := rng.uniform(-1, 1, size)) > 0, u * ends.high, -u * ends.low)
    unit = max(weights.row_sums.max(), 1e-300)  # theta in units of W's numbers
    return rho, rng.normal(size=size), rng.normal(size=size) / unit


def whole(weights, rho, beta, theta):
    """``(I - rho W)^-1 (beta I + theta W)``, shape (S, N, N)."""
    W, eye = weights.dense(), np.eye(weights.n)
    return np.stack(
        [
            np.linalg.solve(eye - r * W, b * eye + t * W)
            for r, b, t in zip(rho, beta, theta, strict=True)
        ]
    )


@pytest.mark.parametrize("name", WEIGHTS)
def test_effects_are_means_over_the_whole_matrix(name):
    """Rounding: eps times the condition of I - rho W, here below 1e4; interpolation 1e-10."""
    weights = WEIGHTS[name]
    rho, beta, theta = draws(weights)
    M = whole(weights, rho, beta, theta)
    found = multipliers(weights, log_determinant(weights), rho).effects(beta, theta)
    size = abs(M).sum(axis=2).mean(axis=1)
    assert (abs(found.direct - np.trace(M, axis1=1, axis2=2) / N) < 1e-8 * size).all()
    assert (abs(found.total - M.sum(axis=2).mean(axis=1)) < 1e-8 * size).all()
    assert np.allclose(found.direct + found.indirect, found.total, rtol=1e-12, atol=1e-13)
    off_diagonal = M.sum(axis=(1, 2)) / N - np.trace(M, axis1=1, axis2=2) / N
    assert (abs(found.indirect - off_diagonal) < 2e-8 * size).all()


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_textbook_total_is_right_only_if_rows_sum_to_one(name):
    """(beta + theta) / (1 - rho) is the total effect if and only if all row sums are one."""
    weights = WEIGHTS[name]
    rho = np.linspace(0.1, 0.8, 5) * min(log_determinant(weights).interval.high, 1.0)
    beta, theta = np.ones(5), np.full(5, 0.5)
    total = multipliers(weights, log_determinant(weights), rho).effects(beta, theta).total
    off = abs((beta + theta) / (1 - rho) / total - 1).min()
    if name in EQUAL:
        assert off < 1e-9
        assert row_sum_note(weights) is None
    else:
        assert off > 1e-3
        note = row_sum_note(weights)
        assert note.count == (abs(weights.dense().sum(axis=1) - 1) > 1e-9).sum()
        assert "not to one" in note.text


def test_both_sorts_of_weights_were_tried():
    assert 2 <= len(EQUAL) <= len(WEIGHTS) - 8


@pytest.mark.parametrize("name", WEIGHTS)
def test_without_a_lag_of_y_effects_are_beta_and_theta(name):
    weights = WEIGHTS[name]
    _, beta, theta = draws(weights)
    found = multipliers(weights, None, np.zeros_like(beta)).effects(beta, theta)
    assert np.array_equal(found.direct, beta)
    assert np.allclose(found.indirect, theta * weights.dense().sum() / N, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("name", WEIGHTS)
def test_orders_are_matrix_powers_and_add_up(name):
    """At |rho| of 0.4 of 1 / radius, what orders above 40 carry is below 0.4^40 / 0.6 = 2e-16."""
    weights = WEIGHTS[name]
    W, logdet = weights.dense(), log_determinant(weights)
    radius = max(abs(np.linalg.eigvals(W)).max(), 0.3)
    rho = np.array([0.4, -0.4, 0.0, 0.1]) / radius
    beta, theta = np.array([1.0, -2.0, 0.5, 0.3]), np.array([0.5, 1.0, 2.0, -1.0]) / radius
    direct, total = by_order(weights, logdet, rho, beta, theta, 40)
    power = np.eye(N)
    for q in range(7):
        c = rho**q * beta + (rho ** (q - 1) * theta if q > 1 else q * theta)
        assert np.allclose(direct[q], c * np.trace(power) / N, rtol=1e-7, atol=1e-9)
        assert np.allclose(total[q], c * power.sum() / N, rtol=1e-9, atol=1e-12)
        power = power @ W
    found = multipliers(weights, logdet, rho).effects(beta, theta)
    assert np.allclose(direct.sum(axis=0), found.direct, rtol=1e-7)
    assert np.allclose(total.sum(axis=0), found.total, rtol=1e-9)
    left = abs(total.cumsum(axis=0) - found.total).max(axis=1)
    assert left[40] <= left[20] <= left[10] <= left[0]


def test_orders_of_large_weights_have_monte_carlo_traces_beyond_the_second():
    """200 random signs: sd of a mean of z'Az / N is sqrt(2 |A + A'|^2 / 4 / 200) / N."""
    weights = near(60)
    one = np.ones(1)
    direct, _ = by_order(weights, log_determinant(weights, "sparse_lu"), one, one, 0.0, 5)
    A = weights.dense()
    for q in range(6):
        P = np.linalg.matrix_power(A, q)
        S = (P + P.T) / 2
        sd = np.sqrt(2 * (S**2).sum() / 200) / 60 if q > 2 else 0.0
        assert abs(direct[q, 0] - np.trace(P) / 60) <= 4.5 * sd + 1e-12


@pytest.mark.parametrize("name", WEIGHTS)
def test_what_units_receive(name):
    weights = WEIGHTS[name]
    rho, beta, theta = draws(weights, seed=1)
    treated = (np.arange(N) % 3 == 0).astype(float)
    M = whole(weights, rho, beta, theta)
    expected = M @ treated - np.einsum("sii->si", M) * treated
    found = received(weights, rho, beta, theta, treated)
    size = abs(M).sum(axis=2).mean(axis=1, keepdims=True)
    assert (abs(found - expected) < 1e-8 * size.max()).all()
    assert np.allclose(
        received(weights, rho, beta, 0.0, treated),
        received(weights, rho, beta, np.zeros_like(beta), treated),
    )


@pytest.mark.parametrize(
    ("low", "high"),
    [(-0.5, 0.5), (0.5, 0.99), (-0.9999, 0.9999), (0.9, 1 - 1e-6), (-0.2, 1 - 1e-9), (0.3, 0.3)],
)
def test_smooth_is_accurate_next_to_a_pole(low, high):
    """Relative to the largest value near a draw: a draw far from the pole is not spoilt by it."""
    rho = np.random.default_rng(0).uniform(low, high, 300)
    rho[:2] = low, high
    for f in (lambda r: 1 / (1 - r), lambda r: -np.log1p(-r), np.exp):
        found = smooth(f, rho)
        assert (abs(found - f(rho)) <= 1e-7 * abs(f(rho)) + 1e-9).all()
    found = smooth(lambda r: np.stack([1 / (1 - r), r], -1)[:, :, None] * np.ones(3), rho)
    assert found.shape == (300, 2, 3)
    assert np.allclose(found[:, 1], rho[:, None], rtol=1e-6)


@pytest.mark.parametrize("name", ["nearest", "spectral", "islands", "as it stands"])
def test_one_draw_next_to_the_bound_does_not_spoil_the_others(name):
    """A wide posterior reaches the bound: every draw's effects are still those of its matrix.

    Rounding at the draw 1e-6 from singular: eps / 1e-6 relative, below 1e-9.
    """
    weights = WEIGHTS[name]
    rho, beta, theta = draws(weights, 400)
    ends = log_determinant(weights).interval
    rho[:2] = ends.low * (1 - 1e-6), ends.high * (1 - 1e-6)
    M = whole(weights, rho, beta, theta)
    found = multipliers(weights, log_determinant(weights), rho).effects(beta, theta)
    size = abs(M).sum(axis=2).mean(axis=1)
    assert (abs(found.direct - np.trace(M, axis1=1, axis2=2) / N) < 1e-7 * size).all()
    assert (abs(found.total - M.sum(axis=2).mean(axis=1)) < 1e-7 * size).all()


def test_solved_is_the_same_for_sparse_and_dense_weights():
    """nnz below and above a tenth of N^2 take different routes."""
    right = np.random.default_rng(0).normal(size=(60, 2))
    rho = np.array([-0.8, 0.0, 0.7])
    for weights in (near(60), within_reach(60, 0.8)):
        expected = [np.linalg.solve(np.eye(60) - r * weights.dense(), right) for r in rho]
        assert np.allclose(solved(weights, rho, right), expected, rtol=1e-10, atol=1e-12)
    assert near(60).matrix.nnz < 360 < within_reach(60, 0.8).matrix.nnz


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_order_and_the_scale_of_weights_do_not_matter(name):
    weights = WEIGHTS[name]
    rho, beta, theta = draws(weights)
    order = np.random.default_rng(5).permutation(N)
    shuffled = dataclasses.replace(
        weights, matrix=weights.matrix[order][:, order], units=weights.units[order]
    )
    scaled = dataclasses.replace(weights, matrix=weights.matrix * 1e-9)
    one = multipliers(weights, log_determinant(weights), rho).effects(beta, theta)
    other = multipliers(shuffled, log_determinant(shuffled), rho).effects(beta, theta)
    if name not in {"acyclic", "one link"}:  # their interval is not scaled: any rho will do
        third = multipliers(scaled, log_determinant(scaled), rho * 1e9).effects(beta, theta * 1e9)
        for part in ("direct", "total"):
            assert np.allclose(getattr(one, part), getattr(third, part), rtol=1e-7, atol=1e-9)
    for part in ("direct", "indirect", "total"):
        assert np.allclose(getattr(one, part), getattr(other, part), rtol=1e-7, atol=1e-9)
    treated = (np.arange(N) % 3 == 0).astype(float)
    assert np.allclose(
        received(weights, rho, beta, theta, treated)[:, order],
        received(shuffled, rho, beta, theta, treated[order]),
        atol=1e-7,
    )
