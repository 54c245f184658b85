"""Stacks of small triangular systems, which NumPy factors but does not solve."""

from __future__ import annotations

import numpy as np

from bayesdid.arrays import FloatArray


def cholesky(A: FloatArray) -> FloatArray:
    """Lower factors of a stack, shape (G, K, K); NaN where a matrix is not positive definite."""
    try:
        return np.linalg.cholesky(A)
    except np.linalg.LinAlgError:
        found = np.full_like(A, np.nan)
        for g in range(len(A)):
            try:
                found[g] = np.linalg.cholesky(A[g])
            except np.linalg.LinAlgError:
                continue
        return found


def solve_upper(L: FloatArray, right: FloatArray) -> FloatArray:
    """Solve ``L' x = right`` for lower factors, shape (G, K, K) or one (K, K), and (G, K)."""
    x = np.array(right, dtype=np.float64)
    for k in range(L.shape[-1] - 1, -1, -1):
        x[:, k] /= L[..., k, k]
        if k:
            x[:, :k] -= L[..., k, :k] * x[:, k, None]
    return x


def solve_lower(L: FloatArray, right: FloatArray) -> FloatArray:
    """Solve ``L x = right`` for lower factors, shape (G, K, K) or one (K, K), and (G, K)."""
    x = np.array(right, dtype=np.float64)
    for k in range(L.shape[-1]):
        x[:, k] /= L[..., k, k]
        x[:, k + 1 :] -= L[..., k + 1 :, k] * x[:, k, None]
    return x
