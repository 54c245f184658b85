"""A contrast as weights of treated rows: rows under both less rows under one policy at their ages.

What a policy does alone at an age is the average over the rows under it alone at that age. Models
that give every treated row or cell an effect of its own estimate the contrast as these weights
times the effects.
"""

from __future__ import annotations

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import OverlapDesign
from bayesdid.estimands.names import MAX_SINGLE, RATIO, SUM
from bayesdid.estimands.state_effects import Average


def contrast_weights(name: str, rows: OverlapDesign, average: Average) -> FloatArray | None:
    """Weights of a linear contrast on the effects of rows, shape (n,); None for the others."""
    if name in {MAX_SINGLE, RATIO}:
        return None
    return less_singles(rows, average.weights(), _shares(name, rows.policies))


def less_singles(
    rows: OverlapDesign, weights: FloatArray, shares: tuple[float, ...] | None = None
) -> FloatArray:
    """Weights of rows, less `shares` (default one) of each policy alone at the rows' ages."""
    found = weights.copy()
    used = np.flatnonzero(weights)
    for k, policy in enumerate(rows.policies):
        share = 1.0 if shares is None else shares[k]
        if not share:
            continue
        only, age = rows.state == f"only:{policy}", np.maximum(rows.age[:, k], 0)
        size = int(age.max()) + 1
        asked = np.bincount(age[used], weights[used], minlength=size)
        there = np.bincount(age[only], minlength=size)
        found[only] -= share * (asked / np.maximum(there, 1))[age[only]]
    return found


def _shares(name: str, policies: tuple[str, ...]) -> tuple[float, ...]:
    """How much of each policy alone a contrast subtracts from the effect of both."""
    if name == SUM:
        return (1.0,) * len(policies)
    if name.endswith("single"):
        return (1.0 / len(policies),) * len(policies)
    return tuple(float(name == f"both - only:{policy}") for policy in policies)
