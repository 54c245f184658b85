"""A contrast as weights of treated rows: rows under both less rows under one policy at their ages.

What a policy does alone at an age is the average over the rows under it alone at that age. Models
that give every treated row or cell an effect of its own estimate the contrast as these weights
times the effects.
"""

from __future__ import annotations

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import OverlapDesign, Set, pairs_of
from bayesdid.estimands.names import ALL, BEYOND_PAIRS, SUM, is_sum, order_gap, sum_of
from bayesdid.estimands.nonlinear import NONLINEAR
from bayesdid.estimands.state_effects import Average


def contrast_weights(name: str, rows: OverlapDesign, average: Average) -> FloatArray | None:
    """Weights of a linear contrast on the effects of rows, shape (n,); None for the others."""
    if name in NONLINEAR:
        return None
    weights = average.weights()
    if len(rows.policies) < 3:
        return less_singles(rows, weights, _shares(name, rows.policies))
    if name == ALL:
        return less_singles(rows, weights)
    if name == BEYOND_PAIRS:
        pairs = [pair_departure(rows, weights, pair) for pair in pairs_of(rows.policies)]
        return less_singles(rows, weights) - np.sum(pairs, axis=0)
    for pair in pairs_of(rows.policies):
        if name in {sum_of(pair), order_gap(pair, "sum")}:
            return pair_departure(rows, weights, pair)
    return weights


def pair_departure(rows: OverlapDesign, weights: FloatArray, pair: Set) -> FloatArray:
    """Weights of a pair's departure at rows that tell it, whatever other policies do there.

    It is seen in rows under these two alone as long after the second adoption in the same order:
    their effects less those of each alone.
    """
    moment, told = rows.moment(pair), rows.told(pair)
    pure, size = told & rows.just(pair), int(moment.max()) + 2
    asked = np.bincount(moment + 1, weights * told, minlength=size)
    there = np.bincount(moment[pure] + 1, minlength=size)
    moved = np.where(pure, (asked / np.maximum(there, 1))[moment + 1], 0.0)
    return less_singles(rows, moved, tuple(float(policy in pair) for policy in rows.policies))


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


def own_shares(name: str, policies: tuple[str, ...]) -> tuple[float, ...]:
    """How much of a row's own effect of each policy a contrast does not depend on.

    A departure depends on none, the effect of a state on all of them.
    """
    if name in NONLINEAR:
        return (0.0,) * len(policies)
    if len(policies) < 3:
        return _shares(name, policies)
    departs = is_sum(name) or name == BEYOND_PAIRS or name.endswith(" vs sum")
    return (float(departs),) * len(policies)


def _shares(name: str, policies: tuple[str, ...]) -> tuple[float, ...]:
    """How much of each policy alone a contrast subtracts from the effect of both."""
    if name == SUM:
        return (1.0,) * len(policies)
    if name.endswith("single"):
        return (1.0 / len(policies),) * len(policies)
    return tuple(float(name == f"both - only:{policy}") for policy in policies)
