"""Fit a spatial panel model exactly: moments, log-determinant, priors, draws, effects, their tree.

The likelihood is that of the model as written (:mod:`bayesdid.model.pymc.durbin`): fixed effects,
flat on the levels that they cause, leave the transformed likelihood of Lee & Yu (2010). The
transform ``direct``, under which most published tables were made, is no integral of that model and
is here to be compared with maximum likelihood.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.inference.exact.durbin import (
    SpatialDraws,
    SpatialTarget,
    draw_spatial,
    spatial_target,
)
from bayesdid.inference.exact.durbin_effects import recover_spatial
from bayesdid.inference.exact.weighted_effects import recover_weighted
from bayesdid.inference.registry import Size
from bayesdid.inference.tree import assemble, named_dataset, provenance
from bayesdid.model.priors import Priors
from bayesdid.model.spatial import spatial_blocks
from bayesdid.model.spatial_priors import SpatialPrior, spatial_priors
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, SpatialDesign, Transform
from bayesdid.spatial.operators.moments import moments


def fit_durbin(design: SpatialDesign, priors: Priors, size: Size) -> xr.DataTree:
    """Independent draws of a normal spatial panel model with i.i.d. errors."""
    rng = np.random.default_rng(size.seed)
    found = draw_spatial(prepare(design, priors=priors), size.draws * size.chains, rng)
    base, lagged = design.base, design.kind in LAG_OF_Y | LAG_OF_ERROR
    variables: dict[str, tuple[tuple[str, ...], FloatArray]] = {"sigma": ((), found.sigma)}
    if lagged:
        variables["rho"] = ((), found.rho)
    start = 0
    coords: dict[str, object] = {base.unit_dim: base.units, base.period_dim: base.periods}
    for name, (dim, terms, _) in spatial_blocks(design).main.items():
        coords[dim] = list(terms)
        variables[name] = ((dim,), found.b[:, start : start + len(terms)])
        start += len(terms)
    ratios = iter(found.ratios.T)
    for dim, kind in ((base.unit_dim, base.unit_effects), (base.period_dim, base.period_effects)):
        if kind == "random":
            variables[f"sigma_{dim}"] = ((), found.sigma * next(ratios))
    if size.effects:
        recover = recover_spatial if base.weights is None else recover_weighted
        variables |= recover(design, found, rng)
    tree = assemble(named_dataset(variables, coords, size.chains), base)
    tree.attrs = provenance(
        base,
        priors,
        "durbin",
        size.seed,
        size.draws,
        size.chains,
        list(found.gate),
        found.log_evidence,
    )
    return tree


def draw_durbin(
    design: SpatialDesign,
    *,
    priors: SpatialPrior = "weak",
    transform: Transform = "lee_yu",
    size: int = 4000,
    seed: int = 0,
) -> SpatialDraws:
    """Independent draws of the parameters alone, under either transform of the data.

    Parameters
    ----------
    priors
        ``flat``, ``weak``, ``sceptical``, a choice by term, or resolved priors of
        :func:`spatial_priors`.
    transform
        ``lee_yu`` or ``direct``; see :mod:`bayesdid.spatial.operators.moments`.
    """
    target = prepare(design, priors=priors, transform=transform)
    return draw_spatial(target, size, np.random.default_rng(seed))


def prepare(
    design: SpatialDesign, *, priors: SpatialPrior = "weak", transform: Transform = "lee_yu"
) -> SpatialTarget:
    """The posterior density that :func:`draw_durbin` draws from."""
    stats = moments(design, transform)
    resolved, reference = spatial_priors(design, priors)
    logdet = design.logdet if design.kind in LAG_OF_Y | LAG_OF_ERROR else None
    return spatial_target(stats, logdet, resolved, reference)
