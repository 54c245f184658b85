"""Fit partially pooled treatment effects under any of the errors."""

from __future__ import annotations

import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.inference.exact.two_way import IID, named_draws, two_way_model
from bayesdid.inference.tree import assemble, posterior_dataset, provenance, unit_moments
from bayesdid.model.errors import Errors
from bayesdid.model.pooling import Pooling
from bayesdid.model.priors import Priors


def fit_pooled(
    pooling: Pooling,
    *,
    errors: Errors = IID,
    priors: Priors | None = None,
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
    priors
        Of base terms, covariates and scales, by default weak; a part's columns have its own scale.
    weights
        Analytic weights of the rows, shape (n,).

    Returns
    -------
    DataTree
        As of :func:`bayesdid.inference.exact.gaussian.fit_gaussian`, its ``tau`` holding base terms
        and deviations in the design's order; beside them ``mu`` (base), one variable per part on
        ``<part>_level``, ``omega_<part>``. ``attrs["converged"]`` is 0 if the gate failed.
    """
    design = pooling.design
    priors = priors or pooling.priors()
    model = two_way_model(design, priors, errors=errors, weights=weights, pooling=pooling)
    found = model.posterior(draws=draws, chains=chains, seed=seed)
    assert found.effects is not None
    posterior = posterior_dataset(
        design, model.data, named_draws(model, found, design), found.effects, chains
    )
    random = sum(one.kind == "random" for one in design.further)
    omega = found.draws.scalars.omega[:, random:]  # after those of random effects
    posterior = _with_parts(posterior, pooling, omega)
    tree = assemble(posterior, design, moments=unit_moments(design, found.effects, found.scales))
    tree.attrs = provenance(
        design, priors, "pooled", seed, draws, chains, found.draws.gate, found.draws.log_evidence
    )
    return tree


def _with_parts(posterior: xr.Dataset, pooling: Pooling, omega: FloatArray) -> xr.Dataset:
    """Base terms, deviations and the scale of each part by their own names; omega (S, parts)."""
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    tau, names = posterior["tau"].to_numpy(), pooling.design.treatments
    base = pooling.columns("")
    found = posterior
    if len(base):
        found = found.assign_coords(base=[names[c] for c in base])
        found["mu"] = (("chain", "draw", "base"), tau[..., base])
    for k, name in enumerate(pooling.parts):
        columns, level = pooling.columns(name), f"{name}_level"
        found = found.assign_coords({level: [names[c] for c in columns]})
        found[name] = (("chain", "draw", level), tau[..., columns])
        found[f"omega_{name}"] = (("chain", "draw"), omega[:, k].reshape(shape))
    return found
