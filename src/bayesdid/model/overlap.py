"""One policy or two overlapping ones as a pooled mean: what each does alone, and jointly.

A row's effect is

    [A on] f_A(cohort, age) + [B on] f_B(cohort, age) + [both on] delta(time since both, order),

    f(g, k) = level + growth k + sum_{j <= k} step(j) + cohort(g) + slope(g) k,

so that effects follow a path over age, partially pooled towards one that grows linearly, from
which cohorts deviate by a level and a slope of their own; delta is a level, steps by time since the
second adoption, and deviations by order. Steps and deviations have a standard deviation for each
part. What is shrunk is a departure from smoothness and likeness: the average of delta has a weak
prior of its own.
"""

from __future__ import annotations

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import OverlapDesign
from bayesdid.model.pooling import Pooling, indicators, stack

JOINT = "joint"
SINCE, ORDER = "since", "order"


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
    if not rows.both.any():
        return _stacked(rows, base, parts)
    both = rows.both.astype(float)
    base.append((JOINT, both))
    beyond = range(1, int(rows.since.max()) + 1)
    if beyond:
        steps = [both * (rows.since >= year) for year in beyond]
        parts.append((SINCE, tuple(f"{SINCE} {year}" for year in beyond), np.column_stack(steps)))
    orders = sorted(set(rows.state[both > 0].tolist()))
    if len(orders) > 1:
        names = tuple(f"{ORDER} {name.removeprefix('both, ')}" for name in orders)
        parts.append((ORDER, names, indicators(rows.state, list(orders), both)))
    return _stacked(rows, base, parts)


def _stacked(
    rows: OverlapDesign,
    base: list[tuple[str, FloatArray]],
    parts: list[tuple[str, tuple[str, ...], FloatArray]],
) -> Pooling:
    names = tuple(name for name, _ in base)
    columns = np.column_stack([column for _, column in base])
    return stack(rows.design, [("", names, columns), *parts])


def joint_columns(pooling: Pooling) -> np.ndarray:
    """Which columns make up the joint departure, boolean, shape (P,)."""
    names = np.array(pooling.design.treatments)
    return (names == JOINT) | np.isin(np.array(pooling.part), [SINCE, ORDER])


def policy_columns(pooling: Pooling, policy: str) -> np.ndarray:
    """Which columns make up what one policy does alone, boolean, shape (P,)."""
    names, part = np.array(pooling.design.treatments), np.array(pooling.part)
    own = [f"{kind}_{policy}" for kind in ("path", "cohort", "slope")]
    return np.isin(names, [policy, f"{policy} growth"]) | np.isin(part, own)


def part_label(part: str) -> str:
    """What a part's standard deviation is about, in words."""
    kind, _, policy = part.partition("_")
    return {
        "path": f"steps of {policy} from one age to the next",
        "cohort": f"levels of cohorts of {policy}",
        "slope": f"growth by cohort of {policy}",
        SINCE: "steps of the synergy over time since the second adoption",
        ORDER: "orders of adoption",
    }[kind]
