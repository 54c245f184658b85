"""Estimators beside the headline on the same panels: an oracle, and Callaway-Sant'Anna of cells.

Of Callaway & Sant'Anna (2021, doi:10.1016/j.jeconom.2020.12.001) the synergy has an analogue:
units of one pair of adoption periods are a cohort, whose first adoption is its treatment; each of
its later periods is compared with the period before, against units that never adopt; the rows under
both then enter with weights as in every other model, less those of each policy alone at their ages.
It needs never-treated units and a balanced panel.
"""

from __future__ import annotations

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import OverlapDesign
from bayesdid.estimands.gls import Whitening


def oracle(
    rows: OverlapDesign, paths: FloatArray, scales: FloatArray, phi: float
) -> tuple[float, float]:
    """Mean and sd of the departure if the shapes of single effects and the errors were known.

    Generalised least squares on unit and period effects, one size for each policy and the joint
    state, under flat priors: no estimator that has to learn shapes or errors is narrower.

    Parameters
    ----------
    paths
        Shape of each policy's effect in every row, (n, 2).
    scales
        Standard deviation of each unit's errors, (N,).
    """
    design = rows.design
    own = Whitening.of(design, scales, phi)
    periods = design.period_index[:, None] == np.arange(1, len(design.periods))
    Z = np.column_stack([rows.both, paths, periods]).astype(float)
    Z = Z[:, [0, *(k for k in range(1, Z.shape[1]) if Z[:, k].any())]]
    W = own.without_units(own.whiten(Z))
    y = own.whiten(design.y[:, None])[:, 0]
    inverse = np.linalg.inv(W.T @ W)
    return float((inverse @ W.T @ y)[0]), float(np.sqrt(inverse[0, 0]))


def callaway_santanna(rows: OverlapDesign, weights: FloatArray) -> tuple[float, float] | None:
    """Mean and clustered sd of weighted sums of effects of rows; None without controls.

    Parameters
    ----------
    weights
        Of treated rows, shape (n,), see :mod:`bayesdid.estimands.row_weights`.
    """
    design = rows.design
    N, T = len(design.units), len(design.periods)
    if not design.is_balanced:
        return None
    order = np.lexsort((design.period_index, design.unit_index))
    y, q = (v[order].reshape(N, T) for v in (design.y, weights))
    start = rows.start[order].reshape(N, T, -1)[:, 0]
    never = ~np.isfinite(start).any(axis=1)
    if not never.any():
        return None
    first = start.min(axis=1)
    base = np.where(never, 0, np.searchsorted(design.periods, np.where(never, 0, first)) - 1)
    v = q.copy()  # weights of the outcomes in the estimate
    v[np.arange(N), base] -= q.sum(axis=1)
    by_period = v[~never].sum(axis=0)
    # each period's weight of the treated is matched by the mean of units that never adopt
    v[never] -= by_period / never.sum()
    label = np.where(never, "never", [f"{tuple(pair)}" for pair in start.tolist()])
    residual = y.copy()
    for name in np.unique(label):
        residual[label == name] -= y[label == name].mean(axis=0)
    score = (v * residual).sum(axis=1)
    return float((v * y).sum()), float(np.sqrt(score @ score))
