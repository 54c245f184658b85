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
from bayesdid.design.overlap import OverlapDesign, Set, pairs_of
from bayesdid.estimands.names import (
    ALL,
    BEYOND_PAIRS,
    MAX_SINGLE,
    RATIO,
    SUM,
    contrasts_between,
    order_gap,
    sum_of,
)
from bayesdid.estimands.nonlinear import NONLINEAR, of_singles
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
        if name in NONLINEAR:
            return of_singles(name, found[:, 0], found[:, 1:].T, lower)
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
    for k, policy in enumerate(rows.policies):
        alone = rows.just((policy,)) & (rows.age[:, k] >= since)
        if alone.any():
            found[f"only:{policy} - none"] = Average(alone, _mean(D, alone))
        else:
            refused[f"only:{policy} - none"] = f"no row is under {policy} alone"
    if len(rows.policies) == 2:
        _of_two(rows, pooling, since, found, refused)
    elif len(rows.policies) > 2:
        _of_all(rows, pooling, since, found, refused)
        for pair in pairs_of(rows.policies):
            _of_pair(rows, pooling, pair, since, found, refused)
        order = [one.name for one in contrasts_between(dict.fromkeys(rows.policies, ""))]
        found = {name: found[name] for name in order if name in found}
    return found, refused


def _of_two(
    rows: OverlapDesign,
    pooling: Pooling,
    since: int,
    found: dict[str, Average],
    refused: dict[str, str],
) -> None:
    """Contrasts of a study of two policies."""
    D, of = pooling.design.D, rows.policies
    both, joint = rows.since(of) >= since, joint_columns(pooling, of, of)
    if not both.any():
        refused["both - none"] = "no row has been under both for so long"
        return
    own = {policy: policy_columns(pooling, policy) for policy in of}
    everywhere = rows.supported() & both
    found["both - none"] = Average(both, _mean(D, both))
    for policy in of:
        alone = own[policy].astype(float)
        fine = rows.seen_alone(policy) & both
        name = f"both - only:{policy}"
        less = partial(_without, D, alone)
        _add(found, refused, name, both, fine, less, *_TWO, _never_alone(rows, (policy,)))
    never = _never_alone(rows, of)
    single = np.mean(list(own.values()), axis=0)
    less = partial(_without, D, single)
    _add(found, refused, "both - single", both, everywhere, less, *_TWO, never)

    def apart(r: np.ndarray) -> FloatArray:
        return np.vstack([_mean(D, r), *(_mean(D * columns, r) for columns in own.values())])

    _add(found, refused, MAX_SINGLE, both, everywhere, apart, *_TWO, never)
    _add(found, refused, SUM, both, everywhere, partial(_part, D, joint), *_TWO, never)
    _add(found, refused, RATIO, both, everywhere, apart, *_TWO, never)
    order = rows.order(of)
    at = [order == f"first:{policy}" for policy in of]
    for base, use, columns in (
        ("none", both, np.ones(D.shape[1])),
        ("single", everywhere, 1 - single),
    ):
        name = f"first:{of[0]} - first:{of[1]} vs {base}"
        _gap(found, refused, name, [rows_of & use for rows_of in at], D * columns)


def _of_all(
    rows: OverlapDesign,
    pooling: Pooling,
    since: int,
    found: dict[str, Average],
    refused: dict[str, str],
) -> None:
    """Contrasts of all of three or more policies."""
    D, of = pooling.design.D, rows.policies
    under = rows.both & (rows.since(of) >= since)
    if not under.any():
        refused |= dict.fromkeys(["all - none", ALL, BEYOND_PAIRS], _no_row(rows, of))
        return
    joint = {one: joint_columns(pooling, one, of) for one in rows.sets}
    departs = np.logical_or.reduce(list(joint.values()))
    larger = np.logical_or.reduce([columns for one, columns in joint.items() if len(one) > 2])
    everywhere = rows.supported() & under
    told = np.logical_and.reduce([rows.told(pair) for pair in pairs_of(of)]) & everywhere
    where = f"rows under all {len(of)}"
    found["all - none"] = Average(under, _mean(D, under))
    never = _never_alone(rows, of)
    for name, fine, columns, why in (
        (ALL, everywhere, departs, _SINGLES),
        (BEYOND_PAIRS, told, larger, _PAIRS),
    ):
        _add(found, refused, name, under, fine, partial(_part, D, columns), where, *why, never)


def _of_pair(
    rows: OverlapDesign,
    pooling: Pooling,
    pair: Set,
    since: int,
    found: dict[str, Average],
    refused: dict[str, str],
) -> None:
    """Contrasts of a pair of three or more policies.

    The state of the pair alone is averaged over rows under no other policy. The pair's departure,
    to which other policies only add, is averaged over all rows under the pair that tell it.
    """
    D, (a, b) = pooling.design.D, pair
    name = f"{a} and {b} - none"
    under = rows.on(pair) & (rows.since(pair) >= since)
    gaps = [order_gap(pair, base) for base in ("none", "sum")]
    if not under.any():
        refused |= dict.fromkeys([name, sum_of(pair), *gaps], _no_row(rows, pair))
        return
    alone = under & rows.just(pair)
    if alone.any():
        found[name] = Average(alone, _mean(D, alone))
    else:
        refused[name] = f"each of {int(under.sum())} rows under {a} and {b} is under another too"
    joint = joint_columns(pooling, pair, rows.policies)
    told = rows.told(pair) & under
    _add(
        found,
        refused,
        sum_of(pair),
        under,
        told,
        partial(_part, D, joint),
        f"rows under {a} and {b}",
        *_PAIR,
        _never_alone(rows, pair),
    )
    at = [rows.order(pair) == f"first:{policy}" for policy in pair]
    _gap(found, refused, gaps[0], [rows_of & alone for rows_of in at], D)
    _gap(found, refused, gaps[1], [rows_of & told for rows_of in at], D * joint)


# of whom a refusal counts rows, why none is left, and why some are left out
_TWO = (
    "rows under both",
    "has ages at which the policies were also seen alone, so that nothing tells their sum from "
    "both",
    "no unit was under one policy alone for as long as they have been under it",
)
_SINGLES = (
    "has ages at which the policies were also seen alone, so that nothing tells their sum from all",
    "no unit was under one policy alone for as long as they have been under it",
)
_PAIR = (
    "is told from what its policies do alone and from other policies: that takes rows under these "
    "two alone, as long after the second adoption, in the same order, and rows under each alone at "
    "the same ages",
    "no unit was under one policy alone for as long as they have been under it, or none under "
    "these two alone as long after the second adoption in the same order",
)
_PAIRS = (
    "has a pair each of whose departures is told",
    "the departure of one of their pairs is not told at their ages",
)


def _never_alone(rows: OverlapDesign, of: Set) -> str:
    """That some of the policies are never seen alone, or empty: no age would be enough then."""
    never = [policy for policy in of if not rows.just((policy,)).any()]
    if not never:
        return ""
    named = " and none ".join(f"under {policy} alone" for policy in never)
    alone = "what it does by itself" if len(never) == 1 else "what they do by themselves"
    return f"no row is {named}, so that nothing tells {alone}"


def _no_row(rows: OverlapDesign, of: Set) -> str:
    """Why there is no row of a set."""
    two = f"{' and '.join(of)} both" if len(of) == 2 else f"all of {', '.join(of)}"
    return f"no row is under {two}" if of not in rows.sets else f"no row is for so long under {two}"


def _gap(
    found: dict[str, Average],
    refused: dict[str, str],
    name: str,
    orders: list[np.ndarray],
    D: FloatArray,
) -> None:
    """The difference between rows of two orders of adoption."""
    one, two = orders
    if one.any() and two.any():
        found[name] = Average(one, _mean(D, one) - _mean(D, two), two)
    else:
        refused[name] = "no row of one of the two orders of adoption identifies it"


def _without(D: FloatArray, columns: FloatArray, rows: np.ndarray) -> FloatArray:
    """Average effect over rows, less what some columns (or shares of them) contribute."""
    return _mean(D * (1.0 - columns), rows)


def _part(D: FloatArray, columns: FloatArray, rows: np.ndarray) -> FloatArray:
    """What some columns (or shares of them) contribute to the average effect over rows."""
    return _mean(D * columns, rows)


def _mean(D: FloatArray, rows: np.ndarray) -> FloatArray:
    return np.asarray(D[rows].mean(axis=0, keepdims=True))


def _add(
    found: dict[str, Average],
    refused: dict[str, str],
    name: str,
    both: np.ndarray,
    fine: np.ndarray,
    functional: Callable[[np.ndarray], FloatArray],
    where: str,
    none: str,
    some: str,
    never: str,
) -> None:
    """A contrast over the rows that identify it; the rest are refused by number and reason."""
    if not fine.any():
        refused[name] = never or f"none of {int(both.sum())} {where} {none}"
        return
    found[name] = Average(fine, functional(fine))
    if lost := int((both & ~fine).sum()):
        refused[name] = f"{lost} of {int(both.sum())} {where} are left out: {some}"
