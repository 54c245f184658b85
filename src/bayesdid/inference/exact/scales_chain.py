"""One compiled chain of :mod:`bayesdid.inference.exact.scales`."""

from __future__ import annotations

import math

import numpy as np

from bayesdid.inference.exact.scales_kernel import (
    compiled,
    prior_sds,
    residual_squares,
    slice_parts,
    slice_step,
    squares,
    systems,
    weights_of_phi,
    without_others,
)


@compiled
def normal_equations(lam, omega, phi, matrices, vectors, rows, panel, G):  # type: ignore[no-untyped-def]
    """Weighted cross-products of periods, intercept, regressors and outcome, units eliminated.

    ``sum_i lambda_i X'V X - omega_i X'V u u'V X`` over units, patterns of rows at a time. Of each
    unit only the columns that are not zero in it count: dummies of cells are in few units.
    """
    W, start = rows[0], rows[3]
    (M, active, begin, E, pattern, first) = panel[:6]
    (pattern_period, pattern_gap, pattern_root, T, columns) = panel[6:]
    N, K1, m = len(lam), W.shape[1], len(columns)
    patterns = len(first) - 1
    G[m:, m:] = 0.0
    total, out = np.zeros(patterns), np.zeros(patterns)
    weighted = np.zeros((len(pattern_period), K1))
    crossed = np.zeros((patterns, K1))
    b = np.empty(K1)
    # weighted once for all units, along the memory
    packed = matrices[0] * M[0]
    for c in range(1, len(M)):
        packed += matrices[c] * M[c]
    v = 0
    for i in range(N):
        p = pattern[i]
        total[p] += lam[i]
        out[p] += omega[i]
        own = active[begin[i] : begin[i + 1]]
        n = len(own)
        for j in range(n):
            b[j] = 0.0
            for k in range(E.shape[1]):
                b[j] += vectors[k] * E[i, k, own[j]]
        for j in range(n):
            scaled = omega[i] * b[j]
            crossed[p, own[j]] += scaled
            row = G[m + own[j]]
            for k in range(j + 1):
                row[m + own[k]] += lam[i] * packed[v + k] - scaled * b[k]
            v += j + 1
        shift = first[p] - start[i]
        for r in range(start[i], start[i + 1]):
            if len(own) == K1:
                for j in range(K1):
                    weighted[r + shift, j] += lam[i] * W[r, j]
            else:
                for j in own:
                    weighted[r + shift, j] += lam[i] * W[r, j]
    full = np.zeros((T + 1, T + 1 + K1))
    size = 0
    for p in range(patterns):
        size = max(size, first[p + 1] - first[p])
    diagonal, off, s = np.empty(size), np.empty(size + 1), np.empty(size)
    for p in range(patterns):
        a, n = first[p], first[p + 1] - first[p]
        for r in range(n):
            diagonal[r], off[r] = 1.0, 0.0
        off[n] = 0.0
        for r in range(1, n):
            gap = pattern_gap[a + r]
            if gap > 0:
                c = abs(phi) ** gap
                if phi < 0 and gap % 2 == 1:
                    c = -c
                left = -math.expm1(2 * gap * math.log(max(abs(phi), 1e-300)))
                diagonal[r] += c * c / left
                diagonal[r - 1] += c * c / left
                off[r] = -c / left
        for r in range(n):
            s[r] = diagonal[r] * pattern_root[a + r]
            if r > 0:
                s[r] += off[r] * pattern_root[a + r - 1]
            if r < n - 1:
                s[r] += off[r + 1] * pattern_root[a + r + 1]
        for r in range(n):
            t, u = pattern_period[a + r], pattern_root[a + r]
            full[t, t] += total[p] * diagonal[r] * u * u
            if r > 0:
                q = pattern_period[a + r - 1]
                value = total[p] * off[r] * u * pattern_root[a + r - 1]
                full[t, q] += value
                full[q, t] += value
            if out[p] != 0.0:
                for z in range(n):
                    q = pattern_period[a + z]
                    full[t, q] -= out[p] * s[r] * u * s[z] * pattern_root[a + z]
            for j in range(K1):
                value = diagonal[r] * weighted[a + r, j]
                if r > 0:
                    value += off[r] * weighted[a + r - 1, j]
                if r < n - 1:
                    value += off[r + 1] * weighted[a + r + 1, j]
                full[t, T + 1 + j] += u * (value - s[r] * crossed[p, j])
    for t in range(T):  # the intercept is the sum of all period dummies
        for q in range(T):
            full[T, q] += full[t, q]
        for j in range(K1):
            full[T, T + 1 + j] += full[t, T + 1 + j]
    for t in range(T):
        full[t, T] = full[T, t]
        full[T, T] += full[T, t]
    for i in range(m):
        for j in range(m):
            G[i, j] = full[columns[i], columns[j]]
        for j in range(K1):
            G[i, m + j] = G[m + j, i] = full[columns[i], T + 1 + j]
    for j in range(K1):
        for k in range(j):
            G[m + k, m + j] = G[m + j, m + k]


@compiled
def residual_sums(theta, rows, gap_index, gap_kinds, plain, panel, q, e):  # type: ignore[no-untyped-def]
    """Fixed sums of each unit's residuals: squares, (N, 1 + 2 L), and with u, (N, basis)."""
    W, root, period, start = rows
    active, begin, T, columns = panel[1], panel[2], panel[9], panel[10]
    K, m = W.shape[1] - 1, len(columns)
    level = np.zeros(T)
    for k in range(m):
        if columns[k] < T:
            level[columns[k]] += theta[k]
        else:
            level += theta[k]
    L = gap_kinds
    for i in range(len(start) - 1):
        q[i, :] = 0.0
        e[i, :] = 0.0
        before, u_before = 0.0, 0.0
        for r in range(start[i], start[i + 1]):
            u = root[r]
            value = W[r, K] - u * level[period[r]]
            if begin[i + 1] - begin[i] == K + 1:
                for k in range(K):
                    value -= W[r, k] * theta[m + k]
            else:
                for v in range(begin[i], begin[i + 1] - 1):  # the last is the outcome
                    value -= W[r, active[v]] * theta[m + active[v]]
            q[i, 0] += value * value
            e[i, 0] += u * value
            k = gap_index[r]
            if k >= 0:
                q[i, 1 + k] += value * value + before * before
                q[i, 1 + L + k] += 2 * value * before
                e[i, 1 + k] += u * value + u_before * before
                if not plain:
                    e[i, 1 + L + k] += u_before * value + u * before
            before, u_before = value, u


@compiled
def run_chain(start_values, priors, coefficients, rows, panel, data, sizes, rng):  # type: ignore[no-untyped-def]
    """Warm-up and draws of one chain, by the steps of :mod:`scales_kernel`."""
    z, tau = start_values
    part_kinds, part_sizes = priors
    sd, mean, part, proper = coefficients
    q, e, d_pattern, dof = data[:4]
    pattern, gaps = data[6], data[8]
    plain, unit, serial = data[11:14]
    warmup, kept, keep_units, gap_index = sizes
    start = rows[3]
    N, P = len(start) - 1, len(sd)
    L, parts = len(gaps), len(tau)
    matrices, vectors = np.ones(1 + 2 * L), np.ones(e.shape[1])
    f, g, total, rest = np.zeros(N), np.zeros(N), np.zeros(len(d_pattern)), np.zeros(N)
    a, lam, omega = np.zeros(N), np.empty(N), np.zeros(N)
    for i in range(N):
        lam[i] = math.exp(0.3 * rng.standard_normal())
    state = (z, lam, a, f, g, total, rest, matrices, vectors)
    width, moved = np.ones(6 + parts), np.zeros(6 + parts)
    d, G, theta = np.ones(P), np.zeros((P + 1, P + 1)), np.zeros(P)
    inside = part >= 0
    sd_in, part_in, alone = sd[inside], part[inside], G
    thetas, scalars, taus = np.empty((kept, P)), np.empty((kept, 5)), np.empty((kept, parts))
    units, lambdas = np.empty((kept * keep_units, N)), np.empty((kept * keep_units, N))
    moments = np.zeros((5, N))
    for sweep in range(warmup + kept):
        phi = math.tanh(z[1]) if serial else 0.0
        sigma = math.exp(z[0]) * (math.cosh(z[1]) if serial else 1.0)
        weights_of_phi(phi, gaps, plain, matrices, vectors)
        for p in range(len(total)):
            total[p] = d_pattern[p] @ vectors
        ratio = (math.exp(z[3]) / sigma) ** 2
        for i in range(N):
            if unit == 1:
                omega[i] = lam[i] / total[pattern[i]]
            elif unit == 2:
                omega[i] = lam[i] / (total[pattern[i]] + 1.0 / (lam[i] * ratio))
        normal_equations(lam, omega, phi, matrices, vectors, rows, panel, G)
        if parts:  # a column that others span keeps its prior
            alone = without_others(G, sd, part, proper, mean, sigma)
            slice_parts(
                alone, width[6:], moved[6:], tau, sd_in, part_in, sigma, part_kinds, part_sizes, rng
            )
        prior_sds(sd, part, tau, d)
        factor = systems(G, d, proper, mean, sigma)[0]
        for k in range(P - 1, -1, -1):
            value = factor[P, k] + rng.standard_normal()
            for j in range(k + 1, P):
                value -= factor[j, k] * theta[j]
            theta[k] = value / factor[k, k]
        for k in range(P):
            theta[k] = mean[k] + d[k] * theta[k]
        residual_sums(theta, rows, gap_index, L, plain, panel, q, e)
        squares(q, e, d_pattern, matrices, vectors, f, g, total)
        if unit == 2:
            for which in (5, 3, 4):
                if which == 4 and not serial:
                    continue
                moved[which] = slice_step(which, width[which], state, data, rng)
            phi = math.tanh(z[1]) if serial else 0.0
            sigma = math.exp(z[0]) * (math.cosh(z[1]) if serial else 1.0)
            ratio = (math.exp(z[3]) / sigma) ** 2
            weights_of_phi(phi, gaps, plain, matrices, vectors)
            squares(q, e, d_pattern, matrices, vectors, f, g, total)
            for i in range(N):
                precision = total[pattern[i]] + 1.0 / (lam[i] * ratio)
                middle, variance = g[i] / precision, sigma * sigma / (lam[i] * precision)
                a[i] = middle + math.sqrt(variance) * rng.standard_normal()
                if sweep >= warmup:
                    moments[0, i] += middle
                    moments[1, i] += middle * middle
                    moments[2, i] += variance
        for which in range(3):
            if which == 1 and not serial:
                continue
            moved[which] = slice_step(which, width[which], state, data, rng)
        phi = math.tanh(z[1]) if serial else 0.0
        sigma = math.exp(z[0]) * (math.cosh(z[1]) if serial else 1.0)
        nu = 1.0 + math.exp(z[2])
        weights_of_phi(phi, gaps, plain, matrices, vectors)
        squares(q, e, d_pattern, matrices, vectors, f, g, total)
        residual_squares(f, g, total, a, pattern, unit, rest)
        for i in range(N):
            rate = 0.5 * nu + 0.5 * rest[i] / (sigma * sigma)
            lam[i] = max(rng.standard_gamma(0.5 * (nu + dof[i])) / rate, 1e-300)
        if sweep < warmup:
            for k in range(6 + parts):  # twice the typical move: about one step out
                width[k] = min(max(0.9 * width[k] + 0.2 * moved[k], 1e-3), 10.0)
            continue
        row = sweep - warmup
        level = 0.0
        if unit == 1:
            inverse = 0.0
            for i in range(N):
                a[i] = g[i] / total[pattern[i]]
                level += a[i] / N
                inverse += 1.0 / (lam[i] * total[pattern[i]])
            noise = 0.0
            for i in range(N):
                variance = sigma * sigma / (lam[i] * total[pattern[i]])
                middle = a[i] - level
                moments[0, i] += middle
                moments[1, i] += middle * middle
                moments[2, i] += variance * (1 - 2.0 / N) + sigma * sigma * inverse / N / N
                own = math.sqrt(variance) * rng.standard_normal()
                noise += own / N
                a[i] += own
            level += noise
        for i in range(N):
            own = sigma / math.sqrt(lam[i])
            moments[3, i] += own
            moments[4, i] += own * own
            if keep_units:
                units[row, i] = a[i] - level
                lambdas[row, i] = own
        thetas[row] = theta
        taus[row] = tau
        scalars[row, 0] = sigma
        scalars[row, 1] = phi
        scalars[row, 2] = nu
        scalars[row, 3] = math.exp(z[3])
        scalars[row, 4] = level
    return thetas, scalars, taus, units, lambdas, moments / kept
