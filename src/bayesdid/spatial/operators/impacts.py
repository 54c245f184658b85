"""Direct, indirect and total effects of a regressor, for every draw (LeSage & Pace 2009, ch. 2).

``dy / dx' = (I - rho W)^-1 (beta I + theta W)``; the direct effect is the mean of its diagonal, the
total the mean of its row sums, the indirect effect their difference. The traces are exact: that
of ``(I - rho W)^-1 W`` is minus the derivative of log|I - rho W|. Only for rows that all sum to one
is the total ``(beta + theta) / (1 - rho)``; for others the whole matrix is used.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray
from scipy.sparse import csc_array, eye_array
from scipy.sparse.linalg import splu

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import Note
from bayesdid.spatial.operators.logdet import Exact, LogDeterminant
from bayesdid.spatial.operators.spectrum import Admissible
from bayesdid.spatial.weights.weights import Weights

_PROBES = 200
_CHUNK = 64


@dataclass(frozen=True, slots=True)
class Multipliers:
    """What turns (beta, theta) into effects, for each draw of rho, shapes (S,).

    Attributes
    ----------
    own, own_lag
        Mean diagonal of ``(I - rho W)^-1`` and of ``(I - rho W)^-1 W``.
    total, total_lag
        Mean row sum of the same.
    """

    own: FloatArray
    own_lag: FloatArray
    total: FloatArray
    total_lag: FloatArray

    def effects(self, beta: FloatArray, theta: FloatArray | float = 0.0) -> Effects:
        """Effects of a regressor with coefficients `beta` and, of its lag, `theta`."""
        direct = beta * self.own + theta * self.own_lag
        total = beta * self.total + theta * self.total_lag
        return Effects(direct, total - direct, total)


@dataclass(frozen=True, slots=True)
class Effects:
    """Direct, indirect and total effect, shapes (S,)."""

    direct: FloatArray
    indirect: FloatArray
    total: FloatArray


def multipliers(weights: Weights, logdet: LogDeterminant | None, rho: FloatArray) -> Multipliers:
    """Exact multipliers at every draw of rho, shape (S,).

    Parameters
    ----------
    logdet
        None for a model without a spatial lag of y: the matrix is then ``beta I + theta W``.
    """
    N = weights.n
    if logdet is None:
        one = np.ones_like(rho)
        return Multipliers(
            one, weights.matrix.diagonal().sum() / N * one, one, weights.row_sums.mean() * one
        )
    own_lag = smooth(lambda at: -logdet.slope(at) / N, rho, logdet.interval)
    r = weights.constant_row_sum
    if r is not None:
        total = 1 / (1 - rho * r)
        return Multipliers(1 + rho * own_lag, own_lag, total, r * total)
    sums = weights.row_sums[:, None]
    total_lag = smooth(lambda at: solved(weights, at, sums)[:, :, 0].mean(-1), rho, logdet.interval)
    return Multipliers(1 + rho * own_lag, own_lag, 1 + rho * total_lag, total_lag)


def smooth(
    function: Callable[[FloatArray], FloatArray], rho: FloatArray, ends: Admissible | None = None
) -> FloatArray:
    """A function of rho at every draw, from its values at Chebyshev nodes between the extremes.

    The number of nodes doubles until the last coefficients are rounding errors; if they never
    are, the function is evaluated at every draw.

    Parameters
    ----------
    function
        From nodes, shape (G,), to values, shape (G, ...).
    ends
        Where it may have simple poles, which are multiplied away before interpolating.
    """
    low, high = float(rho.min()), float(rho.max())
    if len(rho) <= 16:
        return np.asarray(function(rho))
    if high == low:
        return np.repeat(function(rho[:1]), len(rho), axis=0)

    def away(at: FloatArray, values: NDArray[np.floating]) -> FloatArray:
        """Distance from the poles, in the shape of the values."""
        factor = (ends.high - at) * (at - ends.low) if ends else np.ones_like(at)
        return np.asarray(factor.reshape(-1, *[1] * (values.ndim - 1)))

    for count in (16, 32, 64, 128, 256):
        u = np.cos(np.pi * (np.arange(count) + 0.5) / count)
        nodes = (high - low) / 2 * u + (high + low) / 2
        values = function(nodes)
        values = np.asarray(values * away(nodes, values))
        angles = np.outer(np.arange(count), np.pi * (np.arange(count) + 0.5) / count)
        c = 2 / count * np.tensordot(np.cos(angles), values, axes=1)
        c[0] /= 2
        if abs(c[-3:]).max() <= 1e-11 * np.median(abs(values)):
            break
    else:  # too near a singularity for a polynomial: every draw for itself
        parts = np.array_split(rho, -(-len(rho) // _CHUNK))
        return np.concatenate([function(part) for part in parts])
    found = np.moveaxis(chebyshev.chebval((2 * rho - low - high) / (high - low), c), -1, 0)
    return np.asarray(found / away(rho, found))


def solved(weights: Weights, rho: FloatArray, right: FloatArray) -> FloatArray:
    """``(I - rho W)^-1 right`` at each rho, shapes (G,), (N, M) to (G, N, M)."""
    eye, W = eye_array(weights.n, format="csc"), csc_array(weights.matrix)
    if weights.matrix.nnz > 0.1 * weights.n**2:
        dense, one = weights.dense(), np.eye(weights.n)
        return np.stack([np.linalg.solve(one - r * dense, right) for r in rho])
    return np.stack([splu((eye - r * W).tocsc()).solve(right) for r in rho])


def mean_columns(weights: Weights, rho: FloatArray) -> FloatArray:
    """Mean over the rows of ``(I - rho W)^-1``, column by column, shapes (G,) to (G, N)."""
    N = weights.n
    transposed = dataclasses.replace(weights, matrix=weights.matrix.T.tocsr())
    return solved(transposed, rho, np.full((N, 1), 1 / N))[:, :, 0]


def by_order(
    weights: Weights,
    logdet: LogDeterminant,
    rho: FloatArray,
    beta: FloatArray,
    theta: FloatArray | float,
    orders: int = 6,
) -> tuple[FloatArray, FloatArray]:
    """Direct and total effect by order of neighbour, shapes (orders + 1, S).

    Order q is what travels along ``W^q``: ``rho^q beta + rho^(q-1) theta`` times the mean diagonal
    or row sum of ``W^q`` (LeSage & Pace 2009, section 2.7).
    """
    N, ones = weights.n, np.ones(weights.n)
    if isinstance(logdet, Exact):
        traces = np.array([(logdet.values**q).sum().real for q in range(orders + 1)]) / N
    else:
        traces = _traces(weights, orders)
    sums = [1.0]
    for _ in range(orders):
        ones = np.asarray(weights.matrix @ ones)
        sums.append(float(ones.mean()))
    coefficient = np.stack(
        [beta] + [rho**q * beta + rho ** (q - 1) * theta for q in range(1, orders + 1)]
    )
    return coefficient * traces[:, None], coefficient * np.array(sums)[:, None]


def _traces(weights: Weights, orders: int) -> FloatArray:
    """Mean diagonal of powers of W, by random signs beyond the second (large weights only)."""
    W = weights.matrix
    z = np.random.default_rng(0).choice([-1.0, 1.0], (weights.n, _PROBES))
    power, out = z, [1.0]
    for q in range(1, orders + 1):
        power = W @ power
        out.append(float((z * power).sum() / _PROBES / weights.n))
        if q <= 2:
            exact = W.diagonal().sum() if q == 1 else (W * W.T).sum()
            out[-1] = float(exact / weights.n)
    return np.array(out)


def received(
    weights: Weights,
    rho: FloatArray,
    beta: FloatArray,
    theta: FloatArray | float,
    treated: FloatArray,
    ends: Admissible | None = None,
) -> FloatArray:
    """What every unit receives from the treatment of others, shape (S, N).

    ``[(I - rho W)^-1 (beta I + theta W) - its diagonal] d`` with `treated` d, shape (N,).
    """
    lag = weights.matrix @ treated
    both = smooth(lambda at: solved(weights, at, np.column_stack([treated, lag])), rho, ends)
    own = smooth(lambda at: _diagonals(weights, at), rho, ends)
    theta = np.broadcast_to(theta, beta.shape)
    whole = beta[:, None] * both[:, :, 0] + theta[:, None] * both[:, :, 1]
    return np.asarray(
        whole - (beta[:, None] * own[:, :, 0] + theta[:, None] * own[:, :, 1]) * treated
    )


def _diagonals(weights: Weights, rho: FloatArray) -> FloatArray:
    """Diagonals of ``(I - rho W)^-1`` and ``(I - rho W)^-1 W``, shape (G, N, 2)."""
    W, eye, out = weights.dense(), np.eye(weights.n), []
    for r in rho:
        inverse = np.linalg.inv(eye - r * W)
        out.append(np.column_stack([np.diag(inverse), np.einsum("ij,ji->i", inverse, W)]))
    return np.stack(out)


def row_sum_note(weights: Weights) -> Note | None:
    """What a reader must know about effects under weights whose rows do not sum to one."""
    r = weights.constant_row_sum
    if r is not None and abs(r - 1) < 1e-9:
        return None
    sums = weights.row_sums
    return Note(
        "row_sums",
        int((abs(sums - 1) > 1e-9).sum()),
        f"the rows of W sum to {sums.min():.3g} to {sums.max():.3g}, not to one: "
        "(beta + theta) / (1 - rho) is not the total effect; effects are computed from the whole "
        "matrix, and rho is not comparable with that of row-normalised weights",
    )
