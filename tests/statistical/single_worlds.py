"""Panels of one staggered policy with known effects, and placebo laws on real panels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from error_worlds import REAL, real, world_errors
from synergy_worlds import PATHS, SIGMA

from bayesdid.arrays import FloatArray

SIZE = 0.4  # of the effect at full size, two thirds of the errors' sd
UNITS, PERIODS = 48, 12
ROUNDS = (0.3, 0.45, 0.6, 0.75)  # adoption, as shares of the periods


@dataclass(frozen=True)
class World:
    """How panels are made.

    Attributes
    ----------
    size
        Of the effect at full size.
    path
        Of the effect over time since adoption.
    phi
        Autocorrelation of errors, whose variances differ between units.
    by_cohort
        Effects of cohorts differ by up to a half of their size.
    treated
        Units that ever adopt; half of them by default.
    panel
        A real panel of :data:`error_worlds.REAL`, its last periods, in the place of simulated
        outcomes.
    """

    size: float = 0.0
    path: str = "constant"
    phi: float = 0.5
    by_cohort: bool = False
    treated: int | None = None
    panel: str = ""

    @property
    def named(self) -> bool:
        """Whether the model names this world."""
        return not self.panel


WORLDS: dict[str, World] = {
    "no effect, i.i.d. errors": World(phi=0.0),
    "no effect, AR .5": World(),
    "no effect, AR .8": World(phi=0.8),
    "no effect, 3 treated units": World(treated=3),
    "constant, negative": World(-SIZE),
    "constant, negative, 3 treated units": World(-SIZE, treated=3),
    "growing, negative": World(-SIZE, "growing"),
    "growing, negative, by cohort": World(-SIZE, "growing", by_cohort=True),
    "growing, positive": World(SIZE, "growing"),
    "placebo laws: driving": World(panel="driving"),
    "placebo laws: castle": World(panel="castle"),
}
assert all(world.panel in ("", *REAL) for world in WORLDS.values())


@dataclass(frozen=True)
class Made:
    """One panel with its truth.

    Attributes
    ----------
    frame, adoption
        Unit, period and y; adoption periods by unit.
    effect
        Of every unit in every period, (N, T).
    age
        Periods since adoption, negative before it and without, (N, T).
    """

    frame: pd.DataFrame
    adoption: pd.DataFrame
    effect: FloatArray
    age: FloatArray

    @property
    def att(self) -> float:
        """Mean effect over treated rows."""
        return float(self.effect[self.age >= 0].mean())

    def path(self, last: int) -> FloatArray:
        """Mean effect at each time since adoption up to `last`."""
        return np.array([self.effect[self.age == k].mean() for k in range(last + 1)])


def make(world: World, seed: int) -> Made:
    """One panel."""
    rng = np.random.default_rng(seed)
    if world.panel:
        outcome = real(world.panel)[:, -PERIODS:]
        N, T = outcome.shape
    else:
        N, T = UNITS, PERIODS
        scales = SIGMA / np.sqrt(rng.gamma(2.0, 0.5, N))
        errors = world_errors(f"ar {world.phi}", N, T, rng)
        outcome = rng.standard_normal((N, 1)) + 0.4 * rng.standard_normal(T)
        outcome = outcome + scales[:, None] * errors
    start = np.full(N, np.inf)
    rounds = 1 + np.round(np.array(ROUNDS) * T)
    who = rng.permutation(N)[: world.treated or N // 2]
    start[who] = rng.choice(rounds, len(who))
    age = np.where(np.isfinite(start), 0.0, -np.inf)[:, None] + np.arange(1, T + 1)
    age = age - np.where(np.isfinite(start), start, 0.0)[:, None]
    on = age >= 0
    own = 1 + 0.5 * world.by_cohort * np.cos(2.0 * np.where(np.isfinite(start), start, 0.0))
    effect = world.size * own[:, None] * on * PATHS[world.path](np.where(on, age, 0.0))
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(N), T),
            "period": np.tile(np.arange(1, T + 1), N),
            "y": (outcome + effect).ravel(),
        }
    )
    adoption = pd.DataFrame({"a": start}, index=pd.Index(range(N), name="unit"))
    return Made(frame, adoption.replace(np.inf, np.nan), effect, age)
