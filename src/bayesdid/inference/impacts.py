"""Direct, indirect and total effects of every regressor of a spatial model, under every draw."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.model.spatial import spatial_blocks
from bayesdid.spatial.design import LAG_OF_Y, SpatialDesign
from bayesdid.spatial.operators.impacts import Effects, multipliers

PARTS = ("direct", "indirect", "total")


def with_impacts(posterior: xr.Dataset, design: SpatialDesign) -> xr.Dataset:
    """Add ``effects`` (term, effect) to the draws of a spatial model, whatever engine made them."""
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    names = list(spatial_blocks(design).main)
    b = np.concatenate([posterior[name].to_numpy() for name in names], axis=-1)
    rho = posterior["rho"].to_numpy() if "rho" in posterior else np.zeros(shape)
    found = effects_of(design, rho.ravel(), b.reshape(-1, b.shape[-1]))
    values = np.stack(
        [np.column_stack([getattr(e, part) for part in PARTS]) for e in found.values()], axis=1
    )
    effects = xr.DataArray(
        values.reshape(*shape, *values.shape[1:]),
        coords={"term": list(found), "effect": list(PARTS)},
        dims=("chain", "draw", "term", "effect"),
    )
    return posterior.assign(effects=effects)


def effects_of(design: SpatialDesign, rho: FloatArray, b: FloatArray) -> dict[str, Effects]:
    """Effects of every regressor by name.

    A spatially correlated error passes nothing on, so in error models the effects are those of
    the regressor and its lag.

    Parameters
    ----------
    rho, b
        Spatial coefficient, shape (S,), and coefficients of ``design.names``, shape (S, K).
    """
    logdet = design.logdet if design.kind in LAG_OF_Y else None
    m = multipliers(design.weights, logdet, rho)
    found = {}
    for k, name in enumerate(design.base.names):
        lag = design.theta_of(k)
        found[name] = m.effects(b[:, k], 0.0 if lag is None else b[:, lag])
    return found
