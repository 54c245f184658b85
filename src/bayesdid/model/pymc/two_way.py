r"""Two-way models: Eq. 1 of the study, factorial DID, event studies, moderation.

.. math::

    \mu_{it} = \alpha + \tau' D_{it} + \beta' x_{it} + a_i + g_t

`D` holds one policy state (TWFE DID), or both policies and their product (factorial DID), where
the coefficient of the product is the synergy beyond the sum. `D` and `x` are centred, so that
`alpha` is the level at their means. With Mundlak effects the unit and period components of every
regressor enter with coefficients `gamma`, which makes `tau` the within estimate again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm

from bayesdid.arrays import FloatArray
from bayesdid.design.regressors import components
from bayesdid.model.levels import taken_up
from bayesdid.model.pymc.effects import coefficients, effect, normal_or_flat
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
    return mu + mundlak(setting) + unit_and_period_effects(setting, slopes)


def unit_and_period_effects(setting: Setting, slopes: Any) -> Any:
    """``a_i + g_t`` in every row, shape (n,).

    Parameters
    ----------
    slopes
        Coefficients of all regressors in the design's order, shape (K,).
    """
    design, total = setting.design, np.zeros(setting.design.n)
    shared = taken_up(design, design.regressors)
    for dim, kind, index, share in (
        (design.unit_dim, design.unit_effects, design.unit_index, shared.unit),
        (design.period_dim, design.period_effects, design.period_index, shared.period),
    ):
        if kind != "none":
            noncentred = f"{dim}_effect" in setting.noncentred
            levels = effect(dim, kind, setting.priors, share @ slopes, noncentred=noncentred)
            total = total + levels[index]
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
