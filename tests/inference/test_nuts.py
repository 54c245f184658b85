"""The sampling engine on cells that no exact engine has; draws of users taken back."""

import dataclasses
import json

import numpy as np
import pytest
from panels import make_design

import bayesdid as bd
from bayesdid.exceptions import InputError
from bayesdid.inference.fit import accept_draws
from bayesdid.model.bound import BoundModel
from bayesdid.model.effects import two_way
from bayesdid.model.errors import Errors
from bayesdid.model.geometry import chosen_by_data
from bayesdid.model.likelihood import Likelihood
from bayesdid.model.mean import Mediation
from bayesdid.model.model import Model
from bayesdid.model.resolve import under_effects

N, T, PHI = 24, 8, 0.5


def serial_noise(rng, sd):
    e = rng.standard_normal((N, T))
    for t in range(1, T):
        e[:, t] = PHI * e[:, t - 1] + np.sqrt(1 - PHI**2) * e[:, t]
    return (sd[:, None] * e).ravel()


def near(draws, truth):
    """Within four posterior sds: missed once in 16,000 if the posterior is calibrated."""
    draws = np.asarray(draws)
    return abs(draws.mean() - truth) < 4 * draws.std()


@pytest.fixture(scope="session")
def mediated():
    """Mediation with heavy-tailed AR(1) errors: a = -1, b = 0.5, direct -0.3."""
    design = make_design(31, N=N, T=T)
    rng = np.random.default_rng(32)
    one = np.ones(N)
    D, level = design.D[:, 0], rng.normal(size=(2, N))[:, design.unit_index]
    heavy = np.sqrt(5 / rng.chisquare(5, design.n))
    M = -1.0 * D + level[0] + heavy * serial_noise(rng, 0.5 * one)
    y = -0.3 * D + 0.5 * M + level[1] + heavy * serial_noise(rng, 0.4 * one)
    design = dataclasses.replace(design, y=y, X=M[:, None], covariates=("M",))
    model = Model(
        Mediation(("M",)), Likelihood("student_t"), Errors("ar1"), two_way("random", "fixed")
    )
    bound = BoundModel(model, under_effects(design, model))
    fit = bd.fit(
        bound, draws=500, tune=600, chains=2, seed=1, log_likelihood=True, posterior_predictive=True
    )
    return bound, design, fit.tree


@pytest.mark.sampling
def test_planted_paths_are_found_under_heavy_serial_errors(mediated):
    _, _, tree = mediated
    assert tree.attrs["converged"]
    post = tree["posterior"]
    assert near(post["a"], -1.0)
    assert near(post["b"], 0.5)
    assert near(post["tau"], -0.3)
    assert near(post["phi"], PHI)
    assert near(post["phi_mediator"], PHI)
    assert near(np.log(post["nu"]), np.log(5.0))


@pytest.mark.sampling
def test_groups_and_names_of_a_result(mediated):
    _, design, tree = mediated
    groups = {"posterior", "sample_stats", "observed_data", "constant_data"}
    assert groups | {"log_likelihood", "posterior_predictive"} <= set(tree.children)
    assert tree["posterior"].sizes["draw"] == 500
    names = {str(name) for name in tree["posterior"].data_vars}
    assert {"tau", "alpha", "sigma", "sigma_city", "city_effect", "phi", "nu"} <= names
    assert not [n for n in names if n.endswith("__") or "share" in n or "less" in n]
    assert tree["log_likelihood"]["y"].shape == (2, 500, design.n)
    assert set(tree["posterior_predictive"].data_vars) == {"M_M", "y"}
    # replications look like the data: the sd of y lies inside their spread
    sds = tree["posterior_predictive"]["y"].std("obs")
    assert float(sds.min()) < design.y.std() < float(sds.max())
    assert tree.attrs["likelihood"] == "student t"
    assert tree.attrs["errors_name"] == "ar1"


@pytest.mark.sampling
def test_draws_of_a_user_are_named_and_gated(mediated):
    bound, _, tree = mediated
    draws = tree["posterior"].to_dataset()
    import xarray as xr

    user = xr.DataTree.from_dict({"posterior": draws})
    taken = accept_draws(bound, user).tree
    assert taken.attrs["engine"] == "user"
    assert taken.attrs["converged"] == 1
    np.testing.assert_array_equal(taken["posterior"]["indirect"], tree["posterior"]["indirect"])
    short = xr.DataTree.from_dict({"posterior": draws.isel(draw=slice(0, 6))})
    bad = accept_draws(bound, short).tree
    assert bad.attrs["converged"] == 0
    assert any(not item["passed"] for item in json.loads(bad.attrs["gate"]))
    with pytest.raises(InputError, match="lack a variable"):
        accept_draws(bound, xr.DataTree.from_dict({"posterior": draws.drop_vars("b")}))
    fewer = xr.DataTree.from_dict({"posterior": draws.isel(city=slice(0, 5))})
    with pytest.raises(InputError, match="levels of city"):
        accept_draws(bound, fewer)


@pytest.mark.slow
@pytest.mark.sampling
def test_serially_correlated_counts_are_recovered():
    design = make_design(33, N=N, T=T)
    rng = np.random.default_rng(34)
    level = rng.normal(0.0, 0.5, N)[design.unit_index]
    mu = 3.0 - 0.4 * design.D[:, 0] + level + serial_noise(rng, 0.4 * np.ones(N))
    counts = rng.poisson(np.exp(mu)).astype(float)
    design = dataclasses.replace(design, y=counts, X=np.empty((design.n, 0)), covariates=())
    model = Model(likelihood=Likelihood("poisson"), errors=Errors("ar1"))
    tree = bd.fit(design, model=model, draws=500, tune=600, chains=2, seed=1).tree
    assert tree.attrs["converged"]
    post = tree["posterior"]
    assert near(post["tau"], -0.4)
    assert near(post["phi"], PHI)
    assert near(post["sigma"], 0.4)


def test_the_data_choose_the_coordinates():
    """Levels that stand out of their noise are sampled as they are, others as multiples."""
    design = make_design(35, N=40, T=9)
    model = Model(effects=two_way("random", "random"))
    assert chosen_by_data(model, design) == frozenset()
    quiet = dataclasses.replace(design, y=np.random.default_rng(0).normal(size=design.n))
    assert chosen_by_data(model, quiet) == {"city_effect", "year_effect"}
