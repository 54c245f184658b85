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
from bayesdid.reconstruct.regression import Estimates, Factor, Regression
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
        values, A = linearised(problem, columns_of(x), names)
        A *= size
        length = np.sqrt((A * A).sum(axis=1))
        A /= length[:, None]
        room = half / length - np.minimum((1 - MARGIN) * half / length, _SPARE)

        def missed(
            found: FloatArray, length: FloatArray = length, room: FloatArray = room
        ) -> FloatArray:
            return np.maximum(np.abs(found - middle) / length - room, 0.0)

        movable = np.abs(A[:, free]).max(axis=1, initial=0.0) > 0
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
            A: FloatArray = A,
            length: FloatArray = length,
            room: FloatArray = room,
            mobile: tuple[FloatArray, FloatArray] = (inside, outside),
        ) -> FloatArray:
            here = A @ point
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
    problem: Problem, columns: Mapping[str, FloatArray], names: list[str]
) -> tuple[FloatArray, FloatArray]:
    """Values of the targets, (m,), and their slopes in the columns `names`, (m, sum of rows)."""
    lengths = [len(columns[k]) for k in names]
    start = dict(zip(names, np.cumsum([0, *lengths[:-1]]).tolist(), strict=True))
    fits = problem.fits(columns)
    values = np.array([value_of(target, fits, columns) for target in problem.targets])
    slopes = np.zeros((len(problem.targets), sum(lengths)))
    for row, target in zip(slopes, problem.targets, strict=True):
        if target.kind in {"mean", "sd"}:
            if target.name not in start:
                continue
            column = columns[target.name]
            n, at = len(column), start[target.name]
            if target.kind == "mean":
                row[at : at + n] = 1 / n
            else:
                row[at : at + n] = (column - column.mean()) / ((n - 1) * column.std(ddof=1))
            continue
        fit = fits[target.place]
        by_y, by_Z = fit.slope(target.name, target.kind)
        for factor, slope in zip((fit.of.outcome, *fit.of.regressors), (by_y, *by_Z), strict=True):
            _add(row, factor, slope, start)
    return values, slopes


def _add(row: FloatArray, factor: Factor, slope: FloatArray, start: Mapping[str, int]) -> None:
    if factor.column is not None and factor.column in start:
        row[start[factor.column] + factor.rows] += factor.fixed * slope
