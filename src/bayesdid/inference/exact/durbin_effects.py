r"""Intercept, unit and period effects of a spatial model, drawn given everything else.

Given rho, coefficients and sigma the panel is balanced and additive: ``R_it = level_i + h_t + e``
with R the filtered outcome less its regressors. Unit means, periods' deviations and what is left
are independent, so that each effect has a normal full conditional of its own. What is called
intercept and unit effect follows from the level by the equation in
:mod:`bayesdid.model.pymc.durbin`, in which fixed effects are caused by levels that sum to zero:
:math:`(I - \rho W)(\alpha + L)` is the level of the structural equation.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import schur

from bayesdid.arrays import FloatArray
from bayesdid.inference.exact.durbin import SpatialDraws
from bayesdid.inference.exact.recover import DRAWN_UNITS
from bayesdid.model.levels import taken_up
from bayesdid.model.spatial import intercept_inside, spatial_blocks
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, SpatialDesign
from bayesdid.spatial.operators.impacts import mean_columns, smooth
from bayesdid.spatial.operators.spectrum import Admissible
from bayesdid.spatial.weights.weights import Weights

_SOLVED_UNITS = 400  # units up to which (I - rho W) is solved for every draw of an error model

Named = dict[str, tuple[tuple[str, ...], FloatArray]]


def recover_spatial(design: SpatialDesign, draws: SpatialDraws, rng: np.random.Generator) -> Named:
    """Draws of ``alpha``, ``<unit>_effect`` and ``<period>_effect``; nothing for many units."""
    base, N = design.base, design.N
    if not is_drawn(design):
        return {}
    rest = _Rest(design, draws)
    found: Named = {}
    level, alpha_weight = rest.unit_means(), np.ones((1, N))
    if intercept_inside(design):
        alpha_weight = rest.row_factor
    if base.period_effects != "none":
        h = _periods(design, draws, rest, rng)
        found[f"{base.period_dim}_effect"] = ((base.period_dim,), h)
        if base.period_effects == "random":
            level = level - h.mean(axis=1, keepdims=True)
    alpha, unit = _units(design, draws, level, alpha_weight, rng)
    found["alpha"] = ((), alpha)
    if unit is not None:
        found[f"{base.unit_dim}_effect"] = ((base.unit_dim,), unit)
    return found


def is_drawn(design: SpatialDesign) -> bool:
    """Whether there are few enough units for effects to be drawn."""
    inside = design.kind in LAG_OF_ERROR and design.base.unit_effects == "fixed"
    most = _SOLVED_UNITS if inside else DRAWN_UNITS
    return most >= design.N


class _Rest:
    """What the regressors leave of the filtered outcome, as means over periods and over units."""

    def __init__(self, design: SpatialDesign, draws: SpatialDraws) -> None:
        self.design, self.draws = design, draws
        rows = design.weights.row_sums
        self.row_factor = 1 - draws.rho[:, None] * rows  # (S, N) of I - rho W times ones
        self._Z = design.Z - design.Z.mean(axis=(1, 2), keepdims=True)
        self._lag_Z = np.stack([design.weights.matrix @ layer for layer in self._Z])
        self._lag_Y = design.weights.matrix @ design.Y

    def unit_means(self) -> FloatArray:
        """Shape (S, N)."""
        return self._combined(*(A.mean(axis=-1) for A in self._arrays()))

    def period_means(self, weight: FloatArray) -> FloatArray:
        """Means over units times `weight`, shape (N,), to shape (S, T)."""
        return self._combined(*(weight @ A / self.design.N for A in self._arrays()))

    def _arrays(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        return self.design.Y, self._lag_Y, self._Z, self._lag_Z

    def _combined(
        self, y: FloatArray, lag_y: FloatArray, Z: FloatArray, lag_Z: FloatArray
    ) -> FloatArray:
        rho, b = self.draws.rho[:, None], self.draws.b
        found = y - rho * lag_y - b @ Z
        if self.design.kind in LAG_OF_ERROR:
            found = found + rho * (b @ lag_Z)
        return np.asarray(found)


def _periods(
    design: SpatialDesign, draws: SpatialDraws, rest: _Rest, rng: np.random.Generator
) -> FloatArray:
    """Period effects, shape (S, T); fixed ones sum to zero."""
    N, T, sigma = design.N, design.T, draws.sigma[:, None]
    if design.base.period_effects == "random":
        sd = sigma * draws.ratios[:, [-1]]
        mean = rest.period_means(np.ones(N))
        h = _shrunk(mean - mean.mean(axis=1, keepdims=True), sd, sigma / np.sqrt(N), rng)
        h = h - h.mean(axis=1, keepdims=True)
        return np.asarray(h + sd / np.sqrt(T) * rng.standard_normal(sd.shape))
    if design.kind in LAG_OF_ERROR:  # the effect stands inside the filter
        rows = design.weights.row_sums
        square = (rest.row_factor**2).sum(axis=1, keepdims=True)
        sums = rest.period_means(np.ones(N)) - draws.rho[:, None] * rest.period_means(rows)
        mean = N * sums / square
    else:
        square, mean = np.full_like(sigma, N), rest.period_means(np.ones(N))
    h = mean + sigma / np.sqrt(square) * rng.standard_normal((len(sigma), T))
    return np.asarray(h - h.mean(axis=1, keepdims=True))


def _units(
    design: SpatialDesign,
    draws: SpatialDraws,
    level: FloatArray,
    weight: FloatArray,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray | None]:
    """Intercept, shape (S,), and unit effects, shape (S, N), or None without them.

    Parameters
    ----------
    level
        Unit means of what is left, shape (S, N).
    weight
        How the intercept enters them, shape (S, N) or (1, N).
    """
    base, noise = design.base, draws.sigma[:, None] / np.sqrt(design.T)
    if base.unit_effects == "fixed":
        level = level + noise * rng.standard_normal(level.shape)
        return named_levels(design, draws, level)
    sd = noise * 0.0
    if base.unit_effects == "random":
        sd = draws.sigma[:, None] * draws.ratios[:, [0]]
    square = np.broadcast_to(weight**2, level.shape).sum(axis=1)
    alpha = (weight * level).sum(axis=1) / square
    total = np.sqrt(noise**2 + sd**2)[:, 0]
    alpha = alpha + total / np.sqrt(square) * rng.standard_normal(len(alpha))
    if base.unit_effects == "none":
        return alpha, None
    return alpha, _shrunk(level - weight * alpha[:, None], sd, noise, rng)


def named_levels(
    design: SpatialDesign, draws: SpatialDraws, level: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Intercept and fixed unit effects of a structural level."""
    if design.kind in LAG_OF_ERROR:  # level = (I - rho W) (alpha + effect)
        both = _solved(design, draws.rho, level)
        alpha = both.mean(axis=1)
        return alpha, both - alpha[:, None]
    if design.kind not in LAG_OF_Y:
        alpha = level.mean(axis=1)
        return alpha, level - alpha[:, None]
    blocks = spatial_blocks(design).main.values()
    shared = taken_up(design.base, np.hstack([columns for _, _, columns in blocks])).unit
    ends = design.logdet.interval
    return caused_levels(design.weights, ends, draws.rho, level, draws.b @ shared.T)


def caused_levels(
    weights: Weights, ends: Admissible, rho: FloatArray, level: FloatArray, share: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Intercept (S,) and unit effects (S, N) of ``level = (I - rho W) (alpha + L) - share``.

    L sums to zero; the effects are ``(I - rho W) L - share``.
    """
    averaging = smooth(lambda at: mean_columns(weights, at), rho, ends)
    alpha = (averaging * (level + share)).sum(axis=1)
    return alpha, level - (1 - rho[:, None] * weights.row_sums) * alpha[:, None]


def _shrunk(
    mean: FloatArray, sd: FloatArray, noise: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Normal effects of scale `sd` given means with errors of scale `noise`."""
    share = sd**2 / (sd**2 + noise**2)
    return np.asarray(share * mean + np.sqrt(share) * noise * rng.standard_normal(mean.shape))


def _solved(design: SpatialDesign, rho: FloatArray, level: FloatArray) -> FloatArray:
    """``(I - rho W)^-1 level`` draw by draw, shape (S, N): back substitution in a Schur basis."""
    triangle, basis = schur(design.weights.dense(), output="complex")
    found = level @ basis.conj()
    for k in range(design.N - 1, -1, -1):
        later = found[:, k + 1 :] @ triangle[k, k + 1 :]
        found[:, k] = (found[:, k] + rho * later) / (1 - rho * triangle[k, k])
    return np.asarray((found @ basis.T).real)
