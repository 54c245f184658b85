r"""Two-way models whose treatment effects are partially pooled.

.. math::

    \mu_{it} = \alpha + \mu' B_{it} + \sum_k \omega_k u_k' Z_{k,it} + \beta' x_{it} + a_i + g_t,
    \qquad u_k \sim N(0, I), \quad \omega_k \sim \text{half-normal}(0.25\, sd(y))

The base terms B carry average effects; each part Z_k holds the deviations of one grouping:

* cohorts: B = treated; parts = event time, cohort, cohort x event time (extended TWFE of
  Wooldridge 2021 with partial pooling),
* overlapping policies: B = A, B and A x B; parts = time since A, since B, cohorts of A and of B,
  time since the second adoption, order of adoption,
* heterogeneity: B = treated; one part for each grouping of the units.

``tau`` holds all of them in the design's order. :mod:`bayesdid.inference.exact.pooled` draws from
the normal model exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm

from bayesdid.model.pooling import pooled_scale
from bayesdid.model.pymc.effects import coefficients
from bayesdid.model.pymc.observation import observe_outcome
from bayesdid.model.pymc.setting import Setting
from bayesdid.model.pymc.two_way import linear_predictor


def pooled(setting: Setting) -> None:
    """The model as written above."""
    observe_outcome(setting, linear_predictor(setting, pooled_effects(setting)))


def pooled_effects(setting: Setting) -> Any:
    """Base terms and deviations in the order of the design's treatments, ``tau``."""
    design, model = setting.design, pm.modelcontext(None)
    scale = pooled_scale(design, setting.model.likelihood)
    base = design.columns("")
    names = tuple(design.treatments[k] for k in base)
    blocks, order = [], [base]
    if names:
        model.add_coord("base", list(names))
        blocks.append(coefficients("mu", names, "base", setting.priors))
    for part in design.parts:
        columns, level = design.columns(part), f"{part}_level"
        model.add_coord(level, [design.treatments[k] for k in columns])
        omega = pm.HalfNormal(f"omega_{part}", scale)
        u = pm.Normal(f"u:{part}", dims=level)
        blocks.append(pm.Deterministic(part, omega * u, dims=level))
        order.append(columns)
    tau = pm.math.concatenate(blocks)[np.argsort(np.concatenate(order))]
    return pm.Deterministic("tau", tau, dims="treatment")
