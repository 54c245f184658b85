"""Average effects of policy states, as functionals of a pooled mean's coefficients.

What both policies do is compared with what each does alone *at the ages that it has in the rows
under both*. A row under both enters a comparison with a policy alone if that policy was seen alone
at the row's age of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import OverlapDesign
from bayesdid.estimands.names import MAX_SINGLE, RATIO, SUM
from bayesdid.model.overlap import joint_columns, policy_columns
from bayesdid.model.pooling import Pooling


@dataclass(frozen=True, slots=True)
class Average:
    """One contrast as an average over rows.

    Attributes
    ----------
    rows
        Rows that are averaged over, boolean, shape (n,); with `minus` the rows subtracted.
    parts
        Functionals of the coefficients, shape (K, P): one for a linear contrast; for the better
        single and the ratio, both and then each policy alone.
    minus
        Rows whose average is subtracted (orders of adoption), or None.
    """

    rows: np.ndarray
    parts: FloatArray
    minus: np.ndarray | None = None

    def weights(self) -> FloatArray:
        """Of every row, shape (n,); they sum to one, or to zero for a difference of rows."""
        found = self.rows / self.rows.sum()
        return found if self.minus is None else found - self.minus / self.minus.sum()

    def values(self, name: str, tau: FloatArray, lower: bool) -> FloatArray:
        """Draws of the contrast from draws of the coefficients, (S, P) -> (S,)."""
        found = tau @ self.parts.T
        if name == MAX_SINGLE:
            best = found[:, 1:].min(axis=1) if lower else found[:, 1:].max(axis=1)
            return np.asarray(found[:, 0] - best)
        if name == RATIO:
            return np.asarray(found[:, 0] / found[:, 1:].sum(axis=1))
        return np.asarray(found[:, 0])


def state_averages(
    rows: OverlapDesign, pooling: Pooling, since: int = 0
) -> tuple[dict[str, Average], dict[str, str]]:
    """Every contrast that some row identifies, and why others are refused or lose rows.

    Parameters
    ----------
    since
        Periods that a row must have been in its state for.
    """
    D = pooling.design.D
    found: dict[str, Average] = {}
    refused: dict[str, str] = {}
    for policy in rows.policies:
        k = rows.policies.index(policy)
        alone = (rows.state == f"only:{policy}") & (rows.age[:, k] >= since)
        if alone.any():
            found[f"only:{policy} - none"] = Average(alone, _mean(D, alone))
        else:
            refused[f"only:{policy} - none"] = f"no row is under {policy} alone"
    if len(rows.policies) == 1:
        return found, refused
    both, joint = rows.since >= since, joint_columns(pooling)
    if not both.any():
        refused["both - none"] = "no row has been under both for so long"
        return found, refused
    own = {policy: policy_columns(pooling, policy) for policy in rows.policies}
    everywhere = rows.supported() & both
    found["both - none"] = Average(both, _mean(D, both))
    for policy in rows.policies:
        name = f"both - only:{policy}"
        _add(
            found,
            refused,
            name,
            both,
            rows.seen_alone(policy) & both,
            partial(_without, D, own[policy].astype(float)),
        )
    single = np.mean(list(own.values()), axis=0)
    _add(found, refused, "both - single", both, everywhere, partial(_without, D, single))

    def apart(r: np.ndarray) -> FloatArray:
        return np.vstack([_mean(D, r), *(_mean(D * columns, r) for columns in own.values())])

    _add(found, refused, MAX_SINGLE, both, everywhere, apart)
    _add(found, refused, SUM, both, everywhere, lambda r: _mean(D * joint, r))
    _add(found, refused, RATIO, both, everywhere, apart)
    orders = [f"first:{policy}" for policy in rows.policies]
    at = [rows.state == f"both, {order}" for order in orders]
    for base, use, columns in (
        ("none", both, np.ones(D.shape[1])),
        ("single", everywhere, 1 - single),
    ):
        name = f"{orders[0]} - {orders[1]} vs {base}"
        one, two = (rows_of & use for rows_of in at)
        if one.any() and two.any():
            gap = _mean(D * columns, one) - _mean(D * columns, two)
            found[name] = Average(one, gap, two)
        else:
            refused[name] = "no row of one of the two orders of adoption identifies it"
    return found, refused


def _without(D: FloatArray, columns: FloatArray, rows: np.ndarray) -> FloatArray:
    """Average effect over rows, less what some columns (or shares of them) contribute."""
    return _mean(D * (1.0 - columns), rows)


def _mean(D: FloatArray, rows: np.ndarray) -> FloatArray:
    return np.asarray(D[rows].mean(axis=0, keepdims=True))


def _add(
    found: dict[str, Average],
    refused: dict[str, str],
    name: str,
    both: np.ndarray,
    fine: np.ndarray,
    functional: Callable[[np.ndarray], FloatArray],
) -> None:
    """A contrast over the rows that identify it; the rest are refused by number and reason."""
    if not fine.any():
        refused[name] = (
            f"none of {int(both.sum())} rows under both has ages at which the policies were also "
            "seen alone, so that nothing tells their sum from both"
        )
        return
    found[name] = Average(fine, functional(fine))
    if lost := int((both & ~fine).sum()):
        refused[name] = (
            f"{lost} of {int(both.sum())} rows under both are left out: no unit was under one "
            "policy alone for as long as they have been under it"
        )
