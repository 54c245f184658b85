"""Simulated spatial panels whose truth is known, made without the code under test."""

import numpy as np

from bayesdid.design.design import Design
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_X, LAG_OF_Y, spatial_design
from bayesdid.spatial.weights.weights import make_weights


def near(N, k=4, seed=0, normalisation="row"):
    """k nearest neighbours of random places: not symmetric, complex eigenvalues."""
    rng = np.random.default_rng(seed)
    p = rng.random((N, 2))
    d = np.linalg.norm(p[:, None] - p[None], axis=2)
    np.fill_diagonal(d, np.inf)
    W = np.zeros((N, N))
    W[np.arange(N)[:, None], np.argsort(d, axis=1)[:, :k]] = 1.0
    return make_weights(W, np.arange(N), f"{k} nearest", normalisation)


def within_reach(N, reach=0.2, seed=0, normalisation="row"):
    """Inverse distance up to a reach: symmetric before normalising, some islands."""
    rng = np.random.default_rng(seed)
    p = rng.random((N, 2))
    d = np.linalg.norm(p[:, None] - p[None], axis=2)
    np.fill_diagonal(d, np.inf)
    W = np.where(d < reach, 1 / np.maximum(d, 0.01), 0.0)
    return make_weights(W, np.arange(N), "inverse distance", normalisation)


def base_design(y, X, unit="fixed", period="fixed"):
    """Arrays of shape (N, T) and (K, N, T) as a two-way design; the first regressor treats."""
    N, T = y.shape
    names = tuple(f"x{k}" for k in range(len(X)))
    columns = X.reshape(len(X), -1).T
    return Design(
        "s.1",
        "s",
        "y",
        y.ravel(),
        columns[:, :1],
        columns[:, 1:],
        names[:1],
        names[1:],
        np.repeat(np.arange(N), T),
        np.tile(np.arange(T), N),
        np.arange(N),
        np.arange(T),
        "place",
        "year",
        unit,
        period,
        None,
        "0" * 64,
    )


def simulated(
    weights,
    kind,
    *,
    T=8,
    rho=0.4,
    beta=(1.0, -0.5),
    theta=(0.5, 0.3),
    sigma=1.0,
    unit="fixed",
    period="fixed",
    seed=0,
    tails=None,
):
    """A panel of one spatial model; effects are drawn whatever the fit then assumes of them."""
    rng = np.random.default_rng([seed, 7])
    N, W = weights.n, weights.dense()
    X = rng.normal(size=(len(beta), N, T)) + rng.normal(size=(len(beta), N, 1))
    a = rng.normal(size=(N, 1)) if unit != "none" else 0.0
    g = rng.normal(size=(1, T)) if period != "none" else 0.0
    mean = np.tensordot(beta, X, axes=1) + 2.0
    if kind in LAG_OF_X:
        mean = mean + np.tensordot(theta, W @ X, axes=1)
    noise = sigma * (rng.normal(size=(N, T)) if tails is None else rng.standard_t(tails, (N, T)))
    spread = np.linalg.inv(np.eye(N) - rho * W)
    if kind in LAG_OF_Y:
        y = spread @ (mean + a + g + noise)
    elif kind in LAG_OF_ERROR:
        y = mean + a + g + spread @ noise
    else:
        y = mean + a + g + noise
    return spatial_design(base_design(y, X, unit, period), weights, kind)
