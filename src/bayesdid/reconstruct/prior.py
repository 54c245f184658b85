"""Prior draws of the columns that are sought: levels, persistence, skewness, effects over time.

Before it knows the printed numbers, a column is a level of its unit plus AR(1) noise, on the
scale of its printed moments, passed through an exponential where mean and minimum say that it is
skewed. What no table says is drawn anew for each member: see :class:`Habits`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.panel.panel import Panel

_AIMS = 60
_EARTH = 6371.0  # km
_RANGE = 300.0  # km over which shocks of neighbours are alike


@dataclass(frozen=True, slots=True)
class Shape:
    """What is printed of a column's distribution, or stands for it.

    Attributes
    ----------
    mean, sd, low, high
        Moments; infinite bounds where none are printed.
    within
        Standard deviation that unit and period effects leave, 0 < within < sd.
    """

    mean: float
    sd: float
    low: float
    high: float
    within: float

    @property
    def skewed(self) -> bool:
        """Whether values within two standard deviations of the mean would pass a bound."""
        return self.mean - 2 * self.sd < self.low


@dataclass(frozen=True, slots=True)
class Habits:
    """What tables do not say of a column, drawn for each member.

    Attributes
    ----------
    phi
        Persistence of shocks within a unit, AR(1): uniform on (0, 0.8).
    spread
        Log standard deviation of the units' scales of shocks: uniform on (0, 0.9).
    skew
        Log scale of a skewed column: uniform on (0.5, 1).
    spatial
        Share of the variance of shocks that neighbours have in common: uniform on (0, 0.4), and
        0 without coordinates.
    growth
        By how much an effect grows (above 0) or fades per period since adoption, relative to its
        first: normal with standard deviation 0.15.
    cohorts
        Standard deviation of the effects of cohorts around their mean, relative to it: uniform
        on (0, 0.5).
    effect
        First effect of each policy, and what the joint state adds, in standard deviations of the
        outcome's shocks: normal with standard deviation 0.5.
    """

    phi: float
    spread: float
    skew: float
    spatial: float
    growth: tuple[float, ...]
    cohorts: float
    effect: tuple[float, ...]


def draw_habits(policies: int, has_places: bool, rng: np.random.Generator) -> Habits:
    """Draw them."""
    paths = policies + (policies > 1)
    return Habits(
        phi=float(rng.uniform(0.0, 0.8)),
        spread=float(rng.uniform(0.0, 0.9)),
        skew=float(rng.uniform(0.5, 1.0)),
        spatial=float(rng.uniform(0.0, 0.4)) if has_places else 0.0,
        growth=tuple(rng.normal(0.0, 0.15, paths).tolist()),
        cohorts=float(rng.uniform(0.0, 0.5)),
        effect=tuple(rng.normal(0.0, 0.5, paths).tolist()),
    )


def shocks(
    N: int, T: int, habits: Habits, near: FloatArray | None, rng: np.random.Generator
) -> FloatArray:
    """Noise of unit variance on average, shape (N, T).

    Parameters
    ----------
    near
        Square root of the correlation of neighbours' shocks, (N, N), or None.
    """
    e = rng.standard_normal((N, T))
    if near is not None and habits.spatial > 0:
        common = near @ rng.standard_normal((N, T))
        e = np.sqrt(1 - habits.spatial) * e + np.sqrt(habits.spatial) * common
    for t in range(1, T):
        e[:, t] = habits.phi * e[:, t - 1] + np.sqrt(1 - habits.phi**2) * e[:, t]
    scale = np.exp(habits.spread * rng.standard_normal((N, 1)))
    return e * scale / np.sqrt((scale**2).mean())


def neighbours(places: FloatArray) -> FloatArray:
    """Square root of ``exp(-distance / 300 km)`` between places, lon and lat, shape (N, 2)."""
    lon, lat = np.radians(places).T
    cosine = np.sin(lat)[:, None] * np.sin(lat) + np.cos(lat)[:, None] * np.cos(lat) * np.cos(
        lon[:, None] - lon
    )
    distance = _EARTH * np.arccos(np.clip(cosine, -1.0, 1.0))
    values, vectors = np.linalg.eigh(np.exp(-distance / _RANGE))
    return vectors * np.sqrt(np.maximum(values, 0.0))


def effect_paths(panel: Panel, habits: Habits, rng: np.random.Generator) -> FloatArray:
    """Effects of the policies and of their joint state over time, shape (N, T), in shocks' sds.

    Each grows or fades with the time since adoption, and differs between cohorts.
    """
    N, T = len(panel.units), len(panel.periods)
    start = panel.adoption.to_numpy(dtype=float, na_value=np.inf)
    if start.shape[1] > 1:
        start = np.column_stack([start, start.max(axis=1)])
    total = np.zeros((N, T))
    for k in range(start.shape[1]):
        age = panel.periods[None, :] - start[:, k, None]
        on = age >= 0
        path = np.zeros((N, T))
        path[on] = np.exp(np.clip(habits.growth[k] * age[on], -2.0, 2.0))
        for cohort in np.unique(start[np.isfinite(start[:, k]), k]):
            path[start[:, k] == cohort] *= 1 + habits.cohorts * rng.standard_normal()
        total += habits.effect[k] * path
    return total


def shaped(level: FloatArray, noise: FloatArray, shape: Shape, skew: float) -> FloatArray:
    """A column with the printed moments from unit levels (N, 1) and noise (N, T).

    Levels and noise are mixed so that the two-way residual has the standard deviation `within`;
    bounds are kept by clipping.
    """
    share = min(shape.within / shape.sd, 0.99)
    location, scale = shape.mean, shape.sd
    x = np.empty_like(noise)
    for _ in range(_AIMS):
        z = np.sqrt(1 - share**2) * level + share * noise
        if shape.skewed:
            z = np.exp(skew * z)
        z = (z - z.mean()) / z.std()
        for _ in range(_AIMS):
            x = np.clip(location + scale * z, shape.low, shape.high)
            location += shape.mean - x.mean()
            scale *= shape.sd / x.std(ddof=1)
        left = x - x.mean(axis=1, keepdims=True) - x.mean(axis=0) + x.mean()
        found = left.std()
        if abs(found / shape.within - 1) < 1e-3:
            break
        share = float(np.clip(share * shape.within / found, 1e-4, 0.999))
    return x
