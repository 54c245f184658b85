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
        step = _newton(products, t, of, gradient)
        size, slope, push = 1.0, float(gradient @ step), of.A.transposed(step)
        while True:
            trial, drawn = multipliers + size * step, pull + size * push
            x, t, value_new = _primal(trial, x0, drawn, of, low, high)
            if value_new >= value + 1e-4 * size * slope or size < 1e-6:
                break
            size /= 2
        multipliers, pull, value = trial, drawn, value_new
    return x, multipliers


def nearest(
    x0: FloatArray, of: Restrictions, products: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The solution and the multipliers where x has no bounds: all is in the m multipliers.

    Parameters
    ----------
    products
        A A', shape (m, m).
    """
    multipliers, here = np.zeros(len(of.aim)), of.A.times(x0)
    t, cost = _numbers(multipliers, of)
    value = cost
    for _ in range(_STEPS):
        gradient = t - here - products @ multipliers
        if np.abs(gradient).max() < _TOLERANCE:
            break
        step = _newton(products, t, of, gradient)
        size, slope = 1.0, float(gradient @ step)
        while True:
            trial = multipliers + size * step
            t, cost = _numbers(trial, of)
            value_new = cost + trial @ (t - here) - trial @ products @ trial / 2
            if value_new >= value + 1e-4 * size * slope or size < 1e-6:
                break
            size /= 2
        multipliers, value = trial, float(value_new)
    return x0 + of.A.transposed(multipliers), multipliers


def _newton(
    products: FloatArray, t: FloatArray, of: Restrictions, gradient: FloatArray
) -> FloatArray:
    """The step of a semismooth Newton method in the multipliers."""
    H = products.copy()
    m = np.diag_indices(len(H))
    H[m] += np.where((t > of.low) & (t < of.high), of.inside, of.outside)
    H[m] += 1e-13 * np.trace(H)
    factor = scipy.linalg.cho_factor(H, check_finite=False)
    return np.asarray(scipy.linalg.cho_solve(factor, gradient))


def _numbers(multipliers: FloatArray, of: Restrictions) -> tuple[FloatArray, float]:
    """The t that minimise the Lagrangian, and what they cost."""
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
    return t, float(cost.sum())


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
    t, cost = _numbers(multipliers, of)
    moved = x - x0
    value = moved @ moved / 2 + cost + multipliers @ t - pull @ x
    return x, t, float(value)
