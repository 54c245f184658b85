"""Equations of spatial models under every draw: as in :mod:`bayesdid.model.pymc.durbin`.

With ``(I - rho W) y = rest + e`` the outcome of a row is ``rho (W y) + rest + e``.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_matrix, identity
from scipy.sparse.linalg import splu

from bayesdid.arrays import FloatArray
from bayesdid.inference.equations import Draws, Equation, effects, row_scale
from bayesdid.model.model import Model
from bayesdid.model.spatial import intercept_inside, spatial_blocks
from bayesdid.model.spillover import ProfileDesign
from bayesdid.spatial.design import LAG_OF_ERROR, SpatialDesign
from bayesdid.spatial.operators.logdet import log_determinant


def spatial_equation(
    draws: Draws, model: Model, design: SpatialDesign | ProfileDesign
) -> tuple[Equation, FloatArray]:
    """The outcome's equation, and what each row has of the log-Jacobian, shape (S, 1)."""
    base = design.base
    unit = model.errors.scale == "unit"
    scale = row_scale(draws, base, unit=unit, weighted=model.weighted)
    phi = draws["phi"] if model.errors.serial == "ar1" else None
    rest = _rest(draws, design) if isinstance(design, SpatialDesign) else _around(draws, design)
    mu, share = rest, np.zeros((draws.size, 1))
    if "rho" in draws and design.weights is not None:
        rho = draws["rho"]
        mu = rest + rho[:, None] * _lag(base.y[None], design)
        logdet = (
            design.logdet if isinstance(design, SpatialDesign) else log_determinant(design.weights)
        )
        share = logdet.value(rho)[:, None] / len(base.units)
    return Equation("y", base.y, mu, scale, phi), share


def solved(draws: Draws, rows: FloatArray, design: SpatialDesign | ProfileDesign) -> FloatArray:
    """``(I - rho W)^-1`` times every period of `rows`, shape (S, n), draw by draw."""
    if "rho" not in draws or design.weights is None:
        return rows
    base, out = design.base, np.empty_like(rows)
    i, t = base.unit_index, base.period_index
    W, one = csc_matrix(design.weights.matrix), identity(len(base.units), format="csc")
    panel = np.empty((len(base.units), len(base.periods)))
    for s, rho in enumerate(draws["rho"]):
        panel[i, t] = rows[s]
        out[s] = splu(one - rho * W).solve(panel)[i, t]
    return out


def lagged(draws: Draws, y: FloatArray, design: SpatialDesign | ProfileDesign) -> FloatArray:
    """``rho W y`` in every row, shape (S, n) or (1, 1)."""
    if "rho" not in draws or design.weights is None:
        return np.zeros((1, 1))
    return np.asarray(draws["rho"][:, None] * _lag(y[None], design))


def _lag(rows: FloatArray, design: SpatialDesign | ProfileDesign) -> FloatArray:
    """W times every period, shape (S, n)."""
    assert design.weights is not None
    base = design.base
    N, T, S = len(base.units), len(base.periods), len(rows)
    panel = np.zeros((N, S, T))
    panel[base.unit_index, :, base.period_index] = rows.T
    out = (design.weights.matrix @ panel.reshape(N, S * T)).reshape(N, S, T)
    return np.asarray(out[base.unit_index, :, base.period_index].T)


def _filtered(draws: Draws, rows: FloatArray, design: SpatialDesign | ProfileDesign) -> FloatArray:
    if "rho" not in draws or design.weights is None:
        return rows
    return np.asarray(rows - draws["rho"][:, None] * _lag(rows, design))


def _rest(draws: Draws, design: SpatialDesign) -> FloatArray:
    base, blocks = design.base, spatial_blocks(design)
    mean = sum(draws[name] @ columns.T for name, (_, _, columns) in blocks.main.items())
    for dim, (_, columns) in blocks.gamma.items():
        mean = mean + draws[f"gamma_{dim}"] @ columns.T
    level = np.repeat(draws["alpha"][:, None], base.n, axis=1)
    if intercept_inside(design):
        level = _filtered(draws, level, design)
    if design.kind not in LAG_OF_ERROR:
        return np.asarray(level + mean + effects(draws, base))
    for dim, kind, index in (
        (base.unit_dim, base.unit_effects, base.unit_index),
        (base.period_dim, base.period_effects, base.period_index),
    ):
        if kind == "fixed":
            mean = mean + draws[f"{dim}_effect"][:, index]
        elif kind != "none":
            level = level + draws[f"{dim}_effect"][:, index]
    return np.asarray(level + _filtered(draws, np.asarray(mean), design))


def _around(draws: Draws, design: ProfileDesign) -> FloatArray:
    base = design.base
    exposure = design.raw[:, base.unit_index, base.period_index].T
    slopes = [draws["tau"], *([draws["beta"]] if base.covariates else []), draws["theta"]]
    columns = np.hstack([base.regressors, exposure])
    level = np.repeat(draws["alpha"][:, None], base.n, axis=1)
    mean = np.hstack(slopes) @ (columns - columns.mean(axis=0)).T
    return np.asarray(_filtered(draws, level, design) + mean + effects(draws, base))
