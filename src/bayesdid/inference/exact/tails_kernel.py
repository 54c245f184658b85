"""The compiled sweep of :mod:`bayesdid.inference.exact.tails`: arrays in, draws out.

Symbols are those of that module. Rows are in order of units. Every function takes plain arrays,
so that Numba compiles it once and keeps the result on disk.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from bayesdid.inference.exact.scales_kernel import log_prior_scale

# numba's cache asks the file of each function alone whether it has changed, not those it calls:
# a change here needs one in tails_chain.py
compiled: Any = numba.njit(cache=True, nogil=True, error_model="numpy")
_LARGE = 1e200
_STEPS = 40  # of a slice's width in either direction
_ROUNDING = 1e-12  # of a diagonal element, added to it


@compiled
def log_tails(sigma, nu, r, root):  # type: ignore[no-untyped-def]
    """Log density of residuals, Student t with `nu` degrees of freedom, up to the roots."""
    scale = 1.0 / (sigma * sigma * nu)
    logs, product = 0.0, 1.0  # a logarithm of a product costs less than many logarithms
    for k in range(len(r)):
        z = r[k] * root[k]
        product *= 1.0 + z * z * scale
        if product > _LARGE:
            logs += math.log(product)
            product = 1.0
    logs += math.log(product)
    own = math.lgamma(0.5 * (nu + 1)) - math.lgamma(0.5 * nu) - 0.5 * math.log(nu * math.pi)
    return len(r) * (own - math.log(sigma)) - 0.5 * (nu + 1) * logs


@compiled
def log_scalar(which, x, z, r, root, own, priors):  # type: ignore[no-untyped-def]
    """Log density of log sigma (0) or log(nu - 1) (1) with the rows' scales integrated out.

    Parameters
    ----------
    own
        Number and sum of squares of what has a prior sd in units of sigma.
    """
    kind, size, shape, rate = priors
    log_sigma, log_nu = (x, z[1]) if which == 0 else (z[0], x)
    if abs(log_sigma) > 300 or abs(log_nu) > 30:
        return -np.inf
    sigma, nu = math.exp(log_sigma), 1.0 + math.exp(log_nu)
    value = log_tails(sigma, nu, r, root)
    value += log_prior_scale(kind, size, sigma) + shape * log_nu - rate * math.exp(log_nu)
    return value - own[0] * log_sigma - 0.5 * own[1] / (sigma * sigma)


@compiled
def log_unit_scale(x, sigma, unit, kind, size):  # type: ignore[no-untyped-def]
    """Log density of the log of a random effect's scale, in `unit`, unit effects integrated out.

    Parameters
    ----------
    sigma
        Residual scale, and weights and weighted residuals of each unit, shape (N,).
    """
    if abs(x) > 300:
        return -np.inf
    s, total, left = sigma
    tau = math.exp(x)
    ratio = (tau * unit / s) ** 2
    value = log_prior_scale(kind, size, tau)
    for i in range(len(total)):
        grown = 1.0 + ratio * total[i]
        value += 0.5 * left[i] * left[i] * ratio / (grown * s * s) - 0.5 * math.log(grown)
    return value


@compiled
def log_group(x, unit, count, squares, kind, size):  # type: ignore[no-untyped-def]
    """Log density of the log of a random effect's scale, in `unit`, given its levels."""
    if abs(x) > 300:
        return -np.inf
    tau = math.exp(x)
    sd = tau * unit
    return log_prior_scale(kind, size, tau) - count * x - 0.5 * squares / (sd * sd)


@compiled
def log_rho(rho, linear, square, table):  # type: ignore[no-untyped-def]
    """Log density of rho, effects and coefficients integrated out; `table` on even nodes."""
    low, step, values = table
    place = (rho - low) / step
    k = math.floor(place)
    if place <= 0 or k >= len(values) - 1:
        return -np.inf
    share = place - k
    return linear * rho + square * rho * rho + (1 - share) * values[k] + share * values[k + 1]


@compiled
def log_one(which, x, data):  # type: ignore[no-untyped-def]
    """Log density of one scalar: 0 sigma, 1 nu, 2 scale of units, 3 of periods, 4 rho."""
    scalars, units, periods, spatial = data
    if which < 2:
        z, r, root, own, priors = scalars
        return log_scalar(which, x, z, r, root, own, priors)
    if which == 2:
        given, unit, kind, size = units
        return log_unit_scale(x, given, unit, kind, size)
    if which == 3:
        unit, count, squares, kind, size = periods
        return log_group(x, unit, count, squares, kind, size)
    linear, square, table = spatial
    return log_rho(x, linear, square, table)


@compiled
def slice_one(which, x0, width, data, rng):  # type: ignore[no-untyped-def]
    """One univariate slice step by stepping out and shrinking (Neal 2003)."""
    level = log_one(which, x0, data) + math.log(rng.random() + 1e-300)
    left = x0 - width * rng.random()
    right = left + width
    for _ in range(_STEPS):
        if log_one(which, left, data) <= level:
            break
        left -= width
    for _ in range(_STEPS):
        if log_one(which, right, data) <= level:
            break
        right += width
    for _ in range(200):
        x = left + (right - left) * rng.random()
        if log_one(which, x, data) > level:
            return x
        if x < x0:
            left = x
        else:
            right = x
    return x0


@compiled
def weighted_products(omega, V, start, column, intercept, m, extra, G, c, total):  # type: ignore[no-untyped-def]
    """Weighted cross-products of period dummies, intercept and values, units eliminated.

    Parameters
    ----------
    V
        Regressors, outcome and its spatial lag, shape (n, K + 2).
    column
        Of each row's period dummy, or -1.
    intercept
        Column of the intercept, or -1.
    extra
        What eliminated units' own weight has beside that of their rows; -1 eliminates none.
    """
    Q = V.shape[1]
    G[:] = 0.0
    for i in range(len(start) - 1):
        own = c[i]
        own[:] = 0.0
        s = 0.0
        for row in range(start[i], start[i + 1]):
            w, p = omega[row], column[row]
            s += w
            if p >= 0:
                G[p, p] += w
                own[p] += w
            for j in range(Q):
                x = w * V[row, j]
                own[m + j] += x
                if p >= 0:
                    G[m + j, p] += x
                for k in range(j + 1):
                    G[m + j, m + k] += x * V[row, k]
        if intercept >= 0:
            own[intercept] += s
            for p in range(intercept):  # period dummies come before the intercept
                G[intercept, p] += own[p]
            G[intercept, intercept] += s
            for j in range(Q):
                G[m + j, intercept] += own[m + j]
        total[i] = s
        if extra >= 0:
            share = 1.0 / (s + extra)
            for j in range(m + Q):
                if own[j] != 0.0:
                    x = own[j] * share
                    for k in range(j + 1):
                        G[j, k] -= x * own[k]
    for j in range(m + Q):
        for k in range(j):
            G[k, j] = G[j, k]


@compiled
def coefficient_system(G, precision, mean, sigma):  # type: ignore[no-untyped-def]
    """Cholesky factor of the coefficients' precision and its two right sides, solved once.

    The right sides are those of the outcome with the prior, and of its spatial lag.
    """
    P = len(precision)
    s2 = 1.0 / (sigma * sigma)
    B = G[:P, :P] * s2
    for k in range(P):
        B[k, k] += precision[k] + _ROUNDING * B[k, k]
    L = np.linalg.cholesky(B)
    h, g = np.empty(P), np.empty(P)
    for k in range(P):
        a, b = G[k, P] * s2 + precision[k] * mean[k], G[k, P + 1] * s2
        for j in range(k):
            a -= L[k, j] * h[j]
            b -= L[k, j] * g[j]
        h[k], g[k] = a / L[k, k], b / L[k, k]
    return L, h, g


@compiled
def residuals(V, theta, rho, level, column, intercept, m, unit, r):  # type: ignore[no-untyped-def]
    """``y - rho W y - Z theta``, less the unit's level, shape (n,)."""
    K = V.shape[1] - 2
    for row in range(len(r)):
        value = V[row, K] - rho * V[row, K + 1] - level[unit[row]]
        if column[row] >= 0:
            value -= theta[column[row]]
        if intercept >= 0:
            value -= theta[intercept]
        for k in range(K):
            value -= V[row, k] * theta[m + k]
        r[row] = value
