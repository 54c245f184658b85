"""What a printed coefficient estimates: a known linear functional of the effects of the states.

With two-way effects the least-squares coefficients of a column are ``W y``, with weights W that
follow from its terms, its sample and who adopted when (Frisch-Waugh-Lovell). If policy effects add
``g(i, t)' theta`` to outcomes, the column estimates ``M theta`` with ``M = sum_it W_it g(i, t)'``,
whatever the unit and period effects are. Covariates are taken to be unrelated to the terms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import Literal

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.overlap import Set, set_name
from bayesdid.design.window import beyond, event_labels, event_window
from bayesdid.exceptions import InputError
from bayesdid.panel.adoption import event_value, policy_value
from bayesdid.panel.membership import units_in_sample
from bayesdid.published.timing import Timing
from bayesdid.study.load import Spec
from bayesdid.study.terms import Factor, parse_term

_RANK = 1e-9  # variance of a 0/1 term, within units and periods, that rounding leaves of nothing
PathKind = Literal["static", "growing", "fading", "free"]


@dataclass(frozen=True, slots=True)
class Path:
    """How the effect of each policy alone develops with time since its adoption.

    Attributes
    ----------
    kind
        ``static``; ``growing`` linearly, full in the `years`-th period under the policy; ``fading``
        to 1 / e of its first size over `years`; ``free``: a random walk whose steps have the sd
        `years` times the scale of the outcome.
    years
        As above; 0 for static.
    """

    kind: PathKind
    years: float = 0.0

    def __str__(self) -> str:
        return {
            "static": "constant",
            "growing": f"growing over {self.years:g} periods",
            "fading": f"fading by 1/e in {self.years:g} periods",
            "free": f"free, steps of {self.years:g} sd",
        }[self.kind]

    def size(self, age: FloatArray) -> FloatArray:
        """Share of the full effect at each age; one for a free path, which has its own columns."""
        if self.kind == "growing":
            return np.minimum((age + 1) / self.years, 1.0)
        if self.kind == "fading":
            return np.exp(-age / self.years)
        return np.ones_like(age)


@dataclass(frozen=True, slots=True)
class Effects:
    """Columns that the effects multiply in every unit-period.

    Attributes
    ----------
    names
        One for each column.
    values
        Shape (N, T, J).
    of
        Policies that each column is about: one for what it does alone, more for a departure.
    step
        Columns that are steps of a free path, boolean, shape (J,).
    order
        Columns by which an order of adoption departs from the average, boolean, shape (J,).
    """

    names: tuple[str, ...]
    values: FloatArray
    of: tuple[Set, ...]
    step: np.ndarray
    order: np.ndarray

    @property
    def size(self) -> IntArray:
        """Policies that each column is about, shape (J,)."""
        return np.array([len(of) for of in self.of])

    @property
    def joint(self) -> np.ndarray:
        """Columns of departures from the sum of the singles, boolean, shape (J,)."""
        return self.size > 1

    def about(self, of: Set) -> np.ndarray:
        """Columns about exactly these policies, boolean, shape (J,)."""
        return np.array([one == of for one in self.of])


def effects_of(timing: Timing, path: Path) -> Effects:
    """Every policy alone along a path, departures of sets, and deviations of pairs by order."""
    on, age = timing.on, timing.age
    names: list[str] = []
    columns: list[np.ndarray] = []
    sets: list[Set] = []
    step: list[bool] = []
    for k, policy in enumerate(timing.policies):
        names.append(policy)
        columns.append(on[:, :, k] * path.size(age[:, :, k]))
        step.append(False)
        if path.kind == "free":
            for year in range(1, int(age[:, :, k].max()) + 1):
                names.append(f"{policy} step {year}")
                columns.append(on[:, :, k] * (age[:, :, k] >= year))
                step.append(True)
        sets += [(policy,)] * (len(names) - len(sets))
    joint = _departures(timing)
    alone = np.stack(columns, axis=-1).astype(float)
    return Effects(
        (*names, *joint.names),
        np.concatenate([alone, joint.values], axis=-1),
        (*sets, *joint.of),
        np.concatenate([step, joint.step]),
        np.concatenate([np.zeros(len(step), dtype=bool), joint.order]),
    )


@lru_cache(maxsize=16)
def _departures(timing: Timing) -> Effects:
    """Columns of departures of sets and of pairs by order, which are those of every path."""
    names: list[str] = []
    columns: list[np.ndarray] = []
    sets: list[Set] = []
    order: list[bool] = []
    for of in sets_of(timing):
        names.append(set_name(of, timing.policies, "joint"))
        columns.append(set_rows(timing, of))
        order.append(False)
        if len(of) == 2:
            for one in orders(timing, of):
                names.append(str(one))
                columns.append(state_rows(timing, one))
                order.append(True)
        sets += [of] * (len(names) - len(sets))
    empty = np.zeros((*timing.on.shape[:2], 0))
    return Effects(
        tuple(names),
        np.stack(columns, axis=-1).astype(float) if columns else empty,
        tuple(sets),
        np.zeros(len(names), dtype=bool),
        np.array(order, dtype=bool),
    )


def sets_of(timing: Timing) -> list[Set]:
    """Two or more policies that are on together in some unit-period, small sets first."""
    return [
        of
        for size in range(2, len(timing.policies) + 1)
        for of in combinations(timing.policies, size)
        if set_rows(timing, of).any()
    ]


def set_rows(timing: Timing, of: Set) -> np.ndarray:
    """Unit-periods under all of these policies, whatever the others do, shape (N, T)."""
    return np.asarray(timing.on[:, :, [timing.policies.index(p) for p in of]].all(axis=2))


def orders(timing: Timing, pair: Set) -> list[Factor]:
    """Orders in which units adopted a pair, as states, if there are several."""
    found = [
        factor for factor in pair_orders(pair, timing.policies) if state_rows(timing, factor).any()
    ]
    return found if len(found) > 1 else []


def pair_orders(pair: Set, policies: Set) -> tuple[Factor, ...]:
    """A pair in its order, in the other, and at once."""
    a, b = pair
    if len(policies) == 2:
        return Factor("first", a), Factor("first", b), Factor("simultaneous")
    return Factor("order", f"{a}>{b}"), Factor("order", f"{b}>{a}"), Factor("order", f"{a}={b}")


@lru_cache(maxsize=64)
def state_rows(timing: Timing, factor: Factor) -> np.ndarray:
    """Whether a state holds in each unit-period, or an event time in it, shape (N, T)."""
    if factor.event:
        return event_value(factor, _event_times(timing, factor))
    return policy_value(factor, timing.policies, timing.on, timing.start[:, None, :])


def _event_times(timing: Timing, factor: Factor) -> FloatArray:
    """Periods since all of a factor's policies are on, NaN for never, shape (N, T)."""
    of = [timing.policies.index(name) for name in factor.policies or timing.policies]
    start = timing.start[:, of].max(axis=1)
    return np.asarray(timing.periods - np.where(np.isfinite(start), start, np.nan)[:, None])


def printed_terms(spec: Spec) -> tuple[str, ...]:
    """The terms of a two-way column, or the event times of an event study but its reference."""
    if spec.column.family != "event_study":
        return spec.column.treatments
    window, (base, *_) = event_window(spec), spec.column.treatments
    labels = event_labels(window)
    return tuple(f"{base}@{label}" for k, label in labels.items() if k != window.reference)


def _beyond(spec: Spec, timing: Timing) -> tuple[str, ...]:
    """Terms beside the printed ones of an event study whose window has ends of its own."""
    if spec.column.family != "event_study" or event_window(spec).ends == "bin":
        return ()
    window, (base, *_) = event_window(spec), spec.column.treatments
    times = _event_times(timing, parse_term(base).factors[0])
    return tuple(f"{base}@{k}" for k in beyond(window, np.unique(times)))


def column_weights(spec: Spec, timing: Timing) -> FloatArray:
    """Weights of all unit-periods in each of a column's terms, shape (q, N, T).

    All zero under a timing that does not identify the column's coefficients, and for event times
    that do not occur under it.
    """
    few, units, member = alike(timing)
    keep, printed = sample_units(spec, few), printed_terms(spec)
    D = []
    for text in (*printed, *_beyond(spec, few)):
        values = np.ones((len(few.start), len(few.periods)))
        for factor in parse_term(text).factors:
            values = values * state_rows(few, factor)
        D.append(values)
    used, units = np.stack(D)[:, keep], units[keep]
    occurs = used.any(axis=(1, 2)) | (spec.column.family != "event_study")
    by_period = (units @ used / max(units.sum(), 1))[:, None]
    centred = used - by_period - used.mean(axis=2, keepdims=True)
    centred += by_period.mean(axis=2, keepdims=True)
    flat = centred[occurs].reshape(occurs.sum(), -1)
    found = np.zeros((len(D), *few.on.shape[:2]))
    often = np.repeat(units, used.shape[2])
    gram = flat * often @ flat.T
    if np.linalg.matrix_rank(gram, tol=_RANK * often.sum(), hermitian=True) == len(flat):
        own = np.zeros(used.shape)
        own[occurs] = np.linalg.solve(gram, flat).reshape(-1, *used.shape[1:])
        found[:, keep] = own
    return found[: len(printed), member]


@lru_cache(maxsize=16)
def alike(timing: Timing) -> tuple[Timing, IntArray, IntArray]:
    """One unit of each adoption in place of all that adopt alike, and so weigh alike.

    Returns
    -------
    tuple
        Their timing, how many units each of them stands for, shape (n,), and which of them every
        unit is, shape (N,).
    """
    start, member, units = np.unique(timing.start, axis=0, return_inverse=True, return_counts=True)
    return replace(timing, start=start), units, member


def sample_units(spec: Spec, timing: Timing) -> np.ndarray:
    """Units of a column's sample, boolean, shape (N,).

    Raises
    ------
    InputError
        If the sample is a window of periods, or of units chosen by name or state: its weights are
        others, and do not follow from policies alone.
    """
    if spec.column.sample.has_chosen_rows:
        raise InputError(
            f"{spec.id}: what a column on a window of periods, or on units chosen by name or "
            "state, estimates does not follow from who adopted when",
            remedy="leave the column out of [synergy]",
        )
    return units_in_sample(spec.column.sample, timing.policies, timing.start)
