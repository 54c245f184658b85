r"""Two-way DID, plain and factorial: Eq. 1 of the study and the test of its title.

.. math::

    y_{it} = \alpha + \tau' D_{it} + \beta' x_{it} + a_i + g_t + \varepsilon_{it},
    \qquad \varepsilon_{it} \sim N(0, \sigma^2)

`D` holds one policy state (TWFE DID), or both policies and their product (factorial DID), where
the coefficient of the product is the synergy beyond the sum. `D` and `x` are centred, so that
`alpha` is the level at their means. With Mundlak effects the unit and period components of every
regressor enter with coefficients `gamma`, which makes `tau` the within estimate again.
"""

from __future__ import annotations

from typing import Any

import pymc as pm

from bayesdid.design.design import Design
from bayesdid.design.regressors import regressors
from bayesdid.model.priors import Priors
from bayesdid.model.pymc.effects import coefficient, effect, residual_scale


def build(design: Design, priors: Priors) -> pm.Model:
    """The model as written above, one row of `design` per observation."""
    with pm.Model(coords=coords(design)) as model:
        D = pm.Data("D", design.D - design.D.mean(axis=0), dims=("obs", "treatment"))
        tau = coefficient("tau", design.treatments, "treatment", priors)
        observe(design, priors, D @ tau)
    return model


def coords(design: Design) -> dict[str, Any]:
    """Names of the dimensions of every two-way model."""
    return {
        "obs": range(design.n),
        "treatment": list(design.treatments),
        "covariate": list(design.covariates),
        design.unit_dim: design.units,
        design.period_dim: design.periods,
    }


def observe(design: Design, priors: Priors, treatment_effect: Any) -> None:
    """Everything but the treatments: intercept, covariates, effects and the likelihood.

    Parameters
    ----------
    treatment_effect
        ``tau' D`` in every row, shape (n,).
    """
    unit, period = design.unit_dim, design.period_dim
    i = pm.Data("unit_index", design.unit_index, dims="obs")
    t = pm.Data("period_index", design.period_index, dims="obs")
    X = pm.Data("X", design.X - design.X.mean(axis=0), dims=("obs", "covariate"))
    alpha = pm.Flat("alpha", initval=design.y.mean())
    a = effect(unit, design.unit_effects, priors)
    g = effect(period, design.period_effects, priors)
    sigma = residual_scale(priors)

    mu = alpha + treatment_effect + mundlak(design, priors)
    if design.covariates:
        mu += X @ coefficient("beta", design.covariates, "covariate", priors)
    if a is not None:
        mu += a[i]
    if g is not None:
        mu += g[t]
    pm.Normal("y", mu, sigma, observed=design.y, dims="obs")


def mundlak(design: Design, priors: Priors) -> Any:
    """Contribution of the regressors' unit and period components; 0 without Mundlak effects."""
    data = regressors(design)
    K, mu = len(design.names), 0.0
    for dim, terms in ((design.unit_dim, data.unit_terms), (design.period_dim, data.period_terms)):
        if not terms:
            continue
        model = pm.modelcontext(None)
        model.add_coord(f"{dim}_component", list(terms))
        columns = slice(K, K + len(terms))
        scale, K = data.scale[columns], K + len(terms)
        component = data.R[:, columns] * scale
        name = f"gamma_{dim}"
        if priors.is_flat:
            gamma = pm.Flat(name, dims=f"{dim}_component")
        else:
            gamma = pm.Normal(name, 0.0, priors.mundlak_multiple / scale, dims=f"{dim}_component")
        mu = mu + component @ gamma
    return mu
