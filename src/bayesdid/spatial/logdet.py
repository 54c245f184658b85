"""log|I - rho W| as a function of rho, by the method that suits the size, with an error bound.

``eigenvalues``
    Exact (Ord 1975, doi:10.1080/01621459.1975.10480272); up to 1,500 units.
``sparse_lu``
    Exact at Chebyshev nodes and interpolated in between; the bound is measured between the nodes.
    :meth:`Interpolated.refined` moves the nodes to where a posterior is.
``chebyshev``
    ``sum_k c_k(rho) tr T_k(W)`` (Pace & LeSage 2004, doi:10.1016/S0167-9473(02)00321-3), for
    weights similar to symmetric ones.
``trace``
    ``-sum_k rho^k tr(W^k) / k`` (Barry & Pace 1999, doi:10.1016/S0024-3795(99)00009-X).

The traces of the last two are exact up to the second order and estimated with random signs
beyond; their bound adds what the series leaves out to three Monte Carlo standard errors, and they
are defined for ``|rho|`` below one over the spectral radius.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.polynomial import chebyshev
from scipy.sparse import csc_array, csr_array, diags_array, eye_array
from scipy.sparse.linalg import splu

from bayesdid.design.design import FloatArray
from bayesdid.errors import InputError
from bayesdid.spatial.spectrum import (
    DENSE_LIMIT,
    Interval,
    eigenvalues,
    extreme_interval,
    interval_of,
    symmetriser,
)
from bayesdid.spatial.weights import Weights, spectral_radius

Method = Literal["auto", "eigenvalues", "sparse_lu", "chebyshev", "trace"]
LU_LIMIT = 30_000  # units beyond which factors of sparse weights fill too much memory
_NODES = 64
_WINDOW_NODES = 16
_REACH = float(np.arctanh(1 - 1e-4))  # of the nodes: to within 1e-4 of the interval's ends
_PROBES = 40
_ORDER = 100


class LogDeterminant(Protocol):
    """log|I - rho W| as a function of rho."""

    @property
    def method(self) -> str:
        """How it is computed."""
        ...

    @property
    def interval(self) -> Interval:
        """Admissible values of rho."""
        ...

    def value(self, rho: FloatArray) -> FloatArray:
        """log|I - rho W|, shape of `rho`; -inf outside the interval."""
        ...

    def slope(self, rho: FloatArray) -> FloatArray:
        """Its derivative, ``-tr((I - rho W)^-1 W)``, shape of `rho`."""
        ...

    def error(self, rho: FloatArray) -> FloatArray:
        """Bound on the absolute error of the value, shape of `rho`; 0 means rounding only."""
        ...


@dataclass(frozen=True, slots=True)
class Exact:
    """From all eigenvalues, shape (N,)."""

    values: np.ndarray
    interval: Interval
    method: str = "eigenvalues"

    def value(self, rho: FloatArray) -> FloatArray:
        """See :class:`LogDeterminant`."""
        rho = np.asarray(rho, dtype=np.float64)
        inside = (rho > self.interval.low) & (rho < self.interval.high)
        terms = 1.0 - np.where(inside, rho, 0.0)[..., None] * self.values
        # one logarithm of a few products instead of one of each term: tens of times faster
        parts = np.array_split(abs(terms), max(1, len(self.values) // 32), axis=-1)
        found = sum(np.log(part.prod(axis=-1)) for part in parts)
        return np.where(inside, found, -np.inf)

    def slope(self, rho: FloatArray) -> FloatArray:
        """See :class:`LogDeterminant`."""
        rho = np.asarray(rho, dtype=np.float64)
        return np.asarray(-(self.values / (1.0 - rho[..., None] * self.values)).sum(axis=-1).real)

    def error(self, rho: FloatArray) -> FloatArray:
        """See :class:`LogDeterminant`."""
        return np.zeros_like(np.asarray(rho, dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Interpolated:
    """Sparse LU at nodes, a Chebyshev polynomial between them.

    Attributes
    ----------
    weights
        To factor again when the nodes move.
    window
        Ends of the interpolation: the interval, in a coordinate that pulls its ends apart, or a
        part of it.
    coefficients
        Shape (M,).
    bound
        Largest error found between nodes.
    """

    weights: Weights
    interval: Interval
    window: tuple[float, float] | None
    coefficients: FloatArray
    bound: float
    method: str = "sparse_lu"

    def refined(self, low: float, high: float) -> Interpolated:
        """The same with all nodes between `low` and `high`; -inf elsewhere."""
        u = np.cos(np.pi * (np.arange(_WINDOW_NODES) + 0.5) / _WINDOW_NODES)
        rho = (high - low) / 2 * u + (high + low) / 2
        return _interpolated(self.weights, self.interval, (low, high), rho)

    def value(self, rho: FloatArray) -> FloatArray:
        """See :class:`LogDeterminant`."""
        rho = np.asarray(rho, dtype=np.float64)
        low, high = self.window or (self.interval.low, self.interval.high)
        inside = (rho > low) & (rho < high)
        found = chebyshev.chebval(self._u(np.where(inside, rho, (low + high) / 2)),
                                  self.coefficients)  # fmt: skip
        return np.where(inside, found, -np.inf)

    def slope(self, rho: FloatArray) -> FloatArray:
        """See :class:`LogDeterminant`."""
        rho = np.asarray(rho, dtype=np.float64)
        inner = chebyshev.chebval(self._u(rho), chebyshev.chebder(self.coefficients))
        low, high = self.window or (self.interval.low, self.interval.high)
        if self.window is not None:
            return np.asarray(inner * 2 / (high - low))
        x = (2 * rho - low - high) / (high - low)
        return np.asarray(inner * 2 / (high - low) / (1 - x**2) / _REACH)

    def error(self, rho: FloatArray) -> FloatArray:
        """See :class:`LogDeterminant`."""
        return np.full_like(np.asarray(rho, dtype=np.float64), self.bound)

    def _u(self, rho: FloatArray) -> FloatArray:
        low, high = self.window or (self.interval.low, self.interval.high)
        x = (2 * rho - low - high) / (high - low)
        if self.window is not None:
            return np.asarray(x)
        return np.asarray(np.arctanh(np.clip(x, -1 + 1e-15, 1 - 1e-15)) / _REACH)


@dataclass(frozen=True, slots=True)
class Series:
    """A truncated series in traces.

    Attributes
    ----------
    traces
        By order and probe, shape (order + 1, probes), of powers of ``W / radius`` or of their
        Chebyshev polynomials.
    radius
        Spectral radius.
    """

    traces: FloatArray
    radius: float
    interval: Interval
    method: str

    def value(self, rho: FloatArray) -> FloatArray:
        """See :class:`LogDeterminant`."""
        rho = np.asarray(rho, dtype=np.float64)
        inside = (rho > self.interval.low) & (rho < self.interval.high)
        r = np.where(inside, rho, 0.0) * self.radius
        found = self._weights_of(r) @ self.traces.mean(axis=1)
        return np.where(inside, found, -np.inf)

    def slope(self, rho: FloatArray) -> FloatArray:
        """See :class:`LogDeterminant`."""
        rho = np.asarray(rho, dtype=np.float64)
        step = 1e-6 / self.radius
        ends = [self._weights_of((rho + s) * self.radius) for s in (step, -step)]
        return np.asarray((ends[0] - ends[1]) @ self.traces.mean(axis=1) / (2 * step))

    def error(self, rho: FloatArray) -> FloatArray:
        """See :class:`LogDeterminant`."""
        r = np.asarray(rho, dtype=np.float64) * self.radius
        probes = self._weights_of(r) @ self.traces
        noise = probes.std(axis=-1, ddof=1) / np.sqrt(self.traces.shape[1])
        b, order = self._base(abs(r)), len(self.traces) - 1
        twice = 2 if self.method == "chebyshev" else 1
        left_out = twice * self.traces[0, 0] * b ** (order + 1) / ((order + 1) * (1 - b))
        return np.asarray(3 * noise + left_out)

    def _base(self, r: FloatArray) -> FloatArray:
        if self.method == "trace":
            return r
        return np.asarray(r / (1 + np.sqrt(1 - r**2)))

    def _weights_of(self, r: FloatArray) -> FloatArray:
        """Weight of each trace, shape of r with the orders last.

        With ``r = 2 b / (1 + b^2)``: ``log(1 - r x) = -log(1 + b^2) - 2 sum_k b^k T_k(x) / k``.
        """
        k = np.arange(1, len(self.traces))
        b = self._base(r)[..., None]
        if self.method == "trace":
            return np.concatenate([np.zeros_like(b), -(b**k) / k], axis=-1)
        return np.concatenate([-np.log1p(b**2), -2 * b**k / k], axis=-1)


def log_determinant(weights: Weights, method: Method = "auto", *, seed: int = 0) -> LogDeterminant:
    """Choose a method and prepare it.

    Parameters
    ----------
    method
        ``auto``: eigenvalues up to 1,500 units, sparse LU up to 30,000, above that Chebyshev for
        weights that are similar to symmetric ones, else the stochastic trace.
    seed
        Of the random signs of the two stochastic methods.
    """
    if method == "auto":
        method = _chosen(weights)
    if method == "eigenvalues":
        values = eigenvalues(weights)
        return Exact(values, interval_of(values))
    if method == "sparse_lu":
        interval = extreme_interval(weights)
        u = np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)
        half, middle = (interval.high - interval.low) / 2, (interval.high + interval.low) / 2
        return _interpolated(weights, interval, None, half * np.tanh(u * _REACH) + middle)
    if method in {"chebyshev", "trace"}:
        return _series(weights, method, seed)
    raise InputError("unknown method for the log-determinant", value=method,
                     remedy="use auto, eigenvalues, sparse_lu, chebyshev or trace")  # fmt: skip


def narrowed(logdet: LogDeterminant, low: float, high: float) -> LogDeterminant:
    """The same, as exact as it can be made between `low` and `high`."""
    return logdet.refined(low, high) if isinstance(logdet, Interpolated) else logdet


def _chosen(weights: Weights) -> Method:
    if weights.n <= DENSE_LIMIT:
        return "eigenvalues"
    if weights.n <= LU_LIMIT and weights.matrix.nnz <= 60 * weights.n:
        return "sparse_lu"
    return "chebyshev" if symmetriser(weights) is not None else "trace"


def _interpolated(
    weights: Weights, interval: Interval, window: tuple[float, float] | None, rho: FloatArray
) -> Interpolated:  # fmt: skip
    W = csc_array(weights.matrix)
    eye = eye_array(weights.n, format="csc")

    def exact(at: float) -> float:
        # A + A' orders far better than A'A for weights, whose pattern is nearly symmetric
        factor = splu((eye - at * W).tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.01,
                      options={"SymmetricMode": True})  # fmt: skip
        return float(np.log(abs(factor.U.diagonal())).sum())

    M = len(rho)
    # at Chebyshev nodes the coefficients are a cosine transform of the values
    values = np.array([exact(at) for at in rho])
    angles = np.outer(np.arange(M), np.pi * (np.arange(M) + 0.5) / M)
    coefficients = 2 / M * (np.cos(angles) @ values)
    coefficients[0] /= 2
    draft = Interpolated(weights, interval, window, coefficients, 0.0)
    between = (rho[1:] + rho[:-1])[[M // 4, M // 2, -M // 4]] / 2
    bound = max(abs(exact(at) - float(draft.value(np.array(at)))) for at in between)
    return dataclasses.replace(draft, bound=bound)


def _series(weights: Weights, method: Literal["chebyshev", "trace"], seed: int) -> Series:
    W, radius = weights.matrix, spectral_radius(weights.matrix)
    interval = Interval(-1 / radius, 1 / radius, "1 / spectral radius, where the series converges")
    if method == "chebyshev":
        s = symmetriser(weights)
        if s is None:
            raise InputError("Chebyshev needs weights with real eigenvalues", file=weights.name,
                             remedy="use the method trace")  # fmt: skip
        W = csr_array(diags_array(s) @ W @ diags_array(1 / s))
    scaled = W / radius
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (weights.n, _PROBES))
    traces = np.empty((_ORDER + 1, _PROBES))
    before, now = signs, scaled @ signs
    traces[0], traces[1] = weights.n, scaled.diagonal().sum()
    for k in range(2, _ORDER + 1):
        step = scaled @ now
        before, now = now, 2 * step - before if method == "chebyshev" else step
        traces[k] = (signs * now).sum(axis=0)
    square = float((scaled * scaled.T).sum())  # tr W^2
    traces[2] = 2 * square - weights.n if method == "chebyshev" else square
    return Series(traces, radius, interval, method)
