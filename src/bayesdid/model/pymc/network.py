r"""Network meta-analysis of the loop none - single - dual, as a PyMC model.

.. math::

    y \sim N(H(\theta, \omega), V), \qquad \theta_p \sim N(\mu, \tau^2), \qquad
    \omega \sim N(0, \sigma_\omega^2)

The definition that :func:`bayesdid.published.network.network_posterior` integrates faster.
"""

from __future__ import annotations

import numpy as np
import pymc as pm

from bayesdid.arrays import FloatArray


def build(
    y: FloatArray, V: FloatArray, weights: FloatArray, prior_sd: float, scale: float
) -> pm.Model:
    """Printed cells in the order single policies, both, both against single.

    Parameters
    ----------
    y, V
        Estimates, shape (P + 2,), and their covariance, which must be positive definite.
    weights
        Share of each policy among single units, shape (P,).
    prior_sd
        Of ``mu`` and ``theta_both``.
    scale
        Of the half-normal priors of ``tau`` and ``sigma_omega``.
    """
    coords = {"policy": np.arange(len(weights)), "cell": np.arange(len(y))}
    with pm.Model(coords=coords) as model:
        mu = pm.Normal("mu", 0.0, prior_sd)
        tau = pm.HalfNormal("tau", scale)
        deviation = pm.Normal("deviation", dims="policy")
        theta = pm.Deterministic("theta", mu + tau * deviation, dims="policy")
        both = pm.Normal("theta_both", 0.0, prior_sd)
        sigma_omega = pm.HalfNormal("sigma_omega", scale)
        omega = pm.Deterministic("omega", sigma_omega * pm.Normal("omega_unit"))
        mean = pm.math.concatenate([theta, [both, both - theta @ weights - omega]])
        pm.MvNormal("y", mean, cov=V, observed=y, dims="cell")
    return model
