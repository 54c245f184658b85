"""Spatial panels with known truth, for the tests of this folder."""

import numpy as np

from bayesdid.design.design import Design
from bayesdid.spatial.design import spatial_design
from bayesdid.spatial.weights.weights import make_weights


def base_design(Y, X, unit="fixed", period="fixed", names=None, units=None):
    """A design from arrays: Y (N, T), X (K, N, T)."""
    N, T = Y.shape
    names = names or tuple(f"x{k + 1}" for k in range(len(X)))
    return Design(
        "s.1",
        "s",
        "y",
        Y.reshape(-1),
        np.empty((N * T, 0)),
        X.reshape(len(X), N * T).T,
        (),
        names,
        np.repeat(np.arange(N), T),
        np.tile(np.arange(T), N),
        np.arange(N) if units is None else np.asarray(units),
        np.arange(T),
        "u",
        "t",
        unit,
        period,
        None,
        "0" * 64,
    )


def grid_weights(rows, columns, how="row"):
    """Rook contiguity on a grid."""
    place = np.array([(i, j) for i in range(rows) for j in range(columns)])
    near = abs(place[:, None] - place[None]).sum(axis=2) == 1
    return make_weights(near.astype(float), np.arange(len(place)), "rook", how)


def knn_weights(N, k, seed):
    """k nearest neighbours of random points: asymmetric, with complex eigenvalues."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(size=(N, 2))
    far = np.linalg.norm(points[:, None] - points[None], axis=2) + np.eye(N) * 9
    near = np.zeros((N, N))
    np.put_along_axis(near, np.argsort(far, axis=1)[:, :k], 1.0, axis=1)
    return make_weights(near, np.arange(N), "knn")


def simulate(weights, kind, unit, period, *, T=6, rho=0.4, beta=1.0, theta=0.5, seed=0, sigma=1.0):
    """A panel of the model: rho in the lag of y or of the error, by kind."""
    rng = np.random.default_rng(seed)
    N, W = weights.n, weights.dense()
    X = rng.normal(size=(1, N, T))
    base = base_design(np.zeros((N, T)), X, unit, period)
    empty = spatial_design(base, weights, kind)
    b = np.array([beta, theta])[: len(empty.names)]
    u = sigma * rng.normal(size=(N, T))
    B = np.eye(N) - rho * W
    if kind in ("sem", "sdem"):
        u = np.linalg.solve(B, u)
    mean = np.einsum("k,knt->nt", b, empty.Z) + 0.3
    if unit != "none":
        mean = mean + rng.normal(size=(N, 1))
    if period != "none":
        mean = mean + 2 * rng.normal(size=T)
    Y = np.linalg.solve(B, mean + u) if kind in ("sar", "sdm") else mean + u
    return spatial_design(base_design(Y, X, unit, period), weights, kind)
