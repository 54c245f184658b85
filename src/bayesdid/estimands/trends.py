r"""A contrast when trends of the arms may differ: its posterior under priors on the difference.

Units that never adopt, that adopt one policy and that adopt both are arms. Outcomes of an arm move,
beyond the model, by a deviation delta with a stated Gaussian prior: a linear trend whose slope is
N(0, s^2), or a deviation in each period, AR(1) with standard deviation s; both independent between
arms. The contrast is a linear functional of the outcome, so that delta shifts it by known weights,
and rows before adoption tell something of delta (Kwon & Roth 2024, arXiv:2404.11839):

.. math::

    \delta \mid y \sim N(C r, C), \qquad C = (M + K^{-1} / s^2)^{-1},

M and r the information of the rows on delta (:mod:`bayesdid.estimands.gls`), s^2 K its prior
covariance. Scalars of the errors are kept at their posterior means.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import OverlapDesign
from bayesdid.estimands.gls import Gls
from bayesdid.estimands.verdict import SURE
from bayesdid.summary import Interval, normal_interval

SERIAL = 0.5  # autocorrelation of deviations by period
_REACH = (1e-2, 1e3)  # of s, relative to where deviations move the contrast by its sd
_STEPS = 241


@dataclass(frozen=True, slots=True)
class Violated:
    """A contrast under one kind of deviation.

    Attributes
    ----------
    kind
        ``linear`` or ``serial``.
    scale
        The s at which deviations alone would move the contrast by its posterior sd.
    mean, sd, interval, p_claim
        Of the contrast under that s.
    p_parallel
        Probability of the claim under parallel trends.
    keeps
        Largest s up to which a sign that is established under parallel trends (probability at least
        .95) stays so; 0 if it is not established, inf if no s ends it.
    excludes
        Largest s up to which the interval excludes zero; 0 and inf likewise.
    """

    kind: str
    scale: float
    mean: float
    sd: float
    interval: Interval
    p_claim: float
    p_parallel: float
    keeps: float
    excludes: float


def violated(
    rows: OverlapDesign, fitted: Gls, contrast: FloatArray, mean: float, sd: float, below: bool
) -> tuple[Violated, ...]:
    """A contrast under linear trends and under serial deviations of the arms.

    Parameters
    ----------
    fitted
        The headline's coefficients.
    contrast
        Their weights in the contrast, shape (P,).
    mean, sd
        Of its posterior under parallel trends.
    below
        Whether the claim is that it is negative.
    """
    found = []
    for kind, (B, K) in {"linear": linear_trends(rows), "serial": serial_deviations(rows)}.items():
        under = posterior_under(fitted, contrast, B, K, mean, sd)
        shift = (contrast @ fitted.loading) @ B
        moves = float(np.sqrt(max(float(shift @ K @ shift), 0.0)))
        if moves < 1e-9:
            continue  # the contrast does not depend on such deviations
        unit = sd / moves
        grid = unit * np.geomspace(*_REACH, _STEPS)
        path = np.array([under(s) for s in grid])
        sign = 1.0 if mean >= 0 else -1.0
        sure = norm.cdf(sign * path[:, 0] / path[:, 1]) >= SURE
        intervals = [normal_interval(*pair) for pair in path]
        outside = np.array([end.low > 0 or end.high < 0 for end in intervals])
        here, spread = under(unit)
        interval = normal_interval(mean, sd)
        towards = -1.0 if below else 1.0
        p, parallel = (float(norm.cdf(towards * m / v)) for m, v in ((here, spread), (mean, sd)))
        found.append(
            Violated(
                kind,
                unit,
                here,
                spread,
                normal_interval(here, spread),
                p,
                parallel,
                _until(grid, sure) if norm.cdf(abs(mean) / sd) >= SURE else 0.0,
                _until(grid, outside) if interval.low > 0 or interval.high < 0 else 0.0,
            )
        )
    return tuple(found)


def posterior_under(
    fitted: Gls, contrast: FloatArray, B: FloatArray, K: FloatArray, mean: float, sd: float
) -> Callable[[float], tuple[float, float]]:
    """Posterior mean and sd of a contrast as a function of s; parameters as of :func:`violated`.

    Parameters
    ----------
    B, K
        Deviations, shape (n, L), and their prior covariance at s = 1, (L, L).
    """
    shift = (contrast @ fitted.loading) @ B
    information, estimate = fitted.information(B)

    def under(s: float) -> tuple[float, float]:
        # C = s^2 K (I + s^2 M K)^-1 holds for any K, singular ones included
        C = s**2 * K @ np.linalg.inv(np.eye(len(K)) + s**2 * information @ K)
        return float(mean - shift @ C @ estimate), float(np.sqrt(sd**2 + shift @ C @ shift))

    return under


def arms(rows: OverlapDesign) -> np.ndarray:
    """Which policies each row's unit ever adopts, as a number; 0 for none, shape (n,)."""
    adopts = np.isfinite(rows.start)
    return np.asarray(adopts @ 2 ** np.arange(adopts.shape[1]))


def linear_trends(rows: OverlapDesign) -> tuple[FloatArray, FloatArray]:
    """A slope per period for each arm that adopts, shape (n, arms), and the identity."""
    arm = arms(rows)
    time = rows.design.periods[rows.design.period_index].astype(float)
    B = np.column_stack([(arm == k) * (time - time.mean()) for k in np.unique(arm[arm > 0])])
    return B, np.eye(B.shape[1])


def serial_deviations(rows: OverlapDesign) -> tuple[FloatArray, FloatArray]:
    """A deviation for each arm that adopts and period, (n, arms T), and their correlation."""
    arm, at = arms(rows), rows.design.period_index
    T = len(rows.design.periods)
    kinds = np.unique(arm[arm > 0])
    B = np.column_stack([(arm == k) & (at == t) for k in kinds for t in range(T)]).astype(float)
    time = rows.design.periods.astype(float)
    R = SERIAL ** np.abs(time[:, None] - time[None, :])
    return B, np.kron(np.eye(len(kinds)), R)


def _until(grid: FloatArray, holds: np.ndarray) -> float:
    """The last value of the grid before the first at which something no longer holds."""
    if holds.all():
        return float("inf")
    first = int(np.flatnonzero(~holds)[0])
    return float(grid[max(first - 1, 0)])
