r"""Spatial panels whose rows have weights: fixed effects integrated out in the rows' own metric.

Errors of the structural equation, ``(I - rho W) y = Z b + effects + e``, or of the filtered one,
``(I - rho W)(y - Z b - effects) = e``, are independent with variance ``sigma^2 / w_it``: what is
new in a unit and period has the weight, what comes of neighbours has theirs. ``|I - rho W|`` does
not know of it. Means of a period do not commute with weights that vary in it, so that no
transformation like that of Lee & Yu (2010) takes effects away; but they are flat and the errors
normal, so that their integral is weighted least squares on them, and linear in what is filtered:
``G(rho)`` stays a polynomial.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.span import within


def projected(base: Design, layers: FloatArray, *, unit: bool, period: bool) -> FloatArray:
    """What flat effects leave of `layers` times the root of the weights.

    Parameters
    ----------
    layers
        Shape (M, N, T).
    unit, period
        Which effects are taken out, beside the intercept.

    Returns
    -------
    Shape (M, n), rows in the order of the design.
    """
    own = dataclasses.replace(
        base, unit_effects="fixed" if unit else "none", period_effects="fixed" if period else "none"
    )
    rows = layers[:, base.unit_index, base.period_index].T
    return within(own, rows, weights=base.weights).T


def log_constant(w: FloatArray, *, unit: bool, period: bool) -> float:
    """What weights add to the log density of the contrasts that flat effects leave.

    ``(log|V| - log|C'V C| + log|C'C|) / 2`` with V the weights and C the effects' independent
    columns: the density of F'y for an orthonormal F that is orthogonal to C, less that under
    weights of one.

    Parameters
    ----------
    w
        Shape (N, T).
    unit, period
        As of :func:`projected`.
    """
    spanned = [_log_gram(at, unit=unit, period=period) for at in (w, np.ones_like(w))]
    return float(0.5 * (np.log(w).sum() - spanned[0] + spanned[1]))


def _log_gram(w: FloatArray, *, unit: bool, period: bool) -> float:
    """``log|C'V C|``; beside units the first period has no column."""
    own = w.sum(axis=1)
    if not unit:
        return float(np.log(w.sum(axis=0)).sum()) if period else float(np.log(own.sum()))
    value = float(np.log(own).sum())
    if period:
        left = np.diag(w.sum(axis=0)) - w.T @ (w / own[:, None])
        value += float(np.linalg.slogdet(left[1:, 1:])[1])
    return value
