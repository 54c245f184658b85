"""log|I - rho W| by every method against a dense determinant; bounds, slopes, intervals."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import near, simulated, within_reach
from scipy.stats import binom

from bayesdid.exceptions import InputError
from bayesdid.inference.exact.durbin_fit import draw_durbin
from bayesdid.spatial.operators.logdet import log_determinant, narrowed
from bayesdid.spatial.weights.weights import make_weights, spectral_radius
from cells import slow_but

N = 40


def of(matrix, normalisation="row", name="made"):
    return make_weights(matrix, np.arange(len(matrix)), name, normalisation)


def acyclic(n=N, seed=3):
    """A directed acyclic graph in random order of its units: nilpotent."""
    rng = np.random.default_rng(seed)
    A = np.tril(rng.random((n, n)) < 4 / n, -1) * rng.uniform(0.5, 2, (n, n))
    order = rng.permutation(n)
    return A[np.ix_(order, order)]


def cycle(n=N):
    """A directed cycle: all eigenvalues on the unit circle, two of them real."""
    return np.roll(np.eye(n), 1, axis=1)


def bipartite(seed=4):
    """Edges between two halves only: eigenvalues come in pairs of both signs."""
    rng = np.random.default_rng(seed)
    M = np.zeros((N, N))
    M[: N // 2, N // 2 :] = (rng.random((N // 2, N // 2)) < 0.2) + np.eye(N // 2)
    return M + M.T


def disconnected():
    """Two clouds that know nothing of each other, and ten pairs."""
    M = np.zeros((N, N))
    M[:10, :10], M[10:20, 10:20] = near(10, 3, 1).dense(), within_reach(10, 0.6, 2).dense()
    M[20:, 20:] = np.kron(np.eye(10), np.ones((2, 2)) - np.eye(2))
    return M


WEIGHTS = {
    "symmetric, as it stands": within_reach(N, 0.25, normalisation="none"),
    "symmetric, tiny numbers": of(within_reach(N, 0.3).dense() * 1e-13, "none"),
    "row-normalised symmetric": within_reach(N, 0.4),
    "with islands": within_reach(N, 0.12),
    "nearest": near(N),
    "nearest, as it stands": near(N, 3, 2, "none"),
    "nearest, spectral": near(N, 3, 1, "spectral"),
    "symmetric, spectral": within_reach(N, normalisation="spectral"),
    "min-max": within_reach(N, normalisation="min-max"),
    "nearest, min-max": near(N, 5, 4, "min-max"),
    "acyclic": of(acyclic()),
    "disconnected": of(disconnected()),
    "bipartite": of(bipartite()),
    "directed cycle": of(cycle()),
    "complete": of(np.ones((N, N)) - np.eye(N)),
    "one link": of(np.eye(N, k=1) * (np.arange(N) == 3)[:, None]),
    "a zero column": of(near(N).dense() * (np.arange(N) != 7), "spectral"),
}
SYMMETRISABLE = {
    "symmetric, as it stands",
    "symmetric, tiny numbers",
    "row-normalised symmetric",
    "with islands",
    "symmetric, spectral",
    "min-max",
    "acyclic",
    "bipartite",
    "complete",
    "one link",
}
EVERY = [
    (name, method)
    for name in WEIGHTS
    for method in ("eigenvalues", "sparse_lu", "trace", "chebyshev")
    if method != "chebyshev" or name in SYMMETRISABLE
]


def dense(weights, rho):
    """log|I - rho W| by Gaussian elimination, shape of rho, and the determinants' signs."""
    W = weights.dense()
    signs, logs = np.linalg.slogdet(np.eye(len(W)) - np.asarray(rho)[:, None, None] * W)
    return logs, signs


def inside(interval, share=0.95, count=41):
    middle, half = (interval.high + interval.low) / 2, (interval.high - interval.low) / 2
    return middle + share * half * np.linspace(-1, 1, count)


@pytest.mark.parametrize(("name", "method"), EVERY)
def test_every_method_is_the_determinant_within_its_error(name, method):
    """Rounding of 40 eigenvalues of size 1 / share from singular: 40 * 20 * eps < 1e-12.

    Eigenvalues of a defective matrix are off by roots of eps, their symmetric functions are not:
    1e-9 leaves room. Stochastic bounds are three standard errors at one seed.
    """
    weights = WEIGHTS[name]
    found = log_determinant(weights, method)
    rho = inside(found.interval, 0.9 if method in {"trace", "chebyshev"} else 0.999)
    off = abs(found.value(rho) - dense(weights, rho)[0])
    assert (off <= found.error(rho) + 1e-9).all()
    if method in {"eigenvalues", "sparse_lu"}:
        assert off.max() < 1e-3


@pytest.mark.parametrize(("name", "method"), EVERY)
def test_the_slope_is_the_derivative_and_minus_the_trace(name, method):
    """Central differences of step h: error h^2 f''' / 6 + eps N / h, with f''' at most 2 N / gap^3.

    h = 1e-5 of the interval's width and gap above a tenth of it: relative error below 1e-6.
    """
    weights = WEIGHTS[name]
    found = log_determinant(weights, method)
    rho, width = inside(found.interval, 0.8, 15), found.interval.high - found.interval.low
    h = 1e-5 * width
    numeric = (found.value(rho + h) - found.value(rho - h)) / (2 * h)
    size = max(abs(numeric).max(), 1 / width)
    assert abs(found.slope(rho) - numeric).max() < 1e-5 * size
    if method in {"eigenvalues", "sparse_lu"}:
        W = weights.dense()
        traces = [np.trace(np.linalg.solve(np.eye(N) - r * W, W)) for r in rho]
        assert abs(found.slope(rho) + traces).max() < 1e-3 * size


@pytest.mark.parametrize(
    ("name", "method"),
    slow_but(
        [
            ("row-normalised symmetric", "chebyshev"),
            ("bipartite", "chebyshev"),
            ("symmetric, spectral", "trace"),
            ("nearest", "trace"),
            ("with islands", "trace"),
            ("directed cycle", "trace"),
        ],
        ("bipartite", "chebyshev"),
        ("nearest", "trace"),
    ),
)
def test_stochastic_bounds_hold_for_nearly_every_seed(name, method):
    """|t| of 39 degrees of freedom exceeds 3 with probability 0.005; declared false alarms: 2 %.

    Forty signs are skewed a little. More misses in 150 seeds than binom(150, 0.02) has with
    probability 1 - 1e-5 mean a bound that does not hold.
    """
    weights, seeds = WEIGHTS[name], 150
    exact = log_determinant(weights)
    missed = np.zeros(3)
    for seed in range(seeds):
        found = log_determinant(weights, method, seed=seed)
        rho = np.array([-0.7, 0.5, 0.9]) * found.interval.high
        missed += abs(found.value(rho) - exact.value(rho)) > found.error(rho) + 1e-9
    assert missed.max() <= binom.ppf(1 - 1e-5, seeds, 0.02)


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize(
    "window",
    [(0.6, 0.65), (0.3, 0.9), (0.5, 0.9999), (1e-4, 1 - 1e-6), (0.999, 1 - 1e-7), (0.01, 0.4)],
)
def test_a_narrowed_log_determinant_is_accurate(name, window):
    """To 1e-6, however near the window comes to a singular end. Windows are shares of the interval.

    1e-7 from a singular matrix the last pivot of either factorisation has lost seven digits.
    """
    weights = WEIGHTS[name]
    coarse = log_determinant(weights, "sparse_lu")
    low, high = (
        coarse.interval.low + (coarse.interval.high - coarse.interval.low) * w for w in window
    )
    found = narrowed(coarse, low, high)
    rho = low + (high - low) * np.concatenate(
        [
            np.linspace(1e-3, 1 - 1e-3, 101),
            np.geomspace(1e-6, 1e-3, 20),
            1 - np.geomspace(1e-6, 1e-3, 20),
        ]
    )
    off = abs(found.value(rho) - dense(weights, rho)[0])
    assert off.max() < 1e-6
    assert (off <= found.error(rho) + 3e-8).all()


@pytest.mark.parametrize("name", ["nearest", "row-normalised symmetric", "nearest, spectral"])
def test_interpolation_does_not_run_away_at_the_ends(name):
    """A polynomial beyond its nodes is worth nothing: the search for the posterior goes there."""
    weights = WEIGHTS[name]
    found, exact = log_determinant(weights, "sparse_lu"), log_determinant(weights)
    ends, width = found.interval, found.interval.high - found.interval.low
    rho = np.concatenate(
        [
            ends.low + width * np.geomspace(1.2e-7, 1e-3, 30),
            ends.high - width * np.geomspace(1.2e-7, 1e-3, 30),
        ]
    )
    # beyond the nodes, 1e-4 from the ends, log(1 - rho / end) still falls by up to 7
    assert abs(found.value(rho) - exact.value(rho)).max() < 3


@pytest.mark.parametrize("kind", ["sdm", "sem"])
@pytest.mark.parametrize("weights", [near(60), near(60, 3, 1, "spectral"), within_reach(60)])
def test_a_posterior_by_sparse_lu_is_that_by_eigenvalues(weights, kind):
    """Same seed, same quadrature: the log-determinants differ by less than 1e-6 of T = 6."""
    design = simulated(weights, kind, T=6)
    exact, other = (
        draw_durbin(dataclasses.replace(design, known_logdet=log_determinant(weights, m)), size=500)
        for m in ("eigenvalues", "sparse_lu")
    )
    assert other.converged
    assert other.log_evidence == pytest.approx(exact.log_evidence, abs=1e-5)
    assert np.allclose(other.rho, exact.rho, atol=1e-4 * exact.rho.std())


def test_more_than_1500_units_take_sparse_lu_and_find_rho():
    """sd of rho near 1 / sqrt(N T): its bound of 4.5 sd fails once in 150,000 correct fits."""
    design = simulated(near(1600, 5), "sar", T=3, rho=0.4)
    fit = draw_durbin(design, size=1000)
    assert design.logdet.method == "sparse_lu"
    assert fit.converged
    assert abs(fit.rho.mean() - 0.4) < 4.5 * fit.rho.std()


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_interval_ends_where_the_matrix_is_singular_and_not_before(name):
    weights = WEIGHTS[name]
    W, interval = weights.dense(), log_determinant(weights).interval
    grid = np.concatenate([inside(interval, 1 - 1e-6, 201), inside(interval, 0.999, 200)])
    logs, signs = dense(weights, grid)
    assert np.isfinite(logs).all()
    assert (signs == 1).all()  # as at rho = 0: no eigenvalue of I - rho W has passed through zero
    values = np.linalg.eigvals(W)
    radius = abs(values).max()
    real = values.real[abs(values.imag) < 1e-7 * max(radius, 1e-300)]
    for end, extreme in ((interval.low, real.min(initial=0)), (interval.high, real.max(initial=0))):
        if abs(extreme) > 1e-6 * radius:
            smallest = np.linalg.svd(np.eye(N) - end * W, compute_uv=False)[-1]
            assert smallest < 1e-7
        else:  # no real eigenvalue of that sign: nothing is singular there
            assert abs(end) == pytest.approx(1 / radius if radius > 1e-12 else 1.0)


def test_complex_eigenvalues_leave_a_wider_interval():
    """Only real eigenvalues can make I - rho W singular (LeSage & Pace 2009, section 4.3.2)."""
    for seed in range(5):
        weights = near(N, 3, seed)
        ends = log_determinant(weights).interval
        assert ends.high == pytest.approx(1.0)
        assert ends.low <= -1 + 1e-9
        sparse = log_determinant(weights, "sparse_lu").interval
        assert sparse.high == pytest.approx(1.0)
        # an iteration that misses a real eigenvalue leaves a part of the interval, never more
        assert ends.low - 1e-6 <= sparse.low <= -1 + 1e-9
    assert ends.low < -1.1


@pytest.mark.parametrize("method", ["auto", "eigenvalues", "sparse_lu", "chebyshev", "trace"])
@pytest.mark.parametrize("n", [5, 60, 500])
def test_acyclic_weights_have_determinant_one(method, n):
    weights = of(acyclic(n))
    assert spectral_radius(weights.matrix) == 0
    found = log_determinant(weights, method)
    assert (found.interval.low, found.interval.high) == (-1, 1)
    rho = np.linspace(-0.9, 0.9, 5)
    assert abs(found.value(rho)).max() < 1e-12
    assert abs(found.slope(rho)).max() < 1e-12


@pytest.mark.parametrize("method", ["eigenvalues", "sparse_lu", "trace"])
@pytest.mark.parametrize("n", [3, 4, 6, 13, 14, 15])
def test_a_handful_of_units(method, n):
    weights = near(n, 1 if n == 3 else 2)
    found = log_determinant(weights, method)
    rho = inside(found.interval, 0.7, 9)
    off = abs(found.value(rho) - dense(weights, rho)[0])
    # at so few units 40 signs are far from normal: five standard errors
    assert (off <= 5 / 3 * found.error(rho) + 1e-6).all()


def test_many_equal_eigenvalues_do_not_underflow():
    """Forty-seven pairs: (1 - rho)^47 is below the smallest number, its logarithm is not."""
    pairs = of(np.kron(np.eye(47), np.ones((2, 2)) - np.eye(2)))
    for gap in (1e-7, 1e-9, 1e-12):
        rho = np.array([1 - gap])
        expected = 47 * (np.log(1 - rho) + np.log1p(rho))  # 1 - rho as it is rounded
        # rounding of the eigenvalue 1, relative to the gap
        assert log_determinant(pairs).value(rho) == pytest.approx(expected, abs=47 * 1e-15 / gap)


def test_outside_the_interval_there_is_no_density():
    for method in ("eigenvalues", "sparse_lu", "chebyshev", "trace"):
        found = log_determinant(WEIGHTS["row-normalised symmetric"], method)
        outside = np.array([found.interval.low * 1.001, found.interval.high * 1.001, 5.0])
        assert (found.value(outside) == -np.inf).all()


def test_unknown_methods_and_complex_chebyshev_are_refused():
    with pytest.raises(InputError, match="unknown method"):
        log_determinant(near(10), "magic")
    with pytest.raises(InputError, match="real eigenvalues"):
        log_determinant(near(10), "chebyshev")


@st.composite
def any_weights(draw):
    """Sparse weights of any kind of graph, at least one link."""
    n = draw(st.integers(3, 14))
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    M = (rng.random((n, n)) < draw(st.floats(0.1, 0.9))) * rng.uniform(0.1, 3, (n, n))
    M = M + M.T if draw(st.booleans()) else M
    np.fill_diagonal(M, 0)
    M[0, 1] += 1
    return of(M, draw(st.sampled_from(["row", "min-max", "none"]))), rng


@settings(max_examples=40, deadline=None)
@given(any_weights(), st.floats(-0.99, 0.99), st.floats(-6, 6))
def test_order_and_scale_of_the_weights_do_not_matter(made, share, power):
    """log|I - rho cW| = log|I - c rho W|; a permutation of units changes nothing.

    Eigenvalues of nearly defective matrices move by sqrt(eps) or worse, and ends of the interval
    with them; the determinant's rounding stays eps over the distance from singular, here 1 %.
    """
    weights, rng = made
    found = log_determinant(weights)
    limit = found.interval.high if share > 0 else -found.interval.low
    rho = np.array([share * min(limit, 2 / max(spectral_radius(weights.matrix), 1e-3))])
    order = rng.permutation(weights.n)
    shuffled = dataclasses.replace(
        weights, matrix=weights.matrix[order][:, order], units=weights.units[order]
    )
    assert log_determinant(shuffled).value(rho) == pytest.approx(found.value(rho), abs=1e-8)
    c = 10.0**power
    scaled = dataclasses.replace(weights, matrix=weights.matrix * c)
    if spectral_radius(weights.matrix) > 0:
        other = log_determinant(scaled)
        assert other.value(rho / c) == pytest.approx(found.value(rho), abs=1e-8)
        assert other.slope(rho / c) == pytest.approx(c * found.slope(rho), rel=1e-6, abs=1e-8 * c)
        assert other.interval.high * c == pytest.approx(found.interval.high, rel=1e-5)
