"""Panels of three overlapping staggered policies with known departures of pairs and of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from synergy_worlds import PATHS, ROUNDS, SIGMA

from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import Set

POLICIES = ("a", "b", "c")
SIZE = (-0.5, -0.4, -0.3)  # of the single effects
SHARES = (0.2, 0.2, 0.15, 0.45)  # of the rounds, and of never


@dataclass(frozen=True)
class World:
    """How panels are made.

    Attributes
    ----------
    path
        Of the single effects over time since adoption, see :data:`synergy_worlds.PATHS`.
    departs
        Set of policies -> its departure from what its policies and smaller sets add up to.
    by_cohort
        Single effects differ between cohorts by up to a half of their size.
    phi
        Autocorrelation of errors, whose scales differ between units.
    triple
        Units of all three, or None for as many as chance gives.
    fading_joint
        Departures fade with time since the last adoption, to 1 / e in three periods.
    """

    path: str = "growing"
    departs: Mapping[Set, float] = field(default_factory=dict)
    by_cohort: bool = False
    phi: float = 0.5
    triple: int | None = None
    fading_joint: bool = False


PAIRS = {("a", "b"): -0.3, ("b", "c"): 0.3}
WORLDS: dict[str, World] = {
    "no departure, constant": World("constant"),
    "no departure, growing": World(),
    "no departure, growing by cohort": World(by_cohort=True),
    "pairs -.3, 0, +.3": World(departs=PAIRS),
    "pairs -.3, 0, +.3, all -.3": World(departs=PAIRS | {POLICIES: -0.3}),
    "the same, fading": World(departs=PAIRS | {POLICIES: -0.3}, fading_joint=True),
    "pairs -.3, 0, +.3, 6 units of all": World(departs=PAIRS, triple=6),
}


@dataclass(frozen=True)
class Made:
    """One panel, and the departure of each set in each unit and period, shape (N, T)."""

    frame: pd.DataFrame
    adoption: pd.DataFrame
    joint: dict[Set, FloatArray]


def make(world: World, seed: int, *, N: int = 120, T: int = 12) -> Made:
    """One panel."""
    rng = np.random.default_rng(seed)
    rounds = np.array([*ROUNDS, np.inf])
    start = np.column_stack([rng.choice(rounds, N, p=SHARES) for _ in POLICIES])
    if world.triple is not None:
        for unit in np.flatnonzero(np.isfinite(start).all(axis=1))[world.triple :]:
            start[unit, rng.integers(3)] = np.inf
    period = np.arange(1, T + 1)
    z = rng.standard_normal((N, T))
    e = z.copy()
    for t in range(1, T):
        e[:, t] = world.phi * e[:, t - 1] + np.sqrt(1 - world.phi**2) * z[:, t]
    scales = SIGMA / np.sqrt(rng.gamma(2.0, 0.5, N))
    y = rng.standard_normal(N)[:, None] + 0.4 * rng.standard_normal(T) + scales[:, None] * e
    for k, size in enumerate(SIZE):
        age = period - start[:, [k]]
        own = 1 + 0.5 * world.by_cohort * np.cos(2.0 * np.where(np.isfinite(age), start[:, [k]], 0))
        y += np.where(age >= 0, size * own * PATHS[world.path](np.maximum(age, 0.0)), 0.0)
    joint = {}
    for of, size in world.departs.items():
        since = period - start[:, [POLICIES.index(policy) for policy in of]].max(axis=1)[:, None]
        fades = np.exp(-np.maximum(since, 0.0) / 3) if world.fading_joint else 1.0
        joint[of] = np.where(since >= 0, size * fades, 0.0)
        y += joint[of]
    frame = pd.DataFrame(
        {"unit": np.repeat(np.arange(N), T), "period": np.tile(period, N), "y": y.ravel()}
    )
    adoption = pd.DataFrame(start, columns=list(POLICIES), index=pd.Index(range(N), name="unit"))
    return Made(frame, adoption.replace(np.inf, np.nan), joint)
