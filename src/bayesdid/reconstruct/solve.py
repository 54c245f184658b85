"""Move a drawn panel onto the printed numbers: a sequence of convex programmes.

Printed numbers are smooth functions of the panel. Each round replaces them by their tangents,
asks :mod:`bayesdid.reconstruct.project` for the nearest panel that meets these within the
rounding intervals and bounds, and goes as far towards it as the misses fall (Levenberg-Marquardt
with convex constraints).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.reconstruct.project import Restrictions, project
from bayesdid.reconstruct.regression import Estimates, Regression
from bayesdid.reconstruct.slopes import Block, Slopes
from bayesdid.reconstruct.targets import Target, value_of

MARGIN = 0.8  # of a half width: what a solution uses of an interval, for the sake of rounding
_SPARE = 0.005  # or what rounding moves at most, in units of a restriction
_CLOSE = 0.05  # weight of standard errors and R2 against estimates and moments
_FIRST, _LEAST = 1e-2, 1e-6  # damping
_FREER = 3000.0  # how much more freely a number moves inside of its interval than out of it
_SHARES = (0.5, 0.25, 0.1)  # of the way to the nearest panel
_LITTLE = 0.85  # of the misses left: a round that brought little
_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Problem:
    """What is sought, and what it is held to.

    Attributes
    ----------
    regressions
        Column id -> regression.
    targets
        Printed numbers.
    scales
        Sought column -> the size of a unit step in it.
    low, high
        Sought column -> bounds of each row, shape (n,).
    """

    regressions: Mapping[str, Regression]
    targets: tuple[Target, ...]
    scales: Mapping[str, float]
    low: Mapping[str, FloatArray]
    high: Mapping[str, FloatArray]

    def fits(self, columns: Mapping[str, FloatArray]) -> dict[str, Estimates]:
        """Every regression that a target is about, fitted."""
        places = dict.fromkeys(target.place for target in self.targets)
        return {
            place: self.regressions[place].estimate(columns)
            for place in places
            if place in self.regressions
        }

    def values(self, columns: Mapping[str, FloatArray]) -> FloatArray:
        """What the panel gives for every target, shape (m,)."""
        fits = self.fits(columns)
        return np.array([value_of(target, fits, columns) for target in self.targets])


@dataclass(frozen=True, slots=True)
class Solution:
    """A panel near the printed numbers.

    Attributes
    ----------
    columns
        Sought column -> values.
    values
        What it gives for every target, shape (m,).
    rounds
        How many convex programmes it took.
    """

    columns: dict[str, FloatArray]
    values: FloatArray
    rounds: int


def solve(
    problem: Problem,
    start: Mapping[str, FloatArray],
    rounds: int = _ROUNDS,
    patience: int = _ROUNDS,
) -> Solution:
    """The nearest panel that the rounds lead to.

    Parameters
    ----------
    start
        Sought column -> drawn values, shape (n,).
    patience
        Rounds that may bring little before it ends.
    """
    names = list(problem.scales)
    size = np.concatenate([np.full(len(start[k]), problem.scales[k]) for k in names])
    low = np.concatenate([problem.low[k] for k in names]) / size
    high = np.concatenate([problem.high[k] for k in names]) / size
    middle = np.array([(t.low + t.high) / 2 for t in problem.targets])
    half = np.array([t.half for t in problem.targets])
    weight = np.array([1.0 if t.exact else _CLOSE for t in problem.targets])
    free = low < high
    x = np.clip(np.concatenate([start[k] for k in names]) / size, low, high)

    def columns_of(point: FloatArray) -> dict[str, FloatArray]:
        ends = np.cumsum([len(start[k]) for k in names])[:-1]
        return dict(zip(names, np.split(point * size, ends), strict=True))

    damping, taken, slow = _FIRST, 0, 0
    for _ in range(rounds):
        values, A = linearised(problem, columns_of(x), problem.scales)
        length = A.lengths()
        movable = A.lengths(free) > 0
        length = np.where(length > 0, length, 1.0)
        A.divide(length)
        room = half / length - np.minimum((1 - MARGIN) * half / length, _SPARE)

        def missed(
            found: FloatArray, length: FloatArray = length, room: FloatArray = room
        ) -> FloatArray:
            return np.maximum(np.abs(found - middle) / length - room, 0.0)

        if not movable.all():  # nothing that is free could change these
            weight = np.where(movable, weight, 0.0)
        before = float((weight * missed(values) ** 2).sum())
        if (missed(values) <= 0.05 * half / length)[weight > 0].all():
            break
        taken += 1
        outside = damping / np.maximum(weight, 1e-6)
        inside = np.maximum(outside, np.minimum(1.0, _FREER * outside))

        def nearest(
            point: FloatArray,
            found: FloatArray,
            A: Slopes = A,
            length: FloatArray = length,
            room: FloatArray = room,
            mobile: tuple[FloatArray, FloatArray] = (inside, outside),
        ) -> FloatArray:
            here = A.times(point)
            offset = here + (middle - found) / length
            aim = np.clip(here, offset - room, offset + room)
            of = Restrictions(A, aim, offset - room, offset + room, *mobile)
            return project(point, of, low, high)[0]

        goal = nearest(x, values)
        found = problem.values(columns_of(goal))
        trial, share = goal, 1.0
        for reach in (1.0, 0.0, *_SHARES):
            if reach == 0.0:  # the same tangents once more, from where they led to
                trial = nearest(goal, found)
            elif reach < 1.0:
                trial = x + reach * (goal - x)
            share = reach or 1.0
            if reach < 1.0:
                found = problem.values(columns_of(trial))
            after = float((weight * missed(found) ** 2).sum())
            if after < before * (1 - 0.02 * share):
                x = trial
                break
        else:
            if damping > 1e3:
                break
            damping *= 10
            continue
        slow = slow + 1 if after > _LITTLE * before else 0
        if slow >= patience:
            break
        damping = max(damping * (0.25 if share >= 1.0 else 1.0 if share > 0.2 else 3.0), _LEAST)
    columns = columns_of(x)
    return Solution(columns, problem.values(columns), taken)


def linearised(
    problem: Problem, columns: Mapping[str, FloatArray], sizes: Mapping[str, float]
) -> tuple[FloatArray, Slopes]:
    """Values of the targets, (m,), and their slopes in steps of `sizes` of the columns it names."""
    fits = problem.fits(columns)
    values = np.array([value_of(target, fits, columns) for target in problem.targets])
    about: dict[str, list[int]] = {name: [] for name in sizes}
    for k, target in enumerate(problem.targets):
        for name in _columns(problem, target):
            if name in about:
                about[name].append(k)
    blocks, start = {}, 0
    for name, rows in about.items():
        n = len(columns[name])
        held = np.zeros((len(rows), n))
        blocks[name] = Block(np.array(rows, dtype=np.int64), slice(start, start + n), held)
        start += n
    where = {name: {k: i for i, k in enumerate(rows)} for name, rows in about.items()}
    for k, target in enumerate(problem.targets):
        if target.kind in {"mean", "sd"}:
            if target.name in blocks:
                row = blocks[target.name].values[where[target.name][k]]
                row[:] = _moment(target, columns[target.name])
            continue
        fit = fits[target.place]
        by_y, by_Z = fit.slope(target.name, target.kind)
        for factor, slope in zip(fit.of.factors, (by_y, *by_Z), strict=True):
            if factor.column is not None and factor.column in blocks:
                row = blocks[factor.column].values[where[factor.column][k]]
                row[factor.rows] += factor.fixed * slope
    for name, block in blocks.items():
        block.values[:] *= sizes[name]
    return values, Slopes((len(problem.targets), start), tuple(blocks.values()))


def _columns(problem: Problem, target: Target) -> list[str]:
    """Sought columns that a printed number is about."""
    if target.kind in {"mean", "sd"}:
        return [target.name]
    factors = problem.regressions[target.place].factors
    return list(dict.fromkeys(one.column for one in factors if one.column is not None))


def _moment(target: Target, column: FloatArray) -> FloatArray:
    n = len(column)
    if target.kind == "mean":
        return np.full(n, 1 / n)
    return np.asarray((column - column.mean()) / ((n - 1) * column.std(ddof=1)))
