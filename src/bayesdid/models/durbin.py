r"""Spatial Durbin panels and the models it nests: Eq. 5 of the study.

.. math::

    y_t = \rho W y_t + X_t \beta + W X_t \theta + \alpha + a + g_t + \varepsilon_t
    \qquad \varepsilon_{it} \sim N(0, \sigma^2) \text{ or Student } t

SAR has no theta, SLX no rho. In SEM and SDEM the lag is on the error:

.. math::

    (I - \lambda W) (y_t - X_t \beta - W X_t \theta - \alpha - a - g_t) = \varepsilon_t

The likelihood holds ``T log|I - rho W|``. Fixed effects are flat on the levels that they cause, as
in :mod:`bayesdid.spatial.moments`; random effects are normal, in error models inside the filter
(Kapoor, Kelejian & Prucha 2007, doi:10.1016/j.jeconom.2006.09.004).
:mod:`bayesdid.engines.spatial` draws from the Gaussian models exactly.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pymc as pm

from bayesdid.design.design import FloatArray
from bayesdid.design.priors import Priors
from bayesdid.models.effects import effect, group_scale
from bayesdid.models.jacobian import log_jacobian, mean_row_sum_of_log
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, SpatialDesign
from bayesdid.spatial.logdet import LogDeterminant
from bayesdid.spatial.moments import Moments


def build(
    design: SpatialDesign, stats: Moments, logdet: LogDeterminant | None, priors: Priors,
    reference: float, *, errors: Literal["gaussian", "student_t"] = "gaussian",
) -> pm.Model:  # fmt: skip
    """The model of ``design.kind``.

    Parameters
    ----------
    stats
        For the exponents of the levels' Jacobian.
    logdet
        None without a spatial lag of y or of the error.
    priors, reference
        ``b_k ~ N(m_k, (sd_k sigma / reference)^2)``: conjugate, and as wide as elsewhere.
    errors
        ``student_t``: heavy tails, equivalent to a variance of its own for every row (LeSage 1997).
    """
    Z, Y, W = design.Z, design.Y, design.weights.matrix
    unit, period = design.base.unit_dim, design.base.period_dim
    coords: dict[str, Any] = {
        "regressor": list(design.names), unit: design.base.units, period: design.base.periods,
    }  # fmt: skip
    with pm.Model(coords=coords) as model:
        sigma = pm.HalfFlat("sigma")
        pm.Potential("prior_of_sigma", -pm.math.log(sigma))
        b = _coefficients(design.names, priors, sigma / reference)
        alpha = pm.Flat("alpha", initval=Y.mean())
        levels, effects = _effects(design, priors, sigma / reference)
        rho: Any = 0.0
        if logdet is not None:
            rho = pm.Uniform("rho", logdet.interval.low, logdet.interval.high, initval=0.0)

        WZ = np.stack([W @ layer for layer in Z]) if design.kind in LAG_OF_ERROR else 0.0 * Z
        WY = W @ Y
        if design.kind in LAG_OF_Y:
            epsilon = Y - rho * WY - _dot(b, Z) - alpha - levels - effects
        else:  # the filter I - rho W on what is left of y; rho = 0 is SLX and plain least squares
            sums = design.weights.row_sums[:, None]
            lag_of_levels = alpha * sums + _lag(W, levels, design)
            rest = Y - _dot(b, Z) - alpha - levels
            epsilon = rest - rho * (WY - _dot(b, WZ) - lag_of_levels) - effects

        if errors == "student_t":
            nu = pm.Gamma("nu", alpha=2.0, beta=0.1)  # Juarez & Steel 2010
            density = pm.logp(pm.StudentT.dist(nu=nu, mu=0.0, sigma=sigma), epsilon)
        else:
            density = pm.logp(pm.Normal.dist(0.0, sigma), epsilon)
        pm.Potential("likelihood", density.sum())
        if logdet is not None:
            log_det = log_jacobian(rho, logdet)
            pm.Potential("jacobian", design.T * log_det)
            if design.kind in LAG_OF_Y:  # from effects in the equation to the levels they cause
                per_period = stats.row_power * mean_row_sum_of_log(rho, *stats.row_spectrum)
                pm.Potential("levels", (stats.power - design.T) * log_det - per_period)
    return model


def _coefficients(names: tuple[str, ...], priors: Priors, scale: Any) -> Any:
    if priors.is_flat:
        return pm.Flat("b", dims="regressor")
    sd = np.array([priors.sds[name] for name in names])
    return pm.Normal("b", np.array([priors.means[name] for name in names]), sd * scale,
                     dims="regressor")  # fmt: skip


def _effects(design: SpatialDesign, priors: Priors, scale: Any) -> tuple[Any, Any]:
    """Fixed effects, which in error models are filtered, and random ones; shape (N, T) or less."""
    levels: Any = np.zeros((1, 1))
    effects: Any = 0.0
    for dim, kind, axis in (
        (design.base.unit_dim, design.base.unit_effects, (slice(None), None)),
        (design.base.period_dim, design.base.period_effects, (None, slice(None))),
    ):
        if kind == "fixed":
            levels = levels + effect(dim, kind, priors)[axis]
        elif kind == "random":
            sd = pm.Deterministic(f"sigma_{dim}", group_scale(f"scale_{dim}", priors) * scale)
            effects = effects + pm.Normal(f"{dim}_effect", 0.0, sd, dims=dim)[axis]
    return levels, effects


def _dot(b: Any, Z: FloatArray) -> Any:
    """``sum_k b_k Z_k``, shape (N, T)."""
    return pm.math.sum(b[:, None, None] * Z, axis=0)


def _lag(W: Any, levels: Any, design: SpatialDesign) -> Any:
    full = levels + np.zeros((design.N, design.T))
    return pm.math.dot(W.toarray(), full)
