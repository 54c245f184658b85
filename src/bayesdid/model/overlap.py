"""Staggered policies that overlap as a pooled mean: what each does alone, and what sets add.

A row's effect is

    sum over P of [P on] f_P(cohort, age) + sum over S of [all of S on] delta_S(time since, order),

    f(g, k) = level + growth k + sum_{j <= k} step(j) + cohort(g) + slope(g) k,

so that effects follow a path over age, partially pooled towards one that grows linearly, from
which cohorts deviate by a level and a slope of their own. S is every set of two or more policies
that some row is under; delta_S, the departure from what its policies and its smaller sets add up
to, is a level, steps by time since the last of S was adopted, and, for pairs, deviations by order.
Steps and deviations have a standard deviation for each part. What is shrunk is a departure from
smoothness and likeness: the average of each delta has a weak prior of its own.
"""

from __future__ import annotations

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import OverlapDesign, Set, set_name
from bayesdid.model.pooling import Pooling, indicators, stack

JOINT = "joint"
SINCE, ORDER = "since", "order"
_AND = "_and_"


def overlap_pooling(rows: OverlapDesign) -> Pooling:
    """The columns of the mean above, in parts."""
    base: list[tuple[str, FloatArray]] = []
    parts: list[tuple[str, tuple[str, ...], FloatArray]] = []
    for k, policy in enumerate(rows.policies):
        on, age, start = rows.design.D[:, k], rows.age[:, k], rows.start[:, k]
        base.append((policy, on))
        years = range(1, int(age[on > 0].max()) + 1)
        if years:
            base.append((f"{policy} growth", on * np.maximum(age, 0)))
            steps = [on * (age >= year) for year in years]
            names = tuple(f"{policy} step {year}" for year in years)
            parts.append((f"path_{policy}", names, np.column_stack(steps)))
        cohorts = sorted(set(start[on > 0].tolist()))
        if len(cohorts) > 1:
            level = indicators(start, list(cohorts), on)
            names = tuple(f"{policy} cohort {cohort:g}" for cohort in cohorts)
            parts.append((f"cohort_{policy}", names, level))
            slope = level * np.maximum(age, 0)[:, None]
            later = np.flatnonzero(slope.any(axis=0))  # a cohort may be seen at age 0 alone
            names = tuple(f"{policy} slope {cohorts[c]:g}" for c in later)
            if names:
                parts.append((f"slope_{policy}", names, slope[:, later]))
    for of in rows.sets:
        on, since = rows.on(of).astype(float), rows.since(of)
        base.append((set_name(of, rows.policies, JOINT), on))
        beyond = range(1, int(since.max()) + 1)
        if beyond:
            steps = [on * (since >= year) for year in beyond]
            part = set_part(of, rows.policies, SINCE)
            names = tuple(f"{set_name(of, rows.policies, SINCE)} {year}" for year in beyond)
            parts.append((part, names, np.column_stack(steps)))
        label = rows.order(of) if len(of) == 2 else np.zeros(0)
        orders = sorted(set(label[on > 0].tolist())) if len(of) == 2 else []
        if len(orders) > 1:
            begin = set_name(of, rows.policies, ORDER)
            names = tuple(f"{begin} {name}" for name in orders)
            part = set_part(of, rows.policies, ORDER)
            parts.append((part, names, indicators(label, list(orders), on)))
    return _stacked(rows, base, parts)


def _stacked(
    rows: OverlapDesign,
    base: list[tuple[str, FloatArray]],
    parts: list[tuple[str, tuple[str, ...], FloatArray]],
) -> Pooling:
    names = tuple(name for name, _ in base)
    columns = np.column_stack([column for _, column in base])
    return stack(rows.design, [("", names, columns), *parts])


def joint_columns(pooling: Pooling, of: Set, policies: Set) -> np.ndarray:
    """Which columns make up the departure of a set of policies, boolean, shape (P,)."""
    names = np.array(pooling.design.treatments)
    own = [set_part(of, policies, kind) for kind in (SINCE, ORDER)]
    return (names == set_name(of, policies, JOINT)) | np.isin(np.array(pooling.part), own)


def policy_columns(pooling: Pooling, policy: str) -> np.ndarray:
    """Which columns make up what one policy does alone, boolean, shape (P,)."""
    names, part = np.array(pooling.design.treatments), np.array(pooling.part)
    own = [f"{kind}_{policy}" for kind in ("path", "cohort", "slope")]
    return np.isin(names, [policy, f"{policy} growth"]) | np.isin(part, own)


def set_part(of: Set, policies: Set, kind: str) -> str:
    """The part of a set: ``since`` or ``order`` in a study of two, else ``since_a_and_b``."""
    return kind if len(policies) == 2 else f"{kind}_{_AND.join(of)}"


def part_label(part: str) -> str:
    """What a part's standard deviation is about, in words."""
    kind, _, policy = part.partition("_")
    of = policy.replace(_AND, " and ")
    synergy = f"the departure of {of} from their sum" if policy else "the synergy"
    clock = "second" if policy.count(_AND) < 2 else "last"
    return {
        "path": f"steps of {policy} from one age to the next",
        "cohort": f"levels of cohorts of {policy}",
        "slope": f"growth by cohort of {policy}",
        SINCE: f"steps of {synergy} over time since the {clock} adoption",
        ORDER: f"orders of adoption of {of}" if policy else "orders of adoption",
    }[kind]
