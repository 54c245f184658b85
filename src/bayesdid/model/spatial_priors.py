"""Priors of spatial models: those of every model, relative to the residual sd of least squares.

Coefficients have ``b_k ~ N(m_k, (sd_k sigma / s)^2)`` and sigma has ``1 / sigma``, with m, sd as
elsewhere and s the residual sd of least squares: conjugate, which exactness needs, and as wide as
elsewhere. Scales of random effects are relative to sigma in the same way.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.linalg import qr

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.span import within
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.model.priors import PriorChoice, PriorName, Priors, resolve_priors
from bayesdid.spatial.design import SpatialDesign

SpatialPrior = PriorName | Priors | PriorChoice


def spatial_priors(design: SpatialDesign, choice: SpatialPrior = "weak") -> tuple[Priors, float]:
    """Priors of all coefficients, spatial lags among them, and the residual sd of least squares."""
    base = design.base
    columns = design.Z[:, base.unit_index, base.period_index].T
    P = len(base.treatments)
    wide = dataclasses.replace(
        base, D=columns[:, :P], X=columns[:, P:], covariates=design.names[P:]
    )
    reference = _residual(design, columns)[0]
    return resolve_priors(choice, wide, alias=_aliases(design)), reference


def unit_information(design: SpatialDesign) -> PriorChoice:
    """Every coefficient has the sd that one observation would leave it with.

    ``sigma / sd_within(x)`` (Kass & Wasserman 1995, doi:10.1080/01621459.1995.10476592): the usual
    prior for comparing models, whose evidence wide priors and flat ones distort.
    """
    base = design.base
    reference, spread = _residual(design, design.Z[:, base.unit_index, base.period_index].T)
    called = {name: term for term, name in _aliases(design).items()}
    sds = (reference / spread).tolist()
    pairs = zip(design.names, sds, strict=True)
    return PriorChoice("weak", tuple((called.get(name, name), 0.0, sd) for name, sd in pairs))


def _aliases(design: SpatialDesign) -> dict[str, str]:
    """A spatial lag as a prior calls it, and as the design does."""
    base = design.base
    return {f"lag:{base.names[k]}": f"W {base.names[k]}" for k in design.lagged}


def _residual(design: SpatialDesign, columns: FloatArray) -> tuple[float, FloatArray]:
    """Residual sd of least squares, and each regressor's own within sd, (K,), if it moves.

    With weights, of mean one, both are those of a row of weight one.

    Parameters
    ----------
    columns
        Regressors in rows, shape (n, K).
    """
    base = design.base
    both = np.column_stack([columns, base.y])
    rest = within(base, both, flat_only=False, weights=base.weights)
    W, y = rest[:, :-1], rest[:, -1]
    total = columns.std(axis=0)
    if flat := [n for n, s in zip(design.names, total, strict=True) if s == 0]:
        raise NotIdentifiedError(
            f"{base.spec_id}: {flat[0]} is constant in the sample",
            remedy="leave it out, or its spatial lag (option durbin)",
        )
    spread = _size(W, base)
    moves = spread > 1e-7 * total  # the rest is rounding of what the effects take up
    X = W[:, moves] / spread[moves]
    if "random" not in (base.unit_effects, base.period_effects):
        _refuse_collinear(X, [n for n, ok in zip(design.names, moves, strict=True) if ok], design)
    residual = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    reference = float(_size(residual, base))
    if reference <= 1e-8 * base.y.std():
        raise NotIdentifiedError(
            f"{base.spec_id}: regressors and effects fit the outcome exactly",
            remedy="use fewer regressors, or more units or periods",
        )
    return reference, np.where(moves, spread, total)


def _size(rest: FloatArray, base: Design) -> FloatArray:
    """Sd of what effects leave; times roots of weights it has a mean, its square is about zero."""
    if base.weights is None:
        return np.asarray(rest.std(axis=0))
    return np.asarray(np.sqrt((rest**2).mean(axis=0)))


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
