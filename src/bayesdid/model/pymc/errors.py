r"""Errors: their size in each row, how they depend on the row before, how heavy their tails are.

.. math::

    \mathrm{sd}(e_{it}) = s_{it} = \sigma / \sqrt{\lambda_i w_{it}}, \qquad
    \mathrm{cor}(e_{it}, e_{it'}) = \varphi^{|t - t'|}

A row is written given the one before it in its unit, k periods earlier, so that gaps are exact:

.. math::

    z_{it} = e_{it} / s_{it}, \qquad
    z_{it} = \varphi^k z_{i,t-k} + \sqrt{1 - \varphi^{2k}}\; v_{it}, \qquad v_{it} \sim N(0, 1)
    \text{ or } t_\nu

First rows are :math:`z = v`. Unit scales: :math:`\lambda_i \sim` gamma(nu_unit / 2, nu_unit / 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm

from bayesdid.model.priors import NU_LEAST, NU_PRIOR, PHI_LIMIT
from bayesdid.model.pymc.setting import Setting
from bayesdid.model.pymc.transforms import ScaledLog
from bayesdid.model.serial import SerialRows, serial_rows


@dataclass(frozen=True, slots=True)
class Shared:
    """What the errors of all equations of a model have in common.

    Attributes
    ----------
    factor
        ``1 / sqrt(lambda_i w_it)``, shape (n,) or a scalar.
    rows
        Chains in time, or None for i.i.d. errors.
    nu
        Degrees of freedom, or None for normal errors.
    lambdas
        Precision of each unit over that of the typical one, shape (N,), or None.
    """

    factor: Any
    rows: SerialRows | None
    nu: Any
    lambdas: Any


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of one equation: marginal sd of each row, what is carried over, tails."""

    scale: Any
    carry: Any
    shared: Shared


def shared_errors(setting: Setting) -> Shared:
    """Degrees of freedom, unit scales and row weights; each if the model has it."""
    model = setting.model
    lambdas = unit_precisions(setting) if model.errors.scale == "unit" else None
    rows = serial_rows(setting.design) if model.errors.serial == "ar1" else None
    nu = degrees_of_freedom("nu") if model.likelihood.name == "student_t" else None
    return Shared(relative_scale(setting, lambdas), rows, nu, lambdas)


def relative_scale(setting: Setting, lambdas: Any) -> Any:
    """``1 / sqrt(lambda_i w_it)``, shape (n,) or a scalar."""
    design = setting.design
    factor: Any = 1.0
    if lambdas is not None:
        factor = factor / pm.math.sqrt(lambdas)[design.unit_index]
    if setting.model.weighted and design.weights is not None:
        factor = factor / np.sqrt(design.weights)
    return factor


def unit_precisions(setting: Setting, suffix: str = "", dim: str | None = None) -> Any:
    """``lambda_i``, mean one: residual variances of units are ``sigma^2 / lambda_i``.

    Parameters
    ----------
    dim
        Of further equations, each with its own: shape (N, equations).
    """
    unit = setting.design.unit_dim
    nu_unit = degrees_of_freedom(f"nu_unit{suffix}", dims=dim)
    return pm.Gamma(
        f"lambda_of_unit{suffix}",
        nu_unit / 2,
        nu_unit / 2,
        dims=unit if dim is None else (unit, dim),
        default_transform=ScaledLog(),
    )


def degrees_of_freedom(name: str, dims: Any = None) -> Any:
    """``nu - 1 ~ gamma(2, 0.1)``: the one prior of degrees of freedom."""
    shape, rate = NU_PRIOR
    more = pm.Gamma(f"{name}_less_{NU_LEAST:g}", alpha=shape, beta=rate, dims=dims)
    return pm.Deterministic(name, NU_LEAST + more, dims=dims)


def autocorrelation(name: str = "phi", **kwargs: Any) -> Any:
    """Of errors one period apart."""
    return pm.Uniform(name, -PHI_LIMIT, PHI_LIMIT, **kwargs)


def errors_of(setting: Setting, shared: Shared, sigma: Any) -> Errors:
    """Errors of the outcome's equation; names ``phi`` and ``sigma_of_unit``."""
    if shared.lambdas is not None:
        dim = setting.design.unit_dim
        pm.Deterministic("sigma_of_unit", sigma / pm.math.sqrt(shared.lambdas), dims=dim)
    phi = None if shared.rows is None else autocorrelation()
    return given_scale(shared, sigma, phi)


def given_scale(shared: Shared, sigma: Any, phi: Any) -> Errors:
    """Errors of one equation with this marginal sd and autocorrelation."""
    rows = shared.rows
    carry = None if rows is None else rows.follows * phi**rows.gap
    return Errors(sigma * shared.factor, carry, shared)


def observe(
    name: str, y: Any, mu: Any, errors: Errors, before: tuple[tuple[Any, Any], ...] = ()
) -> Any:
    """Register `y` as observed around `mu`.

    Parameters
    ----------
    before
        ``(u, loading)`` of the equations before this one. Innovations are
        ``v = sum(loading u) + sqrt(1 - sum(loading^2)) u_own``; under Student t those of a row are
        jointly multivariate t.

    Returns
    -------
    The equation's own part of the innovations, ``u_own``, shape (n,).
    """
    mean, spread, nu = mu, errors.scale, errors.shared.nu
    z = (y - mu) / errors.scale
    v = z
    if errors.carry is not None and errors.shared.rows is not None:
        root = pm.math.sqrt(1 - errors.carry**2)
        carried = errors.carry * z[errors.shared.rows.before]
        mean, spread, v = mu + errors.scale * carried, errors.scale * root, (z - carried) / root
    own = v
    if before:
        known = sum(loading * u for u, loading in before)
        rest = pm.math.sqrt(1 - sum(loading**2 for _, loading in before))
        mean, spread, own = mean + spread * known, spread * rest, (v - known) / rest
    if nu is None:
        pm.Normal(name, mean, spread, observed=y, dims="obs")
    elif not before:
        pm.StudentT(name, nu=nu, mu=mean, sigma=spread, observed=y, dims="obs")
    else:  # t given t: Ding (2016), doi:10.1080/00031305.2016.1164756
        more = nu + len(before)
        wider = pm.math.sqrt((nu + sum(u**2 for u, _ in before)) / more)
        pm.StudentT(name, nu=more, mu=mean, sigma=spread * wider, observed=y, dims="obs")
    return own
