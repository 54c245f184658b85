"""Draws from the posterior of a Gaussian two-way model under independent or AR(1) errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.regressors import Regressors, regressors
from bayesdid.inference.exact.collapse import Equations, equations
from bayesdid.inference.exact.draw import Draws, draw_exact
from bayesdid.inference.exact.recover import Effects, recover_effects
from bayesdid.inference.exact.rows import sorted_rows
from bayesdid.inference.exact.target import Beliefs, Target, beliefs, target
from bayesdid.model.pooling import Pooling
from bayesdid.model.priors import Priors


@dataclass(frozen=True, slots=True)
class TwoWay:
    """Arrays of a model that draws need.

    Attributes
    ----------
    data
        Scaled regressors.
    stats
        Mixed-model equations.
    beliefs, priors
        Of coefficients and omegas, and of the other scales.
    serial
        Whether errors are AR(1).
    """

    data: Regressors
    stats: Equations
    beliefs: Beliefs
    priors: Priors
    serial: bool

    @property
    def target(self) -> Target:
        """The posterior density of the scalars, cross-products computed anew at every node."""
        return target(self.stats, self.beliefs, self.priors, serial=self.serial)

    def draw(self, size: int, rng: np.random.Generator) -> Draws:
        """`size` independent draws of everything but the effects."""
        return draw_exact(self.stats, self.beliefs, self.priors, size, rng, serial=self.serial)

    def recover(
        self, draws: Draws, rng: np.random.Generator, *, draw_units: bool | None = None
    ) -> Effects:
        """Effects and intercept of every draw."""
        return recover_effects(self.stats, draws.coef, draws.scalars, rng, draw_units=draw_units)


def two_way_model(
    design: Design,
    priors: Priors,
    *,
    serial: bool = False,
    weights: FloatArray | None = None,
    pooling: Pooling | None = None,
) -> TwoWay:
    """Sum the rows of a design once.

    Parameters
    ----------
    serial
        Whether errors are AR(1) within units rather than independent.
    weights
        Analytic weights of the rows, shape (n,): the variance of a row is ``sigma^2 / weight``.
        AR(1) errors are those of the rows times the root of their weights.
    pooling
        Of the design's treatments, whose parts then have omegas.
    """
    data = regressors(design)
    rows, swapped = sorted_rows(design, data, weights=weights, serial=serial)
    believed = beliefs(design, data, priors)
    if pooling is not None:
        believed = _pooled(believed, pooling, data)
    return TwoWay(data, equations(rows, swapped=swapped), believed, priors, serial)


def _pooled(believed: Beliefs, pooling: Pooling, data: Regressors) -> Beliefs:
    sd, part = believed.sd.copy(), believed.part.copy()
    for k, name in enumerate(pooling.parts):
        columns = pooling.columns(name)
        sd[columns], part[columns] = data.scale[columns], k
    return Beliefs(believed.mean, sd, part, np.full(len(pooling.parts), pooling.scale))


def named_scalars(model: TwoWay, draws: Draws, design: Design) -> dict[str, FloatArray]:
    """Draws of the coefficients and scalars by their names in a result, each with S rows."""
    given = draws.scalars
    values = {"coef": draws.coef, "sigma": given.sigma}
    for random, dim, rho in zip(
        model.stats.kinds,
        (design.unit_dim, design.period_dim),
        (given.rho_unit, given.rho_period),
        strict=True,
    ):
        if random:
            values[f"sigma_{dim}"] = given.sigma * np.sqrt(rho)
    if model.serial:
        values["phi"] = given.phi
    return values
