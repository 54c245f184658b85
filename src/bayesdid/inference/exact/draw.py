"""Draw the scalars and coefficients of a Gaussian two-way model, the cheapest exact way.

One to three scalars are tabulated, more are drawn by importance sampling. Their cross-products
come from one matrix, from a surface or from every node anew, whichever the panel allows.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.inference.exact.collapse import Equations
from bayesdid.inference.exact.spectrum import sigma_target
from bayesdid.inference.exact.tabulated import Tabulated, constant, coordinates, tabulate_gram
from bayesdid.inference.exact.target import ATANH_LIMIT, Beliefs, Scalars, Target, target
from bayesdid.inference.gate import GateItem
from bayesdid.inference.numerics.importance import draw_around, locate
from bayesdid.inference.numerics.table import draw_table, find_axes
from bayesdid.model.priors import Priors

_TABLE_DIMENSIONS = 3  # scalars of a table; one less with AR(1) errors
_SURFACE_DIMENSIONS = 2  # beyond it a surface costs more than nodes whose cost is fixed
_WIDE = 1e-5  # relative error of a surface that only leads to the mode
_SPREAD = 1.8  # of the draws whose range a surface for importance sampling covers


@dataclass(frozen=True, slots=True)
class Draws:
    """Independent draws of everything but the effects.

    Attributes
    ----------
    scalars
        Each of shape (S,), omega (S, parts).
    coef
        Coefficients of the scaled regressors, shape (S, K).
    gate
        Whether the draws can be reported.
    log_evidence
        Log marginal likelihood, up to the constants of improper priors.
    """

    scalars: Scalars
    coef: FloatArray
    gate: list[GateItem]
    log_evidence: float


def draw_exact(
    stats: Equations,
    beliefs: Beliefs,
    priors: Priors,
    size: int,
    rng: np.random.Generator,
    *,
    serial: bool = False,
) -> Draws:
    """`size` independent draws.

    Parameters
    ----------
    serial
        Whether errors are AR(1); the rows of `stats` then know their gaps.
    """
    if stats.is_constant and not serial and not len(beliefs.half_normal):
        simple = sigma_target(stats, beliefs, priors)
        start = np.array([0.5 * np.log(simple.s)])
        table = draw_table(simple, find_axes(simple, start), size, rng)
        return Draws(
            simple.scalars(table.z), simple.draw(table.z, rng), table.gate(), table.log_evidence
        )
    exact = target(stats, beliefs, priors, serial=serial)
    if stats.is_constant:
        exact = dataclasses.replace(exact, stats=constant(stats))
    leading, start = _provisional(exact, stats), _start(exact, stats)
    if not len(beliefs.half_normal) and exact.dimension <= _TABLE_DIMENSIONS - serial:
        axes = find_axes(leading, start)
        low, high = axes.box
        corners = np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), axis=-1)
        final = _fast(exact, stats, corners.reshape(-1, len(low)))
        table = draw_table(final, axes, size, rng)
        z, gate, log_evidence = table.z, table.gate(), table.log_evidence
    else:
        mode, shape = locate(leading, start)
        wide = mode + _SPREAD * rng.multivariate_normal(np.zeros(len(mode)), shape, 2000)
        final = _fast(exact, stats, wide)
        found = draw_around(final, mode, shape, size, rng)
        z, gate, log_evidence = found.z, found.gate(), found.log_evidence
    if serial:
        edge = float((np.abs(z[:, 1]) > ATANH_LIMIT - 1).mean())
        gate = [*gate, GateItem("phi_at_the_edge", edge, 0.01, edge <= 0.01)]
    return Draws(final.scalars(z), final.draw(z, rng), gate, log_evidence)


def _start(exact: Target, stats: Equations) -> FloatArray:
    """Where the search for the mode begins, shape (d,)."""
    phi = np.full(1, 0.3 if exact.serial else 0.0)
    A, _ = stats.gram(phi, np.ones(1), np.ones(1))
    spread = 0.5 * np.log(max(A[0, -1, -1], 1e-300) / max(stats.nu, 1))
    between = [0.3] if exact.serial else []
    parts = len(exact.beliefs.half_normal)
    return np.array([spread, *between, *[spread] * sum(exact.kinds), *[spread - 2.0] * parts])


def _provisional(exact: Target, stats: Equations) -> Target:
    """A target whose nodes are cheap: exact, or a coarse surface over all that is plausible."""
    if stats.is_summed or stats.is_constant:
        return exact
    where = coordinates(stats)
    box = np.array([(-0.9, 0.999), (1e-4, 1 - 1e-4), (1e-4, 1 - 1e-4)])[list(where.active)]
    return _with(exact, tabulate_gram(stats, where, box[:, 0], box[:, 1], _WIDE))


def _fast(exact: Target, stats: Equations, z: FloatArray) -> Target:
    """The target with a surface over the range of points `z`, where that pays."""
    where = coordinates(stats)
    if not any(where.active) or (sum(where.active) > _SURFACE_DIMENSIONS and stats.is_summed):
        return exact
    given = exact.scalars(z)
    x = where.x(given.phi, given.rho_unit, given.rho_period)
    return _with(exact, tabulate_gram(stats, where, x.min(axis=0), x.max(axis=0)))


def _with(exact: Target, surface: Tabulated | None) -> Target:
    return exact if surface is None else dataclasses.replace(exact, stats=surface)
