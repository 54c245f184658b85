r"""Mediators and outcome jointly, Eqs. 2 and 3 of the study.

.. math::

    M_{k,it} &= \alpha_k + a_k' D_{it} + \gamma_k' x_{it} + u_{k,i} + v_{k,t} + \eta_{k,it} \\
    y_{it} &= \alpha + \tau' D_{it} + b' M_{it} + \beta' x_{it} + a_i + g_t + \varepsilon_{it}

Indirect effect through mediator k: ``a_k b_k``; direct: ``tau``; total: ``tau + sum_k a_k b_k``.
Innovations of the mediators may be correlated with each other, those of the outcome are not
correlated with them: sequential ignorability, which :mod:`bayesdid.families.mediation` relaxes.
Every equation has a scale, an autocorrelation and unit scales of its own; weights and, under
Student t, outlying rows are common to all, so that the innovations of a row are jointly
multivariate t. With flat priors and fixed effects
:mod:`bayesdid.inference.exact.multivariate` draws exactly, up to the prior of the covariance.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pymc as pm
from pymc.distributions.transforms import ZeroSumTransform

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.regressors import components, is_random
from bayesdid.design.span import slopes_that_vary
from bayesdid.model.equations import Mediators, mediator_priors, mediators_of
from bayesdid.model.levels import free_levels, taken_up
from bayesdid.model.priors import CORRELATION_SHAPE, GROUP_SHAPE, Priors
from bayesdid.model.pymc.effects import coefficients, normal_or_flat, residual_scale
from bayesdid.model.pymc.errors import (
    Shared,
    autocorrelation,
    errors_of,
    given_scale,
    observe,
    relative_scale,
    shared_errors,
    unit_precisions,
)
from bayesdid.model.pymc.setting import Setting
from bayesdid.model.pymc.two_way import all_effects, centred, mundlak


def mediation(setting: Setting) -> None:
    """The equations as written above; mediators are covariates of the design."""
    parts = mediators_of(setting.model, setting.design)
    pm.modelcontext(None).add_coord("mediator", list(parts.names))
    shared = shared_errors(setting)
    own = mediator_equations(setting, parts, shared)
    outcome_equation(setting, parts, shared, own)


def mediator_equations(setting: Setting, parts: Mediators, shared: Shared) -> list[Any]:
    """All mediators' equations; returns the own parts of their innovations, shape (n,) each."""
    design, names = parts.rest, parts.names
    priors = mediator_priors(setting.model.priors, parts)
    D, X = centred(design.D), centred(design.X)
    a = _paths("a", design.treatments, "treatment", priors)
    alpha = pm.Flat("alpha_mediator", dims="mediator")
    mean, slopes = alpha + D @ a, a
    if design.covariates:
        gamma = _paths("gamma", design.covariates, "covariate", priors)
        mean, slopes = mean + X @ gamma, pm.math.concatenate([a, gamma])
    for dim, terms, component in components(design):
        label = f"{dim}_component_mediator"
        pm.modelcontext(None).add_coord(label, list(terms))
        both = [p.of_components(dim, terms, component.std(axis=0)) for p in priors]
        m, sd = (np.stack(values, axis=1) for values in zip(*both, strict=True))
        mean = mean + component @ normal_or_flat(
            f"gamma_{dim}_mediator", m, sd, dims=(label, "mediator")
        )
    mean = mean + _effects(design, priors, slopes)
    sigma = _scales("sigma_mediator", priors)
    phi = None if shared.rows is None else autocorrelation("phi_mediator", dims="mediator")
    root = _root(len(names))
    found: list[Any] = []
    by_mediator = _unit_scales(setting, shared, sigma, len(names))
    for k, name in enumerate(names):
        errors = given_scale(by_mediator[k], sigma[k], None if phi is None else phi[k])
        before = tuple((u, root[k, j]) for j, u in enumerate(found))
        found.append(observe(f"M_{name}", parts.M[:, k], mean[:, k], errors, before))
    return found


def outcome_equation(setting: Setting, parts: Mediators, shared: Shared, own: list[Any]) -> None:
    """The outcome's equation, and the effects that follow from both."""
    design, rest = setting.design, parts.rest
    tau = coefficients("tau", rest.treatments, "treatment", setting.priors)
    b = coefficients("b", parts.names, "mediator", setting.priors)
    alpha = pm.Flat("alpha")
    mu = alpha + centred(rest.D) @ tau + centred(parts.M) @ b
    slopes = [tau, b]
    if rest.covariates:
        beta = coefficients("beta", rest.covariates, "covariate", setting.priors)
        mu, slopes = mu + centred(rest.X) @ beta, [*slopes, beta]
    order = [(*rest.treatments, *parts.names, *rest.covariates).index(x) for x in design.names]
    mu = mu + mundlak(setting)
    mu = mu + all_effects(setting, pm.math.concatenate(slopes)[order])
    sigma = residual_scale("sigma", setting.priors)
    y = pm.Data("outcome", design.y, dims="obs")
    before = tuple((u, 0.0) for u in own) if shared.nu is not None else ()
    observe("y", y, mu, errors_of(setting, shared, sigma), before)
    a = pm.modelcontext(None)["a"]
    indirect = pm.Deterministic("indirect", a * b, dims=("treatment", "mediator"))
    pm.Deterministic("total", tau + indirect.sum(axis=1), dims="treatment")


def _paths(name: str, terms: tuple[str, ...], dim: str, priors: list[Priors]) -> Any:
    """Coefficients of the same terms in every mediator's equation, shape (K, q)."""
    mean, sd = (
        np.stack(values, axis=1) for values in zip(*(p.of(terms) for p in priors), strict=True)
    )
    return normal_or_flat(name, mean, sd, dims=(dim, "mediator"))


def _scales(name: str, priors: list[Priors]) -> Any:
    """As :func:`~bayesdid.model.pymc.effects.residual_scale`, one for each mediator."""
    if priors[0].is_flat:
        log = pm.Flat(f"log_{name}", dims="mediator")
        return pm.Deterministic(name, pm.math.exp(log), dims="mediator")
    return pm.Exponential(name, scale=np.array([p.scale for p in priors]), dims="mediator")


def _unit_scales(setting: Setting, shared: Shared, sigma: Any, q: int) -> list[Shared]:
    """What each mediator's errors have in common with others: all but the scales of units."""
    if shared.lambdas is None:
        return [shared] * q
    lambdas = unit_precisions(setting, "_mediator", "mediator")
    dims = (setting.design.unit_dim, "mediator")
    pm.Deterministic("sigma_of_unit_mediator", sigma / pm.math.sqrt(lambdas), dims=dims)
    return [
        replace(shared, factor=relative_scale(setting, lambdas[:, k]), lambdas=lambdas[:, k])
        for k in range(q)
    ]


def _root(q: int) -> Any:
    """Cholesky factor of the correlation of the mediators' innovations, shape (q, q)."""
    if q == 1:
        return np.ones((1, 1))
    pm.modelcontext(None).add_coord("mediator_bis", range(q))
    dims = ("mediator", "mediator_bis")
    root = pm.LKJCorr("correlation_root", n=q, eta=CORRELATION_SHAPE, dims=dims)
    pm.Deterministic("correlation", root @ root.T, dims=dims)
    return root


def _effects(design: Design, priors: list[Priors], slopes: Any) -> Any:
    """Unit, period and further effects on every mediator, shape (n, q)."""
    total = np.zeros((design.n, len(priors)))
    shared = taken_up(design, design.regressors)
    free = free_levels(design) if shared.further else {}
    vary = slopes_that_vary(design) if shared.further else {}
    for one in design.further:
        if one.kind == "random":
            levels = _random(f"{one.name}_mediator", f"sigma_{one.name}", one.dim, priors)
            total = total + levels[one.index] * one.times[:, None]
            continue
        basis = np.eye(len(one.levels))[:, vary[one.name]] if one.name in vary else free[one.name]
        levels = _free(f"{one.name}_mediator", one.dim, basis, shared.further[one.name] @ slopes)
        total = total + levels[one.index] * one.times[:, None]
    for dim, kind, index, share in (
        (design.unit_dim, design.unit_effects, design.unit_index, shared.unit),
        (design.period_dim, design.period_effects, design.period_index, shared.period),
    ):
        name, dims = f"{dim}_effect_mediator", (dim, "mediator")
        if kind == "fixed" and dim in free:
            total = total + _free(name, dim, free[dim], share @ slopes)[index]
        elif kind == "fixed":
            level = pm.Flat(f"{name}_and_share", dims=dims, default_transform=ZeroSumTransform([0]))
            total = total + pm.Deterministic(name, level - share @ slopes, dims=dims)[index]
        elif is_random(kind):
            total = total + _random(name, f"sigma_{dim}", dim, priors)[index]
    return total


def _random(name: str, scale: str, dim: str, priors: list[Priors]) -> Any:
    """Normal effects on every mediator, each with a scale of its own, (L, q)."""
    own = f"{scale}_mediator"
    if priors[0].is_flat:
        sd = pm.HalfFlat(own, dims="mediator")
    else:
        rate = GROUP_SHAPE / np.array([p.scale for p in priors])
        sd = pm.Gamma(own, alpha=GROUP_SHAPE, beta=rate, dims="mediator")
    return pm.Normal(name, 0.0, sd, dims=(dim, "mediator"))


def _free(name: str, dim: str, basis: FloatArray, shared: Any) -> Any:
    """As :func:`~bayesdid.model.pymc.effects.free_effect`, of every mediator, (L, q)."""
    own = f"free_{name}"
    pm.modelcontext(None).add_coord(own, range(basis.shape[1]))
    level = pm.Flat(f"{name}_and_share", dims=(own, "mediator"))
    return pm.Deterministic(name, basis @ level - shared, dims=(dim, "mediator"))
