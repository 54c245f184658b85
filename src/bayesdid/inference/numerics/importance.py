"""Independent draws from a smooth density in a few dimensions, where a table would be too large.

Proposals come from a multivariate t around the mode; two rounds of weighted moments move it onto
the density (adaptive multiple importance sampling, Cornuet et al. 2012,
doi:10.1111/j.1467-9469.2011.00756.x), and the last round's draws are resampled by their weights.
Pareto k of the weights says whether they can be trusted (Vehtari et al. 2024).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.optimize import minimize
from scipy.stats import multivariate_t

from bayesdid.arrays import FloatArray
from bayesdid.inference.gate import ESS_LIMIT, GateItem

PARETO_LIMIT = 0.7
_DF = 5
_ROUNDS, _GOOD = 4, 0.6
_SHARE, _WIDE = 0.25, 6.0  # of the wider component: its part, and its variance's factor
_AGAIN = 5  # as many proposals where those asked for would not pass the gate
_STEP = 0.1


class Density(Protocol):
    """A log density over z, shape (G, d)."""

    @property
    def dimension(self) -> int:
        """Number of coordinates of z."""
        ...

    def log_density(self, z: FloatArray) -> FloatArray:
        """Log density of each row of `z`, up to a constant."""
        ...


@dataclass(frozen=True, slots=True)
class Weighted:
    """Resampled draws and how good the proposal was.

    Attributes
    ----------
    z
        Draws, shape (S, d); a few may repeat.
    log_evidence
        Log of the density's integral.
    pareto_k, ess
        Of the importance weights.
    """

    z: FloatArray
    log_evidence: float
    pareto_k: float
    ess: float

    def gate(self) -> list[GateItem]:
        """Whether the draws can be reported."""
        limit = _least(len(self.z))
        return [
            GateItem("pareto_k", self.pareto_k, PARETO_LIMIT, self.pareto_k < PARETO_LIMIT),
            GateItem("importance_ess", self.ess, limit, self.ess >= limit),
        ]


def _least(size: int) -> float:
    """Effective draws that `size` draws must have."""
    return min(ESS_LIMIT, size / 4)


def _passes(pareto_k: float, ess: float, size: int) -> bool:
    return pareto_k < PARETO_LIMIT and ess >= _least(size)


def draw_importance(
    target: Density, start: FloatArray, size: int, rng: np.random.Generator
) -> Weighted:
    """`size` draws of z, by two rounds of importance sampling.

    Parameters
    ----------
    start
        Where the search for the mode begins, shape (d,).
    """
    return draw_around(target, *locate(target, start), size, rng)


def locate(target: Density, start: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mode of the density, shape (d,), and inverse of minus its Hessian there, (d, d)."""
    mode = _mode(target, start)
    return mode, _inverse_curvature(target, mode)


def draw_around(
    target: Density, location: FloatArray, shape: FloatArray, size: int, rng: np.random.Generator
) -> Weighted:
    """`size` draws of z by importance sampling that starts from a location and a shape."""
    counts = (max(size // 8, 400), max(size // 4, 400), *[size] * _ROUNDS, _AGAIN * size)
    for number, count in enumerate(counts, 1):
        z, log_proposal = _propose(location, shape, count, rng)
        log_weight = target.log_density(z) - log_proposal
        log_weight = np.where(np.isfinite(log_weight), log_weight, -np.inf)
        smooth, pareto_k = smoothed_weights(log_weight)
        location = smooth @ z
        spread = (z - location).T @ ((z - location) * smooth[:, None])
        shape = spread * (_DF - 2) / _DF * 1.2 + 1e-8 * np.eye(len(location))
        ess = float(1 / (smooth**2).sum())
        good = pareto_k < _GOOD and ess > max(size / 5, _least(size))
        enough = number == len(counts) - 1 and _passes(pareto_k, ess, size)
        if count == size and (good or enough):
            break  # otherwise once more, from the moments just found, at last from more proposals
    top = log_weight.max()
    log_evidence = float(top + np.log(np.exp(log_weight - top).mean()))
    points = (rng.random() + np.arange(size)) / size  # systematic: fewest repeats
    chosen = np.searchsorted(np.cumsum(smooth), points).clip(max=len(z) - 1)
    return Weighted(z[rng.permutation(chosen)], log_evidence, pareto_k, ess)


def _propose(
    location: FloatArray, shape: FloatArray, count: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draws of a t mixed with a wider one, which bounds the weights, and their log density."""
    narrow, wide = (
        multivariate_t(location, shape * factor, df=_DF, seed=rng, allow_singular=True)
        for factor in (1.0, _WIDE)
    )
    few = max(1, int(_SHARE * count))
    z = np.vstack(
        [
            np.reshape(narrow.rvs(count - few), (count - few, -1)),
            np.reshape(wide.rvs(few), (few, -1)),
        ]
    )
    share = few / count
    return z, np.logaddexp(
        np.log1p(-share) + np.atleast_1d(narrow.logpdf(z)),
        np.log(share) + np.atleast_1d(wide.logpdf(z)),
    )


def smoothed_weights(log_weight: FloatArray) -> tuple[FloatArray, float]:
    """Pareto-smoothed weights that sum to one, shape (S,), and Pareto k."""
    from arviz_stats.base.array import array_stats

    stats: Any = array_stats  # untyped
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # k is returned and gated
        # it takes log likelihoods and smooths their inverse
        smooth, k = stats.psislw(-np.maximum(log_weight, log_weight.max() - 700))
    weight = np.exp(smooth - smooth.max())
    return weight / weight.sum(), float(k)


def _mode(target: Density, start: FloatArray) -> FloatArray:
    def loss(z: Any) -> float:
        return float(-np.maximum(target.log_density(z[None, :])[0], -1e300))

    options: Any = {"xatol": 1e-2, "fatol": 1e-2, "maxfev": 150 * len(start), "adaptive": True}
    return np.asarray(minimize(loss, start, method="Nelder-Mead", options=options).x)


def _inverse_curvature(target: Density, mode: FloatArray) -> FloatArray:
    """Inverse of minus the Hessian at the mode, kept positive and no wider than prior ranges."""
    d = len(mode)
    steps = _STEP * np.eye(d)
    pairs = [(i, j) for i in range(d) for j in range(i + 1)]
    points = [
        mode + a * steps[i] + b * steps[j]
        for i, j in pairs
        for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))
    ]
    values = target.log_density(np.array(points)).reshape(-1, 4)
    H = np.zeros((d, d))
    for (i, j), (pp, pm, mp, mm) in zip(pairs, values, strict=True):
        H[i, j] = H[j, i] = -(pp - pm - mp + mm) / (4 * _STEP**2)
    H = np.where(np.isfinite(H), H, 0.0)
    values_, vectors = np.linalg.eigh(H)
    return np.asarray((vectors / np.maximum(values_, 0.3)) @ vectors.T)
