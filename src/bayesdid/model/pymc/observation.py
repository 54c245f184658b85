r"""How the outcome is distributed around its linear predictor: every likelihood.

normal, student_t
    :math:`y_{it} = \mu_{it} + e_{it}`, see :mod:`bayesdid.model.pymc.errors`.
poisson
    :math:`y_{it} \sim \text{Poisson}(E_{it} e^{\mu_{it}})`, E an exposure.
negative_binomial
    :math:`y_{it} \sim NB(E_{it} e^{\mu_{it}}, 1 / s^2)`, variance :math:`m + s^2 m^2`,
    :math:`s \sim` half-normal(1); with unit scales :math:`s_i = s / \sqrt{\lambda_i}`.
binomial
    :math:`y_{it} \sim \text{Binomial}(n_{it}, \text{logistic}(\mu_{it}))`.

Serially correlated counts, and unit scales of a Poisson or binomial, are those of an error that is
added to the linear predictor: :math:`\mu_{it} + e_{it}`, e a normal AR(1) process or independent,
with marginal sd :math:`\sigma / \sqrt{\lambda_i}`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm

from bayesdid.model.model import Model
from bayesdid.model.priors import SPREAD_SCALE
from bayesdid.model.pymc.effects import residual_scale
from bayesdid.model.pymc.errors import (
    autocorrelation,
    errors_of,
    observe,
    shared_errors,
    unit_precisions,
)
from bayesdid.model.pymc.setting import Setting
from bayesdid.model.pymc.transforms import NonCentred
from bayesdid.model.serial import serial_rows


def observe_outcome(setting: Setting, mu: Any) -> None:
    """The outcome of a model with one equation, around ``mu``, shape (n,)."""
    y = pm.Data("outcome", setting.design.y, dims="obs")
    if setting.model.likelihood.is_discrete:
        observe_counts(setting, y, mu)
        return
    sigma = residual_scale("sigma", setting.priors)
    observe("y", y, mu, errors_of(setting, shared_errors(setting), sigma))


def observe_counts(setting: Setting, y: Any, mu: Any) -> None:
    """Counts around ``mu`` on the scale of their link."""
    design, model = setting.design, setting.model
    if model.errors.scale == "unit":
        lambdas = unit_precisions(setting)
        relative = 1 / pm.math.sqrt(lambdas)
    else:
        relative = None
    if has_latent_error(model):
        mu = mu + latent_error(setting, relative)
    exposure = np.ones(design.n) if design.exposure is None else design.exposure
    match model.likelihood.name:
        case "poisson":
            pm.Poisson("y", exposure * pm.math.exp(mu), observed=y, dims="obs")
        case "binomial":
            trials = np.asarray(design.trials, dtype=np.int64)
            pm.Binomial("y", n=trials, logit_p=mu, observed=y, dims="obs")
        case _:
            spread = pm.HalfNormal("spread", SPREAD_SCALE)
            if relative is not None and not has_latent_error(model):
                own = pm.Deterministic("spread_of_unit", spread * relative, dims=design.unit_dim)
                spread = own[design.unit_index]
            rate = exposure * pm.math.exp(mu)
            pm.NegativeBinomial("y", mu=rate, alpha=spread**-2.0, observed=y, dims="obs")


def has_latent_error(model: Model) -> bool:
    """Whether the linear predictor of a count has an error of its own.

    Unit scales of negative binomial counts are those of their overdispersion instead.
    """
    if not model.likelihood.is_discrete:
        return False
    unit = model.errors.scale == "unit" and model.likelihood.name != "negative_binomial"
    return model.errors.serial == "ar1" or unit


def latent_error(setting: Setting, relative: Any) -> Any:
    """Normal errors of the linear predictor, ``error``, shape (n,).

    Parameters
    ----------
    relative
        ``1 / sqrt(lambda_i)``, shape (N,), or None.
    """
    design = setting.design
    sigma = residual_scale("sigma", setting.priors)
    scale = sigma
    if relative is not None:
        own = pm.Deterministic("sigma_of_unit", sigma * relative, dims=design.unit_dim)
        scale = own[design.unit_index]
    if setting.model.errors.serial == "iid":
        transform = NonCentred() if "error" in setting.noncentred else None
        return pm.Normal("error", 0.0, scale, dims="obs", default_transform=transform)
    rows, phi = serial_rows(design), autocorrelation()
    carry = rows.follows * phi**rows.gap
    root = pm.math.sqrt(1 - carry**2)
    if "error" not in setting.noncentred:
        error = pm.Flat("error", dims="obs")
        z = error / scale
        v = (z - carry * z[rows.before]) / root
        density = pm.logp(pm.Normal.dist(), v) - pm.math.log(scale * root)
        pm.Potential("prior_of_error", density.sum())
        return error
    v = pm.Normal("white_noise", dims="obs") * root
    # z_t = sum over the unit's rows s <= t of phi^(t - s) v_s, on the grid of units and periods
    T = int(rows.time.max()) + 1
    lag = np.arange(T)[:, None] - np.arange(T)
    weight = np.eye(T) + np.where(lag > 0, 1.0, 0.0) * phi ** np.maximum(lag, 1)
    grid = pm.math.zeros((len(design.units), T))
    z = pm.math.dot(grid[design.unit_index, rows.time].set(v), weight.T)
    return pm.Deterministic("error", scale * z[design.unit_index, rows.time], dims="obs")
