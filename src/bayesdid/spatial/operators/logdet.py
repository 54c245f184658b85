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

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError
from bayesdid.spatial.operators.spectrum import (
    DENSE_LIMIT,
    Admissible,
    eigenvalues,
    extreme_interval,
    interval_of,
    symmetriser,
)
from bayesdid.spatial.weights.weights import Weights, is_acyclic, spectral_radius

Method = Literal["auto", "eigenvalues", "sparse_lu", "chebyshev", "trace"]
LU_LIMIT = 30_000  # units beyond which factors of sparse weights fill too much memory
_LU_LINKS = 2_000_000
_NODES = (16, 32, 64, 128, 256)
_ROUGH, _SHARP = 1e-4, 1e-7  # error at which the number of nodes is enough
_REACH = float(np.arctanh(1 - 1e-4))  # of the nodes: to within 1e-4 of the interval's ends
_PROBES = 256
_ORDER = 100


class LogDeterminant(Protocol):
    """log|I - rho W| as a function of rho."""

    @property
    def method(self) -> str:
        """How it is computed."""
        ...

    @property
    def interval(self) -> Admissible:
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

    def bend(self, low: float, high: float) -> float:
        """Bound on the error of the difference between the values at two points."""
        ...


@dataclass(frozen=True, slots=True)
class Exact:
    """From all eigenvalues, shape (N,)."""

    values: np.ndarray
    interval: Admissible
    method: str = "eigenvalues"

    def value(self, rho: FloatArray) -> FloatArray:
        """See :class:`LogDeterminant`."""
        rho = np.asarray(rho, dtype=np.float64)
        inside = (rho > self.interval.low) & (rho < self.interval.high)
        terms = 1.0 - np.where(inside, rho, 0.0)[..., None] * self.values
        # one logarithm of a few products instead of one of each term: tens of times faster
        parts = np.array_split(abs(terms), max(1, len(self.values) // 16 + 1), axis=-1)
        found = sum(np.log(part.prod(axis=-1)) for part in parts)
        return np.where(inside, found, -np.inf)

    def slope(self, rho: FloatArray) -> FloatArray:
        """See :class:`LogDeterminant`."""
        rho = np.asarray(rho, dtype=np.float64)
        return np.asarray(-(self.values / (1.0 - rho[..., None] * self.values)).sum(axis=-1).real)

    def error(self, rho: FloatArray) -> FloatArray:
        """See :class:`LogDeterminant`."""
        return np.zeros_like(np.asarray(rho, dtype=np.float64))

    def bend(self, low: float, high: float) -> float:  # noqa: ARG002
        """See :class:`LogDeterminant`."""
        return 0.0


@dataclass(frozen=True, slots=True)
class Interpolated:
    """Sparse LU at nodes, a Chebyshev polynomial between them.

    The polynomial is in ``u = arctanh(place in the interval)``, in which the logarithms at the
    interval's ends are nearly straight lines.

    Attributes
    ----------
    weights
        To factor again when the nodes move.
    span
        Ends of the nodes in u. Beyond them the function goes on as a line in u.
    coefficients
        Shape (M,).
    bound
        Largest error found between nodes.
    """

    weights: Weights
    interval: Admissible
    span: tuple[float, float]
    coefficients: FloatArray
    bound: float
    method: str = "sparse_lu"

    def refined(self, low: float, high: float) -> Interpolated:
        """The same with all nodes between `low` and `high`."""
        ends = self._u(np.array([low, high]))
        return _accurate(self.weights, self.interval, (float(ends[0]), float(ends[1])), _SHARP)

    def value(self, rho: FloatArray) -> FloatArray:
        """See :class:`LogDeterminant`."""
        rho = np.asarray(rho, dtype=np.float64)
        low, high = self.interval.low, self.interval.high
        inside = (rho > low) & (rho < high)
        x = self._place(np.where(inside, rho, (low + high) / 2))
        t = np.clip(x, -1, 1)
        found = chebyshev.chebval(t, self.coefficients)
        found = found + (x - t) * chebyshev.chebval(t, chebyshev.chebder(self.coefficients))
        return np.where(inside, found, -np.inf)

    def slope(self, rho: FloatArray) -> FloatArray:
        """See :class:`LogDeterminant`."""
        rho = np.asarray(rho, dtype=np.float64)
        low, high = self.interval.low, self.interval.high
        t = np.clip(self._place(rho), -1, 1)
        inner = chebyshev.chebval(t, chebyshev.chebder(self.coefficients))
        du = (high - low) / 2 / ((rho - low) * (high - rho))  # of arctanh
        return np.asarray(inner * du * 2 / (self.span[1] - self.span[0]))

    def error(self, rho: FloatArray) -> FloatArray:
        """See :class:`LogDeterminant`."""
        beyond = abs(self._place(np.asarray(rho, dtype=np.float64))) > 1 + 1e-9
        return np.where(beyond, np.inf, self.bound)

    def bend(self, low: float, high: float) -> float:  # noqa: ARG002
        """See :class:`LogDeterminant`."""
        return 2 * self.bound

    def _u(self, rho: FloatArray) -> FloatArray:
        low, high = self.interval.low, self.interval.high
        return np.asarray(0.5 * np.log((rho - low) / (high - rho)))

    def _place(self, rho: FloatArray) -> FloatArray:
        """Place between the nodes' ends, -1 to 1 inside."""
        first, last = self.span
        return np.asarray((2 * self._u(rho) - first - last) / (last - first))


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
    interval: Admissible
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
        return np.asarray(3 * noise + self._left_out(r))

    def bend(self, low: float, high: float) -> float:
        """See :class:`LogDeterminant`."""
        r = np.array([low, high]) * self.radius
        probes = np.diff(self._weights_of(r) @ self.traces, axis=0)
        noise = probes.std(ddof=1) / np.sqrt(self.traces.shape[1])
        return float(3 * noise + self._left_out(r).sum())

    def _left_out(self, r: FloatArray) -> FloatArray:
        """Bound on the rest of the series, for eigenvalues of modulus at most one."""
        b, order = self._base(abs(r)), len(self.traces) - 1
        twice = 2 if self.method == "chebyshev" else 1
        return np.asarray(twice * self.traces[0, 0] * b ** (order + 1) / ((order + 1) * (1 - b)))

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
    if is_acyclic(weights.matrix):  # the determinant is one, all eigenvalues are zero
        zeros = np.zeros(weights.n)
        return Exact(zeros, interval_of(zeros))
    if method == "eigenvalues":
        values = eigenvalues(weights)
        return Exact(values, interval_of(values))
    if method == "sparse_lu":
        return _accurate(weights, extreme_interval(weights), (-_REACH, _REACH), _ROUGH)
    if method in {"chebyshev", "trace"}:
        return _series(weights, method, seed)
    raise InputError(
        "unknown method for the log-determinant",
        value=method,
        remedy="use auto, eigenvalues, sparse_lu, chebyshev or trace",
    )


def narrowed(logdet: LogDeterminant, low: float, high: float) -> LogDeterminant:
    """The same, as exact as it can be made between `low` and `high`."""
    return logdet.refined(low, high) if isinstance(logdet, Interpolated) else logdet


def _chosen(weights: Weights) -> Method:
    if weights.n <= DENSE_LIMIT:
        return "eigenvalues"
    if weights.n <= LU_LIMIT and weights.matrix.nnz <= _LU_LINKS:
        return "sparse_lu"
    return "chebyshev" if symmetriser(weights) is not None else "trace"


def _accurate(
    weights: Weights, interval: Admissible, span: tuple[float, float], wanted: float
) -> Interpolated:
    """As many nodes as it takes."""
    for count in _NODES:
        found = _interpolated(weights, interval, span, count)
        if found.bound <= wanted:
            break
    return found


def _interpolated(
    weights: Weights, interval: Admissible, span: tuple[float, float], count: int
) -> Interpolated:
    W = csc_array(weights.matrix)
    eye = eye_array(weights.n, format="csc")

    def exact(at: float) -> float:
        # A + A' orders far better than A'A for weights, whose pattern is nearly symmetric
        factor = splu(
            (eye - at * W).tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.01,
            options={"SymmetricMode": True},
        )
        return float(np.log(abs(factor.U.diagonal())).sum())

    def rho(x: FloatArray) -> FloatArray:
        u = (span[1] - span[0]) / 2 * x + (span[0] + span[1]) / 2
        # from the nearer end, so that places close to it keep their digits
        width = interval.high - interval.low
        near_low = interval.low + width / (1 + np.exp(-2 * u))
        return np.where(u < 0, near_low, interval.high - width / (1 + np.exp(2 * u)))

    angles = np.pi * (np.arange(count) + 0.5) / count
    nodes = np.cos(angles)
    # at Chebyshev nodes the coefficients are a cosine transform of the values
    values = np.array([exact(at) for at in rho(nodes)])
    coefficients = 2 / count * (np.cos(np.outer(np.arange(count), angles)) @ values)
    coefficients[0] /= 2
    draft = Interpolated(weights, interval, span, coefficients, 0.0)
    chosen = sorted({0, count // 8, count // 4, count // 2, -count // 4, -count // 8, -1})
    between = rho((nodes[1:] + nodes[:-1])[chosen] / 2)
    missed = max(abs(exact(at) - float(draft.value(np.array(at)))) for at in between)
    # between nodes nobody looked at, the last coefficients say how large the rest may be
    bound = 2 * missed + 2 * abs(coefficients[-4:]).sum()
    return dataclasses.replace(draft, bound=float(bound))


def _series(weights: Weights, method: Literal["chebyshev", "trace"], seed: int) -> Series:
    W, radius = weights.matrix, spectral_radius(weights.matrix)
    interval = Admissible(
        -1 / radius, 1 / radius, "1 / spectral radius, where the series converges"
    )
    if method == "chebyshev":
        s = symmetriser(weights)
        if s is None:
            raise InputError(
                "Chebyshev needs weights with real eigenvalues",
                file=weights.name,
                remedy="use the method trace",
            )
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
