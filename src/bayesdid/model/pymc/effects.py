"""Unit and period effects of a linear panel model, fixed or hierarchical."""

from __future__ import annotations

from typing import Any

import pymc as pm
from pymc.distributions.transforms import ZeroSumTransform

from bayesdid.model.priors import Priors
from bayesdid.study.schema import EffectKind


def effect(dim: str, kind: EffectKind, priors: Priors) -> Any:
    """The levels' effects along `dim`; zero if `kind` is ``none``.

    fixed
        flat, summing to zero (the intercept is the common level).
    random, mundlak
        ``normal(0, sigma_<dim>)`` with a prior on the scale that is zero at zero, or flat.
    """
    match kind:
        case "none":
            return None
        case "fixed":
            return pm.Flat(f"{dim}_effect", dims=dim, transform=ZeroSumTransform([0]))
    return pm.Normal(f"{dim}_effect", 0.0, group_scale(f"sigma_{dim}", priors), dims=dim)


def group_scale(name: str, priors: Priors) -> Any:
    """Scale of random effects: gamma with shape 2 (Chung et al. 2013), or flat."""
    if priors.is_flat:
        return pm.HalfFlat(name)
    return pm.Gamma(name, alpha=2.0, beta=2.0 / priors.scale)


def residual_scale(priors: Priors) -> Any:
    """Residual standard deviation: exponential with mean sd(y), or ``p(sigma) = 1 / sigma``."""
    if priors.is_flat:
        return pm.Deterministic("sigma", pm.math.exp(pm.Flat("log_sigma")))
    return pm.Exponential("sigma", scale=priors.scale)


def coefficient(name: str, terms: tuple[str, ...], dim: str, priors: Priors) -> Any:
    """Independent normal coefficients, or flat where the prior's sd is infinite."""
    if all(priors.sds[term] == float("inf") for term in terms):
        return pm.Flat(name, dims=dim)
    return pm.Normal(
        name, [priors.means[term] for term in terms], [priors.sds[term] for term in terms], dims=dim
    )
