"""The pooled, importance and multivariate engines draw from the posteriors they say."""

import numpy as np
import pytest
from panels import fit_iid as fit
from panels import make_design
from scipy.stats import multivariate_normal

from bayesdid.design.build import with_effects
from bayesdid.inference.exact.conjugate import conjugate_posterior
from bayesdid.inference.exact.multivariate import multivariate_posterior
from bayesdid.inference.exact.pooled import fit_pooled
from bayesdid.inference.numerics.importance import draw_importance
from bayesdid.model.pooling import indicators, stack

MCSE = 5.0  # Monte Carlo standard errors that two means of one quantity may differ


def make_pooling(seed, unit="fixed", period="fixed"):
    design = with_effects(make_design(seed, N=40, T=9), unit, period)
    group = design.unit_index % 4
    treated = design.D[:, 0]
    columns = indicators(group, [0, 1, 2, 3], treated)
    return stack(design, [("", ("average",), treated[:, None]), ("group", tuple("abcd"), columns)])


class Normal:
    dimension = 3

    def __init__(self):
        rng = np.random.default_rng(0)
        root = rng.normal(size=(3, 3))
        self.normal = multivariate_normal([1.0, -2.0, 0.5], root @ root.T + np.eye(3))

    def log_density(self, z):
        return np.atleast_1d(self.normal.logpdf(z)) + 3.0


def test_importance_sampling_of_a_known_density():
    target = Normal()
    found = draw_importance(target, np.zeros(3), 4000, np.random.default_rng(1))
    sd = np.sqrt(np.diag(target.normal.cov))
    assert (
        np.abs(found.z.mean(axis=0) - target.normal.mean).max() < MCSE * sd.max() / found.ess**0.5
    )
    assert found.log_evidence == pytest.approx(3.0, abs=MCSE / found.ess**0.5)
    assert all(item.passed for item in found.gate())


@pytest.mark.sampling
@pytest.mark.filterwarnings("ignore")
def test_pooled_engine_draws_from_the_pymc_model():
    import arviz as az
    import pymc as pm

    from bayesdid.model.mean import Pooled
    from bayesdid.model.model import Model
    from bayesdid.model.pymc.compile import to_pymc

    pooling = make_pooling(2)
    ours = fit_pooled(pooling, draws=1000)
    assert ours.attrs["converged"]
    with to_pymc(Model(mean=Pooled()), pooling.design):
        tree = pm.sample(
            1000,
            tune=1000,
            chains=2,
            cores=2,
            random_seed=1,
            nuts_sampler="nutpie",
            nuts_sampler_kwargs={"target_accept": 0.95},
            progressbar=False,
        )
    for name in ("mu", "group", "omega_group", "sigma"):
        theirs = tree["posterior"][name]
        mean = theirs.mean(("chain", "draw")).to_numpy()
        error = np.hypot(
            az.mcse(tree["posterior"].to_dataset())[name].to_numpy(),
            theirs.std(("chain", "draw")).to_numpy() / np.sqrt(800),
        )
        gap = np.abs(ours["posterior"][name].mean(("chain", "draw")).to_numpy() - mean)
        assert (gap < MCSE * error).all(), name


def test_flat_closed_form_is_the_exact_engine():
    design = make_design(3)
    posterior = conjugate_posterior(design)
    tree = fit(design, priors="flat", seed=1)
    tau = tree["posterior"]["tau"].to_numpy().ravel()
    sd = np.sqrt(posterior.scale[0, 0] * posterior.nu / (posterior.nu - 2))
    assert abs(tau.mean() - posterior.location[0]) < MCSE * sd / np.sqrt(tau.size)
    assert tau.std() == pytest.approx(sd, rel=MCSE / np.sqrt(2 * tau.size))


def test_multivariate_posterior_has_the_marginals_of_each_regression():
    design = make_design(4)
    other = design.y + design.X[:, 0] + np.random.default_rng(0).normal(size=design.n)
    both = multivariate_posterior(design, np.column_stack([design.y, other]))
    B, Sigma = both.draw(20_000, np.random.default_rng(1))
    alone = conjugate_posterior(design)
    assert np.allclose(both.location[:, 0], alone.location)
    # the marginal of one equation has one degree of freedom less for each other outcome
    sd = np.sqrt(np.diag(both.inverse) * both.S[0, 0] / (both.nu - 1 - 2))
    assert np.abs(B[:, :, 0].std(axis=0) / sd - 1).max() < MCSE / np.sqrt(2 * 20_000)
    assert np.abs(Sigma.mean(axis=0) / (both.S / (both.nu - 3)) - 1).max() < 0.02
