"""Differences between groups, as effects that a claim may be about."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from bayesdid.arrays import FloatArray
from bayesdid.estimands.stated import StatedEffect, between, drawn


def stated_differences(
    term: str, grouping: str, effects: Mapping[str, FloatArray], iid: Mapping[str, FloatArray]
) -> list[StatedEffect]:
    """Every pair of levels, from the joint draws of one model; the same under i.i.d. errors.

    Parameters
    ----------
    effects, iid
        Level -> draws of its effect, shape (S,).
    """
    found = []
    for one, other in combinations(effects, 2):
        name = between(term, grouping, one, other)
        gap, gap_iid = effects[one] - effects[other], iid[one] - iid[other]
        alike = "groups are exchangeable"
        found += [
            drawn(name, "one pooled model", alike, gap, main=True),
            drawn(name, "one pooled model, i.i.d. errors", f"{alike}; independent errors", gap_iid),
        ]
    return found


def published_differences(
    term: str, grouping: str, effects: Mapping[str, FloatArray]
) -> list[StatedEffect]:
    """The same from printed columns that are pooled."""
    return [
        drawn(
            between(term, grouping, one, other),
            "printed cells, pooled",
            "groups are exchangeable",
            effects[one] - effects[other],
            source="published",
        )
        for one, other in combinations(effects, 2)
    ]
