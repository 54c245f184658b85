"""Ends of an axis of effects: zero is on it, and no single interval flattens the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayesdid.arrays import FloatArray

_WIDE = 6.0  # times the median width: an interval that wide is cut at the axis
_PAD = 0.06


def limits(
    low: Sequence[float] | FloatArray, high: Sequence[float] | FloatArray, reference: float = 0.0
) -> tuple[float, float]:
    """Ends that hold `reference` and every interval that is not far wider than most.

    Parameters
    ----------
    low, high : shape (n,)
        Ends of the intervals; NaN where there is none.

    Examples
    --------
    >>> limits([1.0, 1.0, -99.0], [2.0, 2.0, 99.0])
    (-0.12, 2.12)
    """
    left, right = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    known = np.isfinite(left) & np.isfinite(right)
    left, right = left[known], right[known]
    if not len(left):
        return reference - 1.0, reference + 1.0
    width = right - left
    kept = width <= _WIDE * np.median(width)
    start = min(float(left[kept].min()), reference)
    end = max(float(right[kept].max()), reference)
    pad = _PAD * (end - start or 1.0)
    return start - pad, end + pad
