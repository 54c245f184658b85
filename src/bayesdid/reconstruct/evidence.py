"""How well a draw's habits agree with the printed estimates, before the draw is moved onto them.

A printed estimate is a smooth function of the standard normal numbers w that a panel is drawn from.
By its tangent at the draw it is f - A w + A v for other numbers v, so that before they are known
estimates are normal with mean f - A w and covariance A A' + D, D the variance of rounding. The
density of the printed ones under it is the evidence for how the columns depend on w: for their
persistence, unevenness, skewness and effects over time. (A Laplace approximation; exact where
columns and estimates are linear.)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from bayesdid.arrays import BoolArray, FloatArray
from bayesdid.reconstruct.solve import Problem, linearised, pulled

_TANGENT = 0.1  # of a standard error: by how much a tangent may be off


def log_evidence(problem: Problem, white: Mapping[str, FloatArray]) -> float:
    """Log density of the printed estimates under the prior that a draw is of.

    Parameters
    ----------
    white
        Sought column -> the standard normal numbers that it was drawn at.

    Returns
    -------
    float
        Up to a constant that all draws of a member share; 0 if no estimate is printed.
    """
    held = tuple(t for t in problem.targets if t.kind == "estimate" and t.name != "constant")
    if not held or not problem.latents:
        return 0.0
    columns = problem.columns(white)
    about = dataclasses.replace(problem, targets=held)
    values, by_cell = linearised(about, columns, list(problem.latents))
    A = pulled(about, by_cell, white, columns)
    here = A.times(np.concatenate([white[name] for name in problem.latents]))
    errors = {t.cell.removesuffix(".se"): t.middle for t in problem.targets if t.kind == "se"}
    loose = np.array([_TANGENT * errors.get(t.cell, 0.0) for t in held])
    rounding = np.array([t.half**2 / 3 for t in held])
    off = np.array([t.middle for t in held]) - (values - here)
    V = A.products(_but_moments(problem)) + np.diag(rounding + loose**2)
    root = cho_factor(V, lower=True)
    spread = 2 * np.log(np.diag(root[0])).sum()
    return -0.5 * float(off @ cho_solve(root, off) + spread)


def _but_moments(problem: Problem) -> BoolArray:
    """All numbers but those of means and scales, which stand where the printed moments are."""
    found = []
    for latent in problem.latents.values():
        free = np.ones(latent.size, dtype=bool)
        free[latent.moments] = False
        found.append(free)
    return np.concatenate(found)


def in_turn(evidence: FloatArray, rng: np.random.Generator) -> list[int]:
    """Draws of the prior in the order in which they are taken, each in proportion to its evidence.

    The first is a draw of the posterior (sampling importance resampling of one); those after it
    are drawn without the ones before (Gumbel's keys).
    """
    return np.argsort(-(evidence + rng.gumbel(size=len(evidence)))).tolist()
