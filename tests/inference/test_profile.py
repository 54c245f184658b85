"""Spillover over distance: the exact engine against the model as written and against quadrature."""

import dataclasses

import numpy as np
import pytest
from distances import adoption, design_of, places, planted
from numpy.testing import assert_allclose

import bayesdid as bd
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.inference.exact.profile import prior_profiles
from bayesdid.inference.exact.profile_target import log_evidence, profile_target, with_share
from bayesdid.model.priors import PriorChoice
from bayesdid.model.spillover import NUGGET, correlation, profile_design
from bayesdid.spatial.weights.rings import exposures, make_rings, ring_impacts
from bayesdid.spatial.weights.weights import make_weights
from engines_agree import same_posterior


def helps_then_harms(d):
    return np.where(d < 400, -0.25 * np.cos(np.pi * d / 800), 0.12 * (d < 700))


@pytest.fixture(scope="module")
def small():
    """40 units on 1000 x 800 km, rings of 100 km to 700 km, a covariate, inverse distances."""
    rng = np.random.default_rng(11)
    d = places(rng, 40, 1000.0, 800.0)
    D = adoption(rng, 40, 8, share=0.5)
    x = rng.standard_normal(D.shape)
    W = make_weights(np.where(np.eye(40) > 0, 0.0, 1 / (d + np.eye(40))), np.arange(40))
    Y = planted(rng, d, D, helps_then_harms, rho=0.3, W=W.dense()) + 0.3 * x
    return d, D, x, Y, W


def made(small, lag=True, **options):
    d, D, x, Y, W = small
    return profile_design(
        design_of(Y, D, [x]), d, last_km=700.0, weights=W if lag else None, **options
    )


def flat(tree, name):
    values = tree["posterior"][name].to_numpy()
    return values.reshape(-1, *values.shape[2:])


def test_rings_count_every_pair_once_and_exposure_is_a_count():
    rng = np.random.default_rng(0)
    d, D = places(rng, 30, 900.0, 900.0), adoption(rng, 30, 6)
    rings = make_rings(d, 100.0, 800.0)
    off = ~np.eye(30, dtype=bool)
    assert rings.pairs.sum() + rings.beyond == 30 * 29
    assert rings.pairs[2] == ((d > 200) & (d <= 300) & off).sum()
    E = exposures(rings, D)
    by_hand = sum(D[j] for j in range(30) if j != 4 and 200 < d[4, j] <= 300)
    assert_allclose(E[2, 4], by_hand)
    inside = ((d > 200) & (d <= 300))[4].sum()
    assert_allclose(exposures(rings, D, "share")[2, 4], by_hand / max(inside, 1))


def test_on_a_map_that_the_rings_cover_a_constant_profile_is_the_direct_effect():
    """The treated at home and elsewhere add up to all treated, a period effect."""
    rng = np.random.default_rng(0)
    d, D = places(rng, 30, 300.0, 300.0), adoption(rng, 30, 6)
    design = profile_design(design_of(rng.standard_normal(D.shape), D), d, last_km=500.0)
    assert_allclose(design.E.sum(axis=0), -design.X[0], atol=1e-12)
    assert "no_far_pairs" in {note.name for note in design.notes}


def test_empty_rings_are_their_prior(small):
    d, D, _, Y, _ = small
    design = profile_design(design_of(Y, D), np.where(d > 0, d + 300, 0.0), last_km=1000.0)
    assert "empty_rings" in {note.name for note in design.notes}
    assert (design.rings.pairs[:3] == 0).all()
    theta = flat(bd.fit(design, draws=500).tree, "theta")
    assert np.isfinite(theta).all()
    assert theta[:, 0].std() > theta[:, 5].std()


def dense_evidence(design, a, length, rho=None, omega=None):
    """The marginal t density of the data at fixed scalars, without any of the engine's algebra.

    Orthonormal bases of the within space in units and periods make the data (N-1)(T-1) numbers
    with covariance sigma^2 (I + X V X' + a^2 E K E'), and p(sigma^2) = 1 / sigma^2.
    """
    N, T = design.Y.shape
    basis = [np.linalg.svd(np.eye(m) - 1 / m)[0][:, : m - 1] for m in (N, T)]

    def inner(A):
        return (basis[0].T @ A @ basis[1]).ravel()

    X = np.stack([inner(A) for A in design.X])
    E = np.stack([inner(A) for A in design.E])
    middle = design.rings.middle
    K = correlation(design.kernel, np.abs(middle[:, None] - middle), np.array([length]))[0]
    K = K + NUGGET * np.eye(len(K))
    sd = design.priors.coefficient_sd
    cov = np.eye(X.shape[1]) + (X.T * sd**2) @ X + a**2 * E.T @ K @ E
    y = inner(design.Y) if rho is None else inner(design.Y - rho * design.WY)
    nu = len(y)
    # int N(y; 0, s C) ds / s = Gamma(nu/2) (pi y'C^-1 y)^(-nu/2) |C|^(-1/2)
    from scipy.special import gammaln

    value = gammaln(nu / 2) - nu / 2 * np.log(np.pi * (y @ np.linalg.solve(cov, y)))
    value -= 0.5 * np.linalg.slogdet(cov)[1]
    if rho is not None:
        jacobian = np.eye(N) - rho * omega
        if np.ptp(omega.sum(axis=1)) < 1e-9:  # else flat period effects of the structural form
            jacobian = basis[0].T @ jacobian @ basis[0]
        value += (T - 1) * np.linalg.slogdet(jacobian)[1]
    return value


@pytest.mark.parametrize("normalisation", ["row", "spectral"])
def test_density_is_the_dense_one(small, normalisation):
    d, D, x, Y, W = small
    raw = np.where(np.eye(40) > 0, 0.0, 1 / (d + np.eye(40)))
    design = made((d, D, x, Y, make_weights(raw, W.units, normalisation=normalisation)))
    assert ("uneven_rows" in {n.name for n in design.notes}) == (normalisation == "spectral")
    target = profile_target(design)
    for a, length, share in ((0.05, 200.0, 0.3), (0.3, 80.0, 0.6), (1.0, 900.0, 0.5)):
        z = np.array([[np.log(a), np.log(length), np.log(share / (1 - share))]])
        rho = target.lag.low + (target.lag.high - target.lag.low) * share
        scale, sd = design.priors.amplitude, design.priors.log_length_sd
        prior = np.log(2 / np.sqrt(2 * np.pi) / scale) - (a / scale) ** 2 / 2 + np.log(a)
        off = (np.log(length) - design.priors.log_length_mean) / sd
        prior += -(off**2) / 2 - np.log(sd * np.sqrt(2 * np.pi)) + np.log(share * (1 - share))
        expected = dense_evidence(design, a, length, rho, design.weights.dense()) + prior
        assert_allclose(target.log_density(z)[0], expected, rtol=1e-8)


@pytest.mark.parametrize("form", ["smooth", "constant"])
def test_evidence_is_that_of_brute_force_quadrature(small, form):
    """The log of a mean of 8000 weights with ESS above 2000 has an sd below sqrt(3 / 8000)."""
    target = profile_target(made(small, lag=False), form)
    a = np.linspace(np.log(target.priors.amplitude) - 9, np.log(target.priors.amplitude) + 2, 221)
    ell = target.priors.log_length_mean + target.priors.log_length_sd * np.linspace(-6, 6, 121)
    if form == "constant":
        values, cell = target.log_density(a[:, None]), a[1] - a[0]
    else:
        mesh = np.stack(np.meshgrid(a, ell, indexing="ij"), axis=-1).reshape(-1, 2)
        values, cell = target.log_density(mesh), (a[1] - a[0]) * (ell[1] - ell[0])
    top = values.max()
    expected = top + np.log(np.exp(values - top).sum() * cell)
    found, gate = log_evidence(target, size=8000)
    assert all(item.passed for item in gate)
    assert abs(found - expected) < 4 * np.sqrt(3 / 8000)


def test_evidence_tends_to_that_of_no_spillover_as_its_prior_narrows(small):
    none, _ = log_evidence(profile_target(made(small), "none"))
    narrow, _ = log_evidence(with_share(profile_target(made(small)), 1e-4))
    assert abs(narrow - none) < 0.06


def test_evidence_finds_planted_spillover_and_no_other(small):
    d, D, x, _, _ = small
    rng = np.random.default_rng(5)

    def factor(theta):
        Y = planted(rng, d, D, theta, sigma=0.5)
        target = profile_target(profile_design(design_of(Y, D, [x]), d, last_km=700.0))
        none = dataclasses.replace(target, form="none")
        return log_evidence(target)[0] - log_evidence(none)[0]

    assert factor(helps_then_harms) > np.log(10)
    factors = [factor(np.zeros_like) for _ in range(10)]
    # P(Bayes factor >= 10 | null) <= 1 / 10: three of ten or more has chance 0.07 at most
    assert (np.array(factors) > np.log(10)).sum() <= 3


def test_order_of_the_units_does_not_matter(small):
    d, D, x, Y, W = small
    order = np.random.default_rng(0).permutation(40)
    shuffled = design_of(Y[order], D[order], [x[order]])
    shuffled = dataclasses.replace(shuffled, units=order)
    other = profile_design(shuffled, d[order][:, order], last_km=700.0, weights=W)
    z = np.array([[-2.0, 5.5, 0.3], [-1.0, 4.5, -0.2]])
    assert_allclose(
        profile_target(other).log_density(z), profile_target(made(small)).log_density(z), rtol=1e-9
    )


def test_units_of_the_outcome_do_not_matter(small):
    d, D, x, Y, W = small
    one = bd.fit(made(small), draws=50, seed=3).tree
    scaled = profile_design(design_of(1000 * Y, D, [x]), d, last_km=700.0, weights=W)
    other = bd.fit(scaled, draws=50, seed=3).tree
    for name in ("theta", "tau", "sigma", "impact"):
        assert_allclose(flat(other, name), 1000 * flat(one, name), rtol=1e-5, atol=1e-6)


def test_fine_profile_runs_through_the_rings(small):
    tree = bd.fit(made(small), draws=50).tree
    assert tree.attrs["converged"]
    assert_allclose(flat(tree, "profile")[:, ::4], flat(tree, "theta"), atol=1e-6)


def test_impacts_by_polynomial_are_the_exact_ones(small):
    design = made(small)
    rng = np.random.default_rng(1)
    rho, tau = rng.uniform(-0.5, 0.85, 300), rng.standard_normal(300)
    theta = rng.standard_normal((300, design.rings.R))
    W = design.weights.dense()
    direct, profile = ring_impacts(design.rings, W, rho, tau, theta)
    member = design.rings.membership()
    for s in (0, 7, 299):
        S = np.linalg.inv(np.eye(40) - rho[s] * W)
        effect = S @ (tau[s] * np.eye(40) + np.tensordot(theta[s], member, axes=1))
        assert_allclose(direct[s], np.trace(effect) / 40, rtol=1e-6)
        assert_allclose(profile[s, 2], effect[design.rings.index == 2].mean(), rtol=1e-5, atol=1e-7)


def test_the_prior_has_the_size_that_is_stated(small):
    """At the half-normal's scale and the median length, spillover varies as the outcome does."""
    design = made(small, lag=False)
    rng = np.random.default_rng(2)
    middle = design.rings.middle
    median = np.exp(design.priors.log_length_mean)
    K = correlation("matern52", np.abs(middle[:, None] - middle), np.array([median]))[0]
    sd = design.priors.amplitude * design.priors.reference
    theta = rng.multivariate_normal(np.zeros(len(K)), sd**2 * K, 4000)
    spill = np.einsum("sr,rnt->snt", theta, design.E)
    ratio = (spill**2).sum(axis=(1, 2)) / (design.Y**2).sum()
    # relative error of the mean square: at most sqrt(2 / 4000) = 0.022
    assert_allclose(ratio.mean(), 1.0, atol=0.09)
    lengths = prior_profiles(design, 4000)["length"]
    assert_allclose((lengths < 150).mean(), 0.05, atol=4 * np.sqrt(0.05 * 0.95 / 4000))
    assert_allclose((lengths > 700).mean(), 0.05, atol=4 * np.sqrt(0.05 * 0.95 / 4000))


@pytest.mark.sampling
@pytest.mark.parametrize(
    ("kernel", "lag", "priors"),
    [
        pytest.param("matern52", True, PriorChoice(), marks=pytest.mark.slow),
        pytest.param(
            "squared_exponential",
            False,
            PriorChoice("flat", (("d", 0.3, 0.1),)),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_exact_engine_is_the_model_as_written(small, kernel, lag, priors):
    bound = bd.model(made(small, lag=lag, kernel=kernel), priors=priors)
    ours = bd.fit(bound, draws=2000, log_likelihood=True)
    assert ours.tree.attrs["engine"] == "profile"
    assert ours.converged
    theirs = bd.fit(bound, engine="nuts", draws=1000, chains=2, seed=1, log_likelihood=True)
    # length is log-normal in its tail; near the bound of rho what holds 1 / (1 - rho) has no mean
    same_posterior(ours, theirs, but={"length", "amplitude", "impact", "direct", "alpha"})
    logs = [np.log(f.tree["posterior"]["length"]) for f in (ours, theirs)]
    assert abs(float(logs[0].mean() - logs[1].mean())) < 0.25 * float(logs[0].std())
    assert ours.tidy().index[0] == "d"
    assert "0-100 km" in ours.tidy().index


def test_bad_input_is_refused(small):
    d, D, _, Y, _ = small
    base = design_of(Y, D)
    with pytest.raises(InputError, match="divides"):
        profile_design(base, d, step_km=300.0, last_km=1000.0)
    with pytest.raises(InputError, match="kernel"):
        profile_design(base, d, kernel="cubic")
    with pytest.raises(InputError, match="exposure"):
        profile_design(base, d, exposure="sum")
    with pytest.raises(InputError, match="no two units"):
        profile_design(base, 1e5 * d, last_km=700.0)
    with pytest.raises(InputError, match="symmetric"):
        profile_design(base, np.triu(d), last_km=700.0)
    never = design_of(Y, np.zeros_like(D))
    with pytest.raises(NotIdentifiedError, match="does not vary"):
        profile_design(never, d, last_km=700.0)
