"""Spatial panels whose rows have weights: against dense algebra and the model as written."""

import dataclasses

import numpy as np
import pytest
from distances import adoption, design_of, places
from planted import near, simulated, within_reach
from scipy.special import gammaln

import bayesdid as bd
from bayesdid.exceptions import InputError
from bayesdid.inference.engines import ENGINES
from bayesdid.inference.exact.durbin_fit import draw_durbin, prepare
from bayesdid.inference.exact.profile_target import profile_target
from bayesdid.inference.exact.weighted_effects import Left, levels_and_periods, periods
from bayesdid.inference.quantities import stacked
from bayesdid.inference.registry import choose
from bayesdid.model.spatial import spatial_blocks
from bayesdid.model.spatial_priors import spatial_priors
from bayesdid.model.spillover import NUGGET, correlation, profile_design
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, spatial_design
from bayesdid.spatial.operators.dynamic import dynamic_design
from bayesdid.spatial.operators.moments import exponents
from bayesdid.spatial.weights.weights import make_weights
from bayesdid.summary import hdi
from engines_agree import same_posterior

KINDS = ("none", "sar", "sem", "slx", "sdm", "sdem")
EFFECTS = [(unit, period) for unit in ("fixed", "none", "random") for period in ("fixed", "none")]


def weighted(design, w):
    base = dataclasses.replace(design.base, weights=np.asarray(w).ravel())
    return spatial_design(base, design.weights, design.kind)


def uneven(design, seed=5):
    """Weights between a tenth and ten times, of units and of their rows, of mean one."""
    rng = np.random.default_rng(seed)
    w = np.exp(rng.normal(0, 0.7, (design.N, 1)) + rng.normal(0, 0.5, (design.N, design.T)))
    return w / w.mean()


def places_of(how):
    return near(14) if how == "row" else within_reach(14, reach=0.5, normalisation=how)


def dense_log_likelihood(design, rho, ratio):
    """The integral over levels, coefficients and sigma by matrices of all rows, up to a constant.

    Random unit effects have `ratio` times the sd sigma; in error models they stand in the filter.

    Levels as the model as written has them: ``a = (I - rho W) level`` of units, ``(1 - rho r) h``
    of periods under equal row sums of a model with a lag of y; in the filter in error models.
    """
    N, T, base = design.N, design.T, design.base
    W, r = design.weights.dense(), design.weights.constant_row_sum
    F = np.eye(N) - rho * W
    filtered = design.kind in LAG_OF_ERROR
    lagged = design.kind in LAG_OF_Y
    unit, period = base.unit_effects == "fixed", base.period_effects == "fixed"
    v = base.weights.reshape(N, T)

    def long(layers):  # columns of all rows, filtered or not
        return np.stack([np.asarray(layer).ravel() for layer in layers], axis=1)

    inner = F if filtered else np.eye(N)
    X = long([inner @ layer for layer in design.Z])
    y = (F @ design.Y if filtered or lagged else design.Y).ravel()
    inside = unit or filtered or (period and not (lagged and r is None))
    C = []
    if unit:
        caused = F if filtered or lagged else np.eye(N)
        C += [np.outer(caused[:, j], np.ones(T)) for j in range(N)]
    else:
        one = F @ np.ones(N) if inside and (filtered or lagged) else np.ones(N)
        C.append(np.outer(one, np.ones(T)))
    if period:
        share = F @ np.ones(N) if filtered or (lagged and r is not None) else np.ones(N)
        C += [np.outer(share, np.eye(T)[t] - np.eye(T)[0]) for t in range(1, T)]
    C = long(C)
    priors, reference = spatial_priors(design, "weak")
    sd = priors.of(design.names)[1]
    V = np.diag(v.ravel())
    if base.unit_effects == "random":
        V = np.linalg.inv(np.diag(1 / v.ravel()) + ratio**2 * np.kron(np.eye(N), np.ones((T, T))))
    A = C.T @ V @ C
    P = V - V @ C @ np.linalg.solve(A, C.T @ V)
    Lambda = X.T @ P @ X + np.diag((reference / sd) ** 2)
    b = X.T @ P @ y
    nu = N * T - C.shape[1]
    value = T * np.linalg.slogdet(F)[1] if filtered or lagged else 0.0
    value += 0.5 * np.linalg.slogdet(V)[1]
    value += gammaln(nu / 2) - nu / 2 * np.log(np.pi * (y @ P @ y - b @ np.linalg.solve(Lambda, b)))
    value += -0.5 * np.linalg.slogdet(Lambda)[1] - 0.5 * np.linalg.slogdet(A)[1]
    if lagged and period and r is None:  # the prior of periods: its slope takes their pull away
        share = np.average(_log(F), axis=0, weights=v.sum(axis=1)).sum()
        value -= (T - 1 if unit else T) * share
    return value


def _log(F):
    from scipy.linalg import logm

    return logm(F).real


@pytest.mark.parametrize("effects", EFFECTS, ids=str)
@pytest.mark.parametrize("how", ["row", "spectral"])
def test_the_density_of_rho_is_that_of_dense_algebra(how, effects):
    for kind in ("sar", "sdem"):
        unit, period = effects
        design = simulated(places_of(how), kind, T=4, unit=unit, period=period, rho=0.3)
        design = weighted(design, uneven(design))
        rho, ratio = np.array([-0.5, 0.0, 0.3, 0.7]), np.array([0.3, 2.0, 1.0, 0.6])
        given = ratio[:, None] if unit == "random" else np.empty((4, 0))
        ours = prepare(design).log_likelihood(rho, given)
        theirs = np.array(
            [dense_log_likelihood(design, *at) for at in zip(rho, ratio, strict=True)]
        )
        np.testing.assert_allclose(ours - ours[0], theirs - theirs[0], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("still", [True, False])
def test_the_prior_of_periods_takes_their_pull_on_rho_away(still):
    """What estimating effects adds to the mean score, beyond the log-determinant of levels.

    Exactly where a unit's weight stays the same; within a tenth where it varies by a third.
    """
    design = simulated(places_of("spectral"), "sar", T=4)
    w = uneven(design)
    w = w.mean(axis=1, keepdims=True) * (1.0 if still else w / w.mean(axis=1, keepdims=True)) ** 0.6
    design = weighted(design, np.broadcast_to(w, design.Y.shape))
    N, T, rho = design.N, design.T, 0.4
    W = design.weights.dense()
    G = W @ np.linalg.inv(np.eye(N) - rho * W)
    periods_alone = np.kron(np.ones((N, 1)), np.eye(T)[:, 1:])
    C = np.hstack([np.repeat(np.eye(N), T, axis=0), periods_alone])
    V = design.base.weights[:, None]
    projection = C @ np.linalg.solve(C.T @ (V * C), (V * C).T)
    pull = np.trace(projection @ np.kron(G, np.eye(T))) - np.trace(G)
    _, times, (points, shares) = exponents(design)
    slope = times * (shares * points / (1 - rho * points)).sum().real
    assert slope == pytest.approx(pull, rel=1e-8 if still else 0.1)
    plain = np.mean(G.sum(axis=1)) * times  # which all units alike would not do
    assert abs(plain - pull) > 2 * abs(slope - pull)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_one_are_none_and_their_scale_is_that_of_sigma(kind):
    plain = simulated(places_of("row"), kind, T=4, rho=0.3)
    one, nine = (weighted(plain, np.full(plain.base.n, c)) for c in (1.0, 9.0))
    fits = [draw_durbin(design, size=200) for design in (plain, one, nine)]
    for other, factor in zip(fits[1:], (1.0, 3.0), strict=True):
        np.testing.assert_allclose(other.b, fits[0].b, rtol=1e-6)
        np.testing.assert_allclose(other.rho, fits[0].rho, rtol=1e-6)
        np.testing.assert_allclose(other.sigma, factor * fits[0].sigma, rtol=1e-6)
    assert fits[1].log_evidence == pytest.approx(fits[0].log_evidence, abs=1e-8)


@pytest.mark.parametrize("filtered", [False, True])
def test_levels_and_periods_are_drawn_from_their_joint_normal(filtered):
    """Means within 5 Monte Carlo errors, variances within 5 sqrt(2 / S), of weighted algebra."""
    S, N, T, rho, sigma = 20_000, 5, 4, 0.4, 0.7
    rng = np.random.default_rng(2)
    w, R, r = np.exp(rng.normal(size=(N, T))), rng.normal(size=(N, T)), rng.uniform(0.5, 1.5, N)
    f = 1 - rho * r if filtered else np.ones(N)
    left = Left(
        w, R[None], np.ones((S, 1)), np.full(S, rho), np.full(S, sigma), r if filtered else None
    )
    basis = np.linalg.svd(np.eye(T) - 1 / T)[0][:, : T - 1]  # of periods that sum to zero
    level = np.repeat(np.eye(N), T, axis=0)
    columns = np.hstack([level, np.kron(f[:, None], basis)])
    A = columns.T @ (w.reshape(-1, 1) * columns)
    mean = np.linalg.solve(A, columns.T @ (w * R).ravel())
    to_named = np.block([[np.eye(N), np.zeros((N, T - 1))], [np.zeros((T, N)), basis]])
    wanted = to_named @ np.linalg.inv(A) @ to_named.T * sigma**2
    drawn = np.hstack(levels_and_periods(left, rng))
    np.testing.assert_array_less(
        abs(drawn.mean(axis=0) - to_named @ mean), 5 * np.sqrt(np.diag(wanted) / S)
    )
    off = np.cov(drawn.T) - wanted
    size = np.sqrt(np.outer(np.diag(wanted), np.diag(wanted)))
    assert (abs(off) < 5 * np.sqrt(2 / S) * size).all()
    alone = periods(left, rng)  # without levels of units each period is a regression on f
    square = (w * f[:, None] ** 2).sum(axis=0)
    error = abs(alone.mean(axis=0) - (w * R * f[:, None]).sum(axis=0) / square)
    assert (error < 5 * sigma / np.sqrt(S * square)).all()


def standardised(fit, design, jacobian=0.0):
    """Squares of the rows' residuals over their variance, summed, shape (S,)."""
    sigma = fit.tree["posterior"]["sigma"].to_numpy().ravel()
    value = fit.tree["log_likelihood"]["y"].to_numpy().reshape(len(sigma), -1).sum(axis=1)
    logs = np.log(2 * np.pi * sigma[:, None] ** 2 / design.base.weights).sum(axis=1)
    return -2 * (value - jacobian) - logs


@pytest.mark.parametrize("effects", EFFECTS, ids=str)
def test_draws_have_the_squares_that_the_scale_implies(effects):
    """Everything drawn is right together, effects too.

    The density is ``sigma^-(m + 1) exp(-Q / (2 sigma^2))`` in sigma, with Q the squares of rows, of
    coefficients over their prior's sd, and of random effects over their ratio, m how many these
    are: by parts ``E Q / sigma^2 = m``. Within 5 Monte Carlo errors, of squares of m normals.
    """
    for kind, how in (("sar", "row"), ("sar", "spectral"), ("sdem", "spectral"), ("sem", "row")):
        design = simulated(places_of(how), kind, T=6, unit=effects[0], period=effects[1], rho=0.3)
        design = weighted(design, uneven(design))
        fit = bd.fit(design, draws=100, log_likelihood=True)
        assert fit.tree.attrs["engine"] == "durbin"
        posterior = fit.tree["posterior"]
        sigma, rho = (posterior[name].to_numpy().ravel() for name in ("sigma", "rho"))
        Q = standardised(fit, design, design.T * design.logdet.value(rho))
        priors, reference = spatial_priors(design, "weak")
        b = np.hstack([stacked(fit.tree, name) for name in spatial_blocks(design).main])
        sd = priors.of(design.names)[1] / reference
        Q = Q + np.square(b / sd / sigma[:, None]).sum(axis=1)
        m = design.base.n + len(design.names)
        if effects[0] == "random":
            of_place = posterior["sigma_place"].to_numpy().reshape(-1, 1)
            Q = Q + np.square(stacked(fit.tree, "place_effect") / of_place).sum(axis=1)
            m += design.N
        assert abs(Q.mean() - m) < 5 * np.sqrt(2 * m / len(Q))


@pytest.fixture(scope="module")
def on_a_map():
    """Twenty units, staggered, spillover within 300 km; uneven weights."""
    rng = np.random.default_rng(4)
    d, D = places(rng, 20, 600.0, 500.0), adoption(rng, 20, 7, share=0.6)
    raw = np.where(np.eye(20) > 0, 0.0, 1 / (d + np.eye(20)))
    W = make_weights(raw, np.arange(20))
    w = np.exp(rng.normal(0, 0.8, D.shape))
    w /= w.mean()
    near_by = (d > 0) & (d < 300)
    Y = -D + 0.3 * near_by @ D + rng.normal(size=D.shape) / np.sqrt(w)
    base = design_of(Y + rng.normal(size=(20, 1)), D, [rng.normal(size=D.shape)])
    return base, w, d, W


def profiles(on_a_map, w=None, *, lag=True):
    base, own, d, W = on_a_map
    w = own if w is None else w
    given = dataclasses.replace(base, weights=w.ravel())
    return profile_design(given, d, last_km=400.0, weights=W if lag else None)


def test_a_profile_of_weights_of_one_is_that_without(on_a_map):
    base, own, d, W = on_a_map
    z = np.array([[-2.0, 5.0, 0.3], [-1.0, 4.5, -0.2]])
    plain = profile_target(profile_design(base, d, last_km=400.0, weights=W))
    one = profile_target(profiles(on_a_map, np.ones_like(own)))
    np.testing.assert_allclose(one.log_density(z), plain.log_density(z), rtol=1e-8)
    assert one.priors.amplitude == pytest.approx(plain.priors.amplitude, rel=1e-9)


def test_the_density_of_a_profile_is_that_of_dense_algebra(on_a_map):
    design = profiles(on_a_map, lag=False)
    base, w = design.base, design.base.weights
    N, T = design.Y.shape
    i, t = base.unit_index, base.period_index
    C = np.hstack([np.eye(N)[i], np.eye(T)[t][:, 1:]])
    V = np.diag(w)
    P = V - V @ C @ np.linalg.solve(C.T @ V @ C, C.T @ V)
    X, E = base.regressors, design.raw[:, i, t].T
    target, values = profile_target(design), []
    z = np.array([[-2.0, 5.0], [-0.5, 4.5]])
    for at, a in zip(z, np.exp(z[:, 0]), strict=True):
        L = target.root(at[None])[0] / a
        columns = np.hstack([X * design.priors.coefficient_sd, a * E @ L])
        Lambda = columns.T @ P @ columns + np.eye(columns.shape[1])
        b = columns.T @ P @ base.y
        square = base.y @ P @ base.y - b @ np.linalg.solve(Lambda, b)
        values.append(-design.nu / 2 * np.log(square) - 0.5 * np.linalg.slogdet(Lambda)[1])
    ours = target.log_density(z) - target._log_prior(z)
    np.testing.assert_allclose(np.diff(ours), np.diff(values), rtol=1e-8)


def test_a_profiles_draws_have_the_squares_that_the_scale_implies(on_a_map):
    """As of spatial models: m rows, two coefficients, and the profile at its rings."""
    design = profiles(on_a_map, lag=False)
    fit = bd.fit(design, draws=100, log_likelihood=True)
    assert fit.tree.attrs["engine"] == "profile"
    sigma, a, length = (stacked(fit.tree, name) for name in ("sigma", "amplitude", "length"))
    b = np.hstack([stacked(fit.tree, name) for name in ("tau", "beta")]) / sigma[:, None]
    gaps = np.abs(design.rings.middle[:, None] - design.rings.middle)
    K = correlation(design.kernel, gaps, length) + NUGGET * np.eye(len(gaps))
    theta = stacked(fit.tree, "theta") / (a * sigma)[:, None]
    Q = standardised(fit, design) + np.square(b / design.priors.coefficient_sd).sum(axis=1)
    Q = Q + (theta * np.linalg.solve(K, theta[:, :, None])[:, :, 0]).sum(axis=1)
    m = design.base.n + 2 + design.rings.R
    assert abs(Q.mean() - m) < 5 * np.sqrt(2 * m / len(Q))


CELLS = {
    "sdm": ("sdm", "row", "fixed"),
    "sar, unequal row sums": ("sar", "spectral", "fixed"),
    "sdem, unequal row sums": ("sdem", "spectral", "fixed"),
    "sem": ("sem", "row", "none"),
    "sdem, random": ("sdem", "row", "random"),
}


@pytest.mark.sampling
@pytest.mark.slow  # the density is that of dense algebra, the draws are in the tests above
@pytest.mark.parametrize("case", CELLS)
def test_exact_draws_are_the_posterior_of_the_model_as_written(case):
    kind, how, unit = CELLS[case]
    design = simulated(places_of(how), kind, T=5, unit=unit, rho=0.2)
    design = weighted(design, uneven(design))
    ours = bd.fit(design, draws=2000, log_likelihood=True)
    theirs = bd.fit(design, engine="nuts", draws=600, chains=2, seed=1, log_likelihood=True)
    far = {"effects"} if abs(ours.tree["posterior"]["rho"]).max() > 0.9 else set()
    same_posterior(ours, theirs, but=far)


@pytest.mark.sampling
@pytest.mark.slow
@pytest.mark.parametrize("lag", [True, False])
def test_a_profiles_draws_are_the_posterior_of_the_model_as_written(on_a_map, lag):
    design = profiles(on_a_map, lag=lag)
    ours = bd.fit(design, draws=2000, log_likelihood=True)
    theirs = bd.fit(design, engine="nuts", draws=1000, chains=2, seed=1, log_likelihood=True)
    # length is log-normal in its tail; near the bound of rho what holds 1 / (1 - rho) has no mean
    same_posterior(ours, theirs, but={"length", "amplitude", "impact", "direct", "alpha"})


def planted_world(weights, kind, seed, rho=0.4):
    """A panel whose rows differ in variance by a factor of hundreds, and the weights they have."""
    plain = simulated(weights, kind, T=6, seed=seed)
    w = uneven(plain, seed=seed + 1000) ** 1.5
    w /= w.mean()
    noise = np.random.default_rng([seed, 3]).normal(size=w.shape) / np.sqrt(w)
    mean = np.tensordot((1.0, -0.5, 0.5, 0.3)[: len(plain.Z)], plain.Z, axes=1)
    spread = np.linalg.inv(np.eye(plain.N) - rho * weights.dense())
    Y = spread @ (mean + noise) if kind in LAG_OF_Y else mean + spread @ noise
    base = dataclasses.replace(plain.base, y=Y.ravel())
    return weighted(dataclasses.replace(plain, base=base), w)


def held(design, rho=0.4):
    """Whether 89 % intervals hold rho and the treatment's coefficient; how far off that is."""
    found = draw_durbin(design, size=1000)
    inside = [
        interval.low <= truth <= interval.high
        for interval, truth in ((hdi(found.rho), rho), (hdi(found.b[:, 0]), 1.0))
    ]
    return *inside, abs(found.b[:, 0].mean() - 1.0)


@pytest.mark.parametrize("how", ["row", "spectral"])
def test_random_effects_beside_weights_of_one_have_the_evidence_without(how):
    for kind in KINDS:
        plain = simulated(places_of(how), kind, T=4, unit="random", rho=0.3)
        one = weighted(plain, np.ones(plain.base.n))
        rho, ratio = np.array([-0.3, 0.4]), np.array([[0.5], [2.0]])
        np.testing.assert_allclose(
            prepare(one).log_likelihood(rho, ratio),
            prepare(plain).log_likelihood(rho, ratio),
            rtol=1e-9,
        )


def test_weights_bring_a_planted_effect_nearer():
    """Its error is below that without weights in 13 of 16 worlds; a coin does so in 1 of 94."""
    better = 0
    for seed in range(16):
        design = planted_world(near(30), "sdm", seed)
        plain = spatial_design(
            dataclasses.replace(design.base, weights=None), design.weights, "sdm"
        )
        better += held(design)[-1] < held(plain)[-1]
    assert better > 12


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "how"), [("sdm", "row"), ("sar", "spectral"), ("sem", "row")])
def test_intervals_cover_under_uneven_weights(kind, how):
    """Of 200 worlds; 4 binomial standard errors."""
    weights = near(30) if how == "row" else within_reach(30, reach=0.4, normalisation=how)
    hits = np.array([held(planted_world(weights, kind, seed))[:2] for seed in range(200)])
    assert (abs(hits.mean(axis=0) - 0.89) < 4 * np.sqrt(0.89 * 0.11 / 200)).all()


@pytest.mark.parametrize("more", [{"period_effects": "random"}, {"errors": "ar1"}])
def test_cells_without_an_exact_engine_are_sampled(more):
    design = simulated(places_of("row"), "sdm", T=4)
    bound = bd.model(weighted(design, uneven(design)), **more)
    assert choose(ENGINES, "auto", bound.model, bound.design).name == "as_written"
    with pytest.raises(InputError, match="no engine exact supports this model"):
        bd.fit(bound, engine="exact")


def test_a_dynamic_model_keeps_the_weights_of_its_rows():
    design = simulated(places_of("row"), "sdm", T=5)
    w = uneven(design)
    later = dynamic_design(weighted(design, w))
    np.testing.assert_array_equal(later.base.weights, w[:, 1:].ravel())
    bound = bd.model(later)
    assert choose(ENGINES, "auto", bound.model, bound.design).name == "durbin"


def test_weights_of_a_design_are_not_left_aside():
    design = simulated(places_of("row"), "slx", T=4)
    bound = bd.model(weighted(design, uneven(design)))
    with pytest.raises(InputError, match="the design has row weights, the model has none"):
        dataclasses.replace(bound, model=bound.model.but(weighted=False))


def test_what_has_no_exact_moments_says_so():
    period = simulated(places_of("row"), "sdm", T=4, period="random")
    with pytest.raises(InputError, match="random period effects beside weights of rows"):
        prepare(weighted(period, uneven(period)))
    unit = simulated(places_of("row"), "sdm", T=4, unit="random")
    with pytest.raises(InputError, match="direct transform takes no random effects beside"):
        prepare(weighted(unit, uneven(unit)), transform="direct")
