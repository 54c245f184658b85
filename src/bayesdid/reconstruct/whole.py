"""Put an outcome on its grid, such as whole deaths, without losing the printed numbers.

Cells are rounded some at a time, and the others are moved so that what is linear in the outcome
still holds. The last few cells go up or down, whichever of all combinations keeps the numbers best.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.reconstruct.project import Restrictions, project
from bayesdid.reconstruct.slopes import Slopes
from bayesdid.reconstruct.solve import Problem, linearised
from bayesdid.reconstruct.targets import Target

_SHARES = (0.4, 0.7, 0.9, 0.97, 0.99, 1.0)  # of the cells that are whole after each step
_LAST = 12  # cells that go up or down in all combinations
_OWN = 0.3  # half widths from the middle at which such numbers are aimed
_ROOM = 0.1  # half widths by which a number may move in a step


def onto_grid(
    problem: Problem,
    columns: dict[str, FloatArray],
    name: str,
    step: float,
    rng: np.random.Generator,
) -> FloatArray:
    """The outcome `name` as multiples of `step`, shape (n,)."""
    targets = tuple(target for target in problem.targets if target.exact)
    only = dataclasses.replace(problem, targets=targets)
    y, n = columns[name].copy(), len(columns[name])
    order = rng.permutation(n)
    low, high = problem.latents[name].bounds()
    half = np.array([t.half for t in targets])
    middle = np.array([(t.low + t.high) / 2 for t in targets])
    goal = only.values(columns)
    own = np.array([_is_of_outcome_alone(only, t) for t in targets])  # any outcome can meet these
    goal = np.where(own, np.clip(goal, middle - _OWN * half, middle + _OWN * half), goal)
    for share in _SHARES:
        now = order[: min(round(share * n), n - _LAST)]
        y[now] = np.round(y[now] / step) * step
        y[now] = np.clip(y[now], np.ceil(low[now] / step) * step, np.floor(high[now] / step) * step)
        low[now] = high[now] = y[now]
        values, held = linearised(only, {**columns, name: y}, (name,))
        (block,) = held.blocks
        slopes = np.zeros(held.shape)
        slopes[block.rows] = block.values
        moved = np.abs(slopes).max(axis=1) > 0
        A = slopes[moved] / half[moved, None]
        if share == 1.0 or not moved.any():
            return _finish(
                y, A, (goal - values)[moved] / half[moved], order[len(now) :], step, (low, high)
            )
        lengths = np.sqrt((A[:, order[len(now) :]] ** 2).sum(axis=1))
        free = lengths > 0  # of a number whose cells are all whole nothing can be made up for
        A, lengths = A[free] / lengths[free, None], lengths[free]
        offset = A @ y + (goal - values)[moved][free] / half[moved][free] / lengths
        room = _ROOM / lengths
        stiff = np.full(len(A), 1e-6)
        of = Restrictions(Slopes.dense(A), offset, offset - room, offset + room, stiff * 1e3, stiff)
        y, _ = project(y, of, low, high)
    return np.round(y / step) * step


def _finish(
    y: FloatArray,
    A: FloatArray,
    missing: FloatArray,
    last: IntArray,
    step: float,
    bounds: tuple[FloatArray, FloatArray],
) -> FloatArray:
    """The last cells rounded up or down, so that the largest change of a number is least."""
    down = np.floor(y[last] / step + 1e-9) * step
    combinations = np.array(list(itertools.product((0.0, step), repeat=len(last)))) + down
    combinations = np.clip(combinations, bounds[0][last], bounds[1][last])
    change = (combinations - y[last]) @ A[:, last].T - missing
    done = y.copy()
    done[last] = combinations[np.abs(change).max(axis=1).argmin()]
    return np.round(done / step) * step


def _is_of_outcome_alone(problem: Problem, target: Target) -> bool:
    """Whether nothing that is sought but the outcome changes a printed number."""
    regression = problem.regressions.get(target.place)
    return regression is None or all(one.column is None for one in regression.factors[1:])
