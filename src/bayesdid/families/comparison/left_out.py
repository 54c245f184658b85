r"""Log densities of a unit's contrasts, unit effects and unit scales integrated out.

Of the residuals e of a unit under a draw of everything that units share, only the T - 1 contrasts
are predicted whatever the unit's own effect is. Their density does not depend on which orthonormal
contrasts C are taken. With R the correlations of the errors and u a vector of ones,

.. math::

    |C R C'| = |R|\; u'R^{-1}u / T, \qquad
    e'C'(C R C')^{-1} C e = e'R^{-1}e - (u'R^{-1}e)^2 / u'R^{-1}u

A unit left out has a scale of its own, which the others tell about through nu alone: integrated out
it makes the contrasts multivariate t.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.special import gammaln

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.design import Design
from bayesdid.model.serial import serial_rows


def contrast_densities(
    posterior: xr.Dataset, design: Design, residual: FloatArray, units: IntArray
) -> FloatArray:
    """Log density of the contrasts within each of some units, shape (S, units).

    Parameters
    ----------
    posterior
        With ``sigma``, and ``phi`` and ``nu_unit`` where errors are AR(1) or have unit scales.
    residual
        Of all rows under every draw, unit effects not taken out, shape (S, n).
    """
    sigma = posterior["sigma"].to_numpy().ravel()
    S = len(sigma)
    phi = posterior["phi"].to_numpy().ravel() if "phi" in posterior else None
    nu = posterior["nu_unit"].to_numpy().ravel() if "nu_unit" in posterior else None
    rows = None if phi is None else serial_rows(design)
    found = np.empty((S, len(units)))
    for k, unit in enumerate(units):
        at = np.flatnonzero(design.unit_index == unit)
        e, u, left = residual[:, at], np.ones((1, len(at))), np.ones((1, len(at)))
        if rows is not None and phi is not None:
            carry = rows.follows[at] * phi[:, None] ** rows.gap[at]
            before = np.searchsorted(at, rows.before[at])
            left = 1 - carry**2
            root = np.sqrt(left)
            e, u = (e - carry * e[:, before]) / root, (1 - carry) / root
        own = (u**2).sum(axis=1)
        distance = (e**2).sum(axis=1) - (e * u).sum(axis=1) ** 2 / own
        distance = np.maximum(distance, 0.0) / sigma**2
        half = 0.5 * (len(at) - 1)
        value = -2 * half * np.log(sigma) - 0.5 * (
            np.log(left).sum(axis=1) + np.log(own) - np.log(len(at))
        )
        if nu is None:
            value = value - half * np.log(2 * np.pi) - 0.5 * distance
        else:
            value = value - half * np.log(np.pi * nu) + gammaln(0.5 * nu + half)
            value = value - gammaln(0.5 * nu) - (0.5 * nu + half) * np.log1p(distance / nu)
        found[:, k] = value
    return found
