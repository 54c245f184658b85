"""Exact draws of spatial panels are those of the PyMC models; limits and invariances."""

import dataclasses

import numpy as np
import pytest
from planted import near, simulated, within_reach

from bayesdid.inference.exact.durbin import draw_spatial
from bayesdid.inference.exact.durbin_fit import fit_spatial, prepare
from bayesdid.model.effects import two_way
from bayesdid.model.mean import Durbin
from bayesdid.model.model import Model
from bayesdid.model.pymc.compile import to_pymc
from bayesdid.model.spatial_priors import spatial_priors

MCSE = 5.0
CASES = {
    "sdm": ("sdm", near(20), "fixed", "fixed"),
    "sar, unequal row sums": ("sar", within_reach(20, normalisation="spectral"), "fixed", "fixed"),
    "sdem, unequal row sums": ("sdem", within_reach(20, normalisation="min-max"), "fixed", "fixed"),
    "sdm, random": ("sdm", near(20), "random", "fixed"),
    "sem, random": ("sem", near(20), "random", "random"),
}


@pytest.mark.sampling
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES)
def test_exact_draws_are_the_posterior_of_the_model_as_written(case):
    import arviz as az
    import pymc as pm

    kind, weights, unit, period = CASES[case]
    design = simulated(weights, kind, T=4, unit=unit, period=period, rho=0.3)
    fit = fit_spatial(design, size=8000)
    assert fit.converged
    model = Model(mean=Durbin(kind), effects=two_way(unit, period))
    with to_pymc(model, design):
        tree = pm.sample(
            1500,
            tune=1000,
            chains=2,
            cores=2,
            random_seed=1,
            nuts_sampler="nutpie",
            progressbar=False,
            target_accept=0.9,
        )
    chain = tree["posterior"].to_dataset()
    pairs = {"sigma": (chain["sigma"], fit.draws.sigma)}
    pairs["rho"] = (chain["rho"], fit.draws.rho)
    slopes = [
        chain[name][..., k]
        for name in ("tau", "beta", "theta")
        if name in chain
        for k in range(chain[name].shape[-1])
    ]
    for k, name in enumerate(design.names):
        pairs[name] = (slopes[k], fit.draws.b[:, k])
    for name, (theirs, ours) in pairs.items():
        ess = float(az.ess(theirs.to_dataset(name="x"), method="mean")["x"])
        error = np.hypot(float(theirs.std()) / np.sqrt(ess), ours.std() / np.sqrt(len(ours)))
        assert abs(float(theirs.mean()) - ours.mean()) < MCSE * error, name
        assert (
            abs(float(theirs.std()) / ours.std() - 1) < MCSE * np.sqrt(0.5 / ess + 0.5 / 8000) * 1.5
        )


@pytest.mark.parametrize("kind", ["sar", "sem", "sdm", "sdem"])
def test_the_evidence_is_the_integral_of_the_density(kind):
    target = prepare(simulated(near(15), kind, T=5))
    u = np.linspace(-18, 18, 20_001)
    log = target.log_density(u[:, None])
    brute = log.max() + np.log(np.trapezoid(np.exp(log - log.max()), u))
    found = draw_spatial(target, 4000, np.random.default_rng(0))
    assert found.log_evidence == pytest.approx(brute, abs=1e-4)
    weight = np.exp(log - log.max())
    for level in (0.05, 0.5, 0.95):  # and the draws have its quantiles
        cut = u[np.searchsorted(np.cumsum(weight), level * weight.sum())]
        share = (found.rho < target.rho(np.array([cut]))[0]).mean()
        assert abs(share - level) < MCSE * np.sqrt(level * (1 - level) / 4000)


def test_without_neighbours_that_matter_all_models_are_least_squares():
    """W X of a policy that nobody's neighbour has is nothing: SLX nests the plain model."""
    design = simulated(near(20), "none", T=6)
    plain = fit_spatial(design, priors="flat", size=20_000)
    from bayesdid.peers.fixest import least_squares

    ols = least_squares(design.base).table["estimate"].to_numpy()
    error = plain.draws.b.std(axis=0) / np.sqrt(20_000)
    assert (abs(plain.draws.b.mean(axis=0)[:1] - ols[:1]) < MCSE * error[:1]).all()


@pytest.mark.parametrize("kind", ["sdm", "sdem"])
def test_the_order_of_units_does_not_matter(kind):
    weights = within_reach(20)
    design = simulated(weights, kind, T=5)
    order = np.random.default_rng(1).permutation(20)
    shuffled = dataclasses.replace(
        weights, matrix=weights.matrix[order][:, order], units=weights.units[order]
    )
    from bayesdid.spatial.design import spatial_design

    other = spatial_design(design.base, shuffled, kind)
    assert np.allclose(fit_spatial(design).draws.b, fit_spatial(other).draws.b, rtol=1e-6)


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.9, 0.98])
@pytest.mark.parametrize(
    "weights",
    [
        near(60),
        within_reach(60),
        within_reach(60, normalisation="none"),
        near(60, normalisation="spectral"),
    ],
)
def test_rho_is_found_up_to_its_bounds(weights, rho):
    from bayesdid.spatial.operators.logdet import log_determinant

    ends = log_determinant(weights).interval
    truth = rho * (ends.high if rho > 0 else -ends.low)
    design = simulated(weights, "sdm", T=12, rho=truth)
    fit = fit_spatial(design)
    assert fit.converged
    assert abs(fit.draws.rho.mean() - truth) < 4.5 * fit.draws.rho.std()
    assert (fit.draws.rho > ends.low).all()
    assert (fit.draws.rho < ends.high).all()


def test_priors_shrink_and_flat_ones_do_not():
    design = simulated(near(20), "sdm", T=4)
    flat, weak = (fit_spatial(design, priors=name) for name in ("flat", "weak"))
    sceptical = fit_spatial(design, priors="sceptical")
    assert (
        abs(flat.draws.b[:, 0].mean() - weak.draws.b[:, 0].mean()) < 0.2 * flat.draws.b[:, 0].std()
    )
    assert abs(sceptical.draws.b[:, 0].mean()) < abs(weak.draws.b[:, 0].mean())
    assert set(spatial_priors(design)[0].sds) == set(design.names)
