"""What publication by significance does to a pool: a step function of the p-value.

A study with a two-sided p below .05 is published; others are with probability eta (Hedges 1992,
Statistical Science 7, 246-255, with one step). eta is not known from a few studies: the pool is
shown under fixed values of it, and averaged over a uniform prior.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr
from scipy.stats import halfnorm, norm

from bayesdid.arrays import FloatArray
from bayesdid.pool.normal import DRAWS, WIDTH

CUT = 0.05  # two-sided level of the step
ETAS = (1.0, 0.5, 0.2, 0.1)  # chance of publication of what is not significant
_MU, _TAU, _ETA = 301, 40, 12
_FAR = 6.0  # standard deviations of mu's grid on either side


def pool_selected(
    y: FloatArray,
    s: FloatArray,
    significant: FloatArray,
    eta: float | None,
    *,
    unit: float,
    spread: float = 0.5,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Draws of mu and of eta under selection.

    Parameters
    ----------
    y, s
        Estimates and standard errors, shape (K,).
    significant
        0/1: whether a study's printed p is below .05, shape (K,).
    eta
        Chance of publication of what is not; None averages over a uniform prior.
    unit, spread
        As in :func:`~bayesdid.pool.normal.pool_normal`.

    Returns
    -------
    mu, eta
        Shape (S,) each.
    """
    taus = halfnorm(scale=spread * unit).ppf((np.arange(_TAU) + 0.5) / _TAU)
    etas = np.array([eta]) if eta is not None else (np.arange(_ETA) + 0.5) / _ETA
    centre, wide = y.mean(), np.sqrt(y.var() / len(y) + (s**2).mean() / len(y) + taus.max() ** 2)
    mu = np.linspace(centre - _FAR * wide, centre + _FAR * wide, _MU)
    z = norm.isf(CUT / 2)
    sd = np.sqrt(s**2 + taus[:, None] ** 2)[:, None, :]  # (tau, 1, study)
    shift = mu[None, :, None]
    density = np.sum(-0.5 * ((y - shift) / sd) ** 2 - np.log(sd), axis=-1)  # up to a constant
    passes = ndtr((shift - z * s) / sd) + ndtr((-shift - z * s) / sd)
    prior = norm.logpdf(mu, 0, WIDTH * unit)
    logs = np.stack(
        [
            density
            + prior
            + np.log(value) * float(np.sum(1 - significant))
            - np.log(passes + value * (1 - passes)).sum(axis=-1)
            for value in etas
        ]
    )
    weights = np.exp(logs - logs.max()).ravel()
    chosen = rng.choice(len(weights), size=DRAWS, p=weights / weights.sum())
    which, _, place = np.unravel_index(chosen, logs.shape)
    step = mu[1] - mu[0]
    return mu[place] + step * (rng.uniform(size=DRAWS) - 0.5), etas[which]
