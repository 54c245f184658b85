"""What others receive from a treatment over distance, as effects that a claim may be about."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import xarray as xr

from bayesdid.estimands.stated import StatedEffect, drawn
from bayesdid.families.spillover_distance.output import Curves
from bayesdid.model.spillover import ProfileDesign


def stated_effects(
    design: ProfileDesign, tree: xr.DataTree, curves: Curves
) -> tuple[StatedEffect, ...]:
    """All that a unit receives in the last period, and averages up to published boundaries.

    ``T.indirect`` sums the profile over rings at the mean exposure of the last period. ``T up to
    800 km`` and ``T from 800 to 1400 km`` average the effect of one treated unit over distances.
    """
    term, posterior = design.base.treatments[0], tree["posterior"]
    name = "impact" if "impact" in posterior else "theta"
    theta = np.nan_to_num(posterior[name].to_numpy().reshape(-1, design.rings.R))
    received = theta @ design.raw[:, :, -1].mean(axis=1)
    label, smooth = "profile over distance", "the profile is smooth"
    found = [drawn(f"{term}.indirect", label, smooth, received, main=True)]
    edges = [0.0, *curves.published]
    for low, high in pairwise(edges):
        inside = (curves.grid > low) & (curves.grid <= high)
        if inside.any():
            span = f"up to {high:g} km" if low == 0 else f"from {low:g} to {high:g} km"
            average = curves.theta[:, inside].mean(axis=1)
            found.append(drawn(f"{term} {span}", label, smooth, average, main=True))
    return tuple(found)
