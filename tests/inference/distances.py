"""Panels whose units stand on a map and feel each other's treatment by distance."""

from __future__ import annotations

import numpy as np

from bayesdid.design.design import Design


def places(rng, N=218, width=3000.0, height=2500.0):
    """Random points in a box, and their distances in km."""
    xy = rng.random((N, 2)) * [width, height]
    return np.linalg.norm(xy[:, None] - xy, axis=2)


def adoption(rng, N, T, share=0.35):
    """Staggered treatment, shape (N, T)."""
    start = np.where(rng.random(N) < share, rng.integers(3, T - 2, N), T)
    return (np.arange(T) >= start[:, None]).astype(float)


def design_of(Y, D, X=()):
    """A two-way design of arrays (N, T): one treatment, covariates x0, x1, ..."""
    N, T = Y.shape
    return Design(
        spec_id="t.d",
        study_id="t",
        outcome="y",
        y=Y.ravel(),
        D=D.reshape(-1, 1),
        X=np.column_stack([np.asarray(x).ravel() for x in X]) if len(X) else np.empty((N * T, 0)),
        treatments=("d",),
        covariates=tuple(f"x{k}" for k in range(len(X))),
        unit_index=np.repeat(np.arange(N), T),
        period_index=np.tile(np.arange(T), N),
        units=np.arange(N),
        periods=np.arange(T),
        unit_dim="unit",
        period_dim="period",
        unit_effects="fixed",
        period_effects="fixed",
        synthetic="planted",
        panel_sha256="0",
    )


def planted(rng, distance, D, theta, *, tau=-0.5, sigma=1.0, rho=0.0, W=None):
    """Outcome with spillover ``theta(d)`` of each treated unit, by exact distance."""
    N, T = D.shape
    reach = theta(distance) * ~np.eye(N, dtype=bool)
    mean = tau * D + reach @ D + rng.normal(0, 2, N)[:, None] + rng.normal(0, 1, T)
    Y = mean + sigma * rng.standard_normal((N, T))
    return Y if W is None else np.linalg.solve(np.eye(N) - rho * W, Y)
