"""One compiled chain of :mod:`bayesdid.inference.exact.tails`."""

from __future__ import annotations

import math

import numpy as np

from bayesdid.inference.exact.tails_kernel import (
    coefficient_system,
    compiled,
    residuals,
    slice_one,
    weighted_products,
)

_JUMPED = 100  # rows of a level, above which its density has one mode


@compiled
def jump(order, start, pinned, nu, sigma, root, r, level, tau, rng):  # type: ignore[no-untyped-def]
    """Move each level by a proposal that knows all its modes; residuals `r` follow.

    Proposed is a mixture of the rows' own kernels around their residuals, whose density at either
    end is made of the same numbers as the target's (an independence step, Tierney 1994).

    Parameters
    ----------
    order, start
        Rows of each level, and where they begin.
    pinned
        First level that moves.
    tau
        Scale of random levels, 0 of flat ones.
    """
    half = 0.5 * (nu + 1.0)
    for i in range(pinned, len(start) - 1):
        n = start[i + 1] - start[i]
        if n < 2 or n > _JUMPED:
            continue
        chosen = order[start[i] + int(rng.random() * n)]
        noise = rng.standard_normal() / math.sqrt(rng.standard_gamma(0.5 * nu) * 2.0 / nu)
        move = r[chosen] + sigma / root[chosen] * noise
        old = new = old_mixture = new_mixture = 0.0
        for k in range(start[i], start[i + 1]):
            row = order[k]
            before, after = r[row] * root[row] / sigma, (r[row] - move) * root[row] / sigma
            a = -half * math.log1p(before * before / nu)
            b = -half * math.log1p(after * after / nu)
            old += a
            new += b
            old_mixture += root[row] * math.exp(a)
            new_mixture += root[row] * math.exp(b)
        ratio = new - old + math.log(old_mixture + 1e-300) - math.log(new_mixture + 1e-300)
        if tau > 0:
            ratio -= 0.5 * ((level[i] + move) ** 2 - level[i] ** 2) / (tau * tau)
        if math.log(rng.random() + 1e-300) < ratio:
            level[i] += move
            for k in range(start[i], start[i + 1]):
                r[order[k]] -= move


@compiled
def run_tails(begin, coefficients, scales, rows, effects, table, sizes, rng):  # type: ignore[no-untyped-def]
    """Warm-up and draws of one chain, by the steps of :mod:`tails_kernel`.

    Returns
    -------
    Coefficients (S, P), scalars (S, 5): sigma, nu, scales of units and periods, rho; units (S, N).
    """
    z, rho = begin
    sd, mean, proper, reference = coefficients
    sigma_prior, group_kind, group_size = scales
    V, root, unit, start, period_order, period_start = rows
    unit_kind, period_kind, column, intercept, m, pinned = effects
    warmup, kept = sizes
    n, N, P = len(V), len(start) - 1, len(sd)
    K = P - m
    lagged = len(table[2]) > 1
    theta, level, r = np.zeros(P), np.zeros(N), np.empty(n)
    log_unit = math.log(reference) if reference > 0 else z[0]
    log_period = log_unit - 1.0
    periods = float(len(period_start) - 1)
    unit_rows = np.arange(n)
    omega, precision = np.empty(n), np.empty(P)
    G, c, total = np.zeros((P + 2, P + 2)), np.zeros((N, P + 2)), np.zeros(N)
    left = np.zeros(N)
    width = np.array([0.3, 1.0, 0.5, 1.0, 0.1])
    thetas, scalars = np.empty((kept, P)), np.empty((kept, 5))
    units = np.empty((kept, N if unit_kind else 0))
    moved = np.zeros(5)
    for row in range(n):
        r[row] = V[row, K] - rho * V[row, K + 1]
    for sweep in range(warmup + kept):
        sigma, nu = math.exp(z[0]), 1.0 + math.exp(z[1])
        ratio = sigma / reference if reference > 0 else 1.0
        if sweep:
            tau = math.exp(log_unit) * ratio if unit_kind == 2 else 0.0
            if unit_kind:
                jump(unit_rows, start, 0, nu, sigma, root, r, level, tau, rng)
            if period_kind:
                tau = math.exp(log_period) * ratio if period_kind == 2 else 0.0
                shifts = theta[:m] if pinned == 0 else np.append(np.zeros(1), theta[:m])
                jump(period_order, period_start, pinned, nu, sigma, root, r, shifts, tau, rng)
                for k in range(len(period_start) - 1 - pinned):
                    theta[k] = shifts[k + pinned]
        squares = 0.0
        if period_kind == 2:
            for k in range(len(period_start) - 1):
                squares += theta[k] * theta[k]
        own = np.zeros(2)  # number and squares of what has its sd in units of sigma
        if reference > 0:
            for k in range(m, P):
                if proper[k] > 0:
                    own[0] += 1
                    own[1] += ((theta[k] - mean[k]) * reference / sd[k]) ** 2
            if unit_kind == 2:
                own[0] += N
                own[1] += (level**2).sum() * (reference / math.exp(log_unit)) ** 2
            if period_kind == 2:
                own[0] += periods
                own[1] += squares * (reference / math.exp(log_period)) ** 2
        plain = (z, r, root, own, sigma_prior)
        data = (
            plain,
            ((sigma, total, left), ratio, group_kind, group_size),
            (ratio, periods, squares, group_kind, group_size),
            (0.0, 0.0, table),
        )
        for which in range(2):
            x = slice_one(which, z[which], width[which], data, rng)
            moved[which] = abs(x - z[which])
            z[which] = x
        sigma, nu = math.exp(z[0]), 1.0 + math.exp(z[1])
        ratio = sigma / reference if reference > 0 else 1.0
        for row in range(n):
            e = r[row] * root[row] / sigma
            scale = rng.standard_gamma(0.5 * (nu + 1)) / (0.5 * (nu + e * e))
            omega[row] = scale * root[row] * root[row]
        if unit_kind == 2:
            left[:] = 0.0
            total[:] = 0.0
            for row in range(n):
                total[unit[row]] += omega[row]
                left[unit[row]] += omega[row] * (r[row] + level[unit[row]])
        data = (
            plain,
            ((sigma, total, left), ratio, group_kind, group_size),
            (ratio, periods, squares, group_kind, group_size),
            (0.0, 0.0, table),
        )
        if unit_kind == 2:
            x = slice_one(2, log_unit, width[2], data, rng)
            moved[2] = abs(x - log_unit)
            log_unit = x
        if period_kind == 2:
            x = slice_one(3, log_period, width[3], data, rng)
            moved[3] = abs(x - log_period)
            log_period = x
        extra = -1.0
        if unit_kind == 1:
            extra = 0.0
        elif unit_kind == 2:
            extra = (sigma / (math.exp(log_unit) * ratio)) ** 2
        weighted_products(omega, V, start, column, intercept, m, extra, G, c, total)
        for k in range(P):
            precision[k] = proper[k] / (sd[k] * (ratio if k >= m else 1.0)) ** 2
        if period_kind == 2:
            for k in range(len(period_start) - 1):
                precision[k] = 1.0 / (math.exp(log_period) * ratio) ** 2
        L, h, g = coefficient_system(G, precision, mean, sigma)
        if lagged:
            s2 = 1.0 / (sigma * sigma)
            linear = G[P, P + 1] * s2 - h @ g
            square = -0.5 * (G[P + 1, P + 1] * s2 - g @ g)
            data = (data[0], data[1], data[2], (linear, square, table))
            x = slice_one(4, rho, width[4], data, rng)
            moved[4] = abs(x - rho)
            rho = x
        for k in range(P - 1, -1, -1):
            value = h[k] - rho * g[k] + rng.standard_normal()
            for j in range(k + 1, P):
                value -= L[j, k] * theta[j]
            theta[k] = value / L[k, k]
        if unit_kind:
            for i in range(N):
                precise = total[i] + extra
                middle = c[i, P] - rho * c[i, P + 1]
                for k in range(P):
                    middle -= c[i, k] * theta[k]
                noise = sigma / math.sqrt(precise) * rng.standard_normal()
                level[i] = middle / precise + noise
        residuals(V, theta, rho, level, column, intercept, m, unit, r)
        if sweep < warmup:
            for k in range(5):  # twice the typical move: about one step out
                width[k] = min(max(0.9 * width[k] + 0.2 * moved[k], 1e-3), 10.0)
            continue
        at = sweep - warmup
        thetas[at] = theta
        scalars[at, 0], scalars[at, 1], scalars[at, 4] = math.exp(z[0]), nu, rho
        scalars[at, 2] = math.exp(log_unit) * ratio
        scalars[at, 3] = math.exp(log_period) * ratio
        if unit_kind:
            units[at] = level
    return thetas, scalars, units
