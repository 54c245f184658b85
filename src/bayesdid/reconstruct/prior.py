"""The prior on panels: persistence, unevenness, skewness, effects over time and between units.

Before it knows the printed numbers, a column is a function of independent standard normal numbers
(:mod:`bayesdid.reconstruct.latent`). How it is one is drawn anew for each member: see
:class:`Habits`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from bayesdid.arrays import FloatArray
from bayesdid.panel.panel import Panel
from bayesdid.reconstruct.latent import Latent, pinned_at_extremes, settled, width
from bayesdid.reconstruct.shape import Shape

EFFECT = 0.3  # sd of a policy's first effect, in sds of the outcome's shocks
GROWN, LATER = 5.0, 0.5  # in so many periods an effect changes by so much of a first one (sd)
COEFFICIENT = 0.2  # sd of a covariate's coefficient, both in sds that the effects leave
_EARTH = 6371.0  # km
_RANGE = 300.0  # km over which shocks of neighbours are alike
_UNDONE = 0.7  # log of the largest factor by which scales undo the proportion to levels
_PERIOD = 0.3  # sd of a period's shock, in sds of a unit's


@dataclass(frozen=True, slots=True)
class Habits:
    """What tables do not say of a column, drawn for each member.

    Attributes
    ----------
    phi
        Persistence of shocks within a unit, AR(1): 0.99 times a Beta(0.5, 0.5) variable.
    drift
        Share of the variance of shocks, within units, that goes along common paths at each unit's
        own rate: 0.9 times a Beta(0.4, 0.4) variable. What persists in real panels is more than
        AR(1) gives, and in few of them something between none and most of it.
    straight
        Share of the drift that is along a straight line, a trend of each unit's own; the rest is
        along a random walk, as business cycles that units follow more or less: Beta(0.5, 0.5).
    spread
        Log standard deviation of the units' scales of shocks: 1.1 times the square of a uniform
        variable: in most panels units differ little, in some by a lot.
    skew
        Log scale of a skewed column whose sd is its mean: uniform on (0.5, 1). Where the sd is
        more than the mean it is nearer to, and larger by, what a log-normal variable's is larger.
    even
        How much of the proportion of shocks to levels, which a skewed column has, the scales of
        the units' shocks undo: uniform on (0, 1).
    spatial
        Share of the variance of shocks that neighbours have in common: uniform on (0, 0.4), and
        0 without coordinates.
    cohorts, groups
        Standard deviation of the effects of cohorts, and of each declared group, around the
        effect: uniform on (0, 0.5), relative to the standard deviation of an effect.
    proportion
        How much of an effect on a skewed outcome is in proportion to the unit's level; the rest
        is the same number everywhere: uniform on (0, 1).
    """

    phi: float
    drift: float
    straight: float
    spread: float
    skew: float
    even: float
    spatial: float
    cohorts: float
    groups: float
    proportion: float


def draw_habits(has_places: bool, rng: np.random.Generator) -> Habits:
    """Draw them."""
    return Habits(
        phi=float(0.99 * rng.beta(0.5, 0.5)),
        drift=float(0.9 * rng.beta(0.4, 0.4)),
        straight=float(rng.beta(0.5, 0.5)),
        spread=float(1.1 * rng.uniform() ** 2),
        skew=float(rng.uniform(0.5, 1.0)),
        even=float(rng.uniform(0.0, 1.0)),
        spatial=float(rng.uniform(0.0, 0.4)) if has_places else 0.0,
        cohorts=float(rng.uniform(0.0, 0.5)),
        groups=float(rng.uniform(0.0, 0.5)),
        proportion=float(rng.uniform(0.0, 1.0)),
    )


def draw_column(
    shape: Shape,
    habits: Habits,
    cells: tuple[int, int],
    near: FloatArray | None,
    paths: FloatArray,
    drivers: Mapping[str, float],
    columns: Mapping[str, FloatArray],
    rng: np.random.Generator,
) -> tuple[Latent, FloatArray]:
    """A column and the standard normal numbers that it is drawn at.

    Parameters
    ----------
    cells
        Units and periods.
    near
        Correlation of neighbours' shocks, (N, N), or None.
    paths
        Effects on it, in standard deviations of its shocks, shape (K, N T).
    drivers
        Columns that it may depend on, and the standard deviation that unit and period effects
        leave of each.
    columns
        Values of these, shape (N T,).
    """
    N, T = cells
    skew = habits.skew**shape.stretch**-2 * shape.stretch if shape.skewed else 0.0
    bare = Latent(
        level=1.0,
        noise=1.0,
        period=_PERIOD,
        scales=np.ones(N),
        space=None if near is None else _mixed(near, habits.spatial),
        time=over_time(T, habits, rng),
        paths=np.zeros((0, N * T)),
        drivers=(),
        gains=np.zeros(0),
        skew=skew,
        location=shape.mean,
        scale=shape.sd,
        sd=shape.sd,
        low=shape.low,
        high=shape.high,
        soft=width(shape),
        pinned=np.zeros(0, dtype=np.int64),
        values=np.zeros(0),
    )
    white = bare.drawn(rng)
    levels = np.sqrt(1 - (shape.within / shape.sd) ** 2) * bare.parts(white)[1]
    undone = np.clip(-habits.even * skew * levels, -_UNDONE, _UNDONE)
    scales = np.exp(habits.spread * rng.standard_normal(N) + undone)
    bare = dataclasses.replace(bare, scales=scales / np.sqrt((scales**2).mean()))
    bare = settled(bare, white, {}, shape)
    if len(paths) or drivers:
        level = bare.value(white, {}).reshape(N, T).mean(axis=1)
        size = np.ones(N)
        if shape.skewed:
            size += habits.proportion * ((level - shape.low) / (level.mean() - shape.low) - 1.0)
        whole = shape.within * np.repeat(size, T) * paths
        gains = COEFFICIENT * shape.within / np.array(list(drivers.values()))
        white = np.concatenate([white, rng.standard_normal(len(paths) + len(drivers))])
        more = dataclasses.replace(bare, paths=whole, drivers=tuple(drivers), gains=gains)
        bare = settled(more, white, columns, shape)
    return pinned_at_extremes(bare, white, columns, shape.never_low), white


def over_time(T: int, habits: Habits, rng: np.random.Generator) -> FloatArray:
    """A square root of the covariance of a unit's shocks over T periods, less their mean, (T, T).

    AR(1) beside a straight line and a random walk, each of unit variance within the unit, in the
    shares of `habits`. The walk is drawn here, its steps AR(1) with a coefficient uniform on
    (0, 1): a rough path or a smooth one. Means of units are levels, drawn beside.
    """
    lags = np.abs(np.subtract.outer(np.arange(T), np.arange(T)))
    serial = habits.phi**lags
    around = np.eye(T) - 1 / T
    of_units = habits.drift * np.array([habits.straight, 1 - habits.straight])
    found = (1 - habits.drift) * serial / (np.trace(around @ serial) / T)
    steps = lfilter([1.0], [1.0, -rng.uniform()], rng.standard_normal(T))
    for share, path in zip(of_units, (np.arange(T), steps.cumsum()), strict=True):
        deviations = around @ path
        found += share * np.outer(deviations, deviations) / (deviations @ deviations / T)
    return around @ np.linalg.cholesky(found)


def _mixed(near: FloatArray, share: float) -> FloatArray:
    """A square root of the correlation of which a share is that of neighbours, (N, N)."""
    values, vectors = np.linalg.eigh(near)
    return np.asarray(vectors * np.sqrt(1 - share + share * np.maximum(values, 0.0))) @ vectors.T


def neighbours(places: FloatArray) -> FloatArray:
    """``exp(-distance / 300 km)`` between places, lon and lat, shape (N, 2) -> (N, N)."""
    lon, lat = np.radians(places).T
    cosine = np.sin(lat)[:, None] * np.sin(lat) + np.cos(lat)[:, None] * np.cos(lat) * np.cos(
        lon[:, None] - lon
    )
    return np.asarray(np.exp(-_EARTH * np.arccos(np.clip(cosine, -1.0, 1.0)) / _RANGE))


def effect_paths(
    panel: Panel, habits: Habits, groups: Sequence[str], others: Sequence[str]
) -> FloatArray:
    """What policies and their joint state may do to an outcome, shape (K, N T).

    For each policy and for the joint state there is one step in all units, one in each cohort and
    one in each level of each group, and one path that grows or fades with the time since adoption;
    concurrent policies, the columns `others`, have a step.
    """
    T = len(panel.periods)
    start = panel.adoption.to_numpy(dtype=float, na_value=np.inf)
    if start.shape[1] > 1:
        start = np.column_stack([start, start.max(axis=1)])
    levels = [panel.frame[name].astype(str).to_numpy()[::T] for name in groups]
    found = []
    for k in range(start.shape[1]):
        age = panel.periods[None, :] - start[:, k, None]
        path = np.where(age >= 0, EFFECT, 0.0)
        grown = (
            LATER * EFFECT / GROWN * np.where(np.isfinite(age), np.clip(age, 0.0, 2 * GROWN), 0.0)
        )
        found += [path.ravel(), grown.ravel()]
        for spread, of in ((habits.cohorts, start[:, k]), *((habits.groups, g) for g in levels)):
            which = np.unique(of[np.isfinite(start[:, k])])
            found += [(spread * path * (of == one)[:, None]).ravel() for one in which]
    found += [EFFECT * panel.frame[name].to_numpy(float) for name in others]
    return np.array(found).reshape(len(found), len(panel.frame))
