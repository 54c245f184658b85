"""The departure from the sum of singles along the time since the second adoption, leads included.

Leads of the state ``both`` are contaminated: before their second adoption most dual units are under
one policy already. Leads of the *departure* are not: the first policy's own effect, at its cohort
and age, is part of the model. They are dual units' deviations before the second adoption, against
the period before it, and the sets of Rambachan & Roth (2023, doi:10.1093/restud/rdad018) apply to
this path as to any event study. With one policy the path is that of its effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid import summary
from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import OverlapDesign, Set
from bayesdid.estimands.gls import Scalars, gls
from bayesdid.estimands.honest import Restriction, RobustSet, robust_breakdown, robust_sets
from bayesdid.estimands.state_effects import Average
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.model.overlap import joint_columns, policy_columns
from bayesdid.model.pooling import Pooling, stack

LEADS = 5  # periods before adoption that bound what trends may do after it
MULTIPLES = (0.5, 1.0, 2.0)  # of the largest change before adoption


@dataclass(frozen=True, slots=True)
class Path:
    """Estimates of a path given the scalars of the headline.

    Attributes
    ----------
    times
        Periods since adoption, the reference -1 left out, shape (K,).
    mean, covariance
        Shapes (K,) and (K, K).
    n_pre
        How many of them come before the reference.
    weights
        Of those after it in the contrast, shape (K - n_pre,).
    """

    times: FloatArray
    mean: FloatArray
    covariance: FloatArray
    n_pre: int
    weights: FloatArray

    def sets(self, kind: Restriction, bounds: tuple[float, ...]) -> tuple[RobustSet, ...]:
        """Robust sets of the contrast at each bound."""
        return tuple(
            robust_sets(
                self.mean,
                self.covariance,
                self.n_pre,
                len(self.weights),
                kind,
                bounds,
                self.weights,
                1 - summary.LEVEL,
            )
        )

    def breakdown(self, kind: Restriction) -> float:
        """Largest bound whose robust set excludes zero; 0 if none does."""
        return robust_breakdown(
            self.mean,
            self.covariance,
            self.n_pre,
            len(self.weights),
            kind,
            self.weights,
            1 - summary.LEVEL,
        )


def _others(rows: OverlapDesign, pooling: Pooling, of: Set) -> tuple[np.ndarray, FloatArray]:
    """Columns of the mean that stand beside the path, and their values, shapes (P,) and (n, P).

    All but the departure itself. Where the path is what all policies do beyond the sum of singles,
    departures of smaller sets count before all are on.
    """
    D = pooling.design.D.copy()
    if len(of) == 1:
        return ~policy_columns(pooling, of[0]), D
    own = joint_columns(pooling, of, rows.policies)
    if len(of) == len(rows.policies) > 2:
        smaller = [joint_columns(pooling, one, rows.policies) for one in rows.sets if one != of]
        for columns in smaller:
            D[np.ix_(rows.on(of), columns)] = 0.0
    return ~own & (D != 0).any(axis=0), D


def departure_path(
    rows: OverlapDesign, pooling: Pooling, scalars: Scalars, average: Average, of: Set
) -> Path:
    """The path that a contrast averages over, with leads.

    Parameters
    ----------
    average
        Of the sum of singles, or of the effect of a single policy.
    of
        The policies that it is about.

    Raises
    ------
    NotIdentifiedError
        If it has fewer than two leads beside the reference, or is not identified.
    """
    start = rows.start[:, rows.at(of)].max(axis=1)
    time = rows.design.periods[rows.design.period_index].astype(float)
    since = np.where(np.isfinite(start), time - np.where(np.isfinite(start), start, 0.0), -1.0)
    averaged, after = average.rows, since >= 0
    last = int(since[averaged].max())
    leads = [k for k in range(-2, -1 - int(-since.min()), -1) if (since == k).any()]
    pre = [k for k in leads if -k <= LEADS + 1 and all(j in leads for j in range(k, -1))]
    if len(pre) < 2:
        raise NotIdentifiedError(
            f"{rows.design.spec_id}: fewer than two periods before the one before adoption",
            remedy="take a longer panel",
        )
    blocks = []
    names = np.array(pooling.design.treatments)
    kept, columns = _others(rows, pooling, of)
    for part in ("", *dict.fromkeys(p for p in pooling.part if p)):
        mine = kept & (np.array(pooling.part) == part)
        if mine.any():
            blocks.append((part, tuple(names[mine]), columns[:, mine]))
    steps = {f"lead {k}": since == k for k in leads}
    steps |= {f"after {k}": after & averaged & (since == k) for k in range(last + 1)}
    # rows after adoption that the contrast leaves out have a path of their own
    steps |= {
        f"beyond {k:g}": after & ~averaged & (since == k)
        for k in np.unique(since[after & ~averaged])
    }
    steps = {name: on for name, on in steps.items() if on.any()}
    free = np.column_stack(list(steps.values())).astype(float)
    found = gls(stack(rows.design, [*blocks, ("", tuple(steps), free)]), scalars, flat=tuple(steps))
    order = [f"lead {k}" for k in reversed(pre)]
    order += [f"after {k}" for k in range(last + 1) if f"after {k}" in steps]
    every = [name for _, block, _ in blocks for name in block] + list(steps)
    at = [every.index(name) for name in order]
    times = np.array([float(name.split()[1]) for name in order])
    share = np.array([(averaged & (since == k)).sum() for k in times[len(pre) :]], dtype=float)
    return Path(
        times, found.mean[at], found.covariance[np.ix_(at, at)], len(pre), share / share.sum()
    )
