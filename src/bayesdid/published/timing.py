"""Who adopted when: known, or drawn so that it meets what a study publishes about it.

What a printed column estimates follows from the adoption periods of its units. A study rarely
prints them. What it does print (how many units of each arm and sequence, the years in which
rounds began, the mean of the treatment) leaves a set of timings, from which some are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError
from bayesdid.panel.adopters import declared_starts
from bayesdid.published.counts import type_counts
from bayesdid.study.load import Study
from bayesdid.study.printed import Printed

Knowledge = Literal["known", "stated", "drawn", "free"]
TIMINGS = 100  # drawn where who adopted when is not known
_TRIES = 500  # timings of dual units proposed at once; the first with the right mean is kept
_PART = 50  # of them looked at together
_ROUNDS = 200
_EVEN = 3.0  # concentration of the split of single units around even shares


@dataclass(frozen=True, slots=True, eq=False)  # by identity, so that it can be looked up
class Timing:
    """Adoption periods of every unit.

    Attributes
    ----------
    policies
        Ids, in the order of the columns of `start`.
    start
        First treated period of each unit, inf for never, shape (N, P).
    periods
        Of the panel, shape (T,).
    on
        Whether each policy is on, shape (N, T, P).
    age
        Periods since adoption where a policy is on, else 0, shape (N, T, P).
    """

    policies: tuple[str, ...]
    start: FloatArray
    periods: FloatArray
    on: np.ndarray = field(init=False, repr=False)
    age: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        gap = self.periods[None, :, None] - self.start[:, None, :]
        object.__setattr__(self, "on", gap >= 0)
        object.__setattr__(self, "age", np.where(gap >= 0, gap, 0.0))


@dataclass(frozen=True, slots=True)
class Timings:
    """Timings that a study allows, equally likely.

    Attributes
    ----------
    members
        The first is the one to show.
    knowledge
        ``known`` (a panel's), ``stated`` (one, in the study's file), ``drawn`` (from rounds, arms,
        sequences and means) or ``free`` (no rounds are published: any period).
    """

    members: tuple[Timing, ...]
    knowledge: Knowledge


def timing_of(adoption: pd.DataFrame, periods: np.ndarray) -> Timing:
    """The timing of a panel: unit -> adoption period of each policy."""
    start = adoption.to_numpy(dtype=float, na_value=np.inf)
    return Timing(tuple(map(str, adoption.columns)), start, np.asarray(periods, dtype=float))


def timings(
    study: Study,
    adoption: pd.DataFrame | None = None,
    *,
    size: int = TIMINGS,
    seed: int = 0,
    share: tuple[float, float] | None = None,
) -> Timings:
    """Timings that a study, or a panel, allows.

    Parameters
    ----------
    adoption
        Of a real panel: then the timing is known.
    size
        How many to draw where it is not.
    share
        Interval of the mean of the state both; default: what rounds to the printed ``both_share``.

    Raises
    ------
    InputError
        If the study says too little: no periods, or no counts of units by arm.
    """
    panel = study.file.panel
    if panel.first_period is None or panel.last_period is None:
        raise InputError(
            "what printed columns estimate depends on the study's periods",
            file=study.path / "study.toml",
            column="panel",
            remedy="set first_period and last_period under [panel]",
        )
    periods = np.arange(panel.first_period, panel.last_period + 1, dtype=float)
    if adoption is not None:
        return Timings((timing_of(adoption, periods),), "known")
    policies = tuple(policy.id for policy in study.policies)
    section = study.file.design.timing
    stated = _stated(study, policies)
    if section.known:
        if stated is None:
            raise InputError(
                "the timing is known, but not stated",
                file=study.path / "study.toml",
                column="design.timing",
                remedy="state it under [design.timing.adoption]",
            )
        return Timings((Timing(policies, stated, periods),), "stated")
    if len(policies) > 2:
        raise InputError(
            f"who adopted which of {len(policies)} policies when is not stated, and is not drawn",
            file=study.path / "study.toml",
            column="design.timing",
            remedy="state it under [design.timing.adoption] with known = true, or give the panel",
        )
    counts, _ = type_counts(study)
    if counts is None:
        raise InputError(
            "what printed columns estimate depends on who adopted when",
            file=study.path / "study.toml",
            column="design",
            remedy="state none, single and dual units under [design], or give the panel",
        )
    members = [] if stated is None else [Timing(policies, stated, periods)]
    if share is None and section.both_share is not None:
        share = Printed.parse(section.both_share).interval
    rng = np.random.default_rng(seed)
    rounds = rounds_of(study, policies, periods)
    split = not study.file.design.only
    while len(members) < size:
        units = _whole(counts, policies, split, rng)
        start = _drawn(units, policies, rounds, periods, share, rng)
        members.append(Timing(policies, start, periods))
    return Timings(tuple(members), "drawn" if section.rounds else "free")


def rounds_of(study: Study, policies: tuple[str, ...], periods: FloatArray) -> list[FloatArray]:
    """Periods in which units adopt each policy: its rounds, or any period but the first."""
    rounds = study.file.design.timing.rounds
    return [np.array(rounds.get(p, periods[1:]), dtype=np.float64) for p in policies]


def years_under_all(start: FloatArray, periods: FloatArray) -> FloatArray:
    """Periods under all policies, summed over units: adoption (..., N, P) -> (...)."""
    return np.asarray(np.maximum(periods[-1] - start.max(axis=-1) + 1, 0).sum(axis=-1))


def _stated(study: Study, policies: tuple[str, ...]) -> FloatArray | None:
    """Adoption that the study file states or simulates its panel with, shape (N, P)."""
    given = study.file.design.timing.adoption
    if not given and study.file.panel.simulate is not None:
        given = study.file.panel.simulate.adoption
    if not given:
        return None
    file = study.path / "study.toml"
    rows = declared_starts(given, policies, "design.timing.adoption", file)
    design = study.file.design
    never = design.none if design.none is not None else (study.file.panel.units or 0) - len(rows)
    return np.array(rows + [[np.inf] * len(policies)] * max(never, 0))


def _whole(
    counts: dict[str, float], policies: tuple[str, ...], split: bool, rng: np.random.Generator
) -> dict[str, int]:
    """Units of each type; how single units divide among policies is drawn if it is not printed."""
    units = {key: round(count) for key, count in counts.items()}
    if split:
        alone = [f"only:{policy}" for policy in policies]
        total = round(sum(counts[key] for key in alone))
        share = rng.dirichlet(np.full(len(alone), _EVEN))
        units |= dict(zip(alone, rng.multinomial(total, share).tolist(), strict=True))
    return units


def _drawn(
    units: dict[str, int],
    policies: tuple[str, ...],
    rounds: list[FloatArray],
    periods: FloatArray,
    share: tuple[float, float] | None,
    rng: np.random.Generator,
) -> FloatArray:
    """One timing: rounds with random sizes; dual units until their mean is the printed one.

    With one policy, its units are those of the printed mean.
    """
    rows = [np.full((units["none"], len(policies)), np.inf)]
    for k, policy in enumerate(policies if len(policies) > 1 else ()):
        alone = np.full((units[f"only:{policy}"], len(policies)), np.inf)
        alone[:, k] = rng.choice(rounds[k], len(alone), p=rng.dirichlet(np.ones(len(rounds[k]))))
        rows.append(alone)
    pairs = np.array(np.meshgrid(*rounds, indexing="ij")).reshape(len(policies), -1).T
    orders = {key: n for key, n in units.items() if key.startswith("first:") and n}
    if len(policies) == 1:
        orders = {f"first:{policies[0]}": units[f"only:{policies[0]}"]}
    if units["simultaneous"]:
        orders["simultaneous"] = units["simultaneous"]
    total = sum(units.values()) * len(periods)
    for _ in range(_ROUNDS):
        dual = [_pairs(key, n, policies, pairs, rng) for key, n in orders.items()]
        for tries in _few_at_once():
            both = np.concatenate(
                [np.empty((len(tries), 0, len(policies))), *(pick(tries) for pick in dual)], axis=1
            )
            years = years_under_all(both, periods) / total
            fits = (
                np.arange(len(tries))
                if share is None
                else np.flatnonzero((years >= share[0]) & (years <= share[1]))
            )
            if len(fits):
                return np.concatenate([*rows, both[fits[0]]])
    raise InputError(
        "no timing of the rounds gives the printed mean of both",
        column="design.timing",
        value=str(share),
        remedy="correct rounds, first and both_share under [design]",
    )


def _pairs(
    order: str, n: int, policies: tuple[str, ...], pairs: FloatArray, rng: np.random.Generator
) -> Callable[[range], FloatArray]:
    """What gives the adoption of dual units of one order in some tries, shape (tries, n, P).

    All are drawn at once, so that draws do not depend on how many are looked at.
    """
    first = pairs.argmin(axis=1)
    tie = (pairs.min(axis=1) == pairs.max(axis=1)) & (len(policies) > 1)
    if order == "simultaneous":
        fitting = pairs[tie]
    else:
        fitting = pairs[~tie & (first == policies.index(order.removeprefix("first:")))]
    if not len(fitting):
        raise InputError(
            "no pair of rounds has this order of adoption",
            column="design.timing",
            value=order,
            remedy="correct rounds, first or simultaneous under [design]",
        )
    p = np.cumsum(rng.dirichlet(np.ones(len(fitting)), _TRIES), axis=1)
    mark = rng.random((_TRIES, n, 1))

    def pick(tries: range) -> FloatArray:
        some = slice(tries.start, tries.stop)
        chosen = (mark[some] > p[some, None, :]).sum(axis=2)
        return np.asarray(fitting[np.minimum(chosen, len(fitting) - 1)])

    return pick


def _few_at_once() -> Iterator[range]:
    """The tries in parts: most often one of the first fits."""
    for start in range(0, _TRIES, _PART):
        yield range(start, min(start + _PART, _TRIES))
