"""Where a spillover profile changes sign, from draws of it, beside what the prior says of that.

A smooth random curve crosses zero somewhere whether or not anything spills over. So every
probability of a boundary is given for the posterior and for the prior by the same function, and
a second version asks the profile to leave a region of practical equivalence on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bayesdid.arrays import FloatArray
from bayesdid.summary import Interval, hdi

BoolArray = NDArray[np.bool_]
Better = Literal["lower", "higher"]


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Per draw, shape (S,), km: where helping turns into harming, and where that harm ends.

    NaN where it does not.
    """

    first: FloatArray
    second: FloatArray


def helpful(theta: FloatArray, better: Better) -> FloatArray:
    """The profile with the sign that positive helps."""
    return -theta if better == "lower" else theta


def crossings(grid: FloatArray, theta: FloatArray) -> FloatArray:
    """All zero crossings of each draw by linear interpolation, shape (S, G - 1), NaN elsewhere."""
    a, b = theta[:, :-1], theta[:, 1:]
    cross = (a > 0) != (b > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(cross, a / (a - b), np.nan)
    return np.asarray(grid[:-1] + share * np.diff(grid))


def boundaries(
    grid: FloatArray, theta: FloatArray, better: Better = "lower", rope: float = 0.0
) -> Boundaries:
    """First boundary of each draw, and where the harm behind it ends.

    Parameters
    ----------
    grid, theta
        Distances in km, shape (G,), and draws of the profile there, shape (S, G).
    rope
        The profile must help by more than this somewhere and, further out, harm by more than
        this; the boundary is the first zero crossing between the first such harm and the last
        such help before it. The harm ends where it falls below `rope`. With 0: the sign alone.
    """
    good = helpful(theta, better)
    G = good.shape[1]
    steps, rows = np.arange(G), np.arange(len(good))
    helped = np.maximum.accumulate(good > rope, axis=1)
    harm = (good < -rope) & helped
    exists = harm.any(axis=1)
    at_harm = np.where(exists, harm.argmax(axis=1), G - 1)
    # last help before it, then the first loss of sign between the two
    before = (good > rope) & (steps < at_harm[:, None])
    start = G - 1 - before[:, ::-1].argmax(axis=1)
    cross = crossings(grid, good)
    down = np.isfinite(cross) & (good[:, 1:] <= 0)
    inside = down & (steps[:-1] >= start[:, None]) & (steps[:-1] < at_harm[:, None])
    first = np.where(exists, cross[rows, inside.argmax(axis=1)], np.nan)
    after = (good > -rope) & (steps > at_harm[:, None])
    ends = exists & after.any(axis=1)
    k = np.where(ends, after.argmax(axis=1), 1)
    low, high = good[rows, k - 1] + rope, good[rows, k] + rope
    with np.errstate(divide="ignore", invalid="ignore"):
        back = grid[k - 1] + (grid[k] - grid[k - 1]) * low / (low - high)
    return Boundaries(first, np.where(ends, back, np.nan))


@dataclass(frozen=True, slots=True)
class BoundaryReport:
    """A boundary as posterior and prior see it.

    Attributes
    ----------
    rope
        Which version; 0 is the sign alone.
    p_exists, prior_exists
        Probability that there is one inside the range of the grid.
    median, place
        Of its place given that it exists, km: median and HDI.
    window, p_window, prior_window
        A stretch in km and the probability that the boundary exists and lies in it.
    p_ends, prior_ends
        Probability that it exists and the harm behind it ends inside the range.
    end_median, end
        Of that end, given that it exists.
    """

    rope: float
    p_exists: float
    prior_exists: float
    median: float
    place: Interval
    window: tuple[float, float]
    p_window: float
    prior_window: float
    p_ends: float
    prior_ends: float
    end_median: float
    end: Interval


def boundary_report(
    grid: FloatArray,
    theta: FloatArray,
    prior: FloatArray,
    *,
    better: Better = "lower",
    rope: float = 0.0,
    window: tuple[float, float] = (700.0, 900.0),
) -> BoundaryReport:
    """Boundaries of posterior draws, shape (S, G), beside those of prior draws, shape (S', G)."""
    own, base = boundaries(grid, theta, better, rope), boundaries(grid, prior, better, rope)

    def within(values: FloatArray) -> float:
        return float(((values >= window[0]) & (values <= window[1])).mean())

    return BoundaryReport(
        rope,
        float(np.isfinite(own.first).mean()),
        float(np.isfinite(base.first).mean()),
        *_place(own.first),
        window,
        within(own.first),
        within(base.first),
        float(np.isfinite(own.second).mean()),
        float(np.isfinite(base.second).mean()),
        *_place(own.second),
    )


def _place(values: FloatArray) -> tuple[float, Interval]:
    there = values[np.isfinite(values)]
    if len(there) < 2:
        there = np.array([np.nan])
    return float(np.median(there)), hdi(there)


@dataclass(frozen=True, slots=True)
class ClaimProbability:
    """One statement about the profile with its definition; posterior beside prior."""

    claim: str
    definition: str
    posterior: float
    prior: float


def claim_probabilities(
    grid: FloatArray,
    theta: FloatArray,
    prior: FloatArray,
    *,
    first: float,
    second: float,
    rope: float,
    better: Better = "lower",
    tolerance: float = 100.0,
) -> tuple[ClaimProbability, ...]:
    """A published three-stage reading: help up to `first`, harm up to `second`, then nothing.

    Each stage is asked for in growing strictness: its average has the sign, its average leaves
    the ROPE, the profile has the sign everywhere in it. "Nothing" means inside the ROPE.

    Parameters
    ----------
    first, second
        Published boundaries in km.
    rope
        Half width of practical equivalence, in the units of `theta`.
    tolerance
        How far from the published ones, in km, boundaries count as the published ones.
    """
    near, far = grid <= first, grid > second
    middle = (grid > first) & (grid <= second)
    stages = (
        (f"helpful out to {first:g} km", near, 1.0, f"{grid[0]:g}-{first:g} km"),
        (f"harmful between {first:g} and {second:g} km", middle, -1.0, f"{first:g}-{second:g} km"),
    )

    def ask(values: FloatArray) -> dict[tuple[str, str], BoolArray]:
        good = helpful(values, better)
        found: dict[tuple[str, str], BoolArray] = {}
        on_average, beyond_rope = np.ones((2, len(good)), dtype=bool)
        for claim, where, sign, place in stages:
            if not where.any():
                continue
            part = sign * good[:, where]
            word = "helpful" if sign > 0 else "harmful"
            average = part.mean(axis=1)
            found[claim, f"average over {place} {word}"] = average > 0
            found[claim, f"average over {place} {word} by more than {rope:.3g}"] = average > rope
            found[claim, f"{word} at every distance in {place}"] = (part > 0).all(axis=1)
            on_average &= average > 0
            beyond_rope &= average > rope
        if far.any():
            claim, place = f"nothing beyond {second:g} km", f"{second:g}-{grid[-1]:g} km"
            none = np.abs(good[:, far].mean(axis=1)) < rope
            found[claim, f"average over {place} within {rope:.3g} of zero"] = none
            found[claim, f"within {rope:.3g} of zero at every distance in {place}"] = (
                np.abs(good[:, far]) < rope
            ).all(axis=1)
            beyond_rope &= none
        found["all three stages", "averages of the first two have their signs"] = on_average
        found["all three stages", f"averages: beyond {rope:.3g}, beyond {rope:.3g}, within it"] = (
            beyond_rope
        )
        sign_only = boundaries(grid, values, better)
        both = (np.abs(sign_only.first - first) <= tolerance) & (
            np.abs(sign_only.second - second) <= tolerance
        )
        found[
            "both boundaries", f"crossings within {tolerance:g} km of {first:g} and {second:g} km"
        ] = both
        return found

    posterior, base = ask(theta), ask(prior)
    return tuple(
        ClaimProbability(
            claim, definition, float(hit.mean()), float(base[claim, definition].mean())
        )
        for (claim, definition), hit in posterior.items()
    )
