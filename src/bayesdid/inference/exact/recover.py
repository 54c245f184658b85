"""Draw intercept and unit and period effects exactly, given coefficients and variances."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.inference.exact.collapse import Blocks

_CHUNK = 500


class Effects(NamedTuple):
    """Draws of the intercept (S,), unit effects (S, N) and period effects (S, T).

    Fixed effects sum to zero over their levels; absent effects have shape (S, 0).
    """

    alpha: FloatArray
    unit: FloatArray
    period: FloatArray


def recover_effects(
    blocks: Blocks,
    coef: FloatArray,
    sigma: FloatArray,
    rho_unit: FloatArray,
    rho_period: FloatArray,
    rng: np.random.Generator,
) -> Effects:
    """Draw the effects from their Gaussian full conditional.

    Parameters
    ----------
    blocks
        Mixed-model equations of the design.
    coef
        Draws of the coefficients of the scaled regressors, shape (S, K).
    sigma, rho_unit, rho_period
        Residual standard deviation and variance ratios, shape (S,).
    rng
        Source of randomness.
    """
    rho_big, rho_small = blocks.ratios(rho_unit, rho_period)
    parts = [
        _draw(blocks, coef[i], sigma[i], rho_big[i], rho_small[i], rng)
        for i in (slice(s, s + _CHUNK) for s in range(0, len(sigma), _CHUNK))
    ]
    alpha, big, small = (np.concatenate(list(part)) for part in zip(*parts, strict=True))
    return Effects(alpha, small, big) if blocks.swapped else Effects(alpha, big, small)


def _draw(
    blocks: Blocks,
    coef: FloatArray,
    sigma: FloatArray,
    rho_big: FloatArray,
    rho_small: FloatArray,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    contrast = np.column_stack([-coef, np.ones(len(coef))])  # (S, K + 1): y - R b
    sums_big, sums_rest = contrast @ blocks.ZW.T, contrast @ blocks.HW.T
    d = blocks.diagonal(rho_big)
    rest = np.zeros((len(sigma), len(blocks.penalised)))
    if rest.size:
        S = blocks.schur(rho_big, rho_small)
        L = np.linalg.cholesky(S)
        right = sums_rest - (sums_big / d) @ blocks.C
        noise = rng.standard_normal(rest.shape) * sigma[:, None]
        mean = np.linalg.solve(S, right[:, :, None])[:, :, 0]
        rest = mean + np.linalg.solve(np.swapaxes(L, 1, 2), noise[:, :, None])[:, :, 0]
    big = (sums_big - rest @ blocks.C.T) / d
    big = big + rng.standard_normal(big.shape) * sigma[:, None] / np.sqrt(d)
    alpha = np.zeros(len(sigma))
    if blocks.has_intercept:
        alpha, rest = rest[:, -1], rest[:, :-1]
    small = rest
    if blocks.big == blocks.small == "fixed":
        small = np.column_stack([np.zeros(len(sigma)), rest])
    if blocks.big == "fixed":
        alpha, big = alpha + big.mean(axis=1), big - big.mean(axis=1, keepdims=True)
    if blocks.small == "fixed":
        alpha, small = alpha + small.mean(axis=1), small - small.mean(axis=1, keepdims=True)
    return alpha, big, small
