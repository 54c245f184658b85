r"""A smooth prior on an event-study path.

.. math::

    \tau = s\, L z, \qquad L L' = K, \qquad z \sim N(0, I), \qquad s \sim \text{half-normal}(sd(y))

with K a random walk or a Gaussian process that is zero in the reference period
(:func:`bayesdid.model.path.path_covariance`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm

from bayesdid.arrays import FloatArray
from bayesdid.model.mean import Path
from bayesdid.model.path import event_times, path_covariance
from bayesdid.model.priors import PATH_SHARE, on_link_scale
from bayesdid.model.pymc.observation import observe_outcome
from bayesdid.model.pymc.setting import Setting
from bayesdid.model.pymc.two_way import linear_predictor


def path(setting: Setting) -> None:
    """A two-way event study with this prior."""
    design, mean = setting.design, setting.model.mean
    assert isinstance(mean, Path)
    K = path_covariance(event_times(design.treatments), mean.reference, mean.prior)
    scale = PATH_SHARE * float(on_link_scale(design, setting.model.likelihood).std())
    observe_outcome(setting, linear_predictor(setting, smooth("tau", "treatment", K, scale)))


def smooth(name: str, dim: str, K: FloatArray, scale: float) -> Any:
    """A path with prior covariance ``s^2 K``."""
    s = pm.HalfNormal("s", scale)
    z = pm.Normal("z", dims=dim)
    root = np.linalg.cholesky(K + 1e-10 * np.eye(len(K)))
    return pm.Deterministic(name, s * (root @ z), dims=dim)


def summarised(mean: FloatArray, covariance: FloatArray, K: FloatArray, scale: float) -> pm.Model:
    """The same prior with estimates and their covariance as the likelihood, shapes (K,), (K, K).

    The definition that :func:`bayesdid.estimands.event_study.smooth_draws` integrates faster.
    """
    with pm.Model(coords={"event_time": np.arange(len(mean))}) as model:
        theta = smooth("theta", "event_time", K, scale)
        pm.MvNormal("estimate", theta, cov=covariance, observed=mean, dims="event_time")
    return model
