r"""Two-way model whose treatment effects are partially pooled.

.. math::

    y_{it} = \alpha + \mu' B_{it} + \sum_k \omega_k u_k' Z_{k,it} + \beta' x_{it} + a_i + g_t
             + \varepsilon_{it}, \qquad u_k \sim N(0, I), \quad
    \omega_k \sim \text{half-normal}(0.25\, sd(y))

The base terms B carry average effects; each part Z_k holds the deviations of one grouping:

* cohorts: B = treated; parts = event time, cohort, cohort x event time (extended TWFE of
  Wooldridge 2021 with partial pooling),
* overlapping policies: B = A, B and A x B; parts = time since A, since B, cohorts of A and of B,
  time since the second adoption, order of adoption,
* heterogeneity: B = treated; one part for each grouping of the units.

The definition that :mod:`bayesdid.inference.exact.pooled` integrates faster.
"""

from __future__ import annotations

import pymc as pm

from bayesdid.model.pooling import Pooling
from bayesdid.model.pymc.effects import coefficient
from bayesdid.model.pymc.twfe import coords, observe


def build(pooling: Pooling) -> pm.Model:
    """The model as written above, one row of the design per observation."""
    design, priors = pooling.design, pooling.priors()
    centred = design.D - design.D.mean(axis=0)
    base = pooling.columns("")
    names = tuple(design.treatments[k] for k in base)
    with pm.Model(coords=coords(design) | {"base": list(names)}) as model:
        effect = centred[:, base] @ coefficient("mu", names, "base", priors)
        for part in pooling.parts:
            columns = pooling.columns(part)
            level = f"{part}_level"
            model.add_coord(level, [design.treatments[k] for k in columns])
            omega = pm.HalfNormal(f"omega_{part}", pooling.scale)
            u = pm.Normal(f"u_{part}", dims=level)
            deviation = pm.Deterministic(part, omega * u, dims=level)
            effect = effect + centred[:, columns] @ deviation
        observe(design, priors, effect)
    return model
