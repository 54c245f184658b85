r"""A smooth prior on an event-study path, as a PyMC model.

.. math::

    \hat\theta \sim N(\theta, \Sigma), \qquad \theta \sim N(0, s^2 K), \qquad
    s \sim \text{half-normal}

with K a random walk or a Gaussian process that is zero in the reference period
(:func:`bayesdid.estimands.event_study.path_covariance`). The definition that
:func:`bayesdid.estimands.event_study.smooth_draws` integrates faster.
"""

from __future__ import annotations

import numpy as np
import pymc as pm

from bayesdid.arrays import FloatArray


def build(mean: FloatArray, covariance: FloatArray, K: FloatArray, scale: float) -> pm.Model:
    """Estimates and their covariance, shapes (K,), (K, K); prior covariance at unit scale."""
    with pm.Model(coords={"event_time": np.arange(len(mean))}) as model:
        s = pm.HalfNormal("s", scale)
        z = pm.Normal("z", dims="event_time")
        root = np.linalg.cholesky(K + 1e-10 * np.eye(len(mean)))
        theta = pm.Deterministic("theta", s * (root @ z), dims="event_time")
        pm.MvNormal("estimate", theta, cov=covariance, observed=mean, dims="event_time")
    return model
