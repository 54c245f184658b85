"""Unit and period effects given everything else, where rows have weights: drawn together.

What the regressors leave of the filtered outcome is ``R_it = level_i + f_i h_t + e_it`` with
``Var(e_it) = sigma^2 / w_it``. Weighted means of units and of periods are correlated: periods are
drawn from what is left of them once units are eliminated, units given them. ``f_i`` is one, or
``1 - rho r_i`` with r the row sums of W where period effects stand inside the filter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.inference.exact.durbin import SpatialDraws
from bayesdid.inference.exact.durbin_effects import Named, is_drawn, named_levels
from bayesdid.model.spatial import intercept_inside
from bayesdid.spatial.design import LAG_OF_ERROR, SpatialDesign, unstack


@dataclass(frozen=True, slots=True)
class Left:
    """What the regressors leave, as a combination of arrays, one for each draw.

    Attributes
    ----------
    w
        Weights of the rows, shape (N, T).
    layers
        Shape (M, N, T).
    shares
        Of the layers in each draw, shape (S, M).
    rho, sigma
        Shape (S,).
    row_sums
        Of W, shape (N,), or None where period effects stand outside the filter.
    """

    w: FloatArray
    layers: FloatArray
    shares: FloatArray
    rho: FloatArray
    sigma: FloatArray
    row_sums: FloatArray | None = None

    def sums(self, of: FloatArray, power: int) -> FloatArray:
        """``sum_i f_i^power of_it``, of shape (..., N, T), with f of every draw, (S, ..., T)."""
        if self.row_sums is None:
            return of.sum(axis=-2)[None]
        r, rho = self.row_sums[:, None], self.rho.reshape(-1, *[1] * (of.ndim - 1))
        found = of.sum(axis=-2) - power * rho * (r * of).sum(axis=-2)
        return found + rho**2 * (r**2 * of).sum(axis=-2) if power == 2 else found


def levels_and_periods(left: Left, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Levels of units, (S, N), and period effects that sum to zero, (S, T); both are flat."""
    w, (S, T) = left.w, (len(left.sigma), left.w.shape[1])
    own = w.sum(axis=1)
    means = (w * left.layers).sum(axis=2) / own
    rest = left.layers - means[:, :, None]
    q = np.einsum("sm,smt->st", left.shares, np.broadcast_to(left.sums(w * rest, 1), _of(left)))
    cross = np.einsum("nt,nu->tnu", w / own[:, None], w)  # (T, N, T)
    A = np.eye(T) * left.sums(w, 2)[:, None, :] - left.sums(cross, 2)
    root = np.linalg.cholesky(A[:, 1:, 1:])  # the first is the base
    half = np.linalg.solve(root, q[:, 1:, None])
    half = half + left.sigma[:, None, None] * rng.standard_normal((S, T - 1, 1))
    h = np.zeros((S, T))
    h[:, 1:] = np.linalg.solve(np.swapaxes(root, 1, 2), half)[:, :, 0]
    h -= h.mean(axis=1, keepdims=True)
    shift = h @ (w / own[:, None]).T
    if left.row_sums is not None:
        shift = shift * (1 - left.rho[:, None] * left.row_sums)
    return _levels(left, means, shift, rng), h


def levels(left: Left, rng: np.random.Generator) -> FloatArray:
    """Levels of units where there are no period effects, shape (S, N)."""
    means = (left.w * left.layers).sum(axis=2) / left.w.sum(axis=1)
    return _levels(left, means, np.zeros((1, 1)), rng)


def periods(left: Left, rng: np.random.Generator, *, one: bool = False) -> FloatArray:
    """Levels of periods where there are none of units, (S, T); one of all rows, (S, 1)."""
    rows, w = left.w * left.layers, left.w
    sums, precision = left.sums(rows, 1), left.sums(w, 2)
    if one:
        sums, precision = (A.sum(axis=-1, keepdims=True) for A in (sums, precision))
    q = np.einsum("sm,smt->st", left.shares, np.broadcast_to(sums, (*_of(left)[:2], sums.shape[2])))
    noise = left.sigma[:, None] / np.sqrt(precision)
    return np.asarray(q / precision + noise * rng.standard_normal(q.shape))


def recover_weighted(design: SpatialDesign, draws: SpatialDraws, rng: np.random.Generator) -> Named:
    """As :func:`bayesdid.inference.exact.durbin_effects.recover_spatial`, of rows with weights."""
    base = design.base
    if not is_drawn(design):
        return {}
    left, r = _left(design, draws), design.weights.constant_row_sum
    found: Named = {}
    if base.unit_effects == "fixed":
        if base.period_effects == "fixed":
            level, h = levels_and_periods(left, rng)
            found[f"{base.period_dim}_effect"] = ((base.period_dim,), h)
        else:
            level = levels(left, rng)
        alpha, unit = named_levels(design, draws, level)
        found[f"{base.unit_dim}_effect"] = ((base.unit_dim,), unit)
    else:
        if base.unit_effects == "random":
            found[f"{base.unit_dim}_effect"] = ((base.unit_dim,), _random(left, draws, design, rng))
            both = draws.flat
            if left.row_sums is not None and r is not None:  # written out outside the filter
                both = both / (1 - draws.rho[:, None] * r)
        else:
            both = periods(left, rng, one=base.period_effects == "none")
        alpha = both.mean(axis=1)
        if base.period_effects == "fixed":
            found[f"{base.period_dim}_effect"] = ((base.period_dim,), both - alpha[:, None])
        if intercept_inside(design) and left.row_sums is None and r is not None:
            alpha = alpha / (1 - draws.rho * r)
    found["alpha"] = ((), alpha)
    return found


def _left(design: SpatialDesign, draws: SpatialDraws) -> Left:
    base, W = design.base, design.weights
    assert base.weights is not None  # the caller has seen to it
    Z = design.Z - design.Z.mean(axis=(1, 2), keepdims=True)
    rho, inside = draws.rho[:, None], design.kind in LAG_OF_ERROR
    layers = [design.Y[None], np.asarray(W.matrix @ design.Y)[None], Z]
    shares = [np.ones_like(rho), -rho, -draws.b]
    if inside:
        layers.append(np.stack([W.matrix @ layer for layer in Z]) if len(Z) else Z)
        shares.append(rho * draws.b)
    return Left(
        unstack(base, base.weights),
        np.concatenate(layers),
        np.hstack(shares),
        draws.rho,
        draws.sigma,
        W.row_sums if inside else None,
    )


def _random(
    left: Left, draws: SpatialDraws, design: SpatialDesign, rng: np.random.Generator
) -> FloatArray:
    """Random unit effects given the flat columns of the engine, shape (S, N)."""
    own, flat = left.w.sum(axis=1), draws.flat
    taken = flat * own if flat.shape[1] == 1 else flat @ left.w.T
    if left.row_sums is not None and design.weights.constant_row_sum is None:
        taken = taken * (1 - left.rho[:, None] * left.row_sums)
    precision = own + 1 / draws.ratios[:, :1] ** 2
    mean = (left.shares @ (left.w * left.layers).sum(axis=2) - taken) / precision
    noise = left.sigma[:, None] / np.sqrt(precision)
    return np.asarray(mean + noise * rng.standard_normal(mean.shape))


def _of(left: Left) -> tuple[int, int, int]:
    return (*left.shares.shape, left.w.shape[1])


def _levels(
    left: Left, means: FloatArray, shift: FloatArray, rng: np.random.Generator
) -> FloatArray:
    noise = left.sigma[:, None] / np.sqrt(left.w.sum(axis=1))
    found = left.shares @ means - shift
    return np.asarray(found + noise * rng.standard_normal(found.shape))
