r"""Student-t errors: a Gibbs sampler that moves between the modes of a level.

.. math::

    y_{it} - \rho W y_{it} = z_{it}'\theta + a_i + g_t + e_{it}, \qquad
    e_{it} \sim N(0, \sigma^2 / (\lambda_{it} w_{it})), \qquad
    \lambda_{it} \sim \text{gamma}(\nu / 2, \nu / 2), \qquad \nu - 1 \sim \text{gamma}(2, 0.1)

The likelihood of a unit whose rows form two heaps has two modes in its effect: with heavy tails
either heap may be the outliers. Chains of gradients stay in the mode they began in. Given lambda
the model is a weighted Gaussian one (Geweke 1993, doi:10.1002/jae.3950080504); a sweep draws

1. each level given all else, lambda integrated out, by a proposal around the level's own rows that
   knows all modes;
2. sigma and nu, lambda integrated out, then lambda;
3. scales of random effects, of units with their effects integrated out;
4. rho with effects and coefficients integrated out, then coefficients and period effects with unit
   effects integrated out, then these.

What is integrated out is drawn before it is conditioned on again (van Dyk & Park 2008,
doi:10.1198/016214508000000409). Scalars move by slices (Neal 2003, doi:10.1214/aos/1056562461).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.inference.exact.rows import Kind
from bayesdid.inference.exact.scales import CODES, LOG_FLAT, scale_priors
from bayesdid.inference.executor import threads
from bayesdid.inference.gate import GateItem
from bayesdid.model.priors import NU_PRIOR, Priors

WARMUP = 500  # sweeps of each chain that are thrown away
SWEEPS = 2000  # of each chain at least
JUDGED = 1000  # draws of each chain, of these sweeps, that its gate sees at least
AGAIN = 5  # times as many, thinned, where the first run does not pass the gate
_NODES = 8001  # of the factor of rho


@dataclass(frozen=True, slots=True)
class Tailed:
    """A model with Student-t errors as numbers, rows in any order.

    Attributes
    ----------
    values
        Regressors, shape (n, K); about one in size.
    y, lag
        Outcome and its spatial lag, zero without one, shape (n,).
    unit, period
        Positions, shape (n,).
    root
        Roots of the rows' weights, shape (n,).
    sizes
        Number of units and of periods.
    kinds
        How their effects are treated.
    mean, sd
        Prior of the coefficients, shape (K,); sd ``inf`` is flat.
    priors
        Of the scales.
    reference
        Residual sd that prior sds are relative to, or 0 where they are in the outcome's unit.
    rho
        Ends of rho's interval and the log density that belongs to it beside the rows', or None.
    """

    values: FloatArray
    y: FloatArray
    lag: FloatArray
    unit: IntArray
    period: IntArray
    root: FloatArray
    sizes: tuple[int, int]
    kinds: tuple[Kind, Kind]
    mean: FloatArray
    sd: FloatArray
    priors: Priors
    reference: float = 0.0
    rho: tuple[float, float, Callable[[FloatArray], FloatArray]] | None = None


@dataclass(frozen=True, slots=True)
class TailDraws:
    """Draws, those of a chain next to each other.

    Attributes
    ----------
    coef
        Shape (S, K).
    period, unit
        Levels, shape (S, T) and (S, N), or (S, 0) without: of fixed effects of both, the first
        period's is zero.
    intercept
        Shape (S,); zeros where fixed effects hold the level.
    sigma, nu, sigma_unit, sigma_period, rho
        Shape (S,).
    """

    coef: FloatArray
    period: FloatArray
    unit: FloatArray
    intercept: FloatArray
    sigma: FloatArray
    nu: FloatArray
    sigma_unit: FloatArray
    sigma_period: FloatArray
    rho: FloatArray


def draw_tails(
    model: Tailed,
    judge: Callable[[TailDraws], list[GateItem]],
    *,
    draws: int,
    chains: int,
    seed: int,
    warmup: int = WARMUP,
    workers: int = 2,
) -> tuple[TailDraws, list[GateItem]]:
    """Draws of `chains` chains from different starts, and what their gate says.

    Parameters
    ----------
    judge
        The gate of draws.
    draws, warmup
        Draws of each chain that are kept, of :data:`SWEEPS` sweeps at least, and sweeps thrown
        away. Chains that fail the gate are run once more, :data:`AGAIN` times as long.
    workers
        Chains that run at once, in this process; one inside an executor's worker.
    """
    from bayesdid.inference.exact.tails_chain import run_tails

    given = _arguments(model)
    seeds = np.random.SeedSequence(seed).spawn(chains)
    inner = max(1, -(-JUDGED // draws))  # judged are more than kept: short chains look unmixed
    stride = max(1, -(-SWEEPS // (draws * inner)))

    def chain(source: np.random.SeedSequence, longer: int) -> list[FloatArray]:
        rng = np.random.default_rng(source)
        every = stride * longer
        begin = _begin(model, rng)
        found = run_tails(begin, *given, (warmup * longer, draws * inner * every), rng)
        return [part[every - 1 :: every] for part in found]

    for longer in (1, AGAIN):
        with ThreadPoolExecutor(min(threads(workers), chains)) as pool:
            parts = list(pool.map(partial(chain, longer=longer), seeds))
        gate = judge(_joined(model, parts, 1))
        if all(item.passed for item in gate):
            break
    return _joined(model, parts, inner), gate


def _joined(model: Tailed, parts: list[list[FloatArray]], every: int) -> TailDraws:
    """Chains next to each other, each thinned."""
    each = (np.concatenate([c[k][every - 1 :: every] for c in parts]) for k in range(3))
    return _named(model, *each)


def _layout(model: Tailed) -> tuple[IntArray, int, int, int]:
    """Column of each period's dummy or -1, (T,), of the intercept or -1, their number, pins."""
    T, (unit, period) = model.sizes[1], model.kinds
    pinned = int(unit == "fixed" and period == "fixed")
    column = np.full(T, -1)
    if period != "none":
        column[pinned:] = np.arange(T - pinned)
    m = int((column >= 0).sum())
    alone = unit != "fixed" and period != "fixed"
    return column, m if alone else -1, m + alone, pinned


def _arguments(model: Tailed) -> tuple[Any, ...]:
    """The panel and the priors as the compiled chain takes them."""
    order = np.argsort(model.unit, kind="stable")
    unit, period, root = model.unit[order], model.period[order], model.root[order]
    column, intercept, m, pinned = _layout(model)
    by_period = np.argsort(period, kind="stable")
    V = np.column_stack([model.values, model.y, model.lag])[order]
    finite = np.isfinite(model.sd)
    proper = np.concatenate([np.zeros(m), finite.astype(float)])
    sd = np.concatenate([np.ones(m), np.where(finite, model.sd, 1.0)])
    mean = np.concatenate([np.zeros(m), model.mean])
    (sigma, size), group = scale_priors(model.priors)
    if model.reference > 0:  # of spatial models p(sigma) = 1 / sigma
        sigma = LOG_FLAT
    table = (0.0, 1.0, np.zeros(1))
    if model.rho is not None:
        low, high, factor = model.rho
        nodes = np.linspace(low, high, _NODES)
        inner = nodes[1:-1]  # the factor may be infinite at the ends
        table = (float(inner[0]), float(nodes[1] - nodes[0]), factor(inner))
    N, T = model.sizes
    return (
        (sd, mean, proper, float(model.reference)),
        ((sigma, size, *NU_PRIOR), *group),
        (
            np.ascontiguousarray(V),
            root,
            unit,
            np.searchsorted(unit, np.arange(N + 1)),
            by_period,
            np.searchsorted(period[by_period], np.arange(T + 1)),
        ),
        (*(CODES[kind] for kind in model.kinds), column[period], intercept, m, pinned),
        table,
    )


def _begin(model: Tailed, rng: np.random.Generator) -> tuple[FloatArray, float]:
    """Log sigma, log(nu - 1), (2,), and rho: far from one another."""
    spread = model.y.std() or 1.0
    sigma = np.log(spread * rng.uniform(0.2, 1.0))
    z = np.array([sigma, np.log(rng.uniform(1.0, 30.0))])
    if model.rho is None:
        return z, 0.0
    low, high, _ = model.rho
    return z, float(rng.uniform(max(low, -1) / 2, high * 0.8))


def _named(model: Tailed, theta: FloatArray, scalars: FloatArray, units: FloatArray) -> TailDraws:
    column, intercept, m, _ = _layout(model)
    S, there = len(theta), column >= 0
    period = np.zeros((S, len(column) if there.any() else 0))
    if there.any():
        period[:, there] = theta[:, column[there]]
    alone = theta[:, intercept] if intercept >= 0 else np.zeros(S)
    return TailDraws(theta[:, m:], period, units, alone, *scalars.T)
