"""Fit a Gaussian two-way model with AR(1) errors within units."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.inference.exact.two_way import named_scalars, two_way_model
from bayesdid.inference.tree import assemble, posterior_dataset, provenance
from bayesdid.model.priors import PriorName, Priors, resolve_priors


def fit_ar1(
    design: Design,
    *,
    priors: PriorName | Priors = "weak",
    weights: FloatArray | None = None,
    draws: int = 1000,
    chains: int = 4,
    seed: int = 0,
    draw_units: bool | None = None,
) -> xr.DataTree:
    """Posterior under AR(1) errors: all of the i.i.d. model, and ``phi``; `sigma` is marginal.

    Parameters
    ----------
    weights
        Analytic weights of the rows, shape (n,).
    draw_units
        Whether to draw unit effects, by default unless they are many.
    """
    resolved = resolve_priors(priors, design)
    model = two_way_model(design, resolved, serial=True, weights=weights)
    rng = np.random.default_rng(seed)
    found = model.draw(draws * chains, rng)
    effects = model.recover(found, rng, draw_units=draw_units)
    posterior = posterior_dataset(
        design, model.data, named_scalars(model, found, design), effects, chains
    )
    tree = assemble(
        posterior,
        design,
        model.data,
        effects=effects,
        log_likelihood=False,
        posterior_predictive=False,
        sample_stats=None,
        rng=rng,
    )
    tree.attrs = provenance(
        design, resolved, "ar1", seed, draws, chains, found.gate, found.log_evidence
    )
    return tree
