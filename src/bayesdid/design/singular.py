"""Systems of normal equations that may be singular."""

from __future__ import annotations

import numpy as np

from bayesdid.arrays import FloatArray


def solve_singular(A: FloatArray, b: FloatArray, rcond: float) -> FloatArray:
    """The shortest least-squares solution of ``A x = b``.

    Parameters
    ----------
    A
        Symmetric, positive semidefinite, shape (K, K).
    b
        Shape (K,) or (K, M).
    rcond
        Singular values below this share of the largest are zero.
    """
    try:
        found = np.linalg.lstsq(A, b, rcond=rcond)[0]
    except np.linalg.LinAlgError:  # LAPACK's divide and conquer now and then fails on null spaces
        found = np.linalg.pinv(A, rcond=rcond, hermitian=True) @ b
    return np.asarray(found)
