"""Fit a Gaussian two-way model under any of the errors."""

from __future__ import annotations

import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.inference.exact.two_way import IID, named_draws, two_way_model
from bayesdid.inference.tree import assemble, posterior_dataset, provenance, unit_moments
from bayesdid.model.errors import Errors
from bayesdid.model.priors import PriorName, Priors, resolve_priors


def fit_gaussian(
    design: Design,
    *,
    errors: Errors = IID,
    priors: PriorName | Priors = "weak",
    weights: FloatArray | None = None,
    draws: int = 1000,
    chains: int = 4,
    seed: int = 0,
    draw_units: bool | None = None,
) -> xr.DataTree:
    """Posterior of a design.

    Parameters
    ----------
    errors
        Independent or AR(1), of one scale (exact independent draws) or of one for each unit
        (chains, which the gate judges).
    weights
        Analytic weights of the rows, shape (n,).
    draw_units
        Whether to keep draws of unit effects and scales, by default unless they are many; the
        group ``unit_effects`` then has their moments.

    Returns
    -------
    DataTree
        As of :func:`bayesdid.inference.fit.fit`; `sigma` is the marginal sd, ``phi`` the
        correlation of AR(1) errors, ``nu_unit`` and ``sigma_of_unit`` those of unit scales.
    """
    resolved = resolve_priors(priors, design)
    model = two_way_model(design, resolved, errors=errors, weights=weights)
    found = model.posterior(draws=draws, chains=chains, seed=seed, draw_units=draw_units)
    assert found.effects is not None
    posterior = posterior_dataset(
        design, model.data, named_draws(model, found, design), found.effects, chains
    )
    tree = assemble(posterior, design, moments=unit_moments(design, found.effects, found.scales))
    tree.attrs = provenance(
        design,
        resolved,
        errors.name,
        seed,
        draws,
        chains,
        found.draws.gate,
        found.draws.log_evidence,
    )
    return tree
