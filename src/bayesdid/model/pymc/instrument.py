r"""An instrument for an endogenous treatment: two equations with correlated errors.

.. math::

    d_{it} &= \pi z_{it} + \gamma' x_{it} + u_i + v_t + \eta_{it} \\
    y_{it} &= \tau d_{it} + \beta' x_{it} + a_i + g_t + \varepsilon_{it}, \qquad
    (\varepsilon, \eta) \sim N(0, \Sigma)

Effects and covariates are flat, so that everything depends on the data through the residuals of
(y, d, z) after these are taken out. With y on its reduced form, ``y = tau pi z + (eps + tau eta)``,
the two equations are one bivariate regression. The covariance has the prior ``|Sigma|^-3/2``, the
same whichever form of the equations it belongs to. :mod:`bayesdid.inference.exact.instrument` draws
from this posterior exactly.
"""

from __future__ import annotations

import pymc as pm

from bayesdid.arrays import FloatArray


def build(
    y: FloatArray, d: FloatArray, z: FloatArray, tau_sd: float, pi_sd: float, *, absorbed: int = 0
) -> pm.Model:
    """Residualised outcome, treatment and instrument, shape (n,); normal priors on tau and pi.

    The prior of pi is on the first stage: a tight one around zero says that the instrument is
    weak. `absorbed` is how many flat effects and covariates were taken out: each costs the
    likelihood one row.
    """
    with pm.Model(coords={"equation": ["outcome", "treatment"]}) as model:
        tau = pm.Normal("tau", 0.0, tau_sd)
        pi = pm.Normal("pi", 0.0, pi_sd)
        scale = pm.HalfFlat("scale", dims="equation")
        rho = pm.Uniform("rho", -1.0, 1.0)  # of the structural errors: endogeneity
        eta = d - pi * z
        epsilon = y - tau * d
        pm.Potential("treatment", pm.logp(pm.Normal.dist(0.0, scale[1]), eta).sum())
        given = pm.Normal.dist(rho * scale[0] / scale[1] * eta, scale[0] * pm.math.sqrt(1 - rho**2))
        pm.Potential("outcome", pm.logp(given, epsilon).sum())
        half_log_determinant = pm.math.log(scale).sum() + 0.5 * pm.math.log1p(-(rho**2))
        pm.Potential("absorbed", absorbed * half_log_determinant)
        # |Sigma|^-3/2 times the Jacobian of (scale, rho) to Sigma, (scale_1 scale_2)^2
        pm.Potential("prior", -3 * half_log_determinant + 2 * pm.math.log(scale).sum())
    return model
