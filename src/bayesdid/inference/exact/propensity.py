"""Draws of a logistic propensity model by importance sampling around its mode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.inference.numerics.importance import Weighted, draw_importance
from bayesdid.model.priors import PROPENSITY_SD


@dataclass(frozen=True, slots=True)
class LogisticTarget:
    """Posterior of (alpha, beta) of a logistic regression under normal priors."""

    treated: FloatArray
    columns: FloatArray

    @property
    def dimension(self) -> int:
        """Intercept and coefficients."""
        return self.columns.shape[1]

    def log_density(self, z: FloatArray) -> FloatArray:
        """Log posterior density of each row of `z`, shape (G,)."""
        eta = z @ self.columns.T
        fit = eta @ self.treated - np.logaddexp(0.0, eta).sum(axis=1)
        return np.asarray(fit - 0.5 * (z**2).sum(axis=1) / PROPENSITY_SD**2)


def draw_propensity(
    treated: np.ndarray, covariates: FloatArray, *, size: int, seed: int = 0
) -> tuple[FloatArray, Weighted]:
    """Draws of every unit's logit score, shape (size, N), and how good they are."""
    columns = np.column_stack([np.ones(len(treated)), covariates])
    target = LogisticTarget(treated.astype(float), columns)
    found = draw_importance(target, np.zeros(columns.shape[1]), size, np.random.default_rng(seed))
    return found.z @ columns.T, found
