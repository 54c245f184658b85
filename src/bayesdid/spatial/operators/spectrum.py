"""Eigenvalues of spatial weights, and the interval on which I - rho W is regular.

For real rho only real eigenvalues can make ``I - rho W`` singular, so that the admissible interval
around zero is ``(1 / most negative real eigenvalue, 1 / largest real eigenvalue)`` (LeSage & Pace
2009, section 4.3.2), whatever the complex ones are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import ArpackNoConvergence, eigs, eigsh

from bayesdid.arrays import FloatArray
from bayesdid.spatial.weights.weights import Weights, spectral_radius

DENSE_LIMIT = 1500  # units up to which all eigenvalues are computed
_SMALL = 50  # units below which ARPACK has nothing to do
_KRYLOV = 40  # vectors from which functions of W on the vector of ones are taken
_REAL = 1e-9  # imaginary part, relative to the spectral radius, below which one is real


@dataclass(frozen=True, slots=True)
class Admissible:
    """Admissible values of a spatial coefficient.

    Attributes
    ----------
    low, high
        Ends of the interval around zero on which ``I - rho W`` is regular.
    source
        What each end is, for the reader.
    """

    low: float
    high: float
    source: str


def symmetriser(weights: Weights) -> FloatArray | None:
    """Positive s with ``diag(s) W diag(1 / s)`` symmetric, shape (N,), or None.

    Row-normalised symmetric weights have one, ``s = sqrt(row sums of the raw weights)``: their
    eigenvalues are real. Found by walking the graph: ``s_j / s_i = sqrt(W_ij / W_ji)``.
    """
    W = weights.matrix
    if (abs(W - W.T)).nnz == 0:
        return np.ones(weights.n)
    pattern = abs(W).sign()
    if abs(pattern - pattern.T).nnz:
        return None
    log_s = _log_scale(W)
    s = np.exp(log_s - log_s.mean())
    S = diags_array(s) @ W @ diags_array(1 / s)
    return s if abs(S - S.T).max() <= 1e-10 * abs(S).max() else None


def _log_scale(W: csr_array) -> FloatArray:
    """Walk the graph level by level from one unit of each component."""
    ahead, back = csr_array(W), csr_array(W.T)
    ahead.sort_indices()  # the patterns are one, so that entries are pairs
    back.sort_indices()
    log_s = np.full(W.shape[0], np.nan)
    for root in range(len(log_s)):
        if np.isfinite(log_s[root]):
            continue
        log_s[root] = 0.0
        level = np.array([root])
        while len(level):
            out, into = ahead[level], back[level]
            new = np.flatnonzero(np.isnan(log_s[out.indices]))
            child, first = np.unique(out.indices[new], return_index=True)
            at = new[first]
            parent = level[np.searchsorted(out.indptr, at, side="right") - 1]
            log_s[child] = log_s[parent] + 0.5 * np.log(out.data[at] / into.data[at])
            level = child
    return log_s


def eigenvalues(weights: Weights) -> FloatArray | np.ndarray:
    """All eigenvalues, shape (N,); real where the weights are similar to symmetric ones."""
    s = symmetriser(weights)
    W = weights.dense()
    if s is not None:
        S = s[:, None] * W / s[None, :]
        return np.asarray(np.linalg.eigvalsh((S + S.T) / 2))
    return np.asarray(np.linalg.eigvals(W))


def row_sum_spectrum(
    weights: Weights, of_units: FloatArray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Points e and shares w with ``mean row sum of f(W) = sum_k w_k f(e_k)`` for analytic f.

    From the eigenvectors of :func:`krylov`: rough where W has no full set of them.

    Parameters
    ----------
    of_units
        How much each unit counts in the mean, shape (N,); all alike by default.
    """
    V, H = _arnoldi(weights)
    found = np.linalg.eig(H)
    one = np.eye(len(H))[0]
    left = one  # the mean of the rows of V, over that of its first column
    if of_units is not None:
        left = np.average(V, axis=0, weights=of_units) * np.sqrt(weights.n)
    return found.eigenvalues, left @ found.eigenvectors * np.linalg.solve(found.eigenvectors, one)


def krylov(weights: Weights) -> FloatArray:
    """A small matrix H with ``mean row sum of f(W) = f(H)[0, 0]`` for analytic f.

    The row sum itself where it is constant; else from the Krylov space of the vector of ones
    (Arnoldi 1951; Golub & Meurant 2010, ch. 8), exact for polynomials of degree below its size.
    """
    return _arnoldi(weights)[1]


def _arnoldi(weights: Weights) -> tuple[FloatArray, FloatArray]:
    """Orthonormal V, (N, k), whose first column is the ones, and ``H = V'W V``, (k, k)."""
    r, N, W = weights.constant_row_sum, weights.n, weights.matrix
    if r is not None:
        return np.full((N, 1), 1 / np.sqrt(N)), np.array([[r]])
    size = min(_KRYLOV, N)
    V, H = np.zeros((N, size + 1)), np.zeros((size + 1, size))
    V[:, 0] = 1 / np.sqrt(N)
    for k in range(size):
        w = W @ V[:, k]
        for _ in range(2):  # twice is enough (Kahan and Parlett)
            h = V[:, : k + 1].T @ w
            w = w - V[:, : k + 1] @ h
            H[: k + 1, k] += h
        H[k + 1, k] = np.linalg.norm(w)
        if H[k + 1, k] <= 1e-12 * abs(H).max():  # the space is complete
            size = k + 1
            break
        V[:, k + 1] = w / H[k + 1, k]
    return V[:, :size], H[:size, :size]


def interval_of(values: np.ndarray) -> Admissible:
    """The admissible interval, from all eigenvalues."""
    radius = float(abs(values).max())
    if radius == 0:  # acyclic: I - rho W is regular for every rho
        return Admissible(
            -1.0, 1.0, "the weights are acyclic, every value is regular; (-1, 1) taken"
        )
    real = values.real[abs(values.imag) <= _REAL * radius]
    low, high = float(real.min(initial=0.0)), float(real.max(initial=0.0))
    return _interval(low, high, radius)


def extreme_interval(weights: Weights) -> Admissible:
    """The admissible interval of large sparse weights, from their extreme eigenvalues alone."""
    W = weights.matrix
    if weights.n < _SMALL:
        return interval_of(eigenvalues(weights))
    start = np.random.default_rng(0).random(weights.n) + 0.5
    constant = weights.constant_row_sum
    radius = constant if constant else spectral_radius(W)  # Perron: the largest is real
    s = symmetriser(weights)
    if s is not None:
        S = csr_array(diags_array(s) @ W @ diags_array(1 / s))
        low = float(eigsh((S + S.T) / 2, k=1, which="SA", return_eigenvectors=False, v0=start)[0])
        return _interval(low, radius, radius)
    try:
        left = eigs(W, k=12, which="SR", return_eigenvectors=False, v0=start, maxiter=3000)
    except ArpackNoConvergence as found:
        left = found.eigenvalues
    real = left.real[abs(left.imag) <= _REAL * radius]
    return _interval(float(real.min(initial=0.0)), radius, radius)


def _interval(low: float, high: float, radius: float) -> Admissible:
    """Ends from the extreme real eigenvalues; the spectral radius where there is none."""
    below = low < -1e-8 * radius
    return Admissible(
        1 / low if below else -1 / radius,
        1 / high if high > 1e-8 * radius else 1 / radius,
        "1 / extreme real eigenvalues"
        if below
        else "no negative real eigenvalue: minus 1 / spectral radius below",
    )
