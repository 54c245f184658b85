"""Flat priors and fixed effects: the coefficients are multivariate Student t, in closed form.

``tau | y ~ t_nu(least squares, s^2 (W'W)^-1)`` with W the regressors after the effects are taken
out and nu their residual degrees of freedom (Zellner 1971, ch. 3).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.span import rank_of, within
from bayesdid.exceptions import NotIdentifiedError

_ABSORBED = 1e-11  # of a regressor's size: less than this is left of it by rounding alone
_SINGULAR = 1e-11  # least eigenvalue of the correlation of the within regressors


class ConjugatePosterior(NamedTuple):
    """Location, shape (K,), scale matrix, shape (K, K), and degrees of freedom."""

    location: FloatArray
    scale: FloatArray
    nu: int

    def draw(self, size: int, rng: np.random.Generator) -> FloatArray:
        """Independent draws, shape (size, K)."""
        root = np.linalg.cholesky(self.scale)
        normal = rng.standard_normal((size, len(self.location))) @ root.T
        return np.asarray(
            self.location + normal / np.sqrt(rng.chisquare(self.nu, size) / self.nu)[:, None]
        )


def within_arrays(design: Design) -> tuple[FloatArray, FloatArray]:
    """Regressors, shape (n, K), and outcome, (n,), with the effects taken out as fixed ones.

    With weights those of the rows times the root of their weight: least squares on them is the
    weighted one.
    """
    both = np.column_stack([design.regressors, design.y])
    residual = within(design, both, flat_only=False, weights=design.weights)
    return residual[:, :-1], residual[:, -1]


def conjugate_posterior(design: Design) -> ConjugatePosterior:
    """Posterior of the coefficients of a design's regressors; its effects are taken as fixed."""
    return conjugate_within(design, *within_arrays(design))


def conjugate_within(design: Design, W: FloatArray, y: FloatArray) -> ConjugatePosterior:
    """The same from the arrays of :func:`within_arrays`."""
    root = 1.0 if design.weights is None else np.sqrt(design.weights)[:, None]
    weighted = design.regressors * root
    size = np.linalg.norm(W, axis=0)  # columns of different units, one well-conditioned matrix
    if (size <= _ABSORBED * np.linalg.norm(weighted, axis=0)).any():
        raise NotIdentifiedError(
            f"{design.spec_id}: the effects leave nothing of a regressor",
            remedy="leave it out, or use other effects",
        )
    gram = (W / size).T @ (W / size)
    if len(gram) and np.linalg.eigvalsh(gram)[0] < _SINGULAR:
        raise NotIdentifiedError(
            f"{design.spec_id}: the regressors are linearly dependent",
            remedy="leave one out, or use a proper prior",
        )
    inverse = np.linalg.inv(gram) / np.outer(size, size)
    location = inverse @ (W.T @ y)
    nu = design.n - rank_of(design) - W.shape[1]
    rss = float(((y - W @ location) ** 2).sum())
    # as many coefficients as rows: nothing is known of the errors
    scale = inverse * rss / nu if nu > 0 else np.full_like(inverse, np.inf)
    return ConjugatePosterior(location, scale, nu)
