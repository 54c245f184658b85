"""The compiled sweep of :mod:`bayesdid.inference.exact.scales`: arrays in, draws out.

Symbols are those of that module. Every function takes plain arrays, so that Numba compiles it
once and keeps the result on disk.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

# numba's cache asks the file of each function alone whether it has changed, not those it calls:
# a change here needs one in scales_chain.py
compiled: Any = numba.njit(cache=True, nogil=True, error_model="numpy")
LIMIT = 8.0  # of |atanh phi|
_LARGE = 1e200
_ROUNDING = 1e-11  # of the largest square of a column: below, nothing of a column is left
_STEPS = 30  # of a slice's width in either direction


@compiled
def weights_of_phi(phi, gaps, plain, matrices, vectors):  # type: ignore[no-untyped-def]
    """Weights of the fixed matrices, (1 + 2 L,), and vectors, (basis,); log(1 - c^2), (L,)."""
    L = len(gaps)
    logs = np.zeros(L)
    matrices[0] = vectors[0] = 1.0
    for k in range(L):
        c = abs(phi) ** gaps[k]
        if phi < 0 and gaps[k] % 2 == 1:
            c = -c
        left = -math.expm1(2 * gaps[k] * math.log(max(abs(phi), 1e-300)))
        matrices[1 + k] = c * c / left
        matrices[1 + L + k] = -c / left
        if plain:
            vectors[1 + k] = -c / (1 + c)
        else:
            vectors[1 + k] = c * c / left
            vectors[1 + L + k] = -c / left
        logs[k] = math.log(left)
    return logs


@compiled
def log_prior_scale(kind, size, tau):  # type: ignore[no-untyped-def]
    """Log prior density of log tau: flat on tau, gamma of shape 2, half-normal, 1 / tau."""
    log_tau = math.log(tau)
    if kind == 0:
        return log_tau
    if kind == 1:
        return 2 * log_tau - 2 * tau / size
    if kind == 2:
        return log_tau - 0.5 * (tau / size) ** 2
    if kind == 3:
        return 0.0
    return log_tau - tau / size  # 4: exponential


@compiled
def squares(q, e, d, matrices, vectors, f, g, total):  # type: ignore[no-untyped-def]
    """Of each unit ``r'Vr``, ``u'Vr`` and of each pattern ``u'Vu``, at given weights."""
    for p in range(len(total)):
        total[p] = d[p] @ vectors
    for i in range(len(f)):
        a = 0.0
        for k in range(len(matrices)):
            a += q[i, k] * matrices[k]
        b = 0.0
        for k in range(len(vectors)):
            b += e[i, k] * vectors[k]
        f[i] = a
        g[i] = b


@compiled
def log_marginal(nu, sigma, rest, dof, table, counts):  # type: ignore[no-untyped-def]
    """Log density of residuals with every lambda integrated out, multivariate t by unit."""
    value = 0.0
    half = 0.5 * nu
    for k in range(len(table)):
        value += counts[k] * math.lgamma(half + 0.5 * table[k])
    N = len(rest)
    value += N * (half * math.log(half) - math.lgamma(half))
    scale = 0.5 / (sigma * sigma)
    for k in range(len(table)):
        value -= counts[k] * table[k] * math.log(sigma)
    product, m = 1.0, dof[0]  # a logarithm of a product costs less than many logarithms
    for i in range(N):
        if dof[i] != m or product > _LARGE or product < 1 / _LARGE:
            value -= (half + 0.5 * m) * math.log(product)
            product, m = 1.0, dof[i]
        product *= half + rest[i] * scale
    return value - (half + 0.5 * m) * math.log(product)


@compiled
def log_given_lambda(sigma, ratio, lam, f, g, total, pattern, n_of, random):  # type: ignore[no-untyped-def]
    """Log density of residuals given lambda, random unit effects integrated out."""
    value, product, rows = 0.0, 1.0, 0.0
    for i in range(len(lam)):
        rest = f[i]
        rows += n_of[i]
        if random:
            grown = 1.0 + lam[i] * ratio * total[pattern[i]]
            if product > _LARGE:
                value -= 0.5 * math.log(product)
                product = 1.0
            product *= grown
            rest -= g[i] * g[i] * lam[i] * ratio / grown
        value -= 0.5 * lam[i] * rest / (sigma * sigma)
    return value - 0.5 * math.log(product) - rows * math.log(sigma)


@compiled
def log_scalars(which, x, state, data):  # type: ignore[no-untyped-def]
    """Log density of one scalar's coordinate given the others.

    `which`: 0 log one-period sd, 1 atanh phi, 2 log(nu - 1), lambdas integrated out; 3 and 4 the
    first two given lambdas, random unit effects integrated out; 5 log sigma_unit likewise.
    """
    z, lam, a, f, g, total, rest, matrices, vectors = state
    (
        q,
        e,
        d,
        dof,
        table,
        counts,
        pattern,
        n_of,
        gaps,
        gap_counts,
        sizes,
        plain,
        unit,
        serial,
        prior_sigma,
        prior_unit,
        prior_nu,
    ) = data
    old = z[which % 3] if which < 5 else z[3]
    position = which % 3 if which < 5 else 3
    z[position] = x
    if abs(z[1]) > LIMIT or abs(x) > 300:
        z[position] = old
        return -np.inf
    phi = math.tanh(z[1]) if serial else 0.0
    log_cosh = math.log(math.cosh(z[1])) if serial else 0.0
    sigma = math.exp(z[0] + log_cosh)
    nu = 1.0 + math.exp(z[2])
    value = log_prior_scale(prior_sigma[0], prior_sigma[1], sigma)
    value += prior_nu[0] * z[2] - prior_nu[1] * math.exp(z[2])
    if serial:
        value -= 2 * log_cosh
        logs = weights_of_phi(phi, gaps, plain, matrices, vectors)
        if which == 1 or which == 4:
            squares(q, e, d, matrices, vectors, f, g, total)
        for k in range(len(gaps)):
            value -= 0.5 * gap_counts[k] * logs[k]
    if which < 3:
        if which < 2 and unit == 1 and serial:
            for p in range(len(total)):
                value -= 0.5 * sizes[p] * math.log(total[p])
        residual_squares(f, g, total, a, pattern, unit, rest)
        value += log_marginal(nu, sigma, rest, dof, table, counts)
    else:
        tau = math.exp(z[3])
        if unit == 2:
            value += log_prior_scale(prior_unit[0], prior_unit[1], tau)
        ratio = (tau / sigma) ** 2
        value += log_given_lambda(sigma, ratio, lam, f, g, total, pattern, n_of, unit == 2)
    z[position] = old
    return value


@compiled
def residual_squares(f, g, total, a, pattern, unit, rest):  # type: ignore[no-untyped-def]
    """Each unit's ``(r - a u)'V(r - a u)``; flat unit effects (1) projected out instead."""
    for i in range(len(f)):
        if unit == 1:
            rest[i] = max(f[i] - g[i] * g[i] / total[pattern[i]], 0.0)
        elif unit == 2:
            rest[i] = max(f[i] - 2 * a[i] * g[i] + a[i] * a[i] * total[pattern[i]], 0.0)
        else:
            rest[i] = f[i]


@compiled
def slice_step(which, width, state, data, rng):  # type: ignore[no-untyped-def]
    """One univariate slice step by stepping out and shrinking (Neal 2003); its distance."""
    z = state[0]
    position = which % 3 if which < 5 else 3
    x0 = z[position]
    level = log_scalars(which, x0, state, data) + math.log(rng.random() + 1e-300)
    left = x0 - width * rng.random()
    right = left + width
    for _ in range(_STEPS):
        if log_scalars(which, left, state, data) <= level:
            break
        left -= width
    for _ in range(_STEPS):
        if log_scalars(which, right, state, data) <= level:
            break
        right += width
    for _ in range(200):
        x = left + (right - left) * rng.random()
        if log_scalars(which, x, state, data) > level:
            z[position] = x
            break
        if x < x0:
            left = x
        else:
            right = x
    return abs(z[position] - x0)


@compiled
def systems(G, d, proper, mean, sigma):  # type: ignore[no-untyped-def]
    """Bordered Cholesky factor of the coefficients' precision, and its log density.

    G is (P + 1, P + 1) with the outcome last; `d` prior sds, 1 where flat; `proper` 1 or 0.
    """
    P = len(d)
    B = np.empty((P + 1, P + 1))
    shifted = np.empty(P)
    corner = G[P, P]
    for i in range(P):
        shifted[i] = G[i, P]
        for j in range(P):
            if mean[j] != 0.0:
                shifted[i] -= G[i, j] * mean[j]
        corner -= mean[i] * (G[i, P] + shifted[i])
    s2 = 1.0 / (sigma * sigma)
    for i in range(P):
        for j in range(P):
            B[i, j] = d[i] * d[j] * G[i, j] * s2
        B[i, i] += proper[i]
        B[P, i] = B[i, P] = d[i] * shifted[i] * s2
    # room for rounding: the last pivot does not enter what is computed from the factor
    B[P, P] = corner * s2 * (1 + 1e-9) + 1.0
    L = np.linalg.cholesky(B)
    value = 0.0
    for i in range(P):
        value += 0.5 * L[P, i] * L[P, i] - math.log(L[i, i])
    return L, value


@compiled
def prior_sds(sd, part, tau, d):  # type: ignore[no-untyped-def]
    """Prior sds of the coefficients at the scales of their parts."""
    for k in range(len(d)):
        d[k] = sd[k] if part[k] < 0 else sd[k] * tau[part[k]]


@compiled
def without_others(G, sd, part, proper, mean, sigma):  # type: ignore[no-untyped-def]
    """Cross-products of the columns of parts and the outcome, other coefficients integrated out.

    The others' prior sds do not change within a sweep, so that they are taken out once for all
    parts. Of P coefficients L are in parts: shape (L + 1, L + 1), the outcome last.
    """
    P = len(sd)
    L = 0
    for i in range(P):
        L += part[i] >= 0
    inside, others = np.empty(L + 1, dtype=np.int64), np.empty(P - L, dtype=np.int64)
    a = b = 0
    for i in range(P):
        if part[i] >= 0:
            inside[a] = i
            a += 1
        else:
            others[b] = i
            b += 1
    inside[L] = P
    left = np.empty((L + 1, L + 1))
    for i in range(L + 1):
        for j in range(L + 1):
            left[i, j] = G[inside[i], inside[j]]
    if P == L:
        return left
    own, cross = np.empty((P - L, P - L)), np.empty((P - L, L + 1))
    for i in range(P - L):
        at = others[i]
        for j in range(P - L):
            own[i, j] = G[at, others[j]]
        own[i, i] += proper[at] * (sigma / sd[at]) ** 2
        for j in range(L + 1):
            cross[i, j] = G[at, inside[j]]
        # the outcome less what the prior means of the others explain
        for j in range(P - L):
            cross[i, L] -= G[at, others[j]] * mean[others[j]]
    for i in range(L):
        for j in range(P - L):
            left[i, L] -= G[inside[i], others[j]] * mean[others[j]]
        left[L, i] = left[i, L]
    for j in range(P - L):
        left[L, L] -= mean[others[j]] * (G[others[j], P] + cross[j, L])
    return left - cross.T @ np.linalg.solve(own, cross)


@compiled
def part_alone(own, sd, sigma, size):  # type: ignore[no-untyped-def]
    """What one part's columns add once all other coefficients are integrated out.

    Parameters
    ----------
    own
        Their cross-products with each other and, last, with the outcome, (L + 1, L + 1).
    size
        Their squares before anything was integrated out, (L,).

    Returns
    -------
    S, v, unit
        (L, L) and (L,), of the columns in units of `unit`: at the scale ``r unit`` their precision
        is ``I + r^2 S`` and its right side ``r v``.
    """
    L, largest = len(sd), 1e-300
    for i in range(L):
        largest = max(largest, sd[i] * sd[i] * size[i])
    unit = sigma / math.sqrt(largest)
    S, v = np.empty((L, L)), np.empty(L)
    for i in range(L):
        one = sd[i] * unit / sigma
        v[i] = one * own[i, L] / sigma
        for j in range(L):
            S[i, j] = one * own[i, j] * sd[j] * unit / sigma
    return S, v, unit


@compiled
def kept_alone(H, kept, d, sigma):  # type: ignore[no-untyped-def]
    """Cross-products of some columns, the others integrated out at their scales `d`.

    Parameters
    ----------
    H
        Of all columns and, last, the outcome, (n + 1, n + 1).
    kept
        Positions of those that stay, ascending.
    """
    n, L = len(H) - 1, len(kept)
    order, scale = np.empty(n, dtype=np.int64), np.empty(n)
    a, b = 0, 0
    for i in range(n):
        if b < L and kept[b] == i:
            order[n - L + b] = i
            b += 1
        else:
            order[a] = i
            a += 1
    least = 1e-300
    for i in range(n):
        least = max(least, _ROUNDING * H[i, i])
    for i in range(n):
        at = order[i]  # those that stay are of size one, or below it if others span them
        scale[i] = (d[at] if i < n - L else sigma / math.sqrt(max(H[at, at], least))) / sigma
    B = np.empty((n + 1, n + 1))
    for i in range(n):
        row = H[order[i]]
        for j in range(i):
            B[i, j] = B[j, i] = scale[i] * scale[j] * row[order[j]]
        B[i, i] = scale[i] * scale[i] * row[order[i]] + 1.0
        B[n, i] = B[i, n] = scale[i] * row[n] / sigma
    # room for rounding: the last pivot does not enter what is computed from the factor
    B[n, n] = H[n, n] / sigma / sigma * (1 + 1e-9) + 1.0
    factor = np.linalg.cholesky(B)
    corner, border = factor[n - L : n, n - L : n].copy(), factor[n, n - L : n].copy()
    left, right = corner @ corner.T, corner @ border
    found = np.empty((L + 1, L + 1))
    for i in range(L):
        one = scale[n - L + i]
        for j in range(L):
            found[i, j] = (left[i, j] - (i == j)) / (one * scale[n - L + j])
        found[i, L] = found[L, i] = right[i] * sigma / one
    found[L, L] = H[n, n]  # no less than what is left of it
    return found


@compiled
def log_part(x, S, v, unit, sigma, kind, size):  # type: ignore[no-untyped-def]
    """Log density of the log scale of a part, coefficients integrated out."""
    if abs(x - math.log(sigma)) > 14.0:
        return -np.inf
    tau = math.exp(x)
    r = tau / unit
    B = r * r * S
    for i in range(len(v)):
        B[i, i] += 1.0
    try:
        L = np.linalg.cholesky(B)
    except Exception:
        return -np.inf
    value = log_prior_scale(kind, size, tau)
    w = np.empty(len(v))
    for i in range(len(v)):
        w[i] = r * v[i]
        for j in range(i):
            w[i] -= L[i, j] * w[j]
        w[i] /= L[i, i]
        value += 0.5 * w[i] * w[i] - math.log(L[i, i])
    return value


@compiled
def slice_part(k, width, tau, S, v, unit, sigma, kinds, sizes, rng):  # type: ignore[no-untyped-def]
    """As :func:`slice_step`, for the log scale of part k."""
    x0 = math.log(tau[k])
    level = log_part(x0, S, v, unit, sigma, kinds[k], sizes[k])
    level += math.log(rng.random() + 1e-300)
    left = x0 - width * rng.random()
    right = left + width
    for _ in range(_STEPS):
        if log_part(left, S, v, unit, sigma, kinds[k], sizes[k]) <= level:
            break
        left -= width
    for _ in range(_STEPS):
        if log_part(right, S, v, unit, sigma, kinds[k], sizes[k]) <= level:
            break
        right += width
    for _ in range(200):
        x = left + (right - left) * rng.random()
        if log_part(x, S, v, unit, sigma, kinds[k], sizes[k]) > level:
            tau[k] = math.exp(x)
            break
        if x < x0:
            left = x
        else:
            right = x
    return abs(math.log(tau[k]) - x0)


@compiled
def middle_part(first, end, at, part):  # type: ignore[no-untyped-def]
    """Where parts `first` to `end` are parted, as many columns `at` in either half as may be."""
    middle, least = first + 1, 2 * len(at)
    for k in range(first + 1, end):
        before = 0
        for i in at:
            before += part[i] < k
        if abs(2 * before - len(at)) < least:
            middle, least = k, abs(2 * before - len(at))
    return middle


@compiled
def slice_parts(H, width, moved, tau, sd, part, sigma, kinds, sizes, rng):  # type: ignore[no-untyped-def]
    """Slices of the log scales of all parts, one after the other.

    Half of the parts are integrated out for the other half, and so on within it: each part is
    drawn given the newest scales of all others, and what several have in common is done once.

    Parameters
    ----------
    H
        Cross-products of the columns of parts and, last, those with the outcome, all other
        columns integrated out.
    sd, part
        Of the columns of parts.
    """
    spans, columns, left = [(0, len(tau))], [np.arange(len(sd))], [H]
    for k in range(len(tau)):
        while k >= spans[-1][1]:
            spans.pop()
            columns.pop()
            left.pop()
        while spans[-1][1] - spans[-1][0] > 1:
            first, end = spans[-1]
            at = columns[-1]
            middle = middle_part(first, end, at, part)
            low, high = (first, middle) if k < middle else (middle, end)
            d, kept, L = np.empty(len(at)), np.empty(len(at), dtype=np.int64), 0
            for i in range(len(at)):
                d[i] = sd[at[i]] * tau[part[at[i]]]
                if low <= part[at[i]] < high:
                    kept[L] = i
                    L += 1
            inside = kept[:L].copy()
            left.append(kept_alone(left[-1], inside, d, sigma))
            columns.append(at[inside])
            spans.append((low, high))
        own = columns[-1]
        size = np.empty(len(own))
        for i in range(len(own)):
            size[i] = H[own[i], own[i]]
        S, v, unit = part_alone(left[-1], sd[own], sigma, size)
        moved[k] = slice_part(k, width[k], tau, S, v, unit, sigma, kinds, sizes, rng)
