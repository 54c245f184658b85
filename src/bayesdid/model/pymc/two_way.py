r"""Two-way models: Eq. 1 of the study, factorial DID, event studies, moderation.

.. math::

    \mu_{it} = \alpha + \tau' D_{it} + \beta' x_{it} + a_i + g_t + \sum_k c_{k, l_k(it)} s_{k,it}

`D` holds one policy state (TWFE DID), or both policies and their product (factorial DID), where
the coefficient of the product is the synergy beyond the sum. `D` and `x` are centred, so that
`alpha` is the level at their means. With Mundlak effects the unit and period components of every
regressor enter with coefficients `gamma`, which makes `tau` the within estimate again.

Further effects k have a coefficient for each level l of their own: levels of group x period or of
any crossed factor (s = 1), or slopes of groups or units. Fixed ones are flat and orthogonal to what
the effects before them span; the order is intercept, units with their slopes, periods, the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm

from bayesdid.arrays import FloatArray
from bayesdid.design.regressors import components
from bayesdid.design.span import slopes_that_vary
from bayesdid.model.levels import TakenUp, free_levels, taken_up
from bayesdid.model.pymc.effects import (
    coefficients,
    effect,
    free_effect,
    free_slopes,
    group_scale,
    normal_or_flat,
    random_effect,
)
from bayesdid.model.pymc.observation import observe_outcome
from bayesdid.model.pymc.setting import Setting


def two_way(setting: Setting) -> None:
    """The model as written above."""
    tau = coefficients("tau", setting.design.treatments, "treatment", setting.priors)
    observe_outcome(setting, linear_predictor(setting, tau))


def linear_predictor(setting: Setting, tau: Any) -> Any:
    """``mu`` in every row, shape (n,), given the treatments' coefficients."""
    design = setting.design
    D = pm.Data("D", centred(design.D), dims=("obs", "treatment"))
    alpha = pm.Flat("alpha")
    mu, slopes = alpha + D @ tau, tau
    if design.covariates:
        X = pm.Data("X", centred(design.X), dims=("obs", "covariate"))
        beta = coefficients("beta", design.covariates, "covariate", setting.priors)
        mu, slopes = mu + X @ beta, pm.math.concatenate([tau, beta])
    return mu + mundlak(setting) + all_effects(setting, slopes)


def all_effects(setting: Setting, slopes: Any) -> Any:
    """``a_i + g_t`` and further effects in every row, shape (n,).

    Parameters
    ----------
    slopes
        Coefficients of all regressors in the design's order, shape (K,).
    """
    design, total = setting.design, np.zeros(setting.design.n)
    shared = taken_up(design, design.regressors)
    free = free_levels(design) if shared.further else {}
    for dim, kind, index, share in (
        (design.unit_dim, design.unit_effects, design.unit_index, shared.unit),
        (design.period_dim, design.period_effects, design.period_index, shared.period),
    ):
        if kind == "fixed" and dim in free:
            levels = free_effect(f"{dim}_effect", dim, free[dim], share @ slopes)
            total = total + levels[index]
        elif kind != "none":
            noncentred = f"{dim}_effect" in setting.noncentred
            levels = effect(dim, kind, setting.priors, share @ slopes, noncentred=noncentred)
            total = total + levels[index]
    return total + further_effects(setting, slopes, shared, free)


def further_effects(
    setting: Setting, slopes: Any, shared: TakenUp, free: dict[str, FloatArray]
) -> Any:
    """Effects beside those of unit and period, each with its own dimension, shape (n,)."""
    design, total = setting.design, np.zeros(setting.design.n)
    vary = slopes_that_vary(design) if shared.further else {}
    for one in design.further:
        if one.kind == "random":
            scale = group_scale(f"sigma_{one.name}", setting.priors)
            noncentred = one.name in setting.noncentred
            levels = random_effect(one.name, one.dim, scale, noncentred=noncentred)
        elif one.name in vary:
            share = shared.further[one.name] @ slopes
            levels = free_slopes(one.name, one.dim, vary[one.name], share)
        else:
            share = shared.further[one.name] @ slopes
            levels = free_effect(one.name, one.dim, free[one.name], share)
        total = total + levels[one.index] * one.times
    return total


def mundlak(setting: Setting) -> Any:
    """Contribution of the regressors' unit and period components; 0 without Mundlak effects."""
    design, priors, mu = setting.design, setting.priors, np.zeros(setting.design.n)
    for dim, terms, component in components(design):
        label = f"{dim}_component"
        pm.modelcontext(None).add_coord(label, list(terms))
        mean, sd = priors.of_components(dim, terms, component.std(axis=0))
        mu = mu + component @ normal_or_flat(f"gamma_{dim}", mean, sd, dims=label)
    return mu


def centred(columns: FloatArray) -> FloatArray:
    """Columns less their means over the rows."""
    return np.asarray(columns - columns.mean(axis=0))
