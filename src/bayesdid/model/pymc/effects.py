"""Coefficients, scales, and unit and period effects of a linear panel equation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
from pymc.distributions.transforms import ZeroSumTransform

from bayesdid.arrays import FloatArray
from bayesdid.model.priors import GROUP_SHAPE, Priors
from bayesdid.model.pymc.transforms import NonCentred
from bayesdid.study.schema import EffectKind


def coefficients(name: str, terms: tuple[str, ...], dim: str, priors: Priors) -> Any:
    """Independent normal coefficients, flat where the prior's sd is infinite."""
    return normal_or_flat(name, *priors.of(terms), dims=dim)


def normal_or_flat(
    name: str, mean: Any, sd: FloatArray, *, dims: Any = None, unit: Any = 1.0
) -> Any:
    """Normal, flat, or some elements one and some the other.

    Parameters
    ----------
    unit
        What standard deviations are counted in, where that is itself unknown.
    """
    proper = np.isfinite(sd)
    if proper.all():
        return pm.Normal(name, mean, sd * unit, dims=dims)
    variable = pm.Flat(name, dims=dims)
    if proper.any():
        density = pm.logp(
            pm.Normal.dist(np.asarray(mean)[proper], sd[proper] * unit), variable[proper]
        )
        pm.Potential(f"prior_of_{name}", density.sum())
    return variable


def residual_scale(name: str, priors: Priors) -> Any:
    """Residual standard deviation: exponential with mean sd(y), or ``p(sigma) = 1 / sigma``."""
    if priors.is_flat:
        return pm.Deterministic(name, pm.math.exp(pm.Flat(f"log_{name}")))
    return pm.Exponential(name, scale=priors.scale)


def group_scale(name: str, priors: Priors) -> Any:
    """Scale of random effects: gamma with shape 2 (Chung et al. 2013), or flat."""
    if priors.is_flat:
        return pm.HalfFlat(name)
    return pm.Gamma(name, alpha=GROUP_SHAPE, beta=GROUP_SHAPE / priors.scale)


def fixed_effect(name: str, dim: str, shared: Any) -> Any:
    """One flat level each, summing to zero: the intercept is the common level.

    Parameters
    ----------
    shared
        What the effects take up of the regressors, times their coefficients, shape (levels,).
        The sampler moves effect plus share, which is hardly correlated with the coefficients.
    """
    level = pm.Flat(f"{name}_and_share", dims=dim, default_transform=ZeroSumTransform([0]))
    return pm.Deterministic(name, level - shared, dims=dim)


def free_effect(name: str, dim: str, basis: FloatArray, shared: Any) -> Any:
    """Flat levels in the span of a basis, (L, r): orthogonal to what effects before it span."""
    if not basis.shape[1]:
        return pm.Deterministic(name, pm.math.zeros(len(basis)), dims=dim)
    own = f"free_{name}"
    pm.modelcontext(None).add_coord(own, range(basis.shape[1]))
    level = pm.Flat(f"{name}_and_share", dims=own)
    return pm.Deterministic(name, basis @ level - shared, dims=dim)


def free_slopes(name: str, dim: str, vary: np.ndarray, shared: Any) -> Any:
    """A flat slope of each unit whose column varies there; zero elsewhere."""
    if vary.all():
        level = pm.Flat(f"{name}_and_share", dims=dim)
        return pm.Deterministic(name, level - shared, dims=dim)
    own = f"free_{name}"
    pm.modelcontext(None).add_coord(own, np.flatnonzero(vary))
    level = pm.Flat(f"{name}_and_share", dims=own)
    at = np.flatnonzero(vary)
    return pm.Deterministic(name, pm.math.zeros(len(vary))[at].set(level - shared[at]), dims=dim)


def random_effect(name: str, dim: str, scale: Any, *, noncentred: bool = False) -> Any:
    """Normal around zero with a scale of their own."""
    transform = NonCentred() if noncentred else None
    return pm.Normal(name, 0.0, scale, dims=dim, default_transform=transform)


def effect(
    dim: str, kind: EffectKind, priors: Priors, shared: Any = 0.0, *, noncentred: bool = False
) -> Any:
    """Effects along `dim`: fixed, or random (Mundlak's are, around the components' line)."""
    if kind == "fixed":
        return fixed_effect(f"{dim}_effect", dim, shared)
    scale = group_scale(f"sigma_{dim}", priors)
    return random_effect(f"{dim}_effect", dim, scale, noncentred=noncentred)
