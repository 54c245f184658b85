r"""Spatial Durbin panels and the models it nests: Eq. 5 of the study.

.. math::

    y_t = \rho W y_t + X_t \beta + W X_t \theta + \alpha + a + g_t + \varepsilon_t
    \qquad \varepsilon_{it} \sim N(0, \sigma^2) \text{ or Student } t

Fixed effects are written, and flat, as the levels mu and m that they cause, ``a = (I - rho W) mu``
(see :mod:`bayesdid.spatial.operators.moments`), so that the line of code is

.. math::

    (I - \rho W) (y_t - \mu - m_t) - X_t \beta - W X_t \theta = \varepsilon_t

SAR has no theta, SLX no rho. In SEM and SDEM the lag is on the error:

.. math::

    (I - \lambda W) (y_t - X_t \beta - W X_t \theta - \alpha - a - g_t) = \varepsilon_t

The likelihood holds ``T log|I - rho W|``. Random effects are normal, in error models inside the
filter (Kapoor, Kelejian & Prucha 2007, doi:10.1016/j.jeconom.2006.09.004).
:mod:`bayesdid.inference.exact.durbin` draws from the Gaussian models exactly.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pymc as pm

from bayesdid.arrays import FloatArray
from bayesdid.model.priors import Priors
from bayesdid.model.pymc.effects import effect, group_scale
from bayesdid.model.pymc.jacobian import log_jacobian, mean_row_sum_of_log
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, SpatialDesign
from bayesdid.spatial.operators.logdet import LogDeterminant
from bayesdid.spatial.operators.moments import Moments


def build(
    design: SpatialDesign,
    stats: Moments,
    logdet: LogDeterminant | None,
    priors: Priors,
    reference: float,
    *,
    errors: Literal["gaussian", "student_t"] = "gaussian",
) -> pm.Model:
    """The model of ``design.kind``.

    Parameters
    ----------
    stats
        For the prior of period effects under unequal row sums.
    logdet
        None without a spatial lag of y or of the error.
    priors, reference
        ``b_k ~ N(m_k, (sd_k sigma / reference)^2)``: conjugate, and as wide as elsewhere.
    errors
        ``student_t``: heavy tails, equivalent to a variance of its own for every row (LeSage 1997).
    """
    Z, scale = _scaled(design)
    Y, W = design.Y, design.weights.dense()
    unit, period = design.base.unit_dim, design.base.period_dim
    coords: dict[str, Any] = {
        "regressor": list(design.names),
        unit: design.base.units,
        period: design.base.periods,
    }
    with pm.Model(coords=coords) as model:
        sigma = pm.HalfFlat("sigma")
        pm.Potential("prior_of_sigma", -pm.math.log(sigma))
        b = _coefficients(design.names, priors, sigma / reference, scale)
        levels, effects = _effects(design, priors, sigma / reference)
        rho: Any = 0.0
        if logdet is not None:
            rho = pm.Uniform("rho", logdet.interval.low, logdet.interval.high, initval=0.0)

        def filtered(panel: Any) -> Any:
            return panel - rho * pm.math.dot(W, panel)

        if design.kind in LAG_OF_Y:
            epsilon = filtered(Y - levels) - _dot(b, Z) - effects
        else:  # rho = 0 is SLX and plain least squares
            epsilon = filtered(Y - levels - _dot(b, Z)) - effects

        if errors == "student_t":
            nu = pm.Gamma("nu", alpha=2.0, beta=0.1)  # Juarez & Steel 2010
            density = pm.logp(pm.StudentT.dist(nu=nu, mu=0.0, sigma=sigma), epsilon)
        else:
            density = pm.logp(pm.Normal.dist(0.0, sigma), epsilon)
        pm.Potential("likelihood", density.sum())
        if logdet is not None:
            pm.Potential("jacobian", design.T * log_jacobian(rho, logdet))
        if _periods_outside(design):
            prior = stats.row_power * mean_row_sum_of_log(rho, *stats.row_spectrum)
            pm.Potential("prior_of_periods", -prior)
    return model


def _scaled(design: SpatialDesign) -> tuple[FloatArray, FloatArray]:
    """Regressors less what flat effects take up, in units of their sd; and these sds.

    The posterior is the same; the sampler sees coefficients of one size, apart from the effects.
    """
    Z = design.Z - design.Z.mean(axis=(1, 2), keepdims=True)
    if design.base.unit_effects == "fixed":
        Z = Z - Z.mean(axis=2, keepdims=True)
    if design.base.period_effects == "fixed":
        Z = Z - Z.mean(axis=1, keepdims=True)
    scale = Z.std(axis=(1, 2))
    return Z / scale[:, None, None], scale


def _coefficients(
    names: tuple[str, ...], priors: Priors, prior_scale: Any, scale: FloatArray
) -> Any:
    """Coefficients of the scaled regressors; ``b`` are those of the regressors themselves."""
    if priors.is_flat:
        scaled = pm.Flat("scaled_b", dims="regressor")
    else:
        sd = np.array([priors.sds[name] for name in names]) * scale
        mean = np.array([priors.means[name] for name in names]) * scale
        scaled = pm.Normal("scaled_b", mean, sd * prior_scale, dims="regressor")
    pm.Deterministic("b", scaled / scale, dims="regressor")
    return scaled


def _effects(design: SpatialDesign, priors: Priors, scale: Any) -> tuple[Any, Any]:
    """Levels inside the filter and effects outside it, each of shape (N, T).

    Fixed effects are levels, ``(I - rho W)`` times which stands in the equation, except period
    effects under unequal row sums; so is the intercept where it can be.
    """
    base = design.base
    sides: dict[bool, Any] = {side: np.zeros((design.N, design.T)) for side in (True, False)}
    inside = not _periods_outside(design)
    alpha = pm.Flat("alpha", initval=design.Y.mean())
    fixed = base.unit_effects == "fixed" or (base.period_effects == "fixed" and inside)
    sides[fixed or design.kind in LAG_OF_ERROR] += alpha
    for dim, kind, axis, level in (
        (base.unit_dim, base.unit_effects, (slice(None), None), True),
        (base.period_dim, base.period_effects, (None, slice(None)), inside),
    ):
        if kind == "fixed":
            sides[level] += effect(dim, kind, priors)[axis]
        elif kind == "random":
            sd = pm.Deterministic(f"sigma_{dim}", group_scale(f"scale_{dim}", priors) * scale)
            sides[False] += pm.Normal(f"{dim}_effect", 0.0, sd, dims=dim)[axis]
    return sides[True], sides[False]


def _periods_outside(design: SpatialDesign) -> bool:
    """Whether fixed period effects cannot be transformed away: unequal row sums, a lag of y."""
    unequal = design.weights.constant_row_sum is None
    return design.kind in LAG_OF_Y and unequal and design.base.period_effects == "fixed"


def _dot(b: Any, Z: FloatArray) -> Any:
    """``sum_k b_k Z_k``, shape (N, T)."""
    return pm.math.sum(b[:, None, None] * Z, axis=0)
