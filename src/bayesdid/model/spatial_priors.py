"""Priors of spatial models: those of every model, relative to the residual sd of least squares.

Coefficients have ``b_k ~ N(m_k, (sd_k sigma / s)^2)`` and sigma has ``1 / sigma``, with m, sd as
elsewhere and s the residual sd of least squares: conjugate, which exactness needs, and as wide as
elsewhere. Scales of random effects are relative to sigma in the same way.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
from scipy.linalg import qr

from bayesdid.arrays import FloatArray
from bayesdid.design.within import absorb
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.model.priors import PriorChoice, PriorName, Priors, resolve_priors
from bayesdid.spatial.design import SpatialDesign

SpatialPrior = PriorName | Priors | PriorChoice | Literal["unit_information"]


def spatial_priors(design: SpatialDesign, choice: SpatialPrior = "weak") -> tuple[Priors, float]:
    """Priors of all coefficients, spatial lags among them, and the residual sd of least squares.

    ``unit_information``: a coefficient has the sd that one observation would leave it with,
    ``sigma / sd_within(x)`` (Kass & Wasserman 1995, doi:10.1080/01621459.1995.10476592): the usual
    prior for comparing models, whose evidence wide priors and flat ones distort.
    """
    base = design.base
    i, t = base.unit_index, base.period_index
    columns = design.Z[:, i, t].T
    P = len(base.treatments)
    wide = dataclasses.replace(
        base, D=columns[:, :P], X=columns[:, P:], covariates=design.names[P:]
    )
    rest = absorb(
        np.column_stack([columns, base.y]),
        i,
        t,
        unit=base.unit_effects != "none",
        period=base.period_effects != "none",
    )
    W, y = rest[:, :-1], rest[:, -1]
    lags = {f"lag:{base.names[k]}": f"W {base.names[k]}" for k in design.lagged}
    total = columns.std(axis=0)
    if flat := [n for n, s in zip(design.names, total, strict=True) if s == 0]:
        raise NotIdentifiedError(
            f"{base.spec_id}: {flat[0]} is constant in the sample",
            remedy="leave it out, or its spatial lag (option durbin)",
        )
    spread = W.std(axis=0)
    moves = spread > 1e-7 * total  # the rest is rounding of what the effects take up
    X = W[:, moves] / spread[moves]
    if "random" not in (base.unit_effects, base.period_effects):
        _refuse_collinear(X, [n for n, ok in zip(design.names, moves, strict=True) if ok], design)
    residual = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    reference = float(residual.std())
    if reference <= 1e-8 * base.y.std():
        raise NotIdentifiedError(
            f"{base.spec_id}: regressors and effects fit the outcome exactly",
            remedy="use fewer regressors, or more units or periods",
        )
    if choice != "unit_information":
        return resolve_priors(choice, wide, alias=lags), reference
    sds = reference / np.where(moves, spread, total)
    weak = resolve_priors("weak", wide)
    return dataclasses.replace(
        weak, name="user", sds=dict(zip(design.names, sds.tolist(), strict=True))
    ), reference


def _refuse_collinear(X: FloatArray, names: list[str], design: SpatialDesign) -> None:
    """Regressors and spatial lags that the effects leave linearly dependent."""
    _, R, order = qr(X, mode="economic", pivoting=True)
    size = abs(np.diag(R))
    if len(names) and size[-1] <= 1e-7 * size[0]:
        raise NotIdentifiedError(
            f"{design.base.spec_id}: regressors, spatial lags and effects are collinear; "
            f"{names[order[-1]]} is a linear combination of others",
            remedy="leave one out, or its lag (option durbin); if every unit is a neighbour "
            "of every other with equal weight, W x is x and a period effect",
        )
