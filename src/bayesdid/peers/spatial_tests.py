"""Spatial dependence in the residuals of a non-spatial panel regression: Moran's I, LM tests.

Moran's I has its exact mean and variance for residuals of a regression with normal errors (Cliff
& Ord 1981, Spatial Processes, sec. 8.3), here with the effects among the regressors. The LM tests
(Anselin 1988, doi:10.1111/j.1538-4632.1988.tb00159.x; robust ones: Anselin, Bera, Florax & Yoon
1996, doi:10.1016/0166-0462(95)02111-6; for panels: Elhorst 2010,
doi:10.1007/978-3-642-03647-7_19) come in two versions. ``direct`` puts demeaned data into the
formulas for pooled data, as is usual; it ignores that demeaning makes residuals dependent, so
that with fixed effects the tests reject too often. ``lee_yu`` has the score and the information of
the transformed likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError
from bayesdid.spatial.design import SpatialDesign, Transform

_NAMES = ("Moran's I", "LM lag", "LM error", "robust LM lag", "robust LM error")


@dataclass(frozen=True, slots=True)
class SpatialTests:
    """Tests of no spatial dependence, of the residuals pooled over periods.

    Attributes
    ----------
    names
        Moran's I, then the LM tests.
    statistics
        z of Moran's I (standard normal), then LM statistics (chi-squared, one degree of freedom).
        The LM-lag and robust tests are NaN without regressors.
    p_values
        Two-sided for Moran's I.
    moran_i, moran_expected
        Its value, and its mean if there is no dependence.
    transform
        Version of the LM tests.
    """

    names: tuple[str, ...]
    statistics: FloatArray
    p_values: FloatArray
    moran_i: float
    moran_expected: float
    transform: Transform

    def table(self) -> pd.DataFrame:
        """One row per test."""
        return pd.DataFrame({"test": self.names, "statistic": self.statistics, "p": self.p_values})


def moran_and_lm(design: SpatialDesign, *, transform: Transform = "lee_yu") -> SpatialTests:
    """Test the residuals of least squares on the design's regressors and effects.

    Effects of any kind but ``none`` count as fixed. The kind of the design only says whether
    spatial lags of the regressors are among the regressors.

    Raises
    ------
    InputError
        For rows with weights, whose residuals have neither these moments nor these scores.
    """
    if design.base.weights is not None:
        raise InputError(
            f"{design.base.spec_id}: Moran's I and the LM tests are of rows of equal variance",
            remedy="compare models with and without the spatial lag by their evidence",
        )
    unit = design.base.unit_effects != "none"
    period = design.base.period_effects != "none"
    N, T = design.N, design.T
    X = design.Z if unit or period else np.concatenate([design.Z, np.ones((1, N, T))])
    Q = _basis(_absorbed(X, unit, period))
    y = _absorbed(design.Y[None], unit, period)[0]
    e = y - np.einsum("knt,k->nt", Q, np.einsum("knt,nt->k", Q, y))
    moran = _moran(design, e, Q, unit, period)

    W = design.weights.dense()
    centring = np.eye(N) - 1 / N if period and transform == "lee_yu" else np.eye(N)
    inner = centring @ W @ centring
    m = T - (unit and transform == "lee_yu")
    n = (N - (period and transform == "lee_yu")) * m
    sigma2 = float((e * e).sum()) / n
    mean = m * float(np.trace(inner))  # minus m r with period effects and constant row sums r
    information = m * float((inner * inner).sum() + (inner * inner.T).sum())
    score_error = float((e * (W @ e)).sum()) / sigma2 - mean
    fitted = W @ (design.Y - e)  # with its effects: W may turn them into something else
    score_lag = float((e * fitted).sum()) / sigma2 + score_error
    left = _absorbed(fitted[None], unit, period)[0]
    left = left - np.einsum("knt,k->nt", Q, np.einsum("knt,nt->k", Q, left))
    extra = float((left * left).sum()) / sigma2
    lm = np.full(4, np.nan)
    lm[1] = score_error**2 / information
    if extra > 1e-10 * information:
        J = extra + information
        share = information / J
        lm[0] = score_lag**2 / J
        lm[2] = (score_lag - score_error) ** 2 / extra
        lm[3] = (score_error - share * score_lag) ** 2 / (information * (1 - share))
    p = np.append(2 * norm.sf(abs(moran[2])), chi2.sf(lm, 1))
    return SpatialTests(_NAMES, np.append(moran[2], lm), p, moran[0], moran[1], transform)


def _absorbed(stack: FloatArray, unit: bool, period: bool) -> FloatArray:
    """Unit and period means taken out, shape (K, N, T)."""
    if unit:
        stack = stack - stack.mean(axis=2, keepdims=True)
    return stack - stack.mean(axis=1, keepdims=True) if period else stack


def _basis(stack: FloatArray) -> FloatArray:
    """Orthonormal basis of the regressors' span, shape (rank, N, T)."""
    flat = stack.reshape(len(stack), stack[0].size if len(stack) else 0)
    scale = np.sqrt((flat * flat).sum(axis=1, keepdims=True))
    flat = flat / np.where(scale > 0, scale, 1.0)
    _, size, Vt = np.linalg.svd(flat, full_matrices=False)
    return np.asarray(Vt[size > 1e-8].reshape(-1, *stack.shape[1:]))


def _moran(
    design: SpatialDesign, e: FloatArray, Q: FloatArray, unit: bool, period: bool
) -> tuple[float, float, float]:
    """Moran's I, its mean and its z; M = M0 - QQ' with M0 the projection off the effects.

    ``q = e'We / e'e`` with ``e = M eps`` has mean ``tr(MW) / df`` and second moment
    ``(tr(MWMW') + tr(MWMW) + tr(MW)^2) / (df (df + 2))``.
    """
    N, T = design.N, design.T
    W = design.weights.dense()
    m = T - unit
    centring = np.eye(N) - 1 / N if period else np.eye(N)
    inner = centring @ W @ centring
    WQ = np.einsum("ij,kjt->kit", W, Q)
    WtQ = np.einsum("ji,kjt->kit", W, Q)
    a, b = _absorbed(WQ, unit, period), _absorbed(WtQ, unit, period)
    small = np.einsum("knt,lnt->kl", Q, WQ)
    first = m * np.trace(inner) - np.trace(small)
    cross = m * (inner * inner).sum() - (a * a).sum() - (b * b).sum() + (small * small).sum()
    square = m * (inner * inner.T).sum() - 2 * (a * b).sum() + (small * small.T).sum()
    df = (N - period) * m - len(Q)
    mean = first / df
    variance = (cross + square + first**2) / (df * (df + 2)) - mean**2
    ratio = float((e * (W @ e)).sum() / (e * e).sum())
    scale = N * T / (T * float(W.sum()))
    return ratio * scale, float(mean * scale), float((ratio - mean) / np.sqrt(variance))
