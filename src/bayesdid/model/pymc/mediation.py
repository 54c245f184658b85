r"""Mediators and outcome jointly, Eqs. 2 and 3 of the study.

.. math::

    M_{k,it} &= \alpha_k + a_k D_{it} + \gamma_k' x_{it} + u_{k,i} + v_{k,t} + \eta_{k,it} \\
    y_{it} &= \alpha + c' D_{it} + b' M_{it} + \beta' x_{it} + u_i + v_t + \varepsilon_{it}

Indirect effect of mediator k: ``a_k b_k``; direct: ``c'``; total: ``c' + sum_k a_k b_k``. The
mediators' residuals may be correlated with each other, those of the outcome are not correlated
with them: sequential ignorability, which :mod:`bayesdid.families.mediation` relaxes. With flat
priors and fixed effects this is the posterior that :mod:`bayesdid.inference.exact.multivariate`
draws exactly. Random effects sum to zero over their levels, since nothing but their sum is
identified.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.regressors import is_random
from bayesdid.model.priors import Priors
from bayesdid.model.pymc.effects import effect, group_scale
from bayesdid.model.pymc.twfe import coords


def build(
    design: Design,
    mediators: FloatArray,
    names: tuple[str, ...],
    priors: Priors,
    *,
    centred: tuple[bool, bool] = (True, True),
) -> pm.Model:
    """One treatment, q mediators of shape (n, q), in units of one standard deviation each.

    `centred` says for unit and for period effects of the outcome how they are parametrised:
    centred where the data say much about each of them, else as multiples of their scale. The
    posterior is the same.
    """
    scale = mediators.std(axis=0)
    M = (mediators - mediators.mean(axis=0)) / scale
    D = design.D[:, 0] - design.D[:, 0].mean()
    X = (design.X - design.X.mean(axis=0)) / np.maximum(design.X.std(axis=0), 1e-12)
    y, sd_y = design.y - design.y.mean(), float(design.y.std())
    labels = {"mediator": list(names), "mediator_bis": list(names)}
    with pm.Model(coords=coords(design) | labels) as model:
        a = pm.Normal("a", 0.0, 2.5 / D.std(), dims="mediator")
        eta_sd = pm.HalfNormal("sd_mediator", 1.0, dims="mediator")
        if len(names) == 1:
            chol: Any = pm.math.diag(eta_sd)
        else:
            corr = pm.LKJCorr("correlation", eta=1.0, n=len(names), return_matrix=True)
            chol = pm.math.dot(pm.math.diag(eta_sd), pm.math.cholesky(corr))
        mean = D[:, None] * a[None, :]
        b = pm.Normal("b", 0.0, 2.5 * sd_y, dims="mediator")
        direct = pm.Normal("direct", 0.0, 2.5 * sd_y / D.std())
        mu = direct * D + M @ b
        if design.covariates:
            gamma = pm.Normal("gamma", 0.0, 2.5, dims=("covariate", "mediator"))
            beta = pm.Normal("beta", 0.0, 2.5 * sd_y, dims="covariate")
            mean, mu = mean + X @ gamma, mu + X @ beta
        for index, dim, kind, centre in (
            (design.unit_index, design.unit_dim, design.unit_effects, centred[0]),
            (design.period_index, design.period_dim, design.period_effects, centred[1]),
        ):
            if kind != "none":
                level = _levels(f"{dim}_mediator", dim, is_random(kind))
                own = _own(dim, priors, centre) if is_random(kind) else effect(dim, kind, priors)
                mean, mu = mean + level[index], mu + own[index]
        pm.MvNormal("M", mean, chol=chol, observed=M)
        pm.Normal("y", mu, pm.HalfNormal("sigma", 2.5 * sd_y), observed=y, dims="obs")
        pm.Deterministic("indirect", a * b, dims="mediator")
        pm.Deterministic("total", direct + pm.math.sum(a * b))
    return model


def _own(dim: str, priors: Priors, centred: bool) -> Any:
    """Random effects of the outcome over one dimension, shape (levels,)."""
    scale = group_scale(f"sigma_{dim}", priors)
    if centred:
        return pm.ZeroSumNormal(f"{dim}_effect", scale, dims=dim)
    unit = pm.ZeroSumNormal(f"{dim}_unit_effect", 1.0, dims=dim)
    return pm.Deterministic(f"{dim}_effect", scale * unit, dims=dim)


def _levels(name: str, dim: str, random: bool) -> Any:
    """Effects of one dimension on every mediator, shape (levels, q)."""
    if random:
        scale = pm.Gamma(f"sigma_{name}", alpha=2.0, beta=2.0)  # zero at zero, as every such prior
        return pm.ZeroSumNormal(name, scale, dims=("mediator", dim)).T
    return pm.Normal(name, 0.0, 10.0, dims=(dim, "mediator"))
