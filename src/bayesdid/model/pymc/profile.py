r"""Spillover as a smooth function of distance: one model instead of one regression per ring.

.. math::

    y_{it} = \rho (Wy)_{it} + \sum_j \theta(d_{ij}) D_{jt} + x_{it}' b + a_i + g_t + e_{it},
    \qquad \theta(\cdot) \sim GP(0, (a \sigma)^2 k(\cdot, \cdot; \ell))

with k the Matern-5/2 or squared exponential correlation of the ring midpoints and x the treatment
itself and the covariates. Unit and period effects are flat and integrated out: what is left of
the likelihood are the demeaned arrays, (N - 1)(T - 1) degrees of freedom and, with a spatial lag,
``(T - 1) (log|I - rho W| - log(1 - rho w))``, w the common row sum of W (Lee & Yu 2010,
doi:10.1016/j.jeconom.2009.08.001); without a common row sum the last term is absent. The
definition that :mod:`bayesdid.inference.exact.profile` integrates faster.
"""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayesdid.model.spillover import NUGGET, ProfileDesign
from bayesdid.spatial.operators.spectrum import eigenvalues, interval_of


def build(design: ProfileDesign) -> pm.Model:
    """The model of one design."""
    priors, rings, T = design.priors, design.rings, design.Y.shape[1]
    gaps = np.abs(rings.middle[:, None] - rings.middle)
    coords = {"ring": rings.labels, "regressor": list(design.base.names)}
    with pm.Model(coords=coords) as model:
        log_sigma = pm.Flat("log_sigma")  # p(sigma) = 1 / sigma
        sigma = pm.Deterministic("sigma", pt.exp(log_sigma))
        amplitude = pm.HalfNormal("amplitude", priors.amplitude)
        length = pm.LogNormal("length", priors.log_length_mean, priors.log_length_sd)

        # theta ~ GP, through the Cholesky factor of its correlation
        u = pm.Normal("u", dims="ring")
        root = pt.linalg.cholesky(
            _correlation(design.kernel, gaps, length) + NUGGET * np.eye(rings.R)
        )
        theta = pm.Deterministic("theta", sigma * amplitude * (root @ u), dims="ring")

        v = pm.Normal("v", dims="regressor")
        b = pm.Deterministic("b", sigma * priors.coefficient_sd * v, dims="regressor")

        residual = (
            design.Y - pt.tensordot(theta, design.E, axes=1) - pt.tensordot(b, design.X, axes=1)
        )
        if design.weights is not None and design.WY is not None:
            omega = eigenvalues(design.weights)
            inside = interval_of(omega)
            rho = pm.Uniform("rho", inside.low, inside.high)
            residual = residual - rho * design.WY
            parts = (1 - rho * omega.real) ** 2 + (rho * omega.imag) ** 2
            logdet = pt.sum(0.5 * pt.log(parts))
            if (w := design.weights.constant_row_sum) is not None:
                logdet = logdet - pt.log(1 - rho * w)
            pm.Potential("jacobian", (T - 1) * logdet)
        pm.Potential("likelihood", -design.nu * log_sigma - 0.5 * pt.sum(residual**2) / sigma**2)
    return model


def _correlation(kernel: str, gaps: np.ndarray, length: pt.TensorVariable) -> pt.TensorVariable:
    r = gaps / length
    if kernel == "matern52":
        return (1 + np.sqrt(5) * r + 5 * r**2 / 3) * pt.exp(-np.sqrt(5) * r)
    return pt.exp(-0.5 * r**2)
