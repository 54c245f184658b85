"""Direct, indirect and total effects, as claims may be about them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayesdid.estimands.stated import StatedEffect, drawn, estimated
from bayesdid.families.sdm.output import effect_draws
from bayesdid.inference.result import Fit
from bayesdid.peers.spatial_impacts import SpatialImpacts


def stated_effects(
    fit: Fit, heavy: Fit | None, likelihoods: Mapping[str, SpatialImpacts]
) -> tuple[StatedEffect, ...]:
    """Of the model, of the same with Student-t errors, and by each kind of maximum likelihood.

    What a model fixes at zero (an indirect effect without lags) is not stated.

    Parameters
    ----------
    heavy
        The fit with Student-t errors, if there is one that converged.
    """
    found = []
    over = f"W is {fit.tree.attrs['spatial_weights']}"
    kind = str(fit.tree.attrs.get("spatial_kind", "sdm")).upper()
    fits = [(fit, f"{kind}, normal errors", over)]
    if heavy is not None:
        fits.append((heavy, f"{kind}, Student t", f"{over}; every row has a variance of its own"))
    for k, (item, label, assumes) in enumerate(fits):
        for key, draws in effect_draws(item).items():
            if np.ptp(draws) > 0:
                name = key.replace(": ", ".")
                found.append(drawn(name, label, assumes, draws, main=k == 0))
    for label, ml in likelihoods.items():
        for row in ml.table().to_dict("records"):
            name, se = f"{row['term']}.{row['impact']}", float(row["se"])
            if np.isfinite(se) and se > 0:
                value = float(row["estimate"])
                found.append(estimated(name, f"{kind}, {label}", over, value, se))
    return tuple(found)
