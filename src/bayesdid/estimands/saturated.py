"""The same contrasts from cells without pooling, in closed form.

Every treated (adoption periods, period) has an effect of its own under a flat prior. What a policy
does alone at an age is the average over the rows under it alone at that age.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import OverlapDesign
from bayesdid.estimands.names import MAX_SINGLE, RATIO, SUM
from bayesdid.estimands.state_effects import Average
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.inference.exact.sandwich import sandwich_moments


def saturated_moments(
    rows: OverlapDesign, averages: Mapping[str, Average]
) -> dict[str, tuple[float, float, float]]:
    """Mean, sd under i.i.d. errors and clustered sd of every linear contrast.

    Empty where the cells are not identified, e.g. if a covariate is constant in untreated rows.
    """
    cell, count = rows.cells()
    D = np.zeros((rows.design.n, count))
    treated = cell >= 0
    D[treated, cell[treated]] = 1.0
    names = tuple(f"cell {k}" for k in range(count))
    try:
        found = sandwich_moments(dataclasses.replace(rows.design, D=D, treatments=names, part=()))
    except NotIdentifiedError:
        return {}
    alone = [_alone(rows, D, k) for k in range(len(rows.policies))]
    result = {}
    for name, average in averages.items():
        if name in {MAX_SINGLE, RATIO}:
            continue
        share = _shares(name, rows.policies)
        w = average.weights() @ D
        used = np.flatnonzero(average.weights())
        for k, part in enumerate(share):
            if part:
                w = w - part * average.weights()[used] @ alone[k][rows.age[used, k]]
        mean = float(w @ found.location[:count])
        pair = (found.iid, found.cluster)
        sds = [float(np.sqrt(max(float(w @ V[:count, :count] @ w), 0.0))) for V in pair]
        result[name] = (mean, sds[0], sds[1])
    return result


def _alone(rows: OverlapDesign, D: FloatArray, k: int) -> FloatArray:
    """Average of the cells of one policy alone at each of its ages, shape (ages, cells)."""
    only = rows.state == f"only:{rows.policies[k]}"
    table = np.zeros((int(rows.age.max()) + 1, D.shape[1]))
    for age in np.unique(rows.age[only, k]):
        table[age] = D[only & (rows.age[:, k] == age)].mean(axis=0)
    return table


def _shares(name: str, policies: tuple[str, ...]) -> tuple[float, ...]:
    """How much of each policy alone a contrast subtracts from the effect of both."""
    if name == SUM:
        return (1.0,) * len(policies)
    if name.endswith("single"):
        return (1.0 / len(policies),) * len(policies)
    return tuple(float(name == f"both - only:{policy}") for policy in policies)
