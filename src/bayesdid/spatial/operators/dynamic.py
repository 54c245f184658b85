"""Dynamic spatial panels: y and W y of the period before, initial conditions, cumulative effects.

``y_t = rho W y_t + tau y_{t-1} + eta W y_{t-1} + X_t beta + W X_t theta + a + g_t + e_t``

With fixed unit effects the estimate is biased by a term of order 1 / T (Nickell 1981), which Yu,
de Jong & Lee (2008, doi:10.1016/j.jeconom.2008.08.002) correct afterwards. Here the effects are
modelled given the first observation instead (Wooldridge 2005, doi:10.1002/jae.770):
``a_i = psi_0 y_i0 + psi_1 (W y_0)_i + xi' mean(x_i) + random``.
That removes the bias in 1 / T (one of order 1 / N stays) rather than correcting it, gives a
posterior, and is the random-effects model that the exact engine has already.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError
from bayesdid.panel.timeline import missing_steps
from bayesdid.spatial.design import LAG_OF_Y, SpatialDesign
from bayesdid.spatial.operators.spectrum import krylov
from bayesdid.spatial.weights.weights import Weights

PAST, PAST_LAG = "y[t-1]", "W y[t-1]"
_LEAST_PERIODS = 4


def dynamic_design(design: SpatialDesign) -> SpatialDesign:
    """The design from its second period on, with past outcomes and initial conditions.

    Raises
    ------
    InputError
        If the model has no spatial lag of y, fewer than four periods, or a gap between them: the
        row before is then not that of the period before.
    """
    if design.kind not in LAG_OF_Y:
        raise InputError(
            "only models with a spatial lag of y have a dynamic version",
            value=design.kind,
            remedy="use sar or sdm",
        )
    if design.T < _LEAST_PERIODS:
        raise InputError(
            f"a dynamic model needs {_LEAST_PERIODS} periods",
            value=design.T,
            remedy="use the static model",
        )
    if gaps := missing_steps(design.base.periods):
        label = design.base.timeline.label
        raise InputError(
            f"{design.base.spec_id}: a dynamic model needs the period before every period",
            column=design.base.period_dim,
            value=f"no row in {', '.join(label(step) for step in gaps[:8])}",
            remedy="use the static model, or a run of periods without a gap",
        )
    T, W = design.T - 1, design.weights.matrix
    past, Z = design.Y[:, :-1], design.Z[:, :, 1:]
    still = np.ones((1, T))
    first = design.Y[:, :1]
    means = Z.mean(axis=2, keepdims=True) * still
    moves = np.ptp(Z, axis=2).max(axis=1) > 0  # the mean of a constant is the regressor itself
    averages = [f"mean {name}" for name, ok in zip(design.names, moves, strict=True) if ok]
    names = (*design.names, PAST, PAST_LAG, "y[0]", "W y[0]", *averages)
    extra = np.stack([past, W @ past, first * still, (W @ first) * still])
    base = design.base
    later = base.period_index > 0
    shorter = dataclasses.replace(
        base,
        y=base.y[later],
        D=base.D[later],
        X=base.X[later],
        unit_index=base.unit_index[later],
        period_index=base.period_index[later] - 1,
        periods=base.periods[1:],
        weights=None if base.weights is None else base.weights[later],
        unit_effects="random",
    )
    return dataclasses.replace(
        design,
        base=shorter,
        Y=design.Y[:, 1:],
        names=names,
        Z=np.concatenate([Z, extra, means[moves]]),
    )


@dataclass(frozen=True, slots=True)
class DynamicEffects:
    """Effects of a lasting unit change, accumulated over time, for every draw.

    Attributes
    ----------
    direct, total
        After 0, 1, ... H periods, shape (H + 1, S).
    long_run_direct, long_run_total
        Limits, shape (S,); NaN where the draw is not stable.
    stable
        Whether the effects die out, shape (S,).
    """

    direct: FloatArray
    total: FloatArray
    long_run_direct: FloatArray
    long_run_total: FloatArray
    stable: np.ndarray


def cumulative_effects(
    weights: Weights,
    values: np.ndarray,
    rho: FloatArray,
    past: FloatArray,
    past_lag: FloatArray,
    beta: FloatArray,
    theta: FloatArray,
    horizon: int = 10,
) -> DynamicEffects:
    """Time-cumulative effects from the eigenvalues of W (Debarsy, Ertur & LeSage 2012).

    The response s periods after a change is ``P^s M`` with
    ``M = (I - rho W)^-1 (beta I + theta W)`` and ``P = (I - rho W)^-1 (past I + past_lag W)``:
    functions of W, so that the mean diagonal is a mean over eigenvalues.

    Parameters
    ----------
    values
        Eigenvalues of W, shape (N,).
    rho, past, past_lag, beta, theta
        Draws, shape (S,).
    """
    e = values[None, :]
    filtered = 1 - rho[:, None] * e
    M = (beta[:, None] + theta[:, None] * e) / filtered
    P = (past[:, None] + past_lag[:, None] * e) / filtered
    stable = abs(P).max(axis=1) < 1
    # row sums by the same functions of a small matrix, which need no eigenvectors of W
    H = krylov(weights)
    eye = np.eye(len(H))
    small = eye - rho[:, None, None] * H
    row = np.linalg.solve(small, (beta[:, None] * eye[0] + theta[:, None] * H[:, 0])[..., None])
    step = np.linalg.solve(small, past[:, None, None] * eye + past_lag[:, None, None] * H)
    response, direct = M, [M.mean(axis=1).real]
    answer, total = row, [row[:, 0, 0]]
    for _ in range(horizon):
        response, answer = response * P, step @ answer
        direct.append(direct[-1] + response.mean(axis=1).real)
        total.append(total[-1] + answer[:, 0, 0])
    long_run = np.full((2, len(rho)), np.nan)
    long_run[0, stable] = (M[stable] / (1 - P[stable])).mean(axis=1).real
    long_run[1, stable] = np.linalg.solve(eye - step[stable], row[stable])[:, 0, 0]
    return DynamicEffects(np.stack(direct), np.stack(total), long_run[0], long_run[1], stable)
