r"""Propensity of being treated at all, unit by unit: a Bayesian logistic regression.

.. math::

    T_i \sim \text{Bernoulli}(\text{logit}^{-1}(\alpha + \beta' \bar x_i)), \qquad
    \alpha, \beta \sim N(0, 2.5^2)

with :math:`\bar x_i` the unit's covariates before anyone was treated, standardised (Gelman et al.
2008, doi:10.1214/08-AOAS191, with normal tails). :mod:`bayesdid.inference.exact.propensity` draws
from it by importance sampling.
"""

from __future__ import annotations

import numpy as np
import pymc as pm

from bayesdid.arrays import FloatArray

PRIOR_SD = 2.5


def build(treated: np.ndarray, covariates: FloatArray) -> pm.Model:
    """Ever treated, shape (N,), and standardised covariates, shape (N, Q)."""
    with pm.Model(coords={"covariate": range(covariates.shape[1])}) as model:
        alpha = pm.Normal("alpha", 0.0, PRIOR_SD)
        beta = pm.Normal("beta", 0.0, PRIOR_SD, dims="covariate")
        pm.Bernoulli("T", logit_p=alpha + covariates @ beta, observed=treated.astype(int))
    return model
