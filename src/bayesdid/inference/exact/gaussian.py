"""Fit a Gaussian two-way model with independent or AR(1) errors within units."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.inference.exact.two_way import named_scalars, two_way_model
from bayesdid.inference.tree import assemble, posterior_dataset, provenance
from bayesdid.model.priors import PriorName, Priors, resolve_priors


def fit_gaussian(
    design: Design,
    *,
    serial: bool = False,
    priors: PriorName | Priors = "weak",
    weights: FloatArray | None = None,
    draws: int = 1000,
    chains: int = 4,
    seed: int = 0,
    draw_units: bool | None = None,
    log_likelihood: bool = False,
    posterior_predictive: bool = False,
) -> xr.DataTree:
    """Independent draws from the posterior of a design.

    Parameters
    ----------
    serial
        Whether errors are AR(1) within units: then there is ``phi``, and `sigma` is marginal.
    weights
        Analytic weights of the rows, shape (n,).
    draw_units
        Whether to draw unit effects; by default up to some thousand units, of more than which
        the group ``unit_effects`` has means and standard deviations.
    log_likelihood, posterior_predictive
        Add these groups (chain, draw, obs); under i.i.d. errors only.
    """
    resolved = resolve_priors(priors, design)
    model = two_way_model(design, resolved, serial=serial, weights=weights)
    rng = np.random.default_rng(seed)
    found = model.draw(draws * chains, rng)
    if draw_units is None and (log_likelihood or posterior_predictive):
        draw_units = True
    effects = model.recover(found, rng, draw_units=draw_units)
    tree = assemble(
        posterior_dataset(design, model.data, named_scalars(model, found, design), effects, chains),
        design,
        model.data,
        effects=effects,
        log_likelihood=log_likelihood,
        posterior_predictive=posterior_predictive,
        sample_stats=None,
        rng=rng,
    )
    tree.attrs = provenance(
        design,
        resolved,
        "ar1" if serial else "exact",
        seed,
        draws,
        chains,
        found.gate,
        found.log_evidence,
    )
    return tree
