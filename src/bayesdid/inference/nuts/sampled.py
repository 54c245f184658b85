"""Fit an i.i.d. two-way model by chains of its few parameters, effects drawn exactly after."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesdid.design.design import Design
from bayesdid.inference.exact.two_way import Posterior, named_draws, two_way_model
from bayesdid.inference.gate import chain_gate
from bayesdid.inference.nuts.collapsed import draw_collapsed
from bayesdid.inference.registry import Size
from bayesdid.inference.tree import assemble, posterior_dataset, provenance, unit_moments
from bayesdid.model.priors import Priors


def fit_collapsed(design: Design, priors: Priors, size: Size) -> xr.DataTree:
    """Posterior of the small parameters by chains, of the effects exactly."""
    model = two_way_model(design, priors)
    rng = np.random.default_rng(size.seed)
    found, stats = draw_collapsed(
        model,
        draws=size.draws,
        tune=size.tune,
        chains=size.chains,
        seed=size.seed,
        cores=size.cores,
    )
    effects = model.recover(found, rng)
    tree = assemble(
        posterior_dataset(
            design,
            model.data,
            named_draws(model, Posterior(found, effects, None), design),
            effects,
            size.chains,
        ),
        design,
        moments=unit_moments(design, effects),
        sample_stats=stats,
    )
    gate = chain_gate(tree)
    tree.attrs = provenance(
        design, priors, "collapsed", size.seed, size.draws, size.chains, gate, None
    )
    return tree
