"""The contrasts that are not linear: the better single and the ratio; and what each claim asks."""

from __future__ import annotations

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.estimands.names import MAX_SINGLE, RATIO

NONLINEAR = (MAX_SINGLE, RATIO)


def of_singles(name: str, both: FloatArray, singles: FloatArray, lower: bool) -> FloatArray:
    """Draws of one of :data:`NONLINEAR`.

    Parameters
    ----------
    both
        Effect of both, shape (...).
    singles
        Effect of each policy alone at the same rows, shape (P, ...).
    lower
        Whether a lower outcome is better: which single policy is the better one.
    """
    if name == RATIO:
        return np.asarray(both / singles.sum(axis=0))
    return np.asarray(both - (singles.min(axis=0) if lower else singles.max(axis=0)))


def claim_holds(name: str, values: FloatArray, below: bool) -> np.ndarray:
    """Whether draws of a contrast lie on the side that is claimed, boolean; see :func:`side`."""
    if name == RATIO:
        return np.asarray(values > 1)
    return np.asarray(values < 0 if below else values > 0)


def side(name: str, below: bool) -> str:
    """What is claimed of a contrast, in signs; of the ratio always that it exceeds one."""
    return "> 1" if name == RATIO else "< 0" if below else "> 0"
