"""Move a drawn panel onto the printed numbers: a sequence of convex programmes.

Printed numbers are smooth functions of the panel, and the panel is one of the standard normal
numbers that it was drawn from. Each round replaces the printed numbers by their tangents in these,
asks :mod:`bayesdid.reconstruct.project` for the nearest ones that meet the tangents within the
rounding intervals, and goes as far towards them as the misses fall (Levenberg-Marquardt with convex
constraints).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.reconstruct.durbin import Durbin, Fitted
from bayesdid.reconstruct.latent import Latent
from bayesdid.reconstruct.logs import column_slope, column_value, sought_in
from bayesdid.reconstruct.project import Restrictions, nearest
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
_FAR = 1.0  # that a standard normal number moves in a round


@dataclass(frozen=True, slots=True)
class Problem:
    """What is sought, and what it is held to.

    Attributes
    ----------
    regressions
        Column id -> regression.
    targets
        Printed numbers.
    latents
        Sought column -> how it follows from standard normal numbers, drivers before driven.
    fixed
        Sought columns that are as they shall be.
    """

    regressions: Mapping[str, Regression | Durbin]
    targets: tuple[Target, ...]
    latents: Mapping[str, Latent]
    fixed: Mapping[str, FloatArray]

    def columns(self, white: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Sought column -> values, shape (n,)."""
        found = dict(self.fixed)
        for name, latent in self.latents.items():
            found[name] = latent.value(white[name], found)
        return found

    def fits(self, columns: Mapping[str, FloatArray]) -> dict[str, Estimates | Fitted]:
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
    white
        Sought column -> its standard normal numbers.
    rounds
        How many convex programmes it took.
    whole
        Whether an outcome that counts is in whole numbers; true of others.
    """

    columns: dict[str, FloatArray]
    white: dict[str, FloatArray]
    rounds: int
    whole: bool = True


@np.errstate(over="ignore", invalid="ignore")  # what is not finite is no nearer: not taken
def solve(
    problem: Problem,
    start: Mapping[str, FloatArray],
    rounds: int = _ROUNDS,
    patience: int = _ROUNDS,
    least: float = _LEAST,
    close: float = _CLOSE,
) -> Solution:
    """The nearest panel that the rounds lead to.

    Parameters
    ----------
    start
        Sought column -> the standard normal numbers that it was drawn at.
    patience
        Rounds that may bring little before it ends.
    least
        Smallest damping: how far a number of weight 1 may stay from its interval, for the square
        of a unit that the panel moves.
    close
        Weight of standard errors and R2 against estimates and moments.
    """
    names = list(problem.latents)
    ends = np.cumsum([problem.latents[name].size for name in names])[:-1]
    middle = np.array([t.middle for t in problem.targets])
    half = np.array([t.half for t in problem.targets])
    weight = np.array([1.0 if t.exact else close for t in problem.targets])
    x = np.concatenate([start[name] for name in names])

    def of(point: FloatArray) -> dict[str, FloatArray]:
        return dict(zip(names, np.split(point, ends), strict=True))

    def columns_of(point: FloatArray) -> dict[str, FloatArray]:
        return problem.columns(of(point))

    damping, taken, slow = _FIRST, 0, 0
    for _ in range(rounds):
        columns = columns_of(x)
        values, by_cell = linearised(problem, columns, names)
        A = pulled(problem, by_cell, of(x), columns)
        length = A.lengths()
        movable = length > 0
        length = np.where(movable, length, 1.0)
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
        products = A.products(np.ones(A.shape[1], dtype=bool))
        outside = damping / np.maximum(weight, 1e-6)
        inside = np.maximum(outside, np.minimum(1.0, _FREER * outside))

        def moved(
            point: FloatArray,
            found: FloatArray,
            A: Slopes = A,
            products: FloatArray = products,
            length: FloatArray = length,
            room: FloatArray = room,
            mobile: tuple[FloatArray, FloatArray] = (inside, outside),
        ) -> FloatArray:
            here = A.times(point)
            offset = here + (middle - found) / length
            aim = np.clip(here, offset - room, offset + room)
            held = Restrictions(A, aim, offset - room, offset + room, *mobile)
            return nearest(point, held, products)[0]

        goal = moved(x, values)
        goal = x + (goal - x) * min(1.0, _FAR / max(float(np.abs(goal - x).max()), 1e-12))
        found = problem.values(columns_of(goal))
        trial, share, whole = goal, 1.0, float((weight * missed(found) ** 2).sum())
        for reach in (1.0, 0.0, *_SHARES):
            if reach == 0.0:  # the same tangents once more, from where they led to
                trial = moved(goal, found)
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
            if whole < before and damping > least:  # the tangents hold: the step was too small
                x, damping = goal, max(damping / 10, least)
                continue
            if damping > 1e3:
                break
            damping *= 10
            continue
        slow = slow + 1 if after > _LITTLE * before else 0
        if slow >= patience:
            break
        damping = max(damping * (0.25 if share >= 1.0 else 1.0 if share > 0.2 else 3.0), least)
    return Solution(columns_of(x), of(x), taken)


def pulled(
    problem: Problem,
    slopes: Slopes,
    white: Mapping[str, FloatArray],
    columns: Mapping[str, FloatArray],
) -> Slopes:
    """Slopes in the standard normal numbers, from those in the cells of the columns."""
    by_cell = dict(zip(problem.latents, slopes.blocks, strict=True))
    found: dict[str, Block] = {}
    end = sum(latent.size for latent in problem.latents.values())
    total = end
    for name, latent in reversed(list(problem.latents.items())):
        block = by_cell[name]
        values, passed = latent.pulled(block.values, white[name], columns)
        found[name] = Block(block.rows, slice(end - latent.size, end), values)
        end -= latent.size
        for driver, more in passed.items():
            if driver in by_cell:
                by_cell[driver] = by_cell[driver].plus(block.rows, more)
    return Slopes((slopes.shape[0], total), tuple(found[name] for name in problem.latents))


def linearised(
    problem: Problem, columns: Mapping[str, FloatArray], names: Collection[str]
) -> tuple[FloatArray, Slopes]:
    """Values of the targets, (m,), and their slopes in the cells of the named columns."""
    fits = problem.fits(columns)
    values = np.array([value_of(target, fits, columns) for target in problem.targets])
    about: dict[str, list[int]] = {name: [] for name in names}
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
            if (name := sought_in(target.name, columns)) in blocks:
                row = blocks[name].values[where[name][k]]
                own = _moment(target, column_value(target.name, columns))
                row[:] = own * column_slope(target.name, columns)
            continue
        fit = fits[target.place]
        by_y, by_Z = fit.slope(target.name, target.kind)
        factors = problem.regressions[target.place].factors
        for factor, slope in zip(factors, (by_y, *by_Z), strict=True):
            if factor.column is not None and factor.column in blocks:
                row = blocks[factor.column].values[where[factor.column][k]]
                row[factor.rows] += factor.slope(columns) * slope
    return values, Slopes((len(problem.targets), start), tuple(blocks.values()))


def _columns(problem: Problem, target: Target) -> list[str]:
    """Sought columns that a printed number is about."""
    if target.kind in {"mean", "sd"}:
        return [sought_in(target.name, {**problem.latents, **problem.fixed})]
    factors = problem.regressions[target.place].factors
    return list(dict.fromkeys(one.column for one in factors if one.column is not None))


def _moment(target: Target, column: FloatArray) -> FloatArray:
    n = len(column)
    if target.kind == "mean":
        return np.full(n, 1 / n)
    return np.asarray((column - column.mean()) / ((n - 1) * column.std(ddof=1)))
