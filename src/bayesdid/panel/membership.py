"""Which units a sample takes, by the policies that they ever adopt and the order of adoption."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.panel.adoption import arm_name, policy_value
from bayesdid.study.schema import Sample
from bayesdid.study.terms import Factor, parse_term


def units_in_sample(sample: Sample, policies: Sequence[str], start: FloatArray) -> np.ndarray:
    """Units that are in the arms, of the policies and of the orders that a sample names.

    `only` and `sequences` restrict units that adopt as many policies as one of their entries names,
    and no others: ``only = ["a"]`` single units, ``sequences = ["order:a>b"]`` units of two.

    Parameters
    ----------
    policies
        Ids, in the order of the columns of `start`.
    start
        First period under each policy, inf for never, shape (N, policies).

    Returns
    -------
    ndarray, shape (N,)
    """
    count = np.isfinite(start).sum(axis=1)
    keep = np.ones(len(start), dtype=bool)
    if sample.arms is not None:
        in_arms = [arm_name(n) in sample.arms for n in range(len(policies) + 1)]
        keep &= np.array(in_arms)[count]
    if sample.only is not None:
        wanted = [Factor("only", name) for name in sample.only]
        keep &= _of_size(wanted, policies, start, count)
    if sample.sequences is not None:
        orders = [parse_term(name).factors[0] for name in sample.sequences]
        keep &= _of_size(orders, policies, start, count)
    return keep


def _of_size(
    factors: Iterable[Factor], policies: Sequence[str], start: FloatArray, count: np.ndarray
) -> np.ndarray:
    """Units that are one of the named, and units of a size that none of these has."""
    adopted = np.isfinite(start)
    named = np.zeros(len(start), dtype=bool)
    sizes = set()
    for factor in factors:
        whole = factor.kind in {"first", "simultaneous"}
        size = len(policies) if whole else len(factor.policies)
        named |= policy_value(factor, policies, adopted, start) & (count == size)
        sizes.add(size)
    other = np.array([size not in sizes for size in range(len(policies) + 1)])
    return np.asarray(named | other[count])
