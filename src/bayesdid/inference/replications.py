"""Outcomes drawn anew from a fitted model, and how far they and the observed lie from their means.

A replication draws all errors anew, with their serial correlation; unit scales are the unit's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.inference.equations import Draws, Equation, row_scale, spread
from bayesdid.inference.spatial_equations import lagged, solved
from bayesdid.model.model import Model
from bayesdid.model.resolve import AnyDesign, base_of
from bayesdid.model.serial import SerialRows


@dataclass(frozen=True, slots=True)
class Replication:
    """One equation's outcome drawn anew under S draws.

    Attributes
    ----------
    name
        Of the outcome, ``y`` or a mediator's.
    outcome
        New outcomes, shape (S, n).
    error, residual
        New and observed outcomes minus their conditional mean, in standard deviations of the row,
        shape (S, n).
    """

    name: str
    outcome: FloatArray
    error: FloatArray
    residual: FloatArray


def replicate(
    draws: Draws,
    equations: list[Equation],
    model: Model,
    design: AnyDesign,
    rows: SerialRows | None,
    rng: np.random.Generator,
) -> list[Replication]:
    """New outcomes of every equation under every draw.

    Parameters
    ----------
    equations
        Of :func:`bayesdid.inference.pointwise.equations_of` for these draws.
    rows
        Chains in time where errors are AR(1).
    """
    base = base_of(design)
    found: list[Replication] = []
    own: list[FloatArray] = []
    shape = (draws.size, base.n)
    heavy: FloatArray = np.ones(1)
    if model.likelihood.name == "student_t":
        nu = draws["nu"][:, None]
        heavy = np.sqrt(nu / rng.chisquare(nu, shape))
    for equation in equations:
        if equation.scale is None:
            found.append(_counts(draws, equation, model, base, rows, rng))
            continue
        mu = equation.mu
        for k, coefficient in equation.uses:
            mu = mu + coefficient[:, None] * (found[k].outcome - equations[k].y)
        u = rng.standard_normal(shape)
        v = u
        if own and equation.loadings is not None:
            rest = np.sqrt(1 - (equation.loadings**2).sum(axis=1))[:, None]
            v = np.einsum("sk,ksn->sn", equation.loadings, np.stack(own)) + rest * u
        own.append(u)
        z = v * heavy
        if rows is not None and equation.phi is not None:
            z = chained(z, equation.phi, rows)
        new = mu + equation.scale * z
        if equation.name == "y" and not isinstance(design, Design):
            # what came of the neighbours is drawn anew too
            new = solved(draws, new - lagged(draws, base.y, design), design)
        residual = (equation.y - equation.mu) / equation.scale
        found.append(Replication(equation.name, new, z, residual))
    return found


def chained(v: FloatArray, phi: FloatArray, rows: SerialRows) -> FloatArray:
    """AR(1) errors of marginal sd one from innovations of sd one, shape (S, n)."""
    carry = rows.carry(phi)
    z = np.sqrt(1 - carry**2) * v
    for time in np.unique(rows.time):
        now = np.flatnonzero((rows.time == time) & (rows.follows > 0))
        z[:, now] += carry[:, now] * z[:, rows.before[now]]
    return np.asarray(z)


def _counts(
    draws: Draws,
    equation: Equation,
    model: Model,
    design: Design,
    rows: SerialRows | None,
    rng: np.random.Generator,
) -> Replication:
    """Counts; their mean is that without errors in the linear predictor."""
    eta = equation.mu
    if "error" in draws:
        z = rng.standard_normal((draws.size, design.n))
        if rows is not None:
            z = chained(z, draws["phi"], rows)
        unit = "sigma_of_unit" in draws
        eta = eta + row_scale(draws, design, unit=unit, weighted=False) * z
    if model.likelihood.name == "binomial":
        n = np.ones(design.n) if design.trials is None else design.trials
        new = rng.binomial(n.astype(np.int64), expit(eta)).astype(float)
        mean = n * expit(equation.mu)
        sd = np.sqrt(mean * expit(-equation.mu))
    else:
        size = 1.0 if design.exposure is None else design.exposure
        mean, latent = np.exp(equation.mu) * size, np.exp(eta) * size
        variance = mean
        if model.likelihood.name == "negative_binomial":
            width = spread(draws, design)
            latent = latent * rng.gamma(width**-2.0, width**2.0, latent.shape)
            variance = mean + (width * mean) ** 2
        new = rng.poisson(latent).astype(float)
        sd = np.sqrt(variance)
    return Replication(equation.name, new, (new - mean) / sd, (equation.y - mean) / sd)
