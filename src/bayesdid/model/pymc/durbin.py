r"""Spatial Durbin panels and the models it nests: Eq. 5 of the study.

.. math::

    y_t = \rho W y_t + D_t \tau + X_t \beta + W [D\, X]_t\, \theta + \alpha + a + g_t
          + \varepsilon_t

SAR has no theta, SLX no rho. In SEM and SDEM the lag is on the error:

.. math::

    y_t = m_t + u_t, \qquad u_t = \lambda W u_t + \varepsilon_t, \qquad
    m_t = D_t \tau + X_t \beta + W [D\, X]_t\, \theta + \alpha + a + g_t

Errors epsilon are those of :mod:`bayesdid.model.pymc.errors`: normal or Student t (LeSage 1997),
i.i.d. or AR(1) in time, of common or unit scales, over roots of weights. The likelihood holds
``T log|I - rho W|``.

Fixed effects are flat as the levels that they cause, ``a = (I - rho W) level`` (see
:mod:`bayesdid.spatial.operators.moments`), as the
transformation of Lee & Yu (2010) has it: integrated out they leave the likelihood of the
transformed data, so that the model as written and the exact engine are one definition.
Random effects are normal, in error models inside the filter (Kapoor, Kelejian & Prucha 2007,
doi:10.1016/j.jeconom.2006.09.004). Priors: :mod:`bayesdid.model.spatial_priors`.
:mod:`bayesdid.inference.exact.durbin` draws from the normal i.i.d. models exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
from pymc.distributions.transforms import ZeroSumTransform

from bayesdid.design.regressors import is_random
from bayesdid.model.levels import taken_up
from bayesdid.model.model import Model
from bayesdid.model.priors import Priors
from bayesdid.model.pymc.effects import group_scale, normal_or_flat
from bayesdid.model.pymc.errors import errors_of, observe, shared_errors
from bayesdid.model.pymc.jacobian import log_jacobian, mean_row_sum_of_log
from bayesdid.model.pymc.setting import Setting
from bayesdid.model.spatial import SpatialBlocks, intercept_inside, periods_outside, spatial_blocks
from bayesdid.model.spatial_priors import spatial_priors
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, SpatialDesign
from bayesdid.spatial.operators.moments import exponents


def durbin(model: Model, design: SpatialDesign, noncentred: frozenset[str]) -> None:
    """The model of ``design.kind``."""
    priors, reference = spatial_priors(design, model.priors)
    setting = Setting(model, design.base, priors, noncentred)
    base, W = design.base, design.weights
    i, t = base.unit_index, base.period_index
    sigma = pm.HalfFlat("sigma")
    pm.Potential("prior_of_sigma", -pm.math.log(sigma))
    rho = spatial_coefficient(design)

    def lag(rows: Any) -> Any:  # W times every period, shapes (n,)
        panel = pm.math.zeros((design.N, design.T))[i, t].set(rows)
        return pm.math.dot(W.dense(), panel)[i, t]

    def filtered(rows: Any) -> Any:
        return rows - rho * lag(rows)

    blocks = spatial_blocks(design)
    slopes, mean = linear_part(blocks, priors, sigma / reference)
    alpha = pm.Flat("alpha")
    own = Effects(design, blocks, slopes, rho)
    flat, random = own.flat(), own.random(setting, sigma / reference)
    y = pm.Data("outcome", base.y, dims="obs")
    past = rho * pm.Data("Wy", (W.matrix @ design.Y)[i, t], dims="obs")
    intercept = alpha * np.ones(base.n)
    if intercept_inside(design):
        intercept = filtered(intercept)
    if design.kind in LAG_OF_ERROR:
        mu = past + intercept + filtered(mean + flat) + random
    else:
        mu = past + intercept + mean + flat + random
    observe("y", y, mu, errors_of(setting, shared_errors(setting), sigma))


def spatial_coefficient(design: SpatialDesign) -> Any:
    """``rho`` with its Jacobian, and the prior of periods under unequal row sums; or 0."""
    rho: Any = 0.0
    if design.kind in LAG_OF_Y | LAG_OF_ERROR:
        logdet = design.logdet
        rho = pm.Uniform("rho", logdet.interval.low, logdet.interval.high)
        pm.Potential("jacobian", design.T * log_jacobian(rho, logdet))
    if periods_outside(design):
        _, row_power, row_spectrum = exponents(design)
        prior = row_power * mean_row_sum_of_log(rho, *row_spectrum)
        pm.Potential("prior_of_periods", -prior)
    return rho


def linear_part(blocks: SpatialBlocks, priors: Priors, ratio: Any) -> tuple[Any, Any]:
    """Coefficients of all regressors side by side, and their sum in every row, components too.

    Parameters
    ----------
    ratio
        ``sigma / reference``: prior sds are relative to sigma.
    """
    model, slopes, mean = pm.modelcontext(None), [], 0.0
    for name, (dim, terms, columns) in blocks.main.items():
        if dim not in model.coords:
            model.add_coord(dim, list(terms))
        slope = normal_or_flat(name, *priors.of(terms), dims=dim, unit=ratio)
        slopes.append(slope)
        mean = mean + columns @ slope
    for dim, (terms, columns) in blocks.gamma.items():
        label = f"{dim}_component"
        model.add_coord(label, list(terms))
        prior = priors.of_components(dim, terms, columns.std(axis=0))
        gamma = normal_or_flat(f"gamma_{dim}", *prior, dims=label, unit=ratio)
        mean = mean + columns @ gamma
    return pm.math.concatenate(slopes), mean


class Effects:
    """Unit and period effects of a spatial model as they stand in its equation."""

    def __init__(self, design: SpatialDesign, blocks: SpatialBlocks, slopes: Any, rho: Any) -> None:
        base = design.base
        self.design, self.slopes, self.rho = design, slopes, rho
        columns = np.hstack([columns for _, _, columns in blocks.main.values()])
        self.shared = taken_up(base, columns)
        self.periods_inside = not periods_outside(design)

    def flat(self) -> Any:
        """Fixed effects in every row, shape (n,): flat on the levels that they cause."""
        base, W = self.design.base, self.design.weights
        total = np.zeros(base.n)
        lagged = self.design.kind in LAG_OF_Y
        if base.unit_effects == "fixed":
            level = self._level(base.unit_dim)
            caused = level - self.rho * pm.math.dot(W.dense(), level) if lagged else level
            total = total + self._named(base.unit_dim, caused, self.shared.unit)[base.unit_index]
        if base.period_effects == "fixed":
            level = self._level(base.period_dim)
            inside = lagged and self.periods_inside
            caused = level * (1 - self.rho * W.constant_row_sum) if inside else level
            effect = self._named(base.period_dim, caused, self.shared.period)
            total = total + effect[base.period_index]
        return total

    def random(self, setting: Setting, ratio: Any) -> Any:
        """Random effects in every row, shape (n,); their scales are relative to sigma."""
        base, total = self.design.base, np.zeros(self.design.base.n)
        for dim, kind, index in (
            (base.unit_dim, base.unit_effects, base.unit_index),
            (base.period_dim, base.period_effects, base.period_index),
        ):
            if is_random(kind):
                scale = group_scale(f"scaled_sigma_{dim}", setting.priors) * ratio
                sd = pm.Deterministic(f"sigma_{dim}", scale)
                total = total + pm.Normal(f"{dim}_effect", 0.0, sd, dims=dim)[index]
        return total

    def _level(self, dim: str) -> Any:
        return pm.Flat(f"{dim}_level_and_share", dims=dim, default_transform=ZeroSumTransform([0]))

    def _named(self, dim: str, caused: Any, share: Any) -> Any:
        return pm.Deterministic(f"{dim}_effect", caused - share @ self.slopes, dims=dim)
