"""An effect by permutation of the assignment, as one more estimate beside posteriors."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesdid.design.build import with_effects
from bayesdid.design.design import Design
from bayesdid.design.treated import not_exchangeable
from bayesdid.estimands.distribution import Distribution
from bayesdid.estimands.few_treated import error_model
from bayesdid.estimands.permutation import needed, permute
from bayesdid.estimands.stated import StatedEffect
from bayesdid.summary import Interval, hdi, reach


def permuted_effect(
    tree: xr.DataTree, design: Design, term: str, *, seed: int = 0
) -> StatedEffect | None:
    """Interval and one-sided p-value of a treatment under other assignments to units.

    The probability below zero is the share of assignments whose studentised statistic is at least
    the actual one: a p-value, read as a confidence distribution. The standard deviation is that of
    a normal with the interval's width.

    Parameters
    ----------
    tree
        A fit of the design under the default errors, whose errors the statistic takes.

    Returns
    -------
    StatedEffect or None
        None if there are too few assignments, units cannot change places, or the interval has no
        end.
    """
    if not_exchangeable(design):
        return None
    design = with_effects(design, tree.attrs["unit_effects"], tree.attrs["period_effects"])
    found = permute(design, design.treatments.index(term), error_model(tree, design), seed)
    draws = tree["posterior"]["tau"].sel(treatment=term).to_numpy()
    level = hdi(draws).level
    if found is None or len(found.who) < needed(level):
        return None
    low, high = found.interval(level, float(draws.std()))
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        return None
    z = found.statistics(0.0)[1]
    beyond = float((z >= z[0] * (1 - 1e-9 * np.sign(z[0]))).mean())
    sd = (high - low) / (2 * reach(level))
    interval = Interval(low, high, level)
    return StatedEffect(
        term,
        f"permutation of {len(found.who)} assignments",
        "any unit might have been treated; P is a p-value",
        Distribution((low + high) / 2, sd, interval, beyond),
        constant=True,
    )
