"""The nearest point to a draw that meets linear restrictions within their intervals and bounds.

    minimise   |x - x0|^2 / 2 + sum of c_i(t_i)
    subject to A x = t,  low <= x <= high

where c_i is a small cost inside the printed interval of restriction i and a large one outside of
it, so that there is always an answer, and numbers that contradict each other are relaxed by the
smallest weighted amount. The dual has one variable for each restriction, however long x is, and
is piecewise quadratic: a semismooth Newton method with a line search solves it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from bayesdid.arrays import FloatArray
from bayesdid.reconstruct.slopes import Slopes

_STEPS = 25
_TOLERANCE = 1e-7  # of the dual gradient


@dataclass(frozen=True, slots=True)
class Restrictions:
    """Linear restrictions ``A x = t`` with ``t`` drawn to ``aim`` and held in an interval.

    Attributes
    ----------
    A
        Shape (m, n).
    aim, low, high
        Shape (m,): where t would best be, and the interval that it should lie in.
    inside, outside
        Shape (m,): how far t moves for a unit of its multiplier, in the interval and out of it.
    """

    A: Slopes
    aim: FloatArray
    low: FloatArray
    high: FloatArray
    inside: FloatArray
    outside: FloatArray


def project(
    x0: FloatArray, of: Restrictions, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The solution x, shape (n,), and the multipliers, shape (m,)."""
    m = len(of.aim)
    multipliers, pull = np.zeros(m), np.zeros(len(x0))
    x, t, value = _primal(multipliers, x0, pull, of, low, high)
    free = np.zeros(len(x0), dtype=bool)
    products = np.zeros((m, m))
    for _ in range(_STEPS):
        gradient = t - of.A.times(x)
        if np.abs(gradient).max() < _TOLERANCE:
            break
        now = (x > low) & (x < high)
        if 2 * np.count_nonzero(now != free) > np.count_nonzero(now):
            products = of.A.products(now)
        else:
            products += of.A.products(now & ~free) - of.A.products(free & ~now)
        free = now
        H = products.copy()
        H[np.diag_indices(m)] += np.where((t > of.low) & (t < of.high), of.inside, of.outside)
        H[np.diag_indices(m)] += 1e-13 * np.trace(H)
        step = scipy.linalg.cho_solve(scipy.linalg.cho_factor(H, check_finite=False), gradient)
        size, slope, push = 1.0, float(gradient @ step), of.A.transposed(step)
        while True:
            trial, drawn = multipliers + size * step, pull + size * push
            x, t, value_new = _primal(trial, x0, drawn, of, low, high)
            if value_new >= value + 1e-4 * size * slope or size < 1e-6:
                break
            size /= 2
        multipliers, pull, value = trial, drawn, value_new
    return x, multipliers


def _primal(
    multipliers: FloatArray,
    x0: FloatArray,
    pull: FloatArray,
    of: Restrictions,
    low: FloatArray,
    high: FloatArray,
) -> tuple[FloatArray, FloatArray, float]:
    """The x and t that minimise the Lagrangian, and its value, which the dual maximises.

    Parameters
    ----------
    pull
        A' times the multipliers, shape (n,).
    """
    x = np.clip(x0 + pull, low, high)
    t = of.aim - of.inside * multipliers
    over, under = t > of.high, t < of.low
    # the cost has a kink at the ends of the interval: t stays there until the multiplier is
    # large enough, which the stiffer slope outside of it stands for
    at_high = (of.aim - of.high) / of.inside
    at_low = (of.aim - of.low) / of.inside
    t = np.where(over, of.high - of.outside * (multipliers - at_high), t)
    t = np.where(under, of.low - of.outside * (multipliers - at_low), t)
    inner = np.clip(t, of.low, of.high)
    cost = (inner - of.aim) ** 2 / (2 * of.inside)
    out = t - inner
    cost += out**2 / (2 * of.outside) + np.where(over, -at_high * out, 0.0)
    cost += np.where(under, -at_low * out, 0.0)
    moved = x - x0
    value = moved @ moved / 2 + cost.sum() + multipliers @ t - pull @ x
    return x, t, float(value)
