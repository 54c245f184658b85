"""Posterior of an effect when trends may diverge, by what is assumed about the divergence.

A path estimates ``effect + delta``, where delta is the difference in trends: zero in the reference
period, all of the path before it. Given a draw of the path, a restriction on delta leaves an
interval of effects, in closed form. Probabilities over those intervals are robust Bayes (Giacomini
& Kitagawa 2021, doi:10.3982/ECTA16773); the restrictions are Rambachan & Roth's (2023,
doi:10.1093/restud/rdad018), whose confidence sets are in :mod:`bayesdid.estimands.honest`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError


@dataclass(frozen=True, slots=True)
class IdentifiedSets:
    """Per draw: the centre of the identified set and how fast it grows.

    The set at bound m is ``centre +- m width``.

    Attributes
    ----------
    centre
        Effect with no violation (relative magnitudes) or with the last slope before the reference
        carried on (smoothness), shape (S,).
    width
        Half width at bound one, shape (S,).
    bends
        Absolute weight of each post period's violation, shape (n_post,).
    required
        Smallest bound that the periods before the reference allow, shape (S,): 0 for relative
        magnitudes, the largest absolute second difference for smoothness. A draw above the bound
        contradicts it; its interval is kept, so that probabilities of the whole set err downwards.
    """

    centre: FloatArray
    width: FloatArray
    bends: FloatArray
    required: FloatArray

    @property
    def sign(self) -> float:
        """The claimed side: that of the posterior mean."""
        return 1.0 if self.centre.mean() >= 0 else -1.0

    def bounds(self, m: float) -> tuple[FloatArray, FloatArray]:
        """Ends of the identified set of every draw, shape (S,) each."""
        return self.centre - m * self.width, self.centre + m * self.width

    def p_whole_set(self, m: float, sign: float) -> float:
        """Probability that all of the identified set has this sign: the lower probability."""
        return float((sign * self.centre - m * self.width > 0).mean())

    def p_some(self, m: float, sign: float) -> float:
        """Probability that some of the identified set has this sign: the upper probability."""
        return float((sign * self.centre + m * self.width > 0).mean())

    def p_compatible(self, m: float) -> float:
        """Probability that the periods before the reference satisfy the bound themselves."""
        return float((self.required <= m).mean())

    def effect_under(self, m: float, rng: np.random.Generator) -> FloatArray:
        """Effect if the violation's steps are uniform within their bounds, shape (S,).

        Steps are independent; a prior the data do not update, as the model has nothing on them.
        """
        share = rng.uniform(-1, 1, (len(self.centre), len(self.bends))) @ self.bends
        return np.asarray(self.centre - m * self.width * share / self.bends.sum())

    def breakdown(self, sign: float) -> FloatArray:
        """Smallest bound at which each draw's set is not wholly of this sign, shape (S,).

        Zero for draws on the other side, so that ``P(breakdown > m)`` is ``p_whole_set(m)``.
        """
        return np.asarray(np.maximum(sign * self.centre, 0.0) / np.maximum(self.width, 1e-300))


def relative_magnitudes(
    pre: FloatArray, post: FloatArray, weights: FloatArray | None = None
) -> IdentifiedSets:
    """Sets if increments of delta are at most M-bar times the largest before the reference.

    Parameters
    ----------
    pre, post
        Draws before the reference, in order of time, shape (S, n_pre), and after, (S, n_post).
    weights
        On the post periods; default the first.
    """
    w = post_weights(weights, post.shape[1])
    largest = np.abs(np.diff(_to_reference(pre), axis=1)).max(axis=1)
    bends = np.abs(np.cumsum(w[::-1])[::-1])
    return IdentifiedSets(post @ w, largest * bends.sum(), bends, np.zeros(len(pre)))


def smoothness(
    pre: FloatArray, post: FloatArray, weights: FloatArray | None = None
) -> IdentifiedSets:
    """Sets if second differences of delta from the reference on are at most M; see above."""
    w = post_weights(weights, post.shape[1])
    slope = -pre[:, -1]
    bends = np.abs(np.cumsum(np.cumsum(w[::-1]))[::-1])
    required = np.abs(np.diff(_to_reference(pre), n=2, axis=1)).max(axis=1)
    centre = post @ w - slope * (w @ np.arange(1, len(w) + 1))
    return IdentifiedSets(centre, np.full(len(pre), bends.sum()), bends, required)


def smooth_violation(
    mean: FloatArray,
    covariance: FloatArray,
    n_pre: int,
    n_post: int,
    M: float,
    *,
    weights: FloatArray | None = None,
) -> tuple[float, float]:
    """Posterior mean and sd of the effect if second differences of delta are N(0, M^2).

    The slope of delta is flat, the effects after adoption are flat. ``M = 0`` takes out the linear
    trend that generalised least squares fits to the periods before adoption.
    """
    check_path(mean, covariance, n_pre, n_post)
    w = post_weights(weights, n_post)
    t = path_times(n_pre, n_post)
    E = curvature(n_pre, n_post)
    walk = M**2 * E @ E.T
    pre, post = slice(0, n_pre), slice(n_pre, None)
    inverse = np.linalg.inv(covariance[pre, pre] + walk[pre, pre])
    slope_variance = 1.0 / (t[pre] @ inverse @ t[pre])
    slope = slope_variance * (t[pre] @ inverse @ mean[pre])
    # delta_post given the periods before: kriging with a flat slope; the estimates' own
    # covariance between before and after enters too
    cross = walk[post, pre] + covariance[post, pre]
    gain = cross @ inverse
    lead = t[post] - gain @ t[pre]
    predicted = mean[post] - (gain @ mean[pre] + lead * slope)
    spread = (
        covariance[post, post]
        + walk[post, post]
        - gain @ cross.T
        + slope_variance * np.outer(lead, lead)
    )
    return float(w @ predicted), float(np.sqrt(max(float(w @ spread @ w), 0.0)))


def path_times(n_pre: int, n_post: int) -> FloatArray:
    """Periods since the reference, which is left out, shape (K,)."""
    return np.concatenate([np.arange(-n_pre, 0), np.arange(1, n_post + 1)]).astype(float)


def curvature(n_pre: int, n_post: int) -> FloatArray:
    """Effect of each second difference on the path at a given slope, shape (K, K - 1).

    A path zero at the reference is a slope times time plus this times its second differences. A
    bend before the reference moves the earlier side, one at it or after the later side.
    """
    t = path_times(n_pre, n_post)[:, None]
    knots = np.arange(1 - n_pre, n_post)[None, :]
    bend: FloatArray = np.where(knots < 0, knots - t, t - knots)
    return np.asarray(np.maximum(bend, 0.0))


def post_weights(weights: FloatArray | None, n_post: int) -> FloatArray:
    """Weights on the post periods, checked; the first period by default."""
    if weights is None:
        return np.eye(n_post)[0]
    w = np.asarray(weights, dtype=float).ravel()
    if len(w) != n_post or not np.isfinite(w).all() or not w.any():
        raise InputError(
            "weights do not fit the post periods",
            value=w.tolist(),
            remedy=f"give {n_post} finite numbers, not all zero",
        )
    return w


def check_path(mean: FloatArray, covariance: FloatArray, n_pre: int, n_post: int) -> None:
    """Refuse a path whose parts do not fit together or are too short."""
    if len(mean) != n_pre + n_post or covariance.shape != (len(mean), len(mean)):
        raise InputError(
            "mean, covariance, n_pre and n_post do not fit together",
            value=f"{len(mean)}, {covariance.shape}, {n_pre}, {n_post}",
            remedy="leave the reference period out of mean and covariance",
        )
    if n_pre < 2 or n_post < 1:
        raise InputError(
            "two periods before the reference and one after are needed",
            value=f"{n_pre}, {n_post}",
            remedy="widen the event window",
        )


def _to_reference(pre: FloatArray) -> FloatArray:
    return np.column_stack([pre, np.zeros(len(pre))])
