"""Maximum likelihood of spatial panels whose rows have weights: the dense density, w = 1."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from spatial_panels import grid_weights, simulate

from bayesdid.exceptions import InputError
from bayesdid.peers.spatial_ml import spatial_ml
from bayesdid.peers.spatial_profile import profile, setup, spectrum
from bayesdid.peers.spatial_spreg import spreg_panel
from bayesdid.peers.spatial_tests import moran_and_lm
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y

EFFECTS = [("fixed", "fixed"), ("fixed", "none"), ("none", "fixed"), ("none", "none")]


def with_weights(design, w=None):
    if w is None:
        w = np.exp(np.random.default_rng(9).normal(size=design.base.n))
    base = dataclasses.replace(design.base, weights=np.asarray(w, dtype=float))
    return dataclasses.replace(design, base=base)


def concentrated(design):
    unit, period = design.base.unit_effects, design.base.period_effects
    spec = setup(design, unit, period, "direct", "lag_first")
    return profile(design, spec, spectrum(design.weights))


def dense(design, rho):
    """The log density of all rows at the coefficients and effects that maximise it given rho."""
    N, T, base = design.N, design.T, design.base
    F = np.eye(N) - rho * design.weights.dense()
    filtered = design.kind in LAG_OF_ERROR
    columns = [*design.Z, *([np.ones((N, T))] if base.unit_effects == "none" else [])]
    if base.unit_effects == "fixed":
        columns += [np.outer(row, np.ones(T)) for row in np.eye(N)]
    if base.period_effects == "fixed":
        columns += [np.outer(np.ones(N), row) for row in np.eye(T)[1:]]
    C = np.stack([(F @ c if filtered else c).ravel() for c in columns], axis=1)
    y = (F @ design.Y if filtered or design.kind in LAG_OF_Y else design.Y).ravel()
    root = np.sqrt(base.weights)
    b = np.linalg.lstsq(C * root[:, None], y * root, rcond=None)[0]
    sigma2 = np.square(root * (y - C @ b)).mean()
    density = multivariate_normal(C @ b, np.diag(sigma2 / base.weights)).logpdf(y)
    return density + (T * np.linalg.slogdet(F)[1] if filtered or design.kind in LAG_OF_Y else 0.0)


@pytest.mark.parametrize("effects", EFFECTS, ids=str)
@pytest.mark.parametrize("how", ["row", "spectral"])
def test_the_likelihood_is_that_of_all_rows(how, effects):
    for kind in ("sdm", "sem", "slx"):
        design = with_weights(simulate(grid_weights(3, 4, how), kind, *effects, T=4))
        at = concentrated(design)
        for rho in (-0.3, 0.4) if kind != "slx" else (0.0,):
            np.testing.assert_allclose(at(rho, 1.0).loglik, dense(design, rho), rtol=1e-9)


@pytest.mark.parametrize("kind", ["sar", "sdem"])
def test_weights_of_one_are_none(kind):
    plain = simulate(grid_weights(3, 4), kind, "fixed", "fixed", T=4)
    one = with_weights(plain, np.ones(plain.base.n))
    for rho in (-0.3, 0.4):
        ours, theirs = concentrated(one)(rho, 1.0), concentrated(plain)(rho, 1.0)
        np.testing.assert_allclose(ours.loglik, theirs.loglik, rtol=1e-10)
        np.testing.assert_allclose(ours.b, theirs.b, rtol=1e-8)
    found = spatial_ml(with_weights(plain))
    at = concentrated(with_weights(plain))
    assert found.converged
    assert found.loglik > max(at(found.rho + step, 1.0).loglik for step in (-0.01, 0.01))


def test_what_has_no_weights_says_so():
    design = with_weights(simulate(grid_weights(3, 4), "sar", "fixed", "fixed", T=4))
    with pytest.raises(InputError, match="no transformation takes effects away from rows"):
        spatial_ml(design, transform="lee_yu")
    with pytest.raises(InputError, match="no transformation takes effects away from rows"):
        spatial_ml(design, order="demean_first")
    with pytest.raises(InputError, match="with weights knows no random effects"):
        spatial_ml(design, unit="random")
    with pytest.raises(InputError, match="are of rows of equal variance"):
        moran_and_lm(design)
    with pytest.raises(InputError, match="have no weights of rows"):
        spreg_panel(design)
