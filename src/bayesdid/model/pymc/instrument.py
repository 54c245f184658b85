r"""An instrument for an endogenous treatment: two equations with correlated errors.

.. math::

    d_{it} &= \alpha_d + \pi z_{it} + \gamma' x_{it} + u_i + v_t + \eta_{it} \\
    y_{it} &= \alpha + \tau d_{it} + \beta' x_{it} + a_i + g_t + \varepsilon_{it}, \qquad
    \mathrm{cor}(\varepsilon, \eta) = \rho

Further effects stand in both equations. Fixed effects and covariates are flat. The covariance of
the two errors has the prior ``|Sigma|^-3/2``, the same whichever form of the equations it belongs
to. Each equation has an autocorrelation of its own, and rho is the correlation of what is new in a
row; unit scales, weights and, under Student t, outlying rows are common to both.
:mod:`bayesdid.inference.exact.instrument` draws from the normal i.i.d. model exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm

from bayesdid.design.regressors import is_random
from bayesdid.design.span import slopes_that_vary
from bayesdid.model.equations import instrument_of
from bayesdid.model.levels import free_levels, taken_up
from bayesdid.model.priors import COVARIANCE_POWER
from bayesdid.model.pymc.effects import (
    coefficients,
    fixed_effect,
    free_effect,
    free_slopes,
    group_scale,
    normal_or_flat,
    random_effect,
)
from bayesdid.model.pymc.errors import (
    autocorrelation,
    errors_of,
    given_scale,
    observe,
    shared_errors,
)
from bayesdid.model.pymc.setting import Setting
from bayesdid.model.pymc.two_way import centred


def instrument(setting: Setting) -> None:
    """The equations as written above; the instrument is a covariate of the design."""
    parts = instrument_of(setting.model, setting.design)
    design, d, z = parts.rest, parts.rest.D[:, 0], parts.z
    first_stage = f"{design.treatments[0]} ~ {parts.name}"
    tau = coefficients("tau", design.treatments, "treatment", setting.priors)
    mean, sd = setting.priors.of([first_stage])
    pi = normal_or_flat("pi", mean[0], sd[0])
    sigma, sigma_d = pm.HalfFlat("sigma"), pm.HalfFlat("sigma_treatment")
    rho = pm.Uniform("rho", -1.0, 1.0)  # of the structural errors: endogeneity
    # |Sigma|^-3/2 times the Jacobian of (sigma, sigma_d, rho) to Sigma, (sigma sigma_d)^2
    log_determinant = 2 * pm.math.log(sigma * sigma_d) + pm.math.log1p(-(rho**2))
    log_jacobian = 2 * pm.math.log(sigma * sigma_d)
    pm.Potential("prior_of_covariance", log_jacobian - COVARIANCE_POWER * log_determinant)

    shared = shared_errors(setting)
    phi_d = None if shared.rows is None else autocorrelation("phi_treatment")
    own = z[:, None]
    first = pi * centred(z) + _nuisance(setting, "_treatment", "gamma", own, pi[None])
    eta = observe(f"D_{design.treatments[0]}", d, first, given_scale(shared, sigma_d, phi_d))
    mu = tau[0] * centred(d) + _nuisance(setting, "", "beta", design.D, tau)
    y = pm.Data("outcome", design.y, dims="obs")
    observe("y", y, mu, errors_of(setting, shared, sigma), ((eta, rho),))


def _nuisance(setting: Setting, suffix: str, name: str, own: Any, slope: Any) -> Any:
    """Intercept, covariates with coefficients `name`, and all effects of one equation, (n,).

    Parameters
    ----------
    own, slope
        The equation's own regressor, shape (n, 1), and its coefficient, shape (1,).
    """
    design = instrument_of(setting.model, setting.design).rest
    total, slopes = pm.Flat(f"alpha{suffix}"), slope
    if design.covariates:
        beta = pm.Flat(name, dims="covariate")
        total, slopes = total + centred(design.X) @ beta, pm.math.concatenate([slope, beta])
    shared = taken_up(design, np.hstack([own, design.X]))
    free = free_levels(design) if shared.further else {}
    vary = slopes_that_vary(design) if shared.further else {}
    for one in design.further:
        label = f"{one.name}{suffix}"
        if one.kind == "random":
            scale = group_scale(f"sigma_{label}", setting.priors)
            levels = random_effect(label, one.dim, scale)
        elif one.name in vary:
            share_of = shared.further[one.name] @ slopes
            levels = free_slopes(label, one.dim, vary[one.name], share_of)
        else:
            share_of = shared.further[one.name] @ slopes
            levels = free_effect(label, one.dim, free[one.name], share_of)
        total = total + levels[one.index] * one.times
    for dim, kind, index, share in (
        (design.unit_dim, design.unit_effects, design.unit_index, shared.unit),
        (design.period_dim, design.period_effects, design.period_index, shared.period),
    ):
        if kind == "fixed" and dim in free:
            levels = free_effect(f"{dim}_effect{suffix}", dim, free[dim], share @ slopes)
            total = total + levels[index]
        elif kind == "fixed":
            total = total + fixed_effect(f"{dim}_effect{suffix}", dim, share @ slopes)[index]
        elif is_random(kind):
            scale = group_scale(f"sigma_{dim}{suffix}", setting.priors)
            total = total + random_effect(f"{dim}_effect{suffix}", dim, scale)[index]
    return total + np.zeros(design.n)
