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
from bayesdid.model.priors import PROPENSITY_SD
from bayesdid.model.pymc.effects import coefficients
from bayesdid.model.pymc.setting import Setting


def propensity(setting: Setting) -> None:
    """One row per unit: `y` says who is ever treated, `X` holds the covariates."""
    design, priors = setting.design, setting.priors
    X = pm.Data("X", standardised(design.X), dims=("obs", "covariate"))
    alpha = pm.Normal("alpha", 0.0, PROPENSITY_SD)
    beta = coefficients("beta", design.covariates, "covariate", priors)
    pm.Bernoulli("y", logit_p=alpha + X @ beta, observed=design.y.astype(int), dims="obs")


def standardised(columns: FloatArray) -> FloatArray:
    """Columns with mean zero and standard deviation one."""
    return np.asarray((columns - columns.mean(axis=0)) / columns.std(axis=0))
