"""Spatial Durbin columns that a panel is held to: maximum likelihood, and how it moves."""

import dataclasses

import numpy as np
import pytest
from panels import make_design
from scipy.sparse import csr_array

from bayesdid.peers.spatial_ml import spatial_ml
from bayesdid.reconstruct.durbin import Durbin
from bayesdid.reconstruct.regression import Factor, Regression
from bayesdid.spatial.design import spatial_design
from bayesdid.spatial.operators.spectrum import eigenvalues, interval_of
from bayesdid.spatial.weights.weights import make_weights

N, T = 14, 6


@pytest.fixture(scope="module", params=[("row", None), ("spectral", (0,))])
def case(request):
    """A column, the values of its variables, and the same as a spatial design."""
    normalisation, lagged = request.param
    rng = np.random.default_rng(4)
    places = rng.uniform(0, 10, (N, 2))
    distance = np.hypot(*(places[:, None] - places).transpose(2, 0, 1)) + np.eye(N)
    raw = csr_array(np.where(np.eye(N), 0.0, distance**-2.0))
    weights = make_weights(raw, np.arange(N), "w", normalisation)
    design = make_design(0, N=N, T=T)
    names = tuple(design.names)
    rows = np.arange(N * T)
    values = dict(zip(names, design.regressors.T, strict=True))
    lagging = np.linalg.inv(np.eye(N) - 0.5 * weights.dense())
    values["y"] = (lagging @ design.y.reshape(N, T)).ravel()
    factors = {name: Factor(np.ones(N * T), name, rows) for name in values}
    base = Regression(
        "t.1",
        factors["y"],
        tuple(factors[name] for name in names),
        names,
        np.repeat(np.arange(N), T),
        np.tile(np.arange(T), N),
        True,
        True,
    )
    which = tuple(range(len(names))) if lagged is None else lagged
    eigen = eigenvalues(weights).astype(complex)
    ends = interval_of(eigen)
    of = Durbin(base, weights.dense(), eigen, (ends.low, ends.high), which)
    moved = dataclasses.replace(design, y=values["y"])
    spatial = spatial_design(moved, weights, "sdm", tuple(names[k] for k in which))
    return of, values, spatial


def test_it_is_maximum_likelihood(case):
    of, values, spatial = case
    theirs, found = spatial_ml(spatial), of.estimate(values)
    assert abs(found.rho) > 0.05
    assert found.rho == pytest.approx(theirs.rho, abs=1e-5)
    expected = theirs.table().set_index("term")["estimate"]
    for name in of.names:
        own = expected[name.replace("W:", "W ")]
        assert found.value(name, "estimate") == pytest.approx(own, abs=1e-5), name
    jacobian = T * np.log(abs(1 - theirs.rho * of.eigenvalues)).sum()
    each = -2 * (theirs.loglik - jacobian) / (N * T)  # log(2 pi sigma^2) + 1
    assert found.value("sigma2", "sigma2") == pytest.approx(np.exp(each - 1) / 2 / np.pi, rel=1e-5)


@pytest.mark.parametrize(
    "what", [("rho", "rho"), ("sigma2", "sigma2"), (0, "estimate"), (-1, "estimate")]
)
def test_slopes_are_those_of_small_changes(case, what):
    of, values, _ = case
    name, kind = what
    name = of.names[name] if isinstance(name, int) else name
    rng, eps = np.random.default_rng(1), 1e-6
    by_y, by_Z = of.estimate(values).slope(name, kind)
    for column, slope in zip(("y", *of.base.names), (by_y, *by_Z), strict=True):
        step = rng.standard_normal(N * T)
        up, down = (
            of.estimate({**values, column: values[column] + s * eps * step}).value(name, kind)
            for s in (1, -1)
        )
        assert (up - down) / (2 * eps) == pytest.approx(step @ slope, rel=1e-4, abs=1e-7)
