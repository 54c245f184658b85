"""Fit partially pooled treatment effects under any of the errors."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.inference.exact.two_way import IID, named_draws, two_way_model
from bayesdid.inference.tree import provenance
from bayesdid.model.errors import Errors
from bayesdid.model.pooling import Pooling


def fit_pooled(
    pooling: Pooling,
    *,
    errors: Errors = IID,
    weights: FloatArray | None = None,
    draws: int = 1000,
    chains: int = 4,
    seed: int = 0,
) -> xr.DataTree:
    """Posterior of the partially pooled model.

    Parameters
    ----------
    errors
        Independent or AR(1), of one scale or of one for each unit.
    weights
        Analytic weights of the rows, shape (n,).

    Returns
    -------
    DataTree
        ``posterior`` with ``mu`` (base), one variable per part on ``<part>_level``,
        ``omega_<part>``, ``tau`` (treatment; base and deviations in the design's order),
        ``beta``, ``sigma``, ``phi``, ``nu_unit``. ``attrs["converged"]`` is 0 if the gate failed.
    """
    design, priors = pooling.design, pooling.priors()
    model = two_way_model(design, priors, errors=errors, weights=weights, pooling=pooling)
    found = model.posterior(draws=draws, chains=chains, seed=seed, effects=False)
    drawn = found.draws
    coef, omega = drawn.coef / model.data.scale, drawn.scalars.omega
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
    scalars = named_draws(model, found, design)
    values |= {name: ((), value) for name, value in scalars.items() if value.ndim == 1}
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
        design, priors, "pooled", seed, draws, chains, drawn.gate, drawn.log_evidence
    )
    return tree
