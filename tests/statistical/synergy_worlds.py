"""Panels of two overlapping staggered policies with a known synergy, in worlds of many kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray

SIZE = np.array([-0.5, -0.4])  # of the single effects
SIGMA = 0.6
SPAN = 5.0  # periods over which effects grow or fade
ROUNDS = (4, 6, 8)
DRIFT = -0.03  # a period: over the five periods between mean ages a third of a single effect

PATHS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "none": np.zeros_like,
    "constant": np.ones_like,
    "growing": lambda age: (age + 1) / SPAN,
    "fading": lambda age: np.exp(-age / SPAN),
}


@dataclass(frozen=True)
class World:
    """How panels are made.

    Attributes
    ----------
    path
        Of the single effects over time since adoption.
    synergy
        Departure of the joint state, constant.
    phi
        Autocorrelation of errors.
    by_cohort
        Single effects differ between cohorts by up to a half of their size.
    unit_scales
        Errors' variances differ between units (four degrees of freedom).
    gap
        Periods between two adoptions of a dual unit, or None for independent adoption.
    dual
        Dual units, or None for as many as chance gives.
    anticipation
        Periods by which effects begin before the adoption that is recorded.
    shocks
        Standard deviation of a random walk that units of a region share; named by no model.
    missing
        Share of rows that are missing.
    drift
        Slope of a linear trend that only units of both policies have, a period.
    counts
        Mean of a count outcome, whose expectation moves by the same effects, or 0 for a normal
        one; errors are then Poisson.
    shape
        Of a negative binomial in the place of the Poisson: variance ``mean + mean^2 / shape``.
    unit_effects
        Standard deviation between units of each policy's effect.
    tails
        Degrees of freedom of Student t noise of as large a scale on top of the errors, or infinity
        for none.
    named
        Whether the model names this world.
    """

    path: str = "growing"
    synergy: float = 0.0
    phi: float = 0.5
    by_cohort: bool = False
    unit_scales: bool = True
    gap: int | None = None
    dual: int | None = None
    anticipation: int = 0
    shocks: float = 0.0
    missing: float = 0.0
    drift: float = 0.0
    counts: float = 0.0
    shape: float = np.inf
    unit_effects: float = 0.0
    tails: float = np.inf
    named: bool = True


WORLDS: dict[str, World] = {
    "no effects": World("none"),
    "constant": World("constant"),
    "growing": World(),
    "fading": World("fading"),
    "growing, by cohort": World(by_cohort=True),
    "growing, synergy -.3": World(synergy=-0.3),
    "growing, synergy +.3": World(synergy=0.3),
    "growing, by cohort, synergy -.3": World(by_cohort=True, synergy=-0.3),
    "growing, i.i.d. errors": World(phi=0.0, unit_scales=False),
    "growing, AR .8": World(phi=0.8),
    "second soon after the first": World(gap=1),
    "second long after the first": World(gap=5),
    "3 dual units": World(dual=3),
    "8 dual units": World(dual=8),
    "20 dual units": World(dual=20),
    "a tenth of rows missing": World(missing=0.1),
    "counts, Poisson of mean 4": World(counts=4.0, named=False),
    "counts, overdispersed": World(counts=4.0, shape=4.0, named=False),
    "trend of dual units": World(drift=DRIFT, named=False),
    "anticipation by one period": World(anticipation=1, named=False),
    "regional shocks": World(shocks=0.15, named=False),
    "effects differ between units": World(unit_effects=0.4, named=False),
    "noise with heavy tails": World(tails=3.0, named=False),
}


def starts(world: World, N: int, rng: np.random.Generator) -> FloatArray:
    """Adoption periods, inf for never, shape (N, 2)."""
    rounds = np.array([*ROUNDS, np.inf])
    found = np.column_stack([rng.choice(rounds, N, p=[0.2, 0.2, 0.15, 0.45]) for _ in range(2)])
    both = np.flatnonzero(np.isfinite(found).all(axis=1))
    if world.gap is not None:
        first = rng.integers(2, size=len(both))
        found[both, 1 - first] = found[both, first] + world.gap
    if world.dual is not None:
        for unit in both[world.dual :]:
            found[unit, rng.integers(2)] = np.inf
    return found


@dataclass(frozen=True)
class Made:
    """One panel, and what an oracle knows of it.

    Attributes
    ----------
    frame, adoption
        Unit, period and y; adoption periods by unit.
    paths
        Shape of each policy's effect, (2, N, T).
    scales
        Standard deviation of each unit's errors, (N,).
    """

    frame: pd.DataFrame
    adoption: pd.DataFrame
    paths: FloatArray
    scales: FloatArray


def make(world: World, seed: int, *, N: int = 120, T: int = 12) -> Made:
    """One panel."""
    rng = np.random.default_rng(seed)
    start, period = starts(world, N, rng), np.arange(1, T + 1)
    z = rng.standard_normal((N, T))
    e = z.copy()
    for t in range(1, T):
        e[:, t] = world.phi * e[:, t - 1] + np.sqrt(1 - world.phi**2) * z[:, t]
    scales = np.full(N, SIGMA)
    if world.unit_scales:
        scales /= np.sqrt(rng.gamma(2.0, 0.5, N))
    y = rng.standard_normal(N)[:, None] + 0.4 * rng.standard_normal(T)
    region = rng.standard_normal((6, T)).cumsum(axis=1) * world.shocks
    y += region[rng.integers(6, size=N)]
    size = {r: 1 + 0.5 * (world.by_cohort * np.cos(2.0 * r)) for r in range(1, T + 7)}
    paths = np.zeros((2, N, T))
    for k in range(2):
        age = period - start[:, [k]] + world.anticipation
        on = age >= 0
        own = np.array([size.get(int(s), 1.0) if np.isfinite(s) else 0.0 for s in start[:, k]])
        paths[k] = np.where(on, own[:, None] * PATHS[world.path](np.where(on, age, 0.0)), 0.0)
        y += SIZE[k] * paths[k]
    dual = np.isfinite(start).all(axis=1)
    y += world.synergy * (period >= start.max(axis=1)[:, None] - world.anticipation)
    y += world.drift * dual[:, None] * period
    y = _counted(world, y, rng) if world.counts else y + scales[:, None] * e
    for k in range(2 * bool(world.unit_effects)):
        y += world.unit_effects * rng.standard_normal((N, 1)) * (period >= start[:, [k]])
    if np.isfinite(world.tails):
        y += scales[:, None] * rng.standard_t(world.tails, (N, T))
    frame = pd.DataFrame(
        {"unit": np.repeat(np.arange(N), T), "period": np.tile(period, N), "y": y.ravel()}
    )
    keep = rng.random(len(frame)) >= world.missing
    adoption = pd.DataFrame(start, columns=["a", "b"], index=pd.Index(range(N), name="unit"))
    kept = frame[keep].reset_index(drop=True)
    return Made(kept, adoption.replace(np.inf, np.nan), paths, scales)


def _counted(world: World, y: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Counts whose expectation is the sum of all effects; the few below .2 are cut."""
    mean = np.maximum(world.counts + y, 0.2)
    rate = (
        mean if np.isinf(world.shape) else mean * rng.gamma(world.shape, 1 / world.shape, y.shape)
    )
    return rng.poisson(rate).astype(float)
