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
from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.span import within


@dataclass(frozen=True, slots=True)
class UnitSums:
    """Weighted sums of each unit's rows, with which random unit effects are integrated out.

    Attributes
    ----------
    a, b
        ``sum_t w_it`` of the columns and of their lags, shape (N, M).
    w
        Weights of each unit's rows together, shape (N,).
    """

    a: FloatArray
    b: FloatArray
    w: FloatArray

    def shared(self, rho: FloatArray, ratio: FloatArray) -> FloatArray:
        """What units share of the cross-products, (G, M, M): ``sum_i s_i s_i' / (w_i + r^-2)``."""
        with np.errstate(divide="ignore"):
            d = 1 / (self.w + 1 / ratio[:, None] ** 2)
        found = np.empty((len(rho), self.a.shape[1], self.a.shape[1]))
        for g, at in enumerate(rho):
            s = self.a - at * self.b
            found[g] = (s * d[g][:, None]).T @ s
        return found


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
    taken = [log_gram(at, unit=unit, period=period) for at in (w, np.ones_like(w))]
    return float(0.5 * (np.log(w).sum() - taken[0] + taken[1]))


def spanned(w: FloatArray, *, unit: bool, period: bool) -> int:
    """How many independent columns these effects and the intercept are."""
    N, T = w.shape
    return 1 + unit * (N - 1) + period * (T - 1)


def log_gram(w: FloatArray, *, unit: bool, period: bool) -> float:
    """``log|C'V C|``; beside units the first period has no column."""
    own = w.sum(axis=1)
    if not unit:
        return float(np.log(w.sum(axis=0)).sum()) if period else float(np.log(own.sum()))
    value = float(np.log(own).sum())
    if period:
        left = np.diag(w.sum(axis=0)) - w.T @ (w / own[:, None])
        value += float(np.linalg.slogdet(left[1:, 1:])[1])
    return value
