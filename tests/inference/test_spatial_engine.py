"""Exact draws of spatial panels are those of the PyMC models; limits and invariances."""

import dataclasses

import numpy as np
import pytest
from planted import near, simulated, within_reach

import bayesdid as bd
from bayesdid.exceptions import InputError
from bayesdid.inference.engines import ENGINES
from bayesdid.inference.exact.durbin import draw_spatial
from bayesdid.inference.exact.durbin_fit import draw_durbin, prepare
from bayesdid.inference.registry import choose
from bayesdid.model.spatial_priors import spatial_priors
from engines_agree import same_posterior

MCSE = 5.0
CASES = {
    "sdm": ("sdm", near(20), "fixed", "fixed"),
    "sar, unequal row sums": ("sar", within_reach(20, normalisation="spectral"), "fixed", "fixed"),
    "sdem, unequal row sums": ("sdem", within_reach(20, normalisation="min-max"), "fixed", "fixed"),
    "sdm, random": ("sdm", near(20), "random", "fixed"),
    "sem, random": ("sem", near(20), "random", "random"),
}


@pytest.mark.sampling
@pytest.mark.slow  # densities of both are compared in tests/model/test_system_densities.py
@pytest.mark.parametrize("case", CASES)
def test_exact_draws_are_the_posterior_of_the_model_as_written(case):
    kind, weights, unit, period = CASES[case]
    design = simulated(weights, kind, T=4, unit=unit, period=period, rho=0.3)
    ours = bd.fit(design, draws=2000, log_likelihood=True)
    assert ours.tree.attrs["engine"] == "durbin"
    assert ours.converged
    theirs = bd.fit(design, engine="nuts", draws=600, chains=2, seed=1, log_likelihood=True)
    far = (
        {"effects"} if abs(ours.tree["posterior"]["rho"]).max() > 0.9 else set()
    )  # 1 / (1 - rho): no moments
    same_posterior(ours, theirs, but=far)


def test_a_spatial_fit_reads_as_its_model_does():
    design = simulated(near(20), "sdm", T=5)
    found = bd.fit(design)
    text, table = found.summary(), found.tidy()
    assert "SDM over W: 4 nearest" in text
    assert "x0: indirect" in text
    assert list(table.index) == [
        *("x0", "x1", "W x0", "W x1", "rho"),
        *("x0: direct", "x0: indirect", "x0: total"),
    ]
    parts = table["mean"]
    assert parts["x0: total"] == pytest.approx(parts["x0: direct"] + parts["x0: indirect"])
    slope = table.loc["x0", "mean"]
    assert slope == pytest.approx(float(found.tree["posterior"]["tau"].mean()))
    assert "b" not in found.tree["posterior"]
    bare = bd.fit(design, keep_effects=False)
    # the same draws up to rounding, nothing recovered
    assert np.allclose(bare.tau(), found.tau(), rtol=1e-8)
    assert not {"alpha", "place_effect"} & set(bare.tree["posterior"].data_vars)


def test_what_the_exact_engine_cannot_draw_from_is_sampled():
    design = simulated(near(20), "sdm", T=5)
    bound = bd.model(design, errors="ar1")
    assert choose(ENGINES, "auto", bound.model, design).name == "as_written"
    for parts in ({"errors": "ar1"}, {"likelihood": "student_t"}, {"unit_effects": "mundlak"}):
        with pytest.raises(InputError, match="no engine exact supports this model"):
            bd.fit(design, engine="exact", **parts)


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
    plain = draw_durbin(design, priors="flat", size=20_000)
    from bayesdid.peers.fixest import least_squares

    ols = least_squares(design.base).table["estimate"].to_numpy()
    error = plain.b.std(axis=0) / np.sqrt(20_000)
    assert (abs(plain.b.mean(axis=0)[:1] - ols[:1]) < MCSE * error[:1]).all()


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
    assert np.allclose(draw_durbin(design).b, draw_durbin(other).b, rtol=1e-6)


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
    fit = draw_durbin(design)
    assert fit.converged
    assert abs(fit.rho.mean() - truth) < 4.5 * fit.rho.std()
    assert (fit.rho > ends.low).all()
    assert (fit.rho < ends.high).all()


def test_priors_shrink_and_flat_ones_do_not():
    design = simulated(near(20), "sdm", T=4)
    flat, weak = (draw_durbin(design, priors=name) for name in ("flat", "weak"))
    sceptical = draw_durbin(design, priors="sceptical")
    assert abs(flat.b[:, 0].mean() - weak.b[:, 0].mean()) < 0.2 * flat.b[:, 0].std()
    assert abs(sceptical.b[:, 0].mean()) < abs(weak.b[:, 0].mean())
    assert set(spatial_priors(design)[0].sds) == set(design.names)
