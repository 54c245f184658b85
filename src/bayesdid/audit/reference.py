"""Reference distributions of test statistics, and the level that a statistic reaches."""

from __future__ import annotations

import re

from scipy.special import ndtr, stdtr
from scipy.stats import chi2, f, norm, t

from bayesdid.audit.bounds import Bounds

_FORM = re.compile(r"^\s*(normal|chi2|F|t)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?\s*$")


def p_value(statistic: float, reference: str) -> float | None:
    """Tail probability of a statistic; None if the reference is not understood.

    ``normal`` and ``t(k)`` are two-sided; ``F(k)`` stands for infinitely many denominator
    degrees of freedom.
    """
    match = _FORM.match(reference)
    if match is None:
        return None
    kind, first, second = match[1], int(match[2] or 0), int(match[3] or 0)
    if kind == "normal":
        return float(2 * norm.sf(abs(statistic)))
    if kind == "t" and first:
        return float(2 * t.sf(abs(statistic), first))
    if kind == "chi2" and first:
        return float(chi2.sf(statistic, first))
    if kind == "F" and first:
        return float(
            f.sf(statistic, first, second) if second else chi2.sf(statistic * first, first)
        )
    return None


def p_interval(size: Bounds, dof: int | None) -> Bounds:
    """p-values of |t| in `size`, between the normal and the t distribution with `dof`."""
    # the functions behind norm.sf and t.sf: an audit of many studies asks for very many
    low = float(2 * ndtr(-size.high))
    high = float(2 * (stdtr(dof, -size.low) if dof else ndtr(-size.low)))
    return Bounds(low, high)
