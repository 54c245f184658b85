"""Which random variables a sampler should see as multiples of their scale: the data decide.

Where the data say much about each level of a random effect, its posterior hardly depends on the
scale and is best sampled as it is; where they say little it is a multiple of its scale, and
sampling the multiple avoids the funnel (Betancourt & Girolami 2015, arXiv:1312.0906).
"""

from __future__ import annotations

import numpy as np

from bayesdid.design.design import Design
from bayesdid.design.regressors import is_random
from bayesdid.design.within import two_way
from bayesdid.model.mean import Propensity
from bayesdid.model.model import Model
from bayesdid.model.priors import on_link_scale

_INFORMED = 5.0  # variance of level means over that of their noise
_LARGE_COUNT = 10.0  # a count above it knows its own rate


def chosen_by_data(model: Model, design: Design) -> frozenset[str]:
    """Names of variables to sample as multiples of their scale."""
    if isinstance(model.mean, Propensity):
        return frozenset()
    found = set()
    y = on_link_scale(design, model.likelihood)
    Z = np.column_stack([design.regressors, y])
    within = two_way(Z, design.unit_index, design.period_index).residual
    b = np.linalg.lstsq(within[:, :-1], within[:, -1], rcond=None)[0]
    rest = two_way((Z[:, -1] - Z[:, :-1] @ b)[:, None], design.unit_index, design.period_index)
    noise = rest.residual.var()
    for over, dim, level, count in (
        ("unit", design.unit_dim, rest.unit, len(design.units)),
        ("period", design.period_dim, rest.period, len(design.periods)),
    ):
        kind = model.kind("unit" if over == "unit" else "period")
        if is_random(kind) and level.var() * design.n / count < _INFORMED * noise:
            found.add(f"{dim}_effect")
    if model.likelihood.is_discrete and np.median(design.y) < _LARGE_COUNT:
        found.add("error")
    return frozenset(found)
