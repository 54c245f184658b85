"""Intercepts and flat effects of several equations with correlated errors, given everything else.

In triangular form each equation has those before it among its regressors and an error that is not
correlated with theirs (Zellner 1971, ch. 8): its nuisance parameters, flat in one form and so in
the other, are those of a two-way regression.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.inference.exact.recover import Effects, recover_effects
from bayesdid.inference.exact.recover_further import recover_further
from bayesdid.inference.exact.target import Scalars
from bayesdid.inference.exact.two_way import two_way_model
from bayesdid.model.priors import resolve_priors


class SystemEffects(NamedTuple):
    """Intercepts (S, q), unit effects (S, N, q), period effects (S, T, q), further ones (S, L, q).

    Absent effects, and those of many units, have no levels.
    """

    alpha: FloatArray
    unit: FloatArray
    period: FloatArray
    further: dict[str, FloatArray] = {}  # noqa: RUF012

    def named(self, design: Design, suffix: str, k: int | None = None) -> Named:
        """Variables of a result: of one equation, or of all with a dimension ``mediator``."""
        dims = ("mediator",) if k is None else ()
        at = slice(None) if k is None else k
        found: Named = {f"alpha{suffix}": (dims, self.alpha[:, at])}
        for dim, values in ((design.unit_dim, self.unit), (design.period_dim, self.period)):
            if values.shape[1]:
                found[f"{dim}_effect{suffix}"] = ((dim, *dims), values[:, :, at])
        for one in design.further:
            if one.name in self.further:
                found[f"{one.name}{suffix}"] = ((one.dim, *dims), self.further[one.name][:, :, at])
        return found


type Named = dict[str, tuple[tuple[str, ...], FloatArray]]


def system_effects(
    design: Design, Y: FloatArray, B: FloatArray, Sigma: FloatArray, rng: np.random.Generator
) -> SystemEffects:
    """Draws under fixed or no effects.

    Parameters
    ----------
    design
        Whose regressors, effects and weights all equations have.
    Y
        Outcomes, shape (n, q).
    B, Sigma
        Coefficients of the regressors, shape (S, K, q), and covariance of the errors, (S, q, q).
    """
    found: list[Effects] = []
    for k in range(Y.shape[1]):
        before = Y[:, :k]
        on = np.linalg.solve(Sigma[:, :k, :k], Sigma[:, :k, [k]])[:, :, 0]  # (S, k)
        sd = np.sqrt(Sigma[:, k, k] - (on * Sigma[:, :k, k]).sum(axis=1))
        own = dataclasses.replace(
            design,
            y=Y[:, k],
            X=np.column_stack([design.X, before]),
            covariates=(*design.covariates, *(f"equation {j}" for j in range(k))),
        )
        coef = np.hstack([B[:, :, k] - (B[:, :, :k] * on[:, None, :]).sum(axis=-1), on])
        fresh = _flat_effects(own, coef, sd, rng)
        alpha, unit, period = fresh.alpha + own.y.mean(), fresh.unit, fresh.period
        further = dict(fresh.further)
        for j, other in enumerate(found):
            alpha = alpha + on[:, j] * (other.alpha - Y[:, j].mean())
            unit = unit + on[:, [j]] * other.unit
            period = period + on[:, [j]] * other.period
            further = {name: of + on[:, [j]] * other.further[name] for name, of in further.items()}
        found.append(Effects(alpha, unit, period, further=further))
    return SystemEffects(
        np.stack([e.alpha for e in found], axis=-1),
        np.stack([e.unit for e in found], axis=-1),
        np.stack([e.period for e in found], axis=-1),
        {name: np.stack([e.further[name] for e in found], axis=-1) for name in found[0].further},
    )


def _flat_effects(
    design: Design, coef: FloatArray, sigma: FloatArray, rng: np.random.Generator
) -> Effects:
    """Of one equation with i.i.d. errors, coefficients in natural units, shape (S, K)."""
    model = two_way_model(design, resolve_priors("flat", design), weights=design.weights)
    S = len(sigma)
    given = Scalars(sigma, np.zeros(S), np.ones(S), np.ones(S), np.empty((S, 0)))
    scaled = coef * model.data.scale
    if design.further:
        return recover_further(model.stats, scaled, given, rng, model.design, model.columns)
    return recover_effects(model.stats, scaled, given, rng)
