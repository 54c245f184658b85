"""Two-stage least squares through linearmodels, with weak-instrument diagnostics."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import f as f_distribution

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.span import within
from bayesdid.extras import extra


@dataclass(frozen=True, slots=True)
class TwoStage:
    """2SLS of one endogenous treatment on one instrument.

    Attributes
    ----------
    estimate, se
        Clustered by unit, or by the design's clusters.
    first_stage, first_stage_se
        Coefficient of the instrument, clustered likewise.
    F
        Of the first stage, clustered: the square of its t. Below 10 is weak (Staiger & Stock
        1997); 104.7 makes a nominal 5 % t-test exact (Lee et al. 2022, doi:10.1257/aer.20211063).
    partial_r2
        Share of the treatment's within variation that the instrument explains.
    ar_set
        95 % Anderson-Rubin confidence set, as intervals; valid however weak the instrument.
    """

    estimate: float
    se: float
    first_stage: float
    first_stage_se: float
    F: float
    partial_r2: float
    ar_set: tuple[tuple[float, float], ...]


def two_stage(design: Design, endogenous: FloatArray, z: FloatArray) -> TwoStage:
    """2SLS of a design's outcome on `endogenous`, instrumented by `z`, both of shape (n,).

    Everything is weighted as the design's rows are: first stage, its F, the share explained and the
    Anderson-Rubin set too.
    """
    with extra("peers"):
        from linearmodels.iv import IV2SLS

    columns = np.column_stack([design.y, endogenous, z, design.X])
    residual = within(design, columns, flat_only=False, weights=design.weights)
    y, d, zed, X = residual[:, 0], residual[:, 1], residual[:, 2], residual[:, 3:]
    if X.shape[1]:  # partial the covariates out of everything: the same estimate
        y, d, zed = (v - X @ np.linalg.lstsq(X, v, rcond=None)[0] for v in (y, d, zed))
    frame = pd.DataFrame({"y": y, "d": d, "z": zed})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result: Any = IV2SLS(frame["y"], None, frame[["d"]], frame[["z"]]).fit(
            cov_type="clustered", clusters=design.cluster_index
        )
    pi = float(zed @ d / (zed @ zed))
    V = _clustered(zed, d - pi * zed, design.cluster_index)
    pi_y = float(zed @ y / (zed @ zed))
    joint = _clustered(zed, np.column_stack([y - pi_y * zed, d - pi * zed]), design.cluster_index)
    return TwoStage(
        float(result.params["d"]),
        float(result.std_errors["d"]),
        pi,
        float(np.sqrt(V[0, 0])),
        pi**2 / float(V[0, 0]),
        float((zed @ d) ** 2 / ((zed @ zed) * (d @ d))),
        anderson_rubin(pi_y, pi, joint, design.clusters),
    )


def _clustered(z: FloatArray, errors: FloatArray, cluster: np.ndarray) -> FloatArray:
    """Cluster-robust covariance of the coefficients of z in one or two regressions."""
    errors = errors.reshape(len(z), -1)
    scores = np.zeros((cluster.max() + 1, errors.shape[1]))
    np.add.at(scores, cluster, z[:, None] * errors)
    G = len(scores)
    return np.asarray(scores.T @ scores / (z @ z) ** 2 * G / (G - 1))


def anderson_rubin(
    pi_y: float, pi_d: float, covariance: FloatArray, clusters: int, level: float = 0.95
) -> tuple[tuple[float, float], ...]:
    """Values of tau at which ``pi_y - tau pi_d = 0`` is not rejected, as intervals.

    A quadratic inequality in tau: an interval, two rays, or the whole line; never empty with one
    instrument (Anderson & Rubin 1949; Fieller 1954).
    """
    c = float(f_distribution.ppf(level, 1, clusters - 1))
    a = pi_d**2 - c * covariance[1, 1]
    b = -2 * (pi_y * pi_d - c * covariance[0, 1])
    k = pi_y**2 - c * covariance[0, 0]
    discriminant = b * b - 4 * a * k
    if discriminant < 0:
        return ((-np.inf, np.inf),)
    low, high = sorted(
        ((-b - np.sqrt(discriminant)) / (2 * a), (-b + np.sqrt(discriminant)) / (2 * a))
    )
    if a > 0:
        return ((float(low), float(high)),)
    return ((-np.inf, float(low)), (float(high), np.inf))
