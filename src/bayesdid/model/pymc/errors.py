r"""Two-way models with other likelihoods and errors than i.i.d. normal ones.

.. math::

    \mu_{it} = \alpha + \tau' D_{it} + \beta' x_{it} + a_i + g_t

student_t
    :math:`y_{it} \sim t_\nu(\mu_{it}, \sigma)`, :math:`\nu - 1 \sim` gamma(2, 0.1)
    (Juárez & Steel 2010, shifted so that the mean exists).
negative_binomial
    :math:`n_{it} \sim NB(E_{it} e^{\mu_{it}}, \phi)`, E an exposure,
    :math:`1 / \sqrt\phi \sim` half-normal(1).
ar1
    :math:`e_{it} = y_{it} - \mu_{it}` is stationary within a unit with marginal sd sigma and
    correlation :math:`\varphi^k` between rows k periods apart, gaps or not;
    :math:`\varphi \sim` uniform(-1, 1).
unit_variance
    :math:`e_{it} \sim N(0, \sigma_i^2)`, :math:`\log \sigma_i \sim N(\log \sigma, \omega^2)`,
    :math:`\omega \sim` half-normal(1).

The AR(1) model is drawn exactly by :mod:`bayesdid.inference.exact.gaussian`, others are sampled.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pymc as pm

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.within import absorb
from bayesdid.model.priors import Priors
from bayesdid.model.pymc.effects import coefficient, effect, residual_scale
from bayesdid.model.pymc.twfe import coords, mundlak

ErrorModel = Literal["student_t", "negative_binomial", "ar1", "unit_variance"]


def build(
    design: Design,
    priors: Priors,
    kind: ErrorModel,
    exposure: FloatArray | None = None,
    *,
    centred: bool = True,
) -> pm.Model:
    """One of the models above.

    Parameters
    ----------
    design
        For ``negative_binomial`` its `y` holds counts.
    priors
        Resolved on the scale of mu: for counts on that of ``log(y / exposure)``.
    exposure
        Multiplies the expected count, shape (n,); default one.
    centred
        How ``unit_variance`` writes the same prior of its variances: a chain mixes well with
        the first way where units differ, with the second where they hardly do.
    """
    with pm.Model(coords=coords(design)):
        y = pm.Data("outcome", design.y, dims="obs")
        if kind == "negative_binomial":
            size = np.ones(design.n) if exposure is None else exposure
            start = float(np.log(design.y.sum() / size.sum()))
            mu = pm.math.log(size) + _mean(design, priors, start)
            spread = pm.HalfNormal("spread", 1.0)
            pm.NegativeBinomial("y", mu=pm.math.exp(mu), alpha=spread**-2.0, observed=y, dims="obs")
            return pm.modelcontext(None)
        mu = _mean(design, priors, float(design.y.mean()))
        sigma = residual_scale(priors)
        match kind:
            case "student_t":
                nu = pm.Deterministic("nu", 1.0 + pm.Gamma("nu_minus_one", 2.0, 0.1))
                pm.StudentT("y", nu=nu, mu=mu, sigma=sigma, observed=y, dims="obs")
            case "unit_variance":
                omega = pm.HalfNormal("omega", 1.0)
                log_scale = _log_scales(design.unit_dim, pm.math.log(sigma), omega, centred)
                scale = pm.Deterministic(
                    "sigma_of_unit", pm.math.exp(log_scale), dims=design.unit_dim
                )
                pm.Normal("y", mu, scale[design.unit_index], observed=y, dims="obs")
            case "ar1":
                _ar1(design, y, mu, sigma)
        return pm.modelcontext(None)


def _mean(design: Design, priors: Priors, start: float) -> Any:
    """``mu`` in every row, shape (n,).

    Regressors enter without their projection on flat effects. These absorb the difference, so
    that tau and beta are as written above; the chain is spared their correlation with the effects.
    """
    D, X = (
        absorb(
            Z,
            design.unit_index,
            design.period_index,
            unit=design.unit_effects == "fixed",
            period=design.period_effects == "fixed",
        )
        for Z in (design.D, design.X)
    )
    alpha = pm.Flat("alpha", initval=start)
    tau = coefficient("tau", design.treatments, "treatment", priors)
    mu = alpha + D @ tau + mundlak(design, priors)
    if design.covariates:
        mu = mu + X @ coefficient("beta", design.covariates, "covariate", priors)
    a = effect(design.unit_dim, design.unit_effects, priors)
    g = effect(design.period_dim, design.period_effects, priors)
    if a is not None:
        mu = mu + a[design.unit_index]
    if g is not None:
        mu = mu + g[design.period_index]
    return mu


def _log_scales(dim: str, location: Any, omega: Any, centred: bool) -> Any:
    """``log sigma_i ~ N(log sigma, omega^2)``, written around its mean or around zero."""
    if centred:
        return pm.Normal("log_sigma_of_unit", location, omega, dims=dim)
    return location + omega * pm.Normal("z", dims=dim)


def _ar1(design: Design, y: Any, mu: Any, sigma: Any) -> None:
    """Each row given the one before it in its unit; first rows from the stationary distribution."""
    order = np.lexsort((design.periods[design.period_index].astype(float), design.unit_index))
    unit = design.unit_index[order]
    later = np.flatnonzero(unit[1:] == unit[:-1]) + 1
    first = np.setdiff1d(np.arange(design.n), later)
    when = design.periods[design.period_index].astype(float)[order]
    gap = when[later] - when[later - 1]
    phi = pm.Uniform("phi", -1.0, 1.0)
    power = phi ** gap.astype(int)
    error = y[order] - mu[order]
    pm.Potential("first", pm.logp(pm.Normal.dist(0.0, sigma), error[first]).sum())
    conditional = pm.Normal.dist(power * error[later - 1], sigma * pm.math.sqrt(1 - power**2))
    pm.Potential("later", pm.logp(conditional, error[later]).sum())
