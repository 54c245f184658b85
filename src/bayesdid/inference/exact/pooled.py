"""Fit partially pooled treatment effects: coefficients integrated out, scales by importance."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.inference.exact.two_way import named_scalars, two_way_model
from bayesdid.inference.tree import provenance
from bayesdid.model.pooling import Pooling


def fit_pooled(
    pooling: Pooling,
    *,
    serial: bool = False,
    weights: FloatArray | None = None,
    draws: int = 1000,
    chains: int = 4,
    seed: int = 0,
) -> xr.DataTree:
    """Posterior of the partially pooled model.

    Parameters
    ----------
    serial
        Whether errors are AR(1) within units rather than independent.
    weights
        Analytic weights of the rows, shape (n,).

    Returns
    -------
    DataTree
        ``posterior`` with ``mu`` (base), one variable per part on ``<part>_level``,
        ``omega_<part>``, ``tau`` (treatment; base and deviations in the design's order),
        ``beta``, ``sigma``, ``phi``. ``attrs["converged"]`` is 0 if the gate failed.
    """
    design, priors = pooling.design, pooling.priors()
    model = two_way_model(design, priors, serial=serial, weights=weights, pooling=pooling)
    found = model.draw(draws * chains, np.random.default_rng(seed))
    coef, omega = found.coef / model.data.scale, found.scalars.omega
    P, K = len(design.treatments), len(design.names)
    values: dict[str, tuple[tuple[str, ...], FloatArray]] = {
        "tau": (("treatment",), coef[:, :P]),
        "mu": (("base",), coef[:, pooling.columns("")]),
    }
    coords: dict[str, list[str]] = {
        "treatment": list(design.treatments),
        "base": [design.treatments[k] for k in pooling.columns("")],
    }
    if K > P:
        values["beta"] = (("covariate",), coef[:, P:K])
        coords["covariate"] = list(design.covariates)
    for k, name in enumerate(pooling.parts):
        columns = pooling.columns(name)
        values[name] = ((f"{name}_level",), coef[:, columns])
        values[f"omega_{name}"] = ((), omega[:, k])
        coords[f"{name}_level"] = [design.treatments[c] for c in columns]
    scalars = named_scalars(model, found, design)
    values |= {name: ((), value) for name, value in scalars.items() if name != "coef"}
    posterior = xr.Dataset(
        {
            n: (("chain", "draw", *dims), v.reshape(chains, draws, *v.shape[1:]))
            for n, (dims, v) in values.items()
        },
        coords={"chain": np.arange(chains), "draw": np.arange(draws), **coords},
    )
    observed = xr.Dataset({"y": ("obs", design.y)}, {"obs": np.arange(design.n)})
    tree = xr.DataTree.from_dict({"posterior": posterior, "observed_data": observed})
    tree.attrs = provenance(
        design, priors, "pooled", seed, draws, chains, found.gate, found.log_evidence
    )
    return tree
