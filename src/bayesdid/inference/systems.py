"""Equations of mediation and instrument models under every draw."""

from __future__ import annotations

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.regressors import components
from bayesdid.inference.equations import Draws, Equation, effects, row_scale
from bayesdid.model.equations import instrument_of, mediators_of
from bayesdid.model.model import Model


def mediation_equations(draws: Draws, model: Model, design: Design) -> list[Equation]:
    """Mediators, then the outcome; as in :mod:`bayesdid.model.pymc.mediation`."""
    parts = mediators_of(model, design)
    rest, q = parts.rest, len(parts.names)
    D, X, M = _centred(rest.D), _centred(rest.X), _centred(parts.M)
    scale = _scale(draws, model, design)
    serial = model.errors.serial == "ar1"
    root = np.linalg.cholesky(draws["correlation"]) if q > 1 else None
    found = []
    for k, name in enumerate(parts.names):
        mu = draws["alpha_mediator"][:, [k]] + draws["a"][:, :, k] @ D.T
        if rest.covariates:
            mu = mu + draws["gamma"][:, :, k] @ X.T
        for dim, _, column in components(rest):
            mu = mu + draws[f"gamma_{dim}_mediator"][:, :, k] @ column.T
        for dim, kind, index in (
            (rest.unit_dim, rest.unit_effects, rest.unit_index),
            (rest.period_dim, rest.period_effects, rest.period_index),
        ):
            if kind != "none":
                mu = mu + draws[f"{dim}_effect_mediator"][:, index, k]
        for further in rest.further:
            mu = mu + draws[f"{further.name}_mediator"][:, further.index, k] * further.times
        sigma = _scale(draws, model, design, k)
        phi = draws["phi_mediator"][:, k] if serial else None
        loadings = root[:, k, :k] if root is not None and k else None
        found.append(Equation(f"M_{name}", parts.M[:, k], mu, sigma, phi, loadings))
    mu = draws["alpha"][:, None] + draws["tau"] @ D.T + draws["b"] @ M.T
    if rest.covariates:
        mu = mu + draws["beta"] @ X.T
    for dim, _, column in components(design):
        mu = mu + draws[f"gamma_{dim}"] @ column.T
    mu = mu + effects(draws, design)
    uses = tuple((k, draws["b"][:, k]) for k in range(q))
    phi = draws["phi"] if serial else None
    return [*found, Equation("y", design.y, mu, scale, phi, None, uses)]


def instrument_equations(draws: Draws, model: Model, design: Design) -> list[Equation]:
    """The treatment, then the outcome; as in :mod:`bayesdid.model.pymc.instrument`."""
    parts = instrument_of(model, design)
    rest, d = parts.rest, parts.rest.D[:, 0]
    scale = _scale(draws, model, design)
    sigma = scale * (draws["sigma_treatment"] / draws["sigma"])[:, None]
    serial = model.errors.serial == "ar1"
    first = draws["alpha_treatment"][:, None] + draws["pi"][:, None] * (parts.z - parts.z.mean())
    mu = draws["alpha"][:, None] + draws["tau"] * (d - d.mean())
    if rest.covariates:
        X = _centred(rest.X)
        first, mu = first + draws["gamma"] @ X.T, mu + draws["beta"] @ X.T
    first = first + effects(draws, rest, "_effect_treatment")
    mu = mu + effects(draws, rest)
    return [
        Equation(
            f"D_{rest.treatments[0]}", d, first, sigma, draws["phi_treatment"] if serial else None
        ),
        Equation(
            "y",
            design.y,
            mu,
            scale,
            draws["phi"] if serial else None,
            draws["rho"][:, None],
            ((0, draws["tau"][:, 0]),),
        ),
    ]


def _scale(draws: Draws, model: Model, design: Design, k: int | None = None) -> FloatArray:
    """Marginal sd of the outcome's errors, or of those of mediator k, shape (S, n)."""
    unit = model.errors.scale == "unit"
    return row_scale(draws, design, unit=unit, weighted=model.weighted, mediator=k)


def _centred(columns: FloatArray) -> FloatArray:
    return np.asarray(columns - columns.mean(axis=0))
