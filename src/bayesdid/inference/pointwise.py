"""Pointwise log densities of any model, from draws, design and model; replications beside.

One term for each row and observed variable. With AR(1) errors a row's term is conditional on the
row before it in its unit, with several equations on those before it, with an error in a count's
linear predictor on that error.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.special import gammaln, log_expit
from scipy.stats import norm, t

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.inference.equations import Draws, Equation, linear_predictor, row_scale, spread
from bayesdid.inference.replications import replicate
from bayesdid.inference.spatial_equations import spatial_equation
from bayesdid.inference.systems import instrument_equations, mediation_equations
from bayesdid.model.mean import Instrument, Mediation, Propensity
from bayesdid.model.model import Model
from bayesdid.model.resolve import AnyDesign, base_of, under_effects
from bayesdid.model.serial import SerialRows, serial_rows

_CELLS = 2_000_000  # numbers in one array: how many draws are treated at once


def pointwise(
    posterior: xr.Dataset,
    model: Model,
    design: AnyDesign,
    *,
    log_likelihood: bool = True,
    replications: bool = False,
    rng: np.random.Generator | None = None,
) -> dict[str, xr.Dataset]:
    """Groups ``log_likelihood`` and ``posterior_predictive``, each (chain, draw, obs).

    Raises
    ------
    InputError
        If the posterior lacks a variable, e.g. the effects.
    """
    whole = under_effects(design, model)
    base = base_of(whole)
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    rng = rng or np.random.default_rng()
    rows = serial_rows(base) if model.errors.serial == "ar1" else None
    step = max(1, _CELLS // base.n)
    parts: dict[str, dict[str, list[FloatArray]]] = {
        "log_likelihood": {},
        "posterior_predictive": {},
    }
    for start in range(0, chains * draws, step):
        some = Draws(posterior, slice(start, start + step))
        equations, share = equations_of(some, model, whole)
        if log_likelihood:
            densities = log_densities(some, equations, model, base, rows)
            densities["y"] = densities["y"] + share
            _extend(parts["log_likelihood"], densities)
        if replications:
            found = replicate(some, equations, model, whole, rows, rng)
            _extend(parts["posterior_predictive"], {e.name: e.outcome for e in found})
    shape, dims = (chains, draws, base.n), ("chain", "draw", "obs")
    coords = {"chain": posterior["chain"], "draw": posterior["draw"], "obs": np.arange(base.n)}
    return {
        group: xr.Dataset(
            {name: (dims, np.concatenate(blocks).reshape(shape)) for name, blocks in found.items()},
            coords,
        )
        for group, found in parts.items()
        if found
    }


def equations_of(
    draws: Draws, model: Model, design: AnyDesign
) -> tuple[list[Equation], FloatArray]:
    """Equations in the order in which they are conditioned on each other; each row's Jacobian."""
    none = np.zeros((1, 1))
    if not isinstance(design, Design):
        equation, share = spatial_equation(draws, model, design)
        return [equation], share
    if isinstance(model.mean, Mediation):
        return mediation_equations(draws, model, design), none
    if isinstance(model.mean, Instrument):
        return instrument_equations(draws, model, design), none
    if isinstance(model.mean, Propensity):
        X = (design.X - design.X.mean(axis=0)) / design.X.std(axis=0)
        mu = draws["alpha"][:, None] + draws["beta"] @ X.T
        return [Equation("y", design.y, mu, None)], none
    mu = linear_predictor(draws, design)
    if model.likelihood.is_discrete:
        return [Equation("y", design.y, mu, None)], none
    unit = model.errors.scale == "unit"
    scale = row_scale(draws, design, unit=unit, weighted=model.weighted)
    phi = draws["phi"] if model.errors.serial == "ar1" else None
    return [Equation("y", design.y, mu, scale, phi)], none


def log_densities(
    draws: Draws, equations: list[Equation], model: Model, design: Design, rows: SerialRows | None
) -> dict[str, FloatArray]:
    """Log density of every row of every equation, shape (S, n) each."""
    found: dict[str, FloatArray] = {}
    before: list[FloatArray] = []
    nu = draws["nu"][:, None] if model.likelihood.name == "student_t" else None
    for equation in equations:
        if equation.scale is None:
            found[equation.name] = _count_density(draws, equation, model, design)
            continue
        z = (equation.y - equation.mu) / equation.scale
        size = equation.scale
        if rows is not None and equation.phi is not None:
            carry = rows.carry(equation.phi)
            root = np.sqrt(1 - carry**2)
            z, size = (z - carry * z[:, rows.before]) / root, size * root
        if before and equation.loadings is not None:
            known = np.einsum("sk,ksn->sn", equation.loadings, np.stack(before))
            rest = np.sqrt(1 - (equation.loadings**2).sum(axis=1))[:, None]
            z, size = (z - known) / rest, size * rest
        if nu is None:
            found[equation.name] = norm.logpdf(z) - np.log(size)
        else:
            more = nu + len(before)
            wider = np.sqrt((nu + sum((u**2 for u in before), np.zeros(1))) / more)
            found[equation.name] = t.logpdf(z / wider, more) - np.log(size * wider)
        before.append(z)
    return found


def _count_density(draws: Draws, equation: Equation, model: Model, design: Design) -> FloatArray:
    y, eta = equation.y, equation.mu
    if "error" in draws:
        eta = eta + draws["error"]
    if model.likelihood.name == "binomial":
        n = np.ones(design.n) if design.trials is None else design.trials
        choose = gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1)
        return np.asarray(choose + y * log_expit(eta) + (n - y) * log_expit(-eta))
    log_mean = eta + (0.0 if design.exposure is None else np.log(design.exposure))
    if model.likelihood.name == "poisson":
        return np.asarray(y * log_mean - np.exp(log_mean) - gammaln(y + 1))
    shape = spread(draws, design) ** -2.0
    log_total = np.logaddexp(np.log(shape), log_mean)
    return np.asarray(
        gammaln(y + shape)
        - gammaln(shape)
        - gammaln(y + 1)
        + shape * (np.log(shape) - log_total)
        + y * (log_mean - log_total)
    )


def _extend(blocks: dict[str, list[FloatArray]], found: dict[str, FloatArray]) -> None:
    for name, values in found.items():
        blocks.setdefault(name, []).append(values)
