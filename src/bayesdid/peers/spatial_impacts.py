"""Direct, indirect and total effects of regressors in a spatial panel fitted by ML."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.peers.spatial_ml import SpatialML
from bayesdid.spatial.design import LAG_OF_Y, SpatialDesign


@dataclass(frozen=True, slots=True)
class SpatialImpacts:
    """Average effects of a change of one regressor by one in every unit.

    Attributes
    ----------
    names
        The regressors, without their lags and the intercept.
    direct, indirect, total
        On the unit itself, from all other units, and their sum, shape (K0,).
    direct_se, indirect_se, total_se
        By the delta method, from the covariance of (b, rho), as Stata's ``estat impact``.
    """

    names: tuple[str, ...]
    direct: FloatArray
    indirect: FloatArray
    total: FloatArray
    direct_se: FloatArray
    indirect_se: FloatArray
    total_se: FloatArray

    def table(self) -> pd.DataFrame:
        """One row per regressor and kind of impact."""
        kinds = ("direct", "indirect", "total")
        return pd.DataFrame(
            [
                {
                    "term": name,
                    "impact": kind,
                    "estimate": float(getattr(self, kind)[k]),
                    "se": float(getattr(self, f"{kind}_se")[k]),
                }
                for k, name in enumerate(self.names)
                for kind in kinds
            ]
        )


def ml_impacts(design: SpatialDesign, fit: SpatialML) -> SpatialImpacts:
    """Impacts from the full matrices (LeSage & Pace 2009, doi:10.1201/9781420064254, sec. 2.7).

    The effect of regressor k in unit j on unit i is element (i, j) of
    ``S = (I - rho W)^-1 (beta_k I + theta_k W)``: direct is the mean of its diagonal, total the
    mean of its row sums. Nothing is assumed about the row sums of W.
    """
    N, K = design.N, len(fit.estimates)
    rho = fit.rho if design.kind in LAG_OF_Y else 0.0
    W = design.weights.dense()
    inverse = np.linalg.inv(np.eye(N) - rho * W)
    multipliers = [inverse, inverse @ W]  # of beta and of theta
    moved = [inverse @ W @ m for m in multipliers]  # their derivatives in rho
    V = fit.covariance[: K + 1, : K + 1].copy()
    if design.kind not in LAG_OF_Y:
        V[K, :], V[:, K] = 0.0, 0.0
    found: list[list[FloatArray]] = []
    for k in range(design.K0):
        gradient, rate, value = np.zeros((2, K + 1)), np.zeros(2), np.zeros(2)
        for place, multiplier, derivative in zip(
            (k, design.theta_of(k)), multipliers, moved, strict=True
        ):
            if place is not None:
                gradient[:, place] = _averages(multiplier)
                value += fit.estimates[place] * gradient[:, place]
                rate += fit.estimates[place] * _averages(derivative)
        gradient[:, K] = rate
        gradient = np.array([[1.0, 0], [-1, 1], [0, 1]]) @ gradient
        se = np.sqrt(np.einsum("ik,kl,il->i", gradient, V, gradient))
        found.append([np.array([value[0], value[1] - value[0], value[1]]), se])
    values = np.array(found).reshape(design.K0, 2, 3)
    return SpatialImpacts(design.names[: design.K0], *values[:, 0].T, *values[:, 1].T)


def _averages(matrix: FloatArray) -> FloatArray:
    """Mean of the diagonal and of the row sums."""
    return np.array([np.trace(matrix), matrix.sum()]) / len(matrix)
