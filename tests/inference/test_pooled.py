"""The pooled, importance and multivariate engines draw from the posteriors they say."""

import dataclasses

import numpy as np
import pytest
from panels import fit_iid as fit
from panels import make_design
from scipy.stats import multivariate_normal

import bayesdid as bd
from bayesdid.design.build import with_effects
from bayesdid.exceptions import InputError
from bayesdid.inference.exact.conjugate import conjugate_posterior
from bayesdid.inference.exact.multivariate import multivariate_posterior
from bayesdid.inference.exact.pooled import fit_pooled
from bayesdid.inference.numerics.importance import draw_importance
from bayesdid.model.errors import Errors
from bayesdid.model.pooling import Pooling, indicators, stack
from bayesdid.study.schema import PriorTerm
from cells import slow_but

MCSE = 5.0  # Monte Carlo standard errors that two means of one quantity may differ


def make_pooling(seed, unit="fixed", period="fixed", N=40, T=9):
    design = with_effects(make_design(seed, N=N, T=T), unit, period)
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


class Bent:
    """A normal in eight dimensions, bent: z_k - z_0^2 / 2 is independent of z_0."""

    dimension = 8

    def log_density(self, z):
        return -0.5 * (z[:, 0] ** 2 + ((z[:, 1:] - z[:, [0]] ** 2 / 2) ** 2).sum(axis=1))


def test_a_density_that_few_draws_do_not_hold_gets_more_proposals(monkeypatch):
    from bayesdid.inference.numerics import importance

    def passes(seed):
        found = draw_importance(Bent(), np.zeros(8), 800, np.random.default_rng(seed))
        ok = all(item.passed for item in found.gate())
        return ok, found

    more = [passes(seed) for seed in range(6)]
    assert all(ok for ok, _ in more)
    for _, found in more:
        assert abs(found.z[:, 0].mean()) < MCSE / found.ess**0.5
        assert len(found.z) == 800
    monkeypatch.setattr(importance, "_AGAIN", 1)
    assert not all(ok for ok, _ in map(passes, range(6)))


@pytest.mark.sampling
@pytest.mark.parametrize("errors", slow_but(["iid", "ar1_unit"], "ar1_unit"))
def test_pooled_engines_draw_from_the_compiled_model(errors):
    import arviz as az

    bound = bd.model(make_pooling(8, N=24, T=6).design, errors=errors)
    ours, theirs = bd.fit(bound), bd.fit(bound, engine="as_written", chains=2, draws=500)
    assert ours.tree.attrs["engine"] == ("pooled" if errors == "iid" else "pooled_unit_scales")
    assert ours.converged
    assert theirs.converged
    one, other = (found.tree["posterior"].to_dataset() for found in (ours, theirs))
    assert set(one.data_vars) == set(other.data_vars)
    for name in one.data_vars:
        error = np.hypot(*(az.mcse(draws)[name].to_numpy() for draws in (one, other)))
        gap = one[name].mean(("chain", "draw")) - other[name].mean(("chain", "draw"))
        assert (np.abs(gap.to_numpy()) < MCSE * error).all(), name


def test_pooled_engines_take_weights_and_priors_of_base_terms():
    design = make_pooling(3).design
    weights = np.random.default_rng(0).uniform(0.2, 3.0, design.n)
    weighted = dataclasses.replace(design, weights=weights)
    for errors in ("iid", "ar1_unit"):
        found = bd.fit(weighted, errors=errors, draws=100).tree
        same = fit_pooled(Pooling(design), errors=Errors.parse(errors), weights=weights, draws=100)
        np.testing.assert_allclose(found["posterior"]["tau"], same["posterior"]["tau"])
        assert "constant_data" in found
        plain = bd.fit(design, errors=errors, draws=100).tree
        assert np.abs(found["posterior"]["mu"] - plain["posterior"]["mu"]).mean() > 1e-3
    near = bd.fit(design, errors="iid", priors={"average": PriorTerm(mean=3.0, sd=1e-4)})
    mu = near.tree["posterior"]["mu"].to_numpy()
    assert abs(mu.mean() - 3.0) < 1e-3
    sure = bd.fit(design, errors="iid", priors="sceptical").tree["posterior"]["mu"]
    flat = bd.fit(design, errors="iid", priors="flat").tree["posterior"]["mu"]
    assert abs(float(sure.mean())) < abs(float(flat.mean()))


def test_a_prior_on_a_deviation_is_refused_since_its_part_has_one():
    design = make_pooling(3).design
    with pytest.raises(InputError, match="part group"):
        bd.model(design, priors={"a": PriorTerm(mean=0.0, sd=1.0)})


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
