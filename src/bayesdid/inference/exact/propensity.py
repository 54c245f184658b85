"""A logistic propensity model exactly: importance sampling around its mode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.inference.numerics.importance import Weighted, draw_importance
from bayesdid.inference.registry import Size
from bayesdid.inference.tree import assemble, named_dataset, provenance
from bayesdid.model.priors import PROPENSITY_SD, Priors


@dataclass(frozen=True, slots=True)
class LogisticTarget:
    """Posterior of (alpha, beta) of a logistic regression under normal priors.

    Attributes
    ----------
    treated, columns
        Who is treated, shape (N,); ones and covariates, shape (N, d).
    mean, sd
        Of the priors, shape (d,).
    """

    treated: FloatArray
    columns: FloatArray
    mean: FloatArray
    sd: FloatArray

    @property
    def dimension(self) -> int:
        """Intercept and coefficients."""
        return self.columns.shape[1]

    def log_density(self, z: FloatArray) -> FloatArray:
        """Log posterior density of each row of `z`, shape (G,)."""
        eta = z @ self.columns.T
        fit = eta @ self.treated - np.logaddexp(0.0, eta).sum(axis=1)
        return np.asarray(fit - 0.5 * (((z - self.mean) / self.sd) ** 2).sum(axis=1))


def fit_propensity(design: Design, priors: Priors, size: Size) -> xr.DataTree:
    """Independent draws of intercept and coefficients of standardised covariates."""
    X = (design.X - design.X.mean(axis=0)) / design.X.std(axis=0)
    own = priors.of(design.covariates)
    found = _draw(design.y, X, own, size.draws * size.chains, size.seed)[0]
    values: dict[str, tuple[tuple[str, ...], FloatArray]] = {
        "alpha": ((), found.z[:, 0]),
        "beta": (("covariate",), found.z[:, 1:]),
    }
    coords = {"covariate": list(design.covariates)}
    tree = assemble(named_dataset(values, coords, size.chains), design)
    tree.attrs = provenance(
        design,
        priors,
        "propensity",
        size.seed,
        size.draws,
        size.chains,
        found.gate(),
        found.log_evidence,
    )
    return tree


def draw_propensity(
    treated: np.ndarray, covariates: FloatArray, *, size: int, seed: int = 0
) -> tuple[FloatArray, Weighted]:
    """Draws of every unit's logit score, shape (size, N), and how good they are."""
    K = covariates.shape[1]
    found, columns = _draw(
        treated.astype(float), covariates, (np.zeros(K), np.full(K, PROPENSITY_SD)), size, seed
    )
    return found.z @ columns.T, found


def _draw(
    treated: FloatArray,
    covariates: FloatArray,
    priors: tuple[FloatArray, FloatArray],
    size: int,
    seed: int,
) -> tuple[Weighted, FloatArray]:
    """Draws, and the columns that they are coefficients of."""
    columns = np.column_stack([np.ones(len(treated)), covariates])
    target = LogisticTarget(
        treated,
        columns,
        np.concatenate([[0.0], priors[0]]),
        np.concatenate([[PROPENSITY_SD], priors[1]]),
    )
    rng = np.random.default_rng(seed)
    return draw_importance(target, np.zeros(columns.shape[1]), size, rng), columns
