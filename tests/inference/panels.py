"""Small designs with known truth for the engines."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from bayesdid.design.design import Design
from bayesdid.inference.fit import fit
from bayesdid.inference.registry import Size
from bayesdid.inference.store import FitRequest
from bayesdid.model.bound import model as bind

TRUTH = {"sigma": 0.7, "sigma_unit": 1.2, "sigma_period": 0.5, "coef": np.array([-0.5, 0.3, -0.2])}


def make_design(seed: int, *, N=40, T=9, balanced=True, unit="fixed", period="fixed") -> Design:
    """Staggered absorbing treatment; the second covariate is correlated with the unit effects."""
    rng = np.random.default_rng(seed)
    unit_index, period_index = (a.ravel() for a in np.mgrid[:N, :T])
    if not balanced:
        keep = rng.random(N * T) < 0.8
        keep[:: T + 1] = True
        unit_index, period_index = unit_index[keep], period_index[keep]
        unit_index = np.unique(unit_index, return_inverse=True)[1]
    a = TRUTH["sigma_unit"] * rng.standard_normal(N)
    g = TRUTH["sigma_period"] * rng.standard_normal(T)
    start = rng.integers(2, 2 * T, N)
    D = (period_index >= start[unit_index]).astype(float)
    x1 = rng.standard_normal(len(D))
    x2 = rng.standard_normal(len(D)) + a[unit_index]
    Z = np.column_stack([D, x1, x2])
    noise = TRUTH["sigma"] * rng.standard_normal(len(D))
    y = 2.0 + Z @ TRUTH["coef"] + a[unit_index] + g[period_index] + noise
    return Design(
        "test.1",
        "test",
        "y",
        y,
        Z[:, :1],
        Z[:, 1:],
        ("active:p",),
        ("x1", "x2"),
        unit_index.astype(np.int64),
        period_index.astype(np.int64),
        np.arange(unit_index.max() + 1),
        np.arange(2000, 2000 + T),
        "city",
        "year",
        unit,
        period,
        None,
        "0" * 64,
    )


def fit_iid(design: Design, **options: Any) -> xr.DataTree:
    """Posterior under i.i.d. errors, which is what least squares is compared with."""
    return fit(design, errors="iid", **options).tree


def request_for(design: Design, **size: int) -> FitRequest:
    """A request for the design's own effects under i.i.d. errors."""
    return FitRequest(design, "own", bind(design, errors="iid").model, size=Size(**size))
