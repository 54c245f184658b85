"""Robust confidence sets of an event study when trends need not be parallel.

Rambachan & Roth (2023, doi:10.1093/restud/rdad018). Input is only the mean and covariance of the
path, so that a posterior and a frequentist event study are served alike.

relative magnitudes
    ``|delta_t - delta_{t-1}| <= M-bar max_{s < 0} |delta_s - delta_{s-1}|`` after adoption. The
    conditional least-favourable hybrid test of Andrews, Roth & Pakes (2023,
    doi:10.1093/restud/rdad004), inverted. It is written out here: moderndid 0.2.0 leaves the
    earliest increment out of the maximum, which makes its sets too short where that increment is
    the largest, and solves thousands of linear programs where there is a closed form.
smoothness
    Second differences of delta of size at most M: fixed-length intervals, with the frontier of
    bias and variance from moderndid.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Literal, Protocol

import numpy as np
from scipy.special import log_ndtr
from scipy.stats import ncx2, norm

from bayesdid.arrays import BoolArray, FloatArray
from bayesdid.estimands.violation import check_path, curvature, path_times, post_weights
from bayesdid.extras import extra

Restriction = Literal["relative_magnitude", "smoothness"]
_SIMULATIONS = 10_000  # of the least-favourable critical value
_FRONTIER = 40  # convex programs of the frontier; between them weights are interpolated
_FAR = 8.0  # biases in sds beyond which the other tail of |N| holds nothing


@dataclass(frozen=True, slots=True)
class RobustSet:
    """A robust confidence set.

    Attributes
    ----------
    M
        M-bar or M.
    low, high
        Ends; NaN where the set is empty or could not be computed.
    reason
        Empty if all is well, else ``empty``, ``open`` (reaches the end of the grid that was
        searched) or ``failed: ...``.
    """

    M: float
    low: float
    high: float
    reason: str = ""

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside; never for an empty or failed set."""
        return self.low > 0 or self.high < 0


class _Sets(Protocol):
    def __call__(self, M: float, alpha: float) -> RobustSet: ...


def robust_sets(
    mean: FloatArray,
    covariance: FloatArray,
    n_pre: int,
    n_post: int,
    kind: Restriction = "relative_magnitude",
    values: tuple[float, ...] = (0.5, 1.0, 1.5, 2.0),
    l_vec: FloatArray | None = None,
    alpha: float = 0.05,
) -> list[RobustSet]:
    """Robust confidence sets of ``l_vec @ effects`` after adoption.

    Parameters
    ----------
    mean, covariance
        Of the path, the reference period left out: `n_pre` periods before it, `n_post` after.
    values
        M-bar (relative magnitudes) or M (smoothness).
    l_vec
        Weights on the post periods, shape (n_post,); default the first.
    """
    sets = _set_function(mean, covariance, n_pre, n_post, kind, l_vec)
    if isinstance(sets, str):
        return [RobustSet(float(M), np.nan, np.nan, sets) for M in values]
    return [sets(float(M), alpha) for M in values]


def robust_breakdown(
    mean: FloatArray,
    covariance: FloatArray,
    n_pre: int,
    n_post: int,
    kind: Restriction = "relative_magnitude",
    l_vec: FloatArray | None = None,
    alpha: float = 0.05,
    *,
    largest: float = 10.0,
) -> float:
    """Largest M (or M-bar) whose robust set excludes zero, by bisection.

    Zero if not even the set at zero does; infinite beyond `largest`, which for smoothness counts
    standard errors of the effect; NaN if the sets cannot be computed.
    """
    sets = _set_function(mean, covariance, n_pre, n_post, kind, l_vec)
    if isinstance(sets, str):
        return float("nan")
    if kind == "smoothness":
        w = post_weights(l_vec, n_post)
        largest *= float(np.sqrt(w @ covariance[n_pre:, n_pre:] @ w))
    if not sets(0.0, alpha).excludes_zero:
        return 0.0
    if sets(largest, alpha).excludes_zero:
        return float("inf")
    low, high = 0.0, largest
    while high - low > 1e-4 * largest:
        middle = (low + high) / 2
        low, high = (middle, high) if sets(middle, alpha).excludes_zero else (low, middle)
    return low


def _set_function(
    mean: FloatArray,
    covariance: FloatArray,
    n_pre: int,
    n_post: int,
    kind: Restriction,
    l_vec: FloatArray | None,
) -> _Sets | str:
    """What gives the set at one M, or why there is none."""
    mean, covariance = np.asarray(mean, dtype=float), np.asarray(covariance, dtype=float)
    check_path(mean, covariance, n_pre, n_post)
    w = post_weights(l_vec, n_post)
    if not np.isfinite(mean).all() or not np.isfinite(covariance).all():
        return "failed: the path is not finite"
    if kind == "relative_magnitude":
        return partial(_relative_set, _RelativeMagnitudes.build(mean, covariance, n_pre, w))
    try:
        weights = _frontier(covariance, n_pre, w)
    except np.linalg.LinAlgError as error:
        return f"failed: {error}"
    return partial(_fixed_length, mean, covariance, curvature(n_pre, n_post), weights)


@dataclass(frozen=True, slots=True)
class _RelativeMagnitudes:
    """Increments of the path before (n_pre, K) and after, the effect, noise (S, K) of the path."""

    mean: FloatArray
    covariance: FloatArray
    before: FloatArray
    after: FloatArray
    bends: FloatArray
    noise: FloatArray

    @classmethod
    def build(
        cls, mean: FloatArray, covariance: FloatArray, n_pre: int, w: FloatArray
    ) -> _RelativeMagnitudes:
        K = len(mean)
        steps = np.diff(np.insert(np.eye(K), n_pre, 0.0, axis=0), axis=0)
        values, vectors = np.linalg.eigh(covariance)
        noise = np.random.default_rng(0).standard_normal((_SIMULATIONS, K))
        noise = noise * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
        bends = np.cumsum(w[::-1])[::-1]
        return cls(mean, covariance, steps[:n_pre], steps[n_pre:], bends, noise)

    def test(self, m_bar: float, largest: FloatArray, alpha: float) -> _Polyhedron:
        """Test of effects if `largest` (a signed increment before) bounds those after.

        With a the increments of delta after adoption and g the bound, the moments are
        ``+-a_t - g <= 0`` and ``bends @ a`` equals the estimate less the effect. The smallest
        standardised violation over a is the largest of ``2 + n_post`` linear functions of the
        path: both ends of ``bends @ a``, and ``g >= 0`` by each period.
        """
        g = m_bar * largest
        up, down = self._sd(self.after - g), self._sd(-self.after - g)
        size, effect = np.abs(self.bends), self.bends @ self.after
        above = size @ np.where(self.bends > 0, up, down)
        below = size @ np.where(self.bends > 0, down, up)
        rows = [(effect - size.sum() * g) / above, (-effect - size.sum() * g) / below]
        if m_bar > 0:
            rows += list(-2 * g / (up + down)[:, None])
        G = np.array(rows)
        slope = np.zeros(len(G))
        slope[:2] = -1 / above, 1 / below
        # first stage of the hybrid at a tenth of the level, as in HonestDiD
        critical = float(np.quantile((self.noise @ G.T).max(axis=1), 1 - alpha / 10))
        size_left = (alpha - alpha / 10) / (1 - alpha / 10)
        return _Polyhedron(G @ self.mean, slope, G @ self.covariance @ G.T, critical, size_left)

    def _sd(self, rows: FloatArray) -> FloatArray:
        return np.sqrt(np.einsum("ij,jk,ik->i", rows, self.covariance, rows))


@dataclass(frozen=True, slots=True)
class _Polyhedron:
    """Linear functions ``value + slope effect`` whose largest is the test statistic."""

    value: FloatArray
    slope: FloatArray
    covariance: FloatArray
    critical: float
    size: float

    def accepts(self, effects: FloatArray) -> BoolArray:
        """Whether each effect, shape (T,), is not rejected."""
        all_values = self.value + np.outer(effects, self.slope)
        best = all_values.argmax(axis=1)
        eta = all_values.max(axis=1)
        variance = np.diag(self.covariance)[best]
        ratio = self.covariance[best] / variance[:, None]
        # where the statistic would still be the largest function, given the rest of the data
        with np.errstate(divide="ignore", invalid="ignore"):
            limit = (all_values - ratio * eta[:, None]) / (1 - ratio)
        tie = np.abs(1 - ratio) < 1e-10
        lower = np.where(~tie & (ratio < 1), limit, -np.inf).max(axis=1)
        upper = np.where(~tie & (ratio > 1), limit, np.inf).min(axis=1)
        sd = np.sqrt(variance)
        p = _upper_tail(eta / sd, lower / sd, np.minimum(upper, self.critical) / sd)
        rejected = (eta > 0) & ((eta > self.critical) | (p < self.size))
        return np.asarray(~rejected)


def _upper_tail(z: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """``P(Z > z)`` of a standard normal truncated to low..high, stable far out."""
    z = np.clip(z, low, np.maximum(low, high))
    at, bottom, top = log_ndtr(-z), log_ndtr(-low), log_ndtr(-high)
    inside = -np.expm1(np.minimum(top - bottom, -1e-300))
    return np.asarray(np.exp(at - bottom) * -np.expm1(np.minimum(top - at, 0.0)) / inside)


def _relative_set(model: _RelativeMagnitudes, M: float, alpha: float) -> RobustSet:
    """The hull of the union over which increment before is the largest, and its sign."""
    signed = np.concatenate([model.before, -model.before]) if M > 0 else model.before[:1]
    tests = [model.test(M, row, alpha) for row in signed]

    def accepts(effects: FloatArray) -> BoolArray:
        return np.asarray(np.any([test.accepts(effects) for test in tests], axis=0))

    effect = model.bends @ model.after
    sd = float(np.sqrt(effect @ model.covariance @ effect))
    noise = float(model._sd(model.before).max())
    reach = M * np.abs(model.bends).sum() * (np.abs(model.before @ model.mean).max() + 5 * noise)
    grid = effect @ model.mean + np.linspace(-1, 1, 1001) * (reach + 10 * sd)
    inside = np.flatnonzero(accepts(grid))
    if not len(inside):
        return RobustSet(M, np.nan, np.nan, "empty")
    first, last = int(inside[0]), int(inside[-1])
    low, high = grid[first], grid[last]
    if first > 0:
        fine = np.linspace(grid[first - 1], low, 65)
        low = fine[np.argmax(accepts(fine))]
    if last < len(grid) - 1:
        fine = np.linspace(grid[last + 1], high, 65)
        high = fine[np.argmax(accepts(fine))]
    is_open = first == 0 or last == len(grid) - 1
    return RobustSet(M, float(low), float(high), "open" if is_open else "")


def _frontier(covariance: FloatArray, n_pre: int, w: FloatArray) -> FloatArray:
    """Weights on the path from smallest variance to smallest bias, shape (F, K); whatever M is."""
    return _frontier_of(covariance.tobytes(), n_pre, w.tobytes())


@lru_cache(maxsize=16)  # sets and breakdown value of one path ask for the same
def _frontier_of(variances: bytes, n_pre: int, averaging: bytes) -> FloatArray:
    w = np.frombuffer(averaging)
    covariance = np.frombuffer(variances).reshape(n_pre + len(w), -1)
    with extra("peers"):
        from moderndid.didhonest import fixed_length_ci as flci

    scale = float(np.diag(covariance).mean())
    arguments = (covariance / scale, n_pre, len(w), w)  # unit scale, for the solver
    times = path_times(n_pre, len(w))
    before, post = times[:n_pre], w @ times[n_pre:]
    # the ends in closed form: generalised least squares of a linear trend, and its last slope
    inverse = np.linalg.inv(covariance[:n_pre, :n_pre])
    cross = inverse @ covariance[:n_pre, n_pre:] @ w
    gain = inverse @ before
    first = -cross - gain * (post - before @ cross) / (before @ gain)
    last = np.append(np.zeros(n_pre - 1), post)
    shortest, longest = (
        float(np.sqrt(np.append(v, w) @ covariance @ np.append(v, w) / scale))
        for v in (first, last)
    )
    found = []
    with warnings.catch_warnings():
        # inaccurate weights cost length only: bias and sd are those of the weights themselves
        warnings.simplefilter("ignore")
        for h in np.linspace(shortest, longest, _FRONTIER + 2)[1:-1]:
            result = flci.maximize_bias(float(h), *arguments)
            if result["status"] == "optimal":
                found.append(result["optimal_l"])
    pre = np.array([first, *found, last])
    # exactly unbiased under a linear trend
    pre = pre - np.outer(pre @ before + post, before) / (before @ before)
    ticks = np.linspace(0, len(pre) - 1, 20 * len(pre))
    dense = np.column_stack([np.interp(ticks, np.arange(len(pre)), column) for column in pre.T])
    return np.column_stack([dense, np.tile(w, (len(dense), 1))])


def _fixed_length(
    mean: FloatArray,
    covariance: FloatArray,
    bend: FloatArray,
    weights: FloatArray,
    M: float,
    alpha: float,
) -> RobustSet:
    """The shortest interval on the frontier; bias and sd are those of its own weights."""
    sd = np.sqrt(np.einsum("ij,jk,ik->i", weights, covariance, weights))
    bias = M * np.abs(weights @ bend).sum(axis=1) / sd
    near = np.sqrt(ncx2.ppf(1 - alpha, 1, np.minimum(bias, _FAR) ** 2))
    half = sd * np.where(bias < _FAR, near, bias + norm.ppf(1 - alpha))
    best = int(half.argmin())
    centre = float(weights[best] @ mean)
    return RobustSet(M, centre - float(half[best]), centre + float(half[best]))
