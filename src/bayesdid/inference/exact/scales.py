r"""Unit-specific error scales: a Gibbs sampler whose blocks leave little to mix.

.. math::

    e_i \sim N(0, \sigma^2 / \lambda_i \, R_i(\varphi)), \qquad
    \lambda_i \sim \text{gamma}(\nu / 2, \nu / 2), \qquad \nu - 1 \sim \text{gamma}(2, 0.1)

Given lambda the model is a weighted Gaussian one; given the residuals of all else lambda
integrates out, and a unit's residuals are multivariate t. A sweep draws (Liu 1994,
doi:10.1080/01621459.1994.10476829, on why blocks help):

1. scales of random period effects and of partially pooled parts, coefficients and all effects
   integrated out, then coefficients and period effects, unit effects integrated out;
2. with random unit effects their scale, sigma and phi, unit effects integrated out, then these;
3. sigma, phi and nu with every lambda integrated out, then lambda.

Scalars move by slices (Neal 2003, doi:10.1214/aos/1056562461). Units enter through sums that no
parameter changes: a sweep costs a few operations a row.
"""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.singular import solve_singular
from bayesdid.inference.exact.collapse import Equations, unit_basis
from bayesdid.inference.exact.draw import Draws
from bayesdid.inference.exact.recover import DRAWN_UNITS, Effects
from bayesdid.inference.exact.rows import Kind, Rows
from bayesdid.inference.exact.target import Beliefs, Scalars
from bayesdid.inference.executor import threads as allowed
from bayesdid.inference.gate import chain_gate
from bayesdid.model.priors import NU_PRIOR, Priors

WARMUP = 250  # sweeps of each chain that are thrown away
SWEEPS = 1000  # of each chain at least
AGAIN = 5  # times as many, thinned, where the first run does not pass the gate
_DUMMY = 0.6  # share of rows with one value from which a regressor is a dummy
_DENSE = 1e9  # products of all rows, beyond which only those of columns that are not zero are made
CODES: dict[Kind, int] = {"none": 0, "fixed": 1, "random": 2}
"""How compiled chains know the kinds of effects."""
_FLAT, _GAMMA, _HALF_NORMAL, LOG_FLAT, _EXPONENTIAL = 0.0, 1.0, 2.0, 3.0, 4.0


@dataclass(frozen=True, slots=True)
class Scales:
    """Unit scales.

    Attributes
    ----------
    nu
        Degrees of freedom of their distribution, shape (S,).
    drawn
        ``sigma / sqrt(lambda)`` of each unit, shape (S, N), or (S, 0) where units are many.
    mean, sd
        Their moments, shape (N,).
    """

    nu: FloatArray
    drawn: FloatArray
    mean: FloatArray
    sd: FloatArray


class Scaled(NamedTuple):
    """Draws of a model with unit scales; sigma is the common one."""

    draws: Draws
    effects: Effects
    scales: Scales


def draw_scaled(
    stats: Equations,
    beliefs: Beliefs,
    priors: Priors,
    *,
    serial: bool,
    nu_prior: tuple[float, float] = NU_PRIOR,
    draws: int,
    chains: int,
    seed: int,
    warmup: int = WARMUP,
    threads: int = 2,
    draw_units: bool | None = None,
    must_draw: bool = False,
) -> Scaled:
    """Draws of `chains` chains from different starts, next to each other.

    Parameters
    ----------
    stats
        Equations whose first factor is the unit (built with ``serial=True``, or never swapped).
    serial
        Whether errors are AR(1); otherwise independent.
    nu_prior
        Shape and rate of the gamma prior of ``nu - 1``.
    draws, warmup
        Sweeps of each chain that are kept and thrown away. Fewer than :data:`SWEEPS` are drawn from
        as many: a sweep costs little, and R-hat judges short chains by noise. Chains that do not
        pass the gate are run once more, :data:`AGAIN` times as long, and thinned.
    threads
        Chains that run at once, in this process; one inside an executor's worker.
    must_draw
        Whether draws of units are needed whatever their number.
    draw_units
        Whether to keep draws of unit effects and scales, by default of at most
        :data:`~bayesdid.inference.exact.recover.DRAWN_UNITS` units.
    """
    from bayesdid.inference.exact.scales_chain import run_chain

    m, zero = stats.m, _commonest(stats.rows)
    rows = stats.rows if not zero.any() else _moved(stats.rows, zero)
    keep = rows.N <= DRAWN_UNITS if draw_units is None else draw_units
    keep = keep or must_draw
    arguments = _arguments(stats, rows, beliefs, priors, nu_prior, serial)
    seeds = np.random.SeedSequence(seed).spawn(chains)
    gap_index, spread = arguments.pop("gap_index"), _spread(stats)

    def chain(source: np.random.SeedSequence, longer: int, sweeps: int) -> Any:
        rng = np.random.default_rng(source)
        start = _start(rng, spread, len(arguments["priors"][0]), serial)
        own = arguments["data"](rows.N)
        return run_chain(
            start,
            arguments["priors"],
            arguments["coefficients"],
            arguments["rows"],
            arguments["panel"],
            own,
            (warmup * longer, sweeps, int(keep), gap_index),
            rng,
        )

    for longer in (1, AGAIN):
        stride = max(1, -(-SWEEPS // draws)) * longer
        run = partial(chain, longer=longer, sweeps=draws * stride)
        with ThreadPoolExecutor(min(allowed(threads), chains)) as pool:
            found = list(pool.map(run, seeds))
        judged = [np.concatenate([c[k] for c in found]) for k in range(3)]
        gate = chain_gate(_for_gate(judged[0], judged[1], judged[2], serial, rows, chains))
        if all(item.passed for item in gate):
            break
    theta, scalars, tau, units, scale = (
        np.concatenate([c[k][stride - 1 :: stride] for c in found]) for k in range(5)
    )
    moments = np.mean([c[5] for c in found], axis=0)
    random_period = rows.period_kind == "random"
    sigma, phi = scalars[:, 0], scalars[:, 1]
    one = np.ones(len(sigma))
    rho_unit = (scalars[:, 3] / sigma) ** 2 if rows.unit_kind == "random" else one
    rho_period = (tau[:, 0] / sigma) ** 2 if random_period else one
    omega = tau[:, int(random_period) :]
    drawn = Draws(
        Scalars(sigma, phi, rho_unit, rho_period, omega), theta[:, m:], gate, float("nan")
    )
    level = scalars[:, 4] - theta[:, m:] @ zero
    effects = _effects(stats, theta[:, :m], level, units, moments, keep)
    mean, square = moments[3], moments[4]
    sd = np.sqrt(np.maximum(square - mean**2, 0.0))
    scales = Scales(scalars[:, 2], scale if keep else np.empty((len(sigma), 0)), mean, sd)
    return Scaled(drawn, effects, scales)


def _effects(
    stats: Equations,
    rest: FloatArray,
    level: FloatArray,
    units: FloatArray,
    moments: FloatArray,
    keep: bool,
) -> Effects:
    rows, S = stats.rows, len(rest)
    period = np.zeros((S, rows.T if rows.period_kind != "none" else 0))
    full = stats.columns[: stats.m]
    period[:, full[full < rows.T]] = rest[:, full < rows.T]
    alpha = rest[:, -1].copy() if (full == rows.T).any() else np.zeros(S)
    alpha += level
    if rows.period_kind == "fixed":
        alpha += period.mean(axis=1)
        period -= period.mean(axis=1, keepdims=True)
    empty = np.empty((S, 0))
    if rows.unit_kind == "none" or keep:
        return Effects(alpha, empty if rows.unit_kind == "none" else units, period)
    mean = moments[0]
    sd = np.sqrt(np.maximum(moments[1] - mean**2, 0.0) + moments[2])
    return Effects(alpha, empty, period, mean, sd)


def _for_gate(
    theta: FloatArray, scalars: FloatArray, tau: FloatArray, serial: bool, rows: Rows, chains: int
) -> xr.DataTree:
    """What convergence is judged by: coefficients, period effects and all scalars."""
    used = {"sigma": 0, "nu_unit": 2} | ({"phi": 1} if serial else {})
    used |= {"sigma_unit": 3} if rows.unit_kind == "random" else {}
    columns = {name: scalars[:, k] for name, k in used.items()}
    columns |= {"theta": theta, "tau": tau}
    data = {
        name: (
            ("chain", "draw", *[f"{name}_k"] * (value.ndim - 1)),
            value.reshape(chains, -1, *value.shape[1:]),
        )
        for name, value in columns.items()
        if value.size
    }
    return xr.DataTree.from_dict({"posterior": xr.Dataset(data)})


def scale_priors(priors: Priors) -> tuple[tuple[float, float], tuple[float, float]]:
    """Kind and size of the priors of sigma and of scales of random effects, for compiled chains."""
    if priors.is_flat:
        return (LOG_FLAT, 1.0), (_FLAT, 1.0)
    return (_EXPONENTIAL, float(priors.scale)), (_GAMMA, float(priors.scale))


def _spread(stats: Equations) -> tuple[float, float]:
    """Residual sd of the outcome alone, and of least squares, as a place to start."""
    A, _ = stats.gram(np.zeros(1), np.ones(1), np.ones(1))
    A, nu = A[0], max(stats.nu, 1)
    fit = solve_singular(A[:-1, :-1], A[:-1, -1], 1e-10)
    left = max(A[-1, -1] - fit @ A[:-1, -1], 1e-6 * A[-1, -1], 1e-300)
    return float(np.sqrt(max(A[-1, -1], 1e-300) / nu)), float(np.sqrt(left / nu))


def _start(
    rng: np.random.Generator, spread: tuple[float, float], parts: int, serial: bool
) -> tuple[FloatArray, FloatArray]:
    sigma = np.log(spread[1]) + 0.3 * rng.standard_normal()
    z = np.array(
        [
            sigma,
            serial * rng.uniform(-0.3, 0.8),
            np.log(rng.uniform(2.0, 40.0)),
            np.log(spread[0]) + 0.5 * rng.standard_normal(),
        ]
    )
    tau = np.exp(sigma - 1.0 + 0.5 * rng.standard_normal(parts))
    return z, tau


def _arguments(
    stats: Equations,
    rows: Rows,
    beliefs: Beliefs,
    priors: Priors,
    nu_prior: tuple[float, float],
    serial: bool,
) -> dict[str, Any]:
    """The panel and the priors as the compiled chain takes them."""
    m = stats.m
    gaps = stats.gaps if serial else np.empty(0, dtype=np.int64)
    plain = rows.root is None
    root = np.ones(rows.n) if rows.root is None else rows.root
    counts = np.diff(rows.start)
    pattern, first, members = _patterns(rows)
    inside = np.concatenate([np.arange(rows.start[i], rows.start[i + 1]) for i in members])
    basis = list(unit_basis(rows, gaps, np.arange(rows.T + 1, rows.T + 1 + rows.values.shape[1])))
    E = np.ascontiguousarray(np.concatenate([np.stack(B, axis=1) for _, B, _ in basis]))
    d = np.concatenate([own for _, _, own in basis])
    gap_index = np.searchsorted(gaps, rows.gap) if len(gaps) else np.zeros(rows.n, dtype=np.int64)
    gap_index = np.where((rows.gap > 0) & bool(len(gaps)), gap_index, -1)
    dof = counts - (rows.unit_kind == "fixed")
    table, times = np.unique(dof, return_counts=True)
    random_period = rows.period_kind == "random"
    sigma_prior, (group, scale) = scale_priors(priors)
    groups = random_period + beliefs.random
    kinds = [group] * groups + [_HALF_NORMAL] * len(beliefs.half_normal)
    sizes = [scale] * groups + beliefs.half_normal.tolist()
    proper = np.concatenate([stats.penalised, np.isfinite(beliefs.sd)]).astype(float)
    part = np.concatenate(
        [
            np.where(stats.penalised > 0, 0, -1),
            np.where(beliefs.part >= 0, beliefs.part + random_period, -1),
        ]
    )
    sd = np.concatenate([np.ones(m), np.where(np.isfinite(beliefs.sd), beliefs.sd, 1.0)])
    mean = np.concatenate([np.zeros(m), beliefs.mean])

    def data(N: int) -> tuple[Any, ...]:
        L = len(gaps)
        return (
            np.zeros((N, 1 + 2 * L)),
            np.zeros((N, E.shape[1])),
            np.ascontiguousarray(d[members]),
            dof.astype(float),
            table.astype(float),
            times.astype(float),
            pattern,
            counts.astype(float),
            gaps,
            stats.counts if serial else np.empty(0),
            np.bincount(pattern).astype(float),
            plain,
            CODES[rows.unit_kind],
            serial,
            sigma_prior,
            (group, scale),
            nu_prior,
        )

    return {
        "priors": (np.array(kinds, dtype=float), np.array(sizes, dtype=float)),
        "coefficients": (sd, mean, part.astype(np.int64), proper),
        "rows": (np.ascontiguousarray(rows.values), root, rows.period, rows.start),
        "panel": (
            *_own_products(rows, gaps),
            E,
            pattern,
            first,
            rows.period[inside],
            rows.gap[inside] * serial,
            root[inside],
            rows.T,
            stats.columns[:m].copy(),
        ),
        "data": data,
        "gap_index": gap_index,
    }


def _patterns(rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Units with the same periods and weights are of one pattern.

    Each unit's pattern, (N,), where a pattern's rows begin, (patterns + 1,), a unit of each.
    """
    root = rows.root
    known: dict[bytes, int] = {}
    pattern = np.empty(rows.N, dtype=np.int64)
    members: list[int] = []
    for i in range(rows.N):
        at = slice(rows.start[i], rows.start[i + 1])
        key = rows.period[at].tobytes() + (b"" if root is None else root[at].tobytes())
        pattern[i] = known.setdefault(key, len(known))
        if pattern[i] == len(members):
            members.append(i)
    sizes = np.diff(rows.start)[members]
    return pattern, np.concatenate([[0], np.cumsum(sizes)]), np.array(members)


def _commonest(rows: Rows) -> FloatArray:
    """The value that most rows of a regressor have, 0 where there is none, shape (K,)."""
    if rows.root is not None:
        return np.zeros(rows.values.shape[1] - 1)
    values = rows.values[:, :-1]
    middle = np.median(values, axis=0)
    return np.where((values == middle).mean(axis=0) > _DUMMY, middle, 0.0)


def _moved(rows: Rows, zero: FloatArray) -> Rows:
    """Rows whose dummies are zero where they are off: centring is left to the intercept."""
    return dataclasses.replace(rows, values=rows.values - np.append(zero, 0.0))


def _own_products(rows: Rows, gaps: np.ndarray) -> tuple[FloatArray, np.ndarray, np.ndarray]:
    """As :func:`_by_unit`; unit by unit where most columns are zero in most units."""
    width = rows.values.shape[1]
    if rows.n * width**2 < _DENSE:
        return _by_unit(rows, _squares(rows, gaps))
    parts, active, begin = [], [], [0]
    for i in range(rows.N):
        at = slice(rows.start[i], rows.start[i + 1])
        there = (rows.values[at] != 0).any(axis=0)
        there[-1] = True
        own = np.flatnonzero(there)
        W, gap = rows.values[at][:, own], rows.gap[at]
        matrices = [W.T @ W]
        crossed = []
        for value in gaps:
            later = np.flatnonzero(gap == value)
            x, y = W[later], W[later - 1]
            matrices.append(x.T @ x + y.T @ y)
            crossed.append(x.T @ y + y.T @ x)
        lower = np.tril_indices(len(own))
        parts.append(np.stack([A[lower] for A in (*matrices, *crossed)]))
        active.append(own)
        begin.append(begin[-1] + len(own))
    return np.concatenate(parts, axis=1), np.concatenate(active), np.array(begin)


def _by_unit(rows: Rows, squares: FloatArray) -> tuple[FloatArray, np.ndarray, np.ndarray]:
    """Cross-products of the columns that are not zero in a unit, those columns, their beginnings.

    Lower triangles one unit after the other, shape (1 + 2 L, pairs); the outcome, which is the
    last column, counts in every unit.
    """
    there = np.logical_or.reduceat(rows.values != 0, rows.start[:-1], axis=0)
    there[:, -1] = True
    i, j = np.tril_indices(there.shape[1])
    pairs = there[:, i] & there[:, j]
    begin = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    found = np.ascontiguousarray(squares.transpose(0, 2, 1)[pairs].T)
    return found, np.nonzero(there)[1], begin


def _squares(rows: Rows, gaps: np.ndarray) -> FloatArray:
    """Each unit's cross-products ``W'W`` by fixed matrix, lower triangles, (N, 1 + 2 L, v)."""
    V, L = rows.values, len(gaps)
    i, j = np.tril_indices(V.shape[1])
    found = np.zeros((rows.N, 1 + 2 * L, len(i)))
    for units, at in rows.blocks(len(i)):
        W = V[at]
        found[units, 0] = np.add.reduceat(W[:, i] * W[:, j], rows.start[units] - at.start)
        for k, gap in enumerate(gaps):
            later = np.flatnonzero(rows.gap[at] == gap)
            if not len(later):
                continue
            unit = rows.unit[at][later] - units.start
            x, y = W[later], W[later - 1]
            own = x[:, i] * x[:, j] + y[:, i] * y[:, j]
            crossed = x[:, i] * y[:, j] + y[:, i] * x[:, j]
            for v in range(len(i)):
                found[units, 1 + k, v] = np.bincount(unit, own[:, v], units.stop - units.start)
                found[units, 1 + L + k, v] = np.bincount(
                    unit, crossed[:, v], units.stop - units.start
                )
    return found
