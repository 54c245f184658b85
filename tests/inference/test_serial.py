"""AR(1) errors: the PyMC model, planted phi; other likelihoods."""

import dataclasses

import numpy as np
import pytest
from panels import fit_iid as fit
from panels import make_design

from bayesdid.design.build import with_effects
from bayesdid.exceptions import InputError
from bayesdid.families.errors.analysis import fit_errors
from bayesdid.inference.exact.gaussian import fit_gaussian
from bayesdid.model.errors import Errors
from bayesdid.model.likelihood import Likelihood
from bayesdid.model.priors import resolve_priors
from bayesdid.peers.bootstrap import wild_bootstrap
from bayesdid.peers.fixest import least_squares
from cells import slow_but

MCSE = 5.0


def autocorrelated(seed, phi, **kwargs):
    """The design of the tests with AR(1) errors put in place of the i.i.d. ones."""
    design = make_design(seed, **kwargs)
    rng = np.random.default_rng(seed + 100)
    T = len(design.periods)
    power = phi ** np.abs(np.arange(T)[:, None] - np.arange(T))
    e = rng.multivariate_normal(np.zeros(T), 0.49 * power, len(design.units))
    level = rng.normal(size=len(design.units))
    y = design.regressors @ [-0.5, 0.3, -0.2] + level[design.unit_index]
    return dataclasses.replace(design, y=y + e[design.unit_index, design.period_index])


def test_planted_autocorrelation_is_found_and_widens_tau():
    design = autocorrelated(3, 0.6, N=120, T=12)
    tree, iid = fit_gaussian(design, errors=Errors("ar1")), fit(design)
    assert tree.attrs["converged"]
    phi = tree["posterior"]["phi"].to_numpy().ravel()
    assert abs(phi.mean() - 0.6) < 4 * phi.std()
    tau = tree["posterior"]["tau"].to_numpy().ravel()
    assert abs(tau.mean() + 0.5) < 4 * tau.std()
    assert tau.std() > 1.15 * iid["posterior"]["tau"].to_numpy().std()


@pytest.mark.sampling
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("unit", "balanced"), slow_but([("fixed", True), ("random", False)]))
def test_the_ar1_model_in_pymc_has_this_posterior(unit, balanced):
    import arviz as az
    import pymc as pm

    from bayesdid.model.effects import two_way
    from bayesdid.model.errors import Errors
    from bayesdid.model.model import Model
    from bayesdid.model.pymc.compile import to_pymc

    design = with_effects(autocorrelated(4, 0.5, N=25, T=8, balanced=balanced), unit, "fixed")
    ours = fit_gaussian(design, errors=Errors("ar1"))["posterior"]
    model = Model(errors=Errors("ar1"), effects=two_way(unit, "fixed"))
    with to_pymc(model, design):
        tree = pm.sample(
            1000,
            tune=1000,
            chains=2,
            cores=2,
            random_seed=1,
            nuts_sampler="nutpie",
            progressbar=False,
        )
    mcse = az.mcse(tree["posterior"].to_dataset())
    for name in ("tau", "beta", "phi", "sigma"):
        theirs = tree["posterior"][name]
        error = np.hypot(mcse[name].to_numpy(), ours[name].std(("chain", "draw")) / np.sqrt(1500))
        gap = abs(ours[name].mean(("chain", "draw")) - theirs.mean(("chain", "draw")))
        assert (gap.to_numpy() < MCSE * error.to_numpy()).all(), name


@pytest.mark.slow
@pytest.mark.sampling
@pytest.mark.filterwarnings("ignore")
def test_student_t_withstands_outliers():
    design = make_design(5, N=40, T=9)
    rng = np.random.default_rng(0)
    outlier = rng.random(design.n) < 0.05
    design = dataclasses.replace(design, y=design.y + outlier * 12 * rng.standard_normal(design.n))
    heavy = fit_errors(design, "student_t", draws=500, chains=2)
    normal = fit_errors(design, "iid", draws=500)
    assert heavy.attrs["converged"]
    tau = heavy["posterior"]["tau"].to_numpy().ravel()
    assert abs(tau.mean() + 0.5) < 4 * tau.std()
    assert tau.std() < 0.7 * normal["posterior"]["tau"].to_numpy().std()
    assert heavy["posterior"]["nu"].mean() < 6


@pytest.mark.slow
@pytest.mark.sampling
@pytest.mark.filterwarnings("ignore")
def test_counts_with_exposure_agree_with_poisson_pseudo_likelihood():
    import pandas as pd
    import pyfixest

    design = make_design(6, N=40, T=9)
    rng = np.random.default_rng(1)
    exposure = rng.uniform(50, 500, design.n)
    rate = np.exp(-1.0 + 0.3 * (design.y - design.y.mean()))
    counts = rng.negative_binomial(20, 20 / (20 + exposure * rate)).astype(float)
    counted = dataclasses.replace(design, y=counts, exposure=exposure)
    tree = fit_errors(counted, "negative_binomial", draws=500, chains=2)
    assert tree.attrs["converged"]
    frame = pd.DataFrame(design.regressors, columns=["d", "x1", "x2"])
    frame["n"], frame["o"] = counts, np.log(exposure)
    frame["u"], frame["t"] = design.unit_index, design.period_index
    peer = pyfixest.fepois("n ~ d + x1 + x2 | u + t", frame, offset="o", vcov={"CRV1": "u"})
    tau = tree["posterior"]["tau"].to_numpy().ravel()
    assert abs(tau.mean() - peer.coef()["d"]) < 2 * np.hypot(tau.std(), peer.se()["d"])


@pytest.mark.parametrize("bad", [-1.0, 0.5])
def test_counts_must_be_counts(bad):
    design = make_design(7)
    y = np.round(np.abs(design.y))
    y[3] = bad
    with pytest.raises(InputError, match="counts"):
        resolve_priors("weak", dataclasses.replace(design, y=y), Likelihood("poisson"))


def test_wild_bootstrap_is_near_the_clustered_test_with_many_clusters():
    design = make_design(8, N=80, T=8)
    found = wild_bootstrap(design, size=1999)
    clustered = least_squares(design).table["se_cluster"].iloc[0]
    assert 0.6 < found.se_equivalent / clustered < 1.7
    null = dataclasses.replace(design, y=design.y + 0.5 * design.D[:, 0])
    assert wild_bootstrap(null, size=1999).p_value > 0.001
