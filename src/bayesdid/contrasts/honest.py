"""Event studies when trends need not be parallel: Rambachan & Roth (2023), two ways.

Input is only the mean and covariance of the path, so that a posterior and a frequentist event
study are served alike. A path estimates ``effect + delta``, where delta is the difference in
trends: zero in the reference period, all of the path before adoption. Two restrictions:

relative magnitudes
    ``|delta_t - delta_{t-1}| <= M-bar max_{s < 0} |delta_s - delta_{s-1}|`` after adoption.
smoothness
    second differences of delta of size at most M; in the posterior: normal with sd M.

Robust confidence sets come from the package moderndid (conditional least-favourable hybrid and
fixed-length intervals); the posteriors are closed forms per draw. doi:10.1093/restud/rdad018.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bayesdid.design.design import FloatArray
from bayesdid.errors import InputError

Restriction = Literal["relative_magnitude", "smoothness"]


@dataclass(frozen=True, slots=True)
class RobustSet:
    """A robust confidence set; NaN where it is empty or the package failed."""

    M: float
    low: float
    high: float


def robust_sets(
    mean: FloatArray, covariance: FloatArray, n_pre: int, n_post: int, kind: Restriction,
    values: tuple[float, ...], *, weights: FloatArray | None = None, alpha: float = 0.05,
    grid_points: int = 1000,
) -> list[RobustSet]:  # fmt: skip
    """Robust confidence sets of ``weights @ effects`` after adoption.

    Parameters
    ----------
    mean, covariance
        Of the path, the reference period left out: `n_pre` periods before it, `n_post` after.
    values
        M-bar (relative magnitudes) or M (smoothness).
    weights
        On the post periods, shape (n_post,); default the first.
    grid_points
        Of the test inversion for relative magnitudes: the set's ends are that coarse.
    """
    import moderndid

    _check(mean, covariance, n_pre, n_post)
    options: dict[str, Any] = {"alpha": alpha}
    if weights is not None:
        options["l_vec"] = np.asarray(weights, dtype=float).reshape(-1, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an open end of a set shows in the set
        if kind == "relative_magnitude":
            found = moderndid.create_sensitivity_results_rm(
                mean, covariance, n_pre, n_post, m_bar_vec=np.array(values),
                grid_points=grid_points, **options,
            )  # fmt: skip
        else:
            found = moderndid.create_sensitivity_results_sm(
                mean, covariance, n_pre, n_post, m_vec=np.array(values), **options
            )
    return [
        RobustSet(float(M), float(low), float(high))
        for M, low, high in zip(values, found["lb"], found["ub"], strict=True)
    ]


@dataclass(frozen=True, slots=True)
class RelativeMagnitudes:
    """Per draw: the effect under parallel trends and how fast its identified set grows.

    The identified set at M-bar is ``effect +- M-bar width``.

    Attributes
    ----------
    effect
        ``weights @ path``, shape (S,).
    width
        Half width of the set at ``M-bar = 1``, shape (S,).
    increments
        Absolute sum of weights from each post period on, shape (n_post,).
    """

    effect: FloatArray
    width: FloatArray
    increments: FloatArray

    def p_whole_set(self, m_bar: float, sign: float) -> float:
        """Probability that all of the identified set has this sign (robust Bayes).

        Giacomini & Kitagawa (2021, doi:10.3982/ECTA16773): a lower probability over every prior
        on the violation within its bounds.
        """
        return float((sign * self.effect - m_bar * self.width > 0).mean())

    def p_some(self, m_bar: float, sign: float) -> float:
        """Probability that some of the identified set has this sign: the upper probability."""
        return float((sign * self.effect + m_bar * self.width > 0).mean())

    def effect_under(self, m_bar: float, rng: np.random.Generator) -> FloatArray:
        """Effect if the violation's increments are uniform within their bounds, shape (S,)."""
        share = rng.uniform(-1, 1, (len(self.effect), len(self.increments))) @ self.increments
        return np.asarray(self.effect - m_bar * self.width * share / self.increments.sum())

    @property
    def breakdown(self) -> FloatArray:
        """Smallest M-bar at which each draw's identified set reaches zero, shape (S,)."""
        return np.asarray(np.abs(self.effect) / np.maximum(self.width, 1e-300))


def relative_magnitudes(
    pre: FloatArray, post: FloatArray, weights: FloatArray | None = None
) -> RelativeMagnitudes:
    """Identified sets under relative magnitudes for draws of a path.

    Parameters
    ----------
    pre, post
        Draws before the reference, in order of time, shape (S, n_pre), and after, (S, n_post).
    weights
        On the post periods; default the first.
    """
    w = _weights(weights, post.shape[1])
    to_reference = np.column_stack([pre, np.zeros(len(pre))])
    largest = np.abs(np.diff(to_reference, axis=1)).max(axis=1)
    increments = np.abs(np.cumsum(w[::-1])[::-1])
    return RelativeMagnitudes(post @ w, largest * increments.sum(), increments)


def smooth_violation(
    mean: FloatArray, covariance: FloatArray, n_pre: int, n_post: int, M: float,
    *, weights: FloatArray | None = None,
) -> tuple[float, float]:  # fmt: skip
    """Posterior mean and sd of the effect if second differences of delta are N(0, M^2).

    The slope of delta is flat, the effects after adoption are flat. ``M = 0`` takes out the linear
    trend that generalised least squares fits to the periods before adoption.
    """
    _check(mean, covariance, n_pre, n_post)
    w = _weights(weights, n_post)
    t = np.concatenate([np.arange(-n_pre, 0), np.arange(1, n_post + 1)]).astype(float)
    walk = _integrated_walk(t) * M**2
    pre, post = slice(0, n_pre), slice(n_pre, None)
    V = covariance[pre, pre] + walk[pre, pre]
    inverse = np.linalg.inv(V)
    slope_variance = 1.0 / (t[pre] @ inverse @ t[pre])
    slope = slope_variance * (t[pre] @ inverse @ mean[pre])
    # delta_post given the periods before: kriging with a flat slope; the estimates' own
    # covariance between before and after enters too
    cross = walk[post, pre] + covariance[post, pre]
    gain = cross @ inverse
    lead = t[post] - gain @ t[pre]
    predicted = mean[post] - (gain @ mean[pre] + lead * slope)
    spread = (
        covariance[post, post] + walk[post, post] - gain @ cross.T
        + slope_variance * np.outer(lead, lead)
    )  # fmt: skip
    return float(w @ predicted), float(np.sqrt(max(w @ spread @ w, 0.0)))


def _integrated_walk(t: FloatArray) -> FloatArray:
    """Covariance at unit sd of second differences, zero and flat slope at 0, shape (K, K).

    On each side of the reference the path is a twice summed white noise.
    """
    K = np.zeros((len(t), len(t)))
    for i, a in enumerate(t):
        for j, b in enumerate(t):
            if a * b > 0:
                steps = np.arange(1, min(abs(a), abs(b)) + 1)
                K[i, j] = ((abs(a) - steps + 1) * (abs(b) - steps + 1))[steps > 1].sum()
    # the change of slope at the reference itself belongs to the later side
    after = t > 0
    K[np.ix_(after, after)] += np.outer(t[after], t[after])
    return K


def _weights(weights: FloatArray | None, n_post: int) -> FloatArray:
    if weights is None:
        return np.eye(n_post)[0]
    if len(weights) != n_post:
        raise InputError("weights do not fit the post periods", value=len(weights),
                         remedy=f"give {n_post}")  # fmt: skip
    return np.asarray(weights, dtype=float)


def _check(mean: FloatArray, covariance: FloatArray, n_pre: int, n_post: int) -> None:
    if len(mean) != n_pre + n_post or covariance.shape != (len(mean), len(mean)):
        raise InputError(
            "mean, covariance, n_pre and n_post do not fit together",
            value=f"{len(mean)}, {covariance.shape}, {n_pre}, {n_post}",
            remedy="leave the reference period out of mean and covariance",
        )
    if n_pre < 2 or n_post < 1:
        raise InputError("two periods before the reference and one after are needed",
                         value=f"{n_pre}, {n_post}", remedy="widen the event window")  # fmt: skip
