"""Mediation, instrument, Durbin family, profile, propensity, pooled, path: density at a point."""

import dataclasses

import numpy as np
import pytest
from densities import link_outcome, nu_prior, two_way, unit_prior
from distances import adoption, places
from distances import design_of as on_a_map
from evaluate import log_density
from panels import make_design
from planted import near, simulated, within_reach
from scipy import stats
from system_densities import durbin, instrument, joint_errors, mediation
from test_compile import design_of

from bayesdid.model.effects import two_way as effects_of
from bayesdid.model.errors import Errors
from bayesdid.model.likelihood import Likelihood
from bayesdid.model.mean import Durbin, Instrument, Mediation, Path, Pooled, Profile, Propensity
from bayesdid.model.model import Model
from bayesdid.model.pooling import indicators, stack
from bayesdid.model.pymc.compile import to_pymc
from bayesdid.model.spillover import profile_design
from bayesdid.spatial.operators.logdet import log_determinant
from bayesdid.spatial.weights.weights import make_weights

ROOT = {"correlation_root": np.array([[1.0, 0.0], [0.4, np.sqrt(0.84)]])}


def model_of(mean, likelihood, errors, kinds=("fixed", "fixed"), weighted=False):
    return Model(
        mean=mean,
        likelihood=Likelihood(likelihood),
        errors=Errors.parse(errors),
        effects=effects_of(*kinds),
        weighted=weighted,
    )


def with_mediators(weighted=False):
    design = design_of("normal", weighted=weighted)
    rng = np.random.default_rng(3)
    M = rng.normal(size=(design.n, 2)) + design.D
    wide = dataclasses.replace(
        design, X=np.column_stack([design.X, M]), covariates=(*design.covariates, "m1", "m2")
    )
    return design, M, wide


@pytest.mark.parametrize(
    "cell",
    [
        ("normal", "iid", ("fixed", "fixed"), False),
        ("normal", "ar1", ("random", "fixed"), True),
        ("normal", "ar1_unit", ("fixed", "random"), False),
        ("student_t", "iid", ("fixed", "fixed"), True),
        ("student_t", "ar1_unit", ("random", "random"), False),
        ("normal", "iid", ("mundlak", "fixed"), False),
    ],
    ids=str,
)
def test_mediation(cell):
    likelihood, errors, kinds, weighted = cell
    design, M, wide = with_mediators(weighted)
    design = dataclasses.replace(design, unit_effects=kinds[0], period_effects=kinds[1])
    model = model_of(Mediation(("m1", "m2")), likelihood, errors, kinds, weighted)
    value, v = log_density(to_pymc(model, wide), fixed=ROOT)
    assert value == pytest.approx(mediation(design, M.T, v, cell), rel=1e-9)
    np.testing.assert_allclose(v["indirect"], v["a"] * v["b"])
    np.testing.assert_allclose(v["total"], v["tau"] + (v["a"] * v["b"]).sum(axis=1))


@pytest.mark.parametrize(
    "cell",
    [
        ("normal", "iid", False),
        ("normal", "ar1", True),
        ("normal", "iid_unit", False),
        ("student_t", "iid", False),
        ("student_t", "ar1_unit", True),
    ],
    ids=str,
)
def test_instrument(cell):
    likelihood, errors, weighted = cell
    design = design_of("normal", weighted=weighted)
    z = np.random.default_rng(4).normal(size=design.n)
    wide = dataclasses.replace(
        design, X=np.column_stack([design.X, z]), covariates=(*design.covariates, "z")
    )
    model = model_of(Instrument("z"), likelihood, errors, weighted=weighted)
    value, v = log_density(to_pymc(model, wide))
    assert value == pytest.approx(instrument(design, z, v, cell), rel=1e-9)


SPATIAL = [
    ("sdm", "row", ("normal", "iid", ("fixed", "fixed")), False),
    ("sdm", "row", ("normal", "ar1_unit", ("fixed", "fixed")), True),
    ("sar", "row", ("student_t", "iid", ("random", "fixed")), False),
    ("sar", "row", ("normal", "iid", ("random", "random")), False),
    ("sem", "spectral", ("student_t", "ar1", ("random", "random")), False),
    ("sdem", "spectral", ("normal", "iid_unit", ("fixed", "random")), True),
    ("slx", "row", ("student_t", "ar1_unit", ("fixed", "fixed")), False),
    ("sdm", "row", ("normal", "ar1", ("mundlak", "fixed")), True),
    ("sem", "row", ("normal", "iid", ("mundlak", "fixed")), True),
]


@pytest.mark.parametrize("case", SPATIAL, ids=str)
def test_durbin_family(case):
    kind, how, cell, weighted = case
    weights = near(8) if how == "row" else within_reach(8, reach=0.6, normalisation=how)
    design = simulated(weights, kind, T=4, unit=cell[2][0], period=cell[2][1])
    if weighted:
        w = np.exp(np.random.default_rng(2).normal(size=design.base.n))
        design = dataclasses.replace(design, base=dataclasses.replace(design.base, weights=w))
    value, v = log_density(to_pymc(model_of(Durbin(kind), *cell, weighted=weighted), design))
    interval = log_determinant(weights).interval
    assert value == pytest.approx(durbin(design, v, cell, interval), rel=1e-8)


def test_the_equation_says_whose_variance_the_weights_divide():
    """Of what is new in a row: e, and u where e is a lag of itself and u."""
    lag, error = (
        model_of(Durbin(kind), "normal", "ar1", weighted=True).equation for kind in ("sar", "sem")
    )
    assert "sd(e[i,t]) = sigma, over sqrt(w[i,t])" in lag
    assert "e = lambda W e + u" in error
    assert "cor(u[i,t], u[i,s]) = phi^|t-s|, sd(u[i,t]) = sigma, over sqrt(w[i,t])" in error


@pytest.mark.parametrize("prior", ["random_walk", "gaussian_process"])
def test_path(prior):
    design = make_design(2, N=8, T=6)
    rng = np.random.default_rng(0)
    names = ("both@<=-3", "both@-2", "both@0", "both@>=1")
    design = dataclasses.replace(design, D=rng.normal(size=(design.n, 4)), treatments=names)
    value, v = log_density(to_pymc(model_of(Path(prior), "normal", "iid"), design))
    t = np.array([-3, -2, 0, 1]) + 1.0
    if prior == "random_walk":
        K = np.array([[2, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 2]], dtype=float)
    else:
        k = np.exp(-(np.subtract.outer(t, t) ** 2) / 8)
        K = k - np.outer(np.exp(-(t**2) / 8), np.exp(-(t**2) / 8))
    np.testing.assert_allclose(
        v["tau"], v["s"] * np.linalg.cholesky(K + 1.1e-9 * np.eye(4)) @ v["z"], rtol=1e-4
    )
    prior_of_tau = (
        stats.halfnorm.logpdf(v["s"], scale=design.y.std()) + stats.norm.logpdf(v["z"]).sum()
    )
    cell = ("normal", "iid", ("fixed", "fixed"), "weak", False)
    assert value == pytest.approx(two_way(design, v, cell, prior_of_tau), rel=1e-9)


@pytest.mark.parametrize("likelihood", ["normal", "student_t", "negative_binomial", "poisson"])
def test_pooled(likelihood):
    design = design_of(likelihood)
    group = indicators(design.period_index % 2, [0, 1], design.D[:, 0])
    pooled = stack(design, [("group", ("even", "odd"), group), ("", ("average",), design.D)]).design
    value, v = log_density(to_pymc(model_of(Pooled(), likelihood, "ar1"), pooled))
    np.testing.assert_allclose(v["tau"], [*(v["omega_group"] * v["u:group"]), *v["mu"]])
    sd = link_outcome(design, likelihood).std()
    prior_of_tau = (
        stats.halfnorm.logpdf(v["omega_group"], scale=0.25 * sd)
        + stats.norm.logpdf(v["u:group"]).sum()
        + stats.norm.logpdf(v["mu"], 0, 2.5 * sd / _within_sd(design)).sum()
    )
    cell = (likelihood, "ar1", ("fixed", "fixed"), "weak", False)
    assert value == pytest.approx(two_way(pooled, v, cell, prior_of_tau), rel=1e-9)


def _within_sd(design):
    from densities import within

    return within(design, design.D).std(axis=0)


def test_propensity():
    rng = np.random.default_rng(5)
    design = design_of("normal", balanced=True)
    design = dataclasses.replace(
        design,
        y=(rng.random(design.n) < 0.5).astype(float),
        D=np.empty((design.n, 0)),
        treatments=(),
    )
    model = Model(mean=Propensity(), likelihood=Likelihood("binomial"), effects=())
    value, v = log_density(to_pymc(model, design))
    x = (design.X - design.X.mean(axis=0)) / design.X.std(axis=0)
    p = 1 / (1 + np.exp(-(v["alpha"] + x @ v["beta"])))
    expected = stats.bernoulli.logpmf(design.y, p).sum()
    expected += stats.norm.logpdf([v["alpha"], *v["beta"]], 0, 2.5).sum()
    assert value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("kernel", "how", "likelihood", "errors", "weighted"),
    [
        ("matern52", "row", "normal", "iid", False),
        ("squared_exponential", None, "student_t", "ar1_unit", True),
        ("matern52", "spectral", "normal", "ar1", False),
    ],
)
def test_profile(kernel, how, likelihood, errors, weighted):
    rng = np.random.default_rng(6)
    N, T = 12, 6
    d, D = places(rng, N, 500.0, 400.0), adoption(rng, N, T, share=0.6)
    x, Y = rng.normal(size=(N, T)), rng.normal(size=(N, T))
    W = None
    if how:
        raw = np.where(np.eye(N) > 0, 0.0, 1 / (d + np.eye(N)))
        W = make_weights(raw, np.arange(N), "inverse", how)
    base = on_a_map(Y, D, [x])
    if weighted:
        base = dataclasses.replace(base, weights=np.exp(rng.normal(size=base.n)))
    design = profile_design(base, d, last_km=400.0, weights=W, kernel=kernel)
    model = model_of(Profile(kernel), likelihood, errors, weighted=weighted)
    value, v = log_density(to_pymc(model, design))
    s, priors = v["sigma"], design.priors
    total = -np.log(s)
    total += stats.halfnorm.logpdf(v["amplitude"], scale=priors.amplitude)
    total += stats.lognorm.logpdf(
        v["length"], priors.log_length_sd, scale=np.exp(priors.log_length_mean)
    )
    total += stats.norm.logpdf(v["u"]).sum()
    total += stats.norm.logpdf([*v["tau"], *v["beta"]], 0, s * priors.coefficient_sd).sum()
    r = np.abs(np.subtract.outer(design.rings.middle, design.rings.middle)) / v["length"]
    K = (1 + np.sqrt(5) * r + 5 * r**2 / 3) * np.exp(-np.sqrt(5) * r)
    if kernel == "squared_exponential":
        K = np.exp(-(r**2) / 2)
    root = np.linalg.cholesky(K + 1e-8 * np.eye(len(K)))
    np.testing.assert_allclose(v["theta"], s * v["amplitude"] * root @ v["u"])
    spill = np.einsum(
        "r,rnt->nt", v["theta"], design.raw - design.raw.mean(axis=(1, 2))[:, None, None]
    )
    mean = v["tau"][0] * (D - D.mean()) + v["beta"][0] * (x - x.mean()) + spill
    mean = mean + v["unit_effect"][:, None] + v["period_effect"]
    F = np.eye(N)
    if W is not None:
        F = F - v["rho"] * W.dense()
        inside = log_determinant(W).interval
        total += T * np.linalg.slogdet(F)[1] - np.log(inside.high - inside.low)
    e = (F @ (Y - v["alpha"]) - mean).ravel()
    factor = np.ones(len(e))
    if errors.endswith("unit"):
        total += nu_prior(v["nu_unit"]) + unit_prior(v["lambda_of_unit"], v["nu_unit"])
        factor = 1 / np.sqrt(v["lambda_of_unit"][base.unit_index])
    if weighted:
        factor = factor / np.sqrt(base.weights)
    phis = [v["phi"]] if errors.startswith("ar1") else None
    total += np.log(0.5) if phis else 0.0
    nu = v["nu"] if likelihood == "student_t" else None
    total += nu_prior(nu) if nu is not None else 0.0
    total += joint_errors(base, e[:, None], (s * factor)[:, None], phis, np.eye(1), nu)
    assert value == pytest.approx(total, rel=1e-7)
