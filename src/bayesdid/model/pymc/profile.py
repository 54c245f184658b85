r"""Spillover as a smooth function of distance: one model instead of one regression per ring.

.. math::

    y_{it} = \rho (Wy)_{it} + \sum_r \theta(d_r) E_{r,it} + \tau' D_{it} + \beta' x_{it}
             + \alpha + a_i + g_t + e_{it},
    \qquad \theta(\cdot) \sim GP(0, (A \sigma)^2 k(\cdot, \cdot; \ell))

with E the exposure to ring r, k the Matern-5/2 or squared exponential correlation of the ring
midpoints. Unit and period effects are flat, with a spatial lag as the levels that they cause, so
that they leave ``(T - 1) (log|I - rho W| - log(1 - rho w))`` of its Jacobian, w the common row sum
of W (Lee & Yu 2010, doi:10.1016/j.jeconom.2009.08.001); without a common row sum period effects are
those of the structural equation. Every prior is a multiple of sigma, which has ``1 / sigma``:
:mod:`bayesdid.inference.exact.profile` draws from the normal i.i.d. model exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.transforms import ZeroSumTransform

from bayesdid.model.levels import taken_up
from bayesdid.model.model import Model
from bayesdid.model.pymc.effects import normal_or_flat
from bayesdid.model.pymc.errors import errors_of, observe, shared_errors
from bayesdid.model.pymc.setting import Setting
from bayesdid.model.pymc.two_way import centred
from bayesdid.model.spillover import NUGGET, ProfileDesign, profile_priors
from bayesdid.spatial.operators.spectrum import eigenvalues, interval_of


def profile(model: Model, design: ProfileDesign, noncentred: frozenset[str]) -> None:
    """The model of one design."""
    base = design.base
    setting = Setting(model, base, profile_priors(design, model.priors), noncentred)
    i, t, P = base.unit_index, base.period_index, len(base.treatments)
    sigma = pm.HalfFlat("sigma")
    pm.Potential("prior_of_sigma", -pm.math.log(sigma))
    rho = _spatial_lag(design)
    theta = pm.Deterministic("theta", sigma * _smooth(design), dims="ring")
    mean, sd = setting.priors.of(base.names)
    sd = sd / design.priors.reference
    tau = normal_or_flat("tau", mean[:P], sd[:P], dims="treatment", unit=sigma)
    slopes, mu = [tau], centred(base.D) @ tau
    if base.covariates:
        beta = normal_or_flat("beta", mean[P:], sd[P:], dims="covariate", unit=sigma)
        slopes, mu = [*slopes, beta], mu + centred(base.X) @ beta
    exposure = centred(design.raw[:, i, t].T)
    mu = mu + exposure @ theta
    shared = taken_up(base, np.hstack([base.regressors, exposure]))
    slope = pm.math.concatenate([*slopes, theta])
    unit = pm.Flat(
        f"{base.unit_dim}_level_and_share",
        dims=base.unit_dim,
        default_transform=ZeroSumTransform([0]),
    )
    period = pm.Flat(
        f"{base.period_dim}_level_and_share",
        dims=base.period_dim,
        default_transform=ZeroSumTransform([0]),
    )
    alpha, past = pm.Flat("alpha"), 0.0
    if design.weights is not None:
        W, w = design.weights, design.weights.constant_row_sum
        unit = unit - rho * pm.math.dot(W.dense(), unit)
        period = period if w is None else period * (1 - rho * w)
        y = np.zeros((len(base.units), len(base.periods)))
        y[i, t] = base.y
        past = rho * pm.Data("Wy", (W.matrix @ y)[i, t], dims="obs")
        # the intercept is a level too: W times ones
        alpha = alpha * (1 - rho * np.asarray(W.matrix.sum(axis=1)).ravel()[i])
    a = pm.Deterministic(f"{base.unit_dim}_effect", unit - shared.unit @ slope, dims=base.unit_dim)
    g = pm.Deterministic(
        f"{base.period_dim}_effect", period - shared.period @ slope, dims=base.period_dim
    )
    mu = past + alpha + mu + a[i] + g[t]
    outcome = pm.Data("outcome", base.y, dims="obs")
    observe("y", outcome, mu, errors_of(setting, shared_errors(setting), sigma))


def _spatial_lag(design: ProfileDesign) -> Any:
    """``rho`` with its Jacobian, or 0."""
    if design.weights is None:
        return 0.0
    omega = eigenvalues(design.weights)
    inside = interval_of(omega)
    rho = pm.Uniform("rho", inside.low, inside.high)
    parts = (1 - rho * omega.real) ** 2 + (rho * omega.imag) ** 2
    pm.Potential("jacobian", len(design.base.periods) * pt.sum(0.5 * pt.log(parts)))
    return rho


def _smooth(design: ProfileDesign) -> Any:
    """``theta / sigma`` at the rings, a Gaussian process through the factor of its correlation."""
    priors, rings = design.priors, design.rings
    pm.modelcontext(None).add_coord("ring", rings.labels)
    amplitude = pm.HalfNormal("amplitude", priors.amplitude)
    length = pm.LogNormal("length", priors.log_length_mean, priors.log_length_sd)
    gaps = np.abs(rings.middle[:, None] - rings.middle)
    root = pt.linalg.cholesky(_correlation(design.kernel, gaps, length) + NUGGET * np.eye(rings.R))
    return amplitude * (root @ pm.Normal("u", dims="ring"))


def _correlation(kernel: str, gaps: np.ndarray, length: Any) -> Any:
    r = gaps / length
    if kernel == "matern52":
        return (1 + np.sqrt(5) * r + 5 * r**2 / 3) * pt.exp(-np.sqrt(5) * r)
    return pt.exp(-0.5 * r**2)
