"""Draws from the posterior of a Gaussian two-way model: its rows summed once, any errors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.design import Design
from bayesdid.design.regressors import Regressors, regressors
from bayesdid.inference.exact.collapse import Equations, equations
from bayesdid.inference.exact.draw import Draws, draw_exact
from bayesdid.inference.exact.further import (
    FurtherColumns,
    Levels,
    further_columns,
    named_levels,
    spread_out,
)
from bayesdid.inference.exact.random_levels import draw_random_levels
from bayesdid.inference.exact.recover import Effects, recover_effects
from bayesdid.inference.exact.recover_further import recover_further
from bayesdid.inference.exact.rows import sorted_rows
from bayesdid.inference.exact.scales import Scaled, Scales, draw_scaled
from bayesdid.inference.exact.target import Beliefs, Target, beliefs, target
from bayesdid.model.errors import Errors
from bayesdid.model.pooling import Pooling
from bayesdid.model.priors import Priors

IID = Errors()


@dataclass(frozen=True, slots=True)
class Posterior:
    """Draws of a two-way model, those of a chain next to each other.

    Attributes
    ----------
    draws
        Scalars and coefficients; the gate and the log evidence, NaN where it is not known.
    effects
        Intercept and effects, if asked for.
    scales
        Unit scales, if the errors have them; sigma is then the common one.
    """

    draws: Draws
    effects: Effects | None
    scales: Scales | None


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
    errors
        Independent or AR(1), of one scale or of one for each unit.
    design, columns
        What was summed, with its further effects.
    """

    data: Regressors
    stats: Equations
    beliefs: Beliefs
    priors: Priors
    errors: Errors
    design: Design
    columns: FurtherColumns

    @property
    def serial(self) -> bool:
        """Whether errors are AR(1)."""
        return self.errors.serial == "ar1"

    @property
    def target(self) -> Target:
        """The posterior density of the scalars, cross-products computed anew at every node."""
        return target(self.stats, self.beliefs, self.priors, serial=self.serial)

    def draw(self, size: int, rng: np.random.Generator) -> Draws:
        """`size` independent draws of everything but the effects, for errors of one scale.

        Levels of a random further effect stand before the coefficients.
        """
        if random := self.columns.count - self.columns.fixed:
            return draw_random_levels(self.stats, self.beliefs, self.priors, random, size, rng)
        return draw_exact(self.stats, self.beliefs, self.priors, size, rng, serial=self.serial)

    def recover(
        self, draws: Draws, rng: np.random.Generator, *, draw_units: bool | None = None
    ) -> Effects:
        """Effects and intercept of every draw, for errors of one scale."""
        given = draws.scalars
        if not self.design.further:
            return recover_effects(self.stats, draws.coef, given, rng, draw_units=draw_units)
        return recover_further(
            self.stats, draws.coef, given, rng, self.design, self.columns, draw_units=draw_units
        )

    def posterior(
        self,
        *,
        draws: int = 1000,
        chains: int = 4,
        seed: int = 0,
        draw_units: bool | None = None,
        effects: bool = True,
    ) -> Posterior:
        """Draws under any of the errors: independent ones, or those of chains that are judged.

        Parameters
        ----------
        draw_units
            Whether to keep draws of unit effects and scales, by default unless they are many.
        effects
            Whether to recover intercept and effects where they take further work.
        """
        if self.errors.scale == "unit":
            found = draw_scaled(
                self.stats,
                self.beliefs,
                self.priors,
                serial=self.serial,
                draws=draws,
                chains=chains,
                seed=seed,
                draw_units=draw_units,
                must_draw=bool(self.design.further),
            )
            return self._without_columns(found)
        rng = np.random.default_rng(seed)
        drawn = self.draw(draws * chains, rng)
        recovered = self.recover(drawn, rng, draw_units=draw_units) if effects else None
        random = self.columns.count - self.columns.fixed
        return Posterior(replace(drawn, coef=drawn.coef[:, random:]), recovered, None)

    def _without_columns(self, found: Scaled) -> Posterior:
        """Coefficients of further effects' columns put among the effects."""
        F, draws, effects = self.columns.count, found.draws, found.effects
        if not self.design.further:
            return Posterior(draws, effects, found.scales)
        further = spread_out(self.columns, draws.coef[:, :F], self.design)
        raw = Levels(effects.alpha, effects.unit, effects.period, further)
        named = named_levels(self.design, raw)
        effects = Effects(named.alpha, named.unit, named.period, further=named.further)
        return Posterior(replace(draws, coef=draws.coef[:, F:]), effects, found.scales)


def two_way_model(
    design: Design,
    priors: Priors,
    *,
    errors: Errors = IID,
    weights: FloatArray | None = None,
    pooling: Pooling | None = None,
) -> TwoWay:
    """Sum the rows of a design once.

    Parameters
    ----------
    errors
        Independent or AR(1) within units, of one scale or of one for each unit.
    weights
        Analytic weights of the rows, shape (n,): the variance of a row is ``sigma^2 / weight``.
        AR(1) errors are those of the rows times the root of their weights.
    pooling
        Of the design's treatments, whose parts then have omegas.
    """
    data, by_unit = regressors(design), errors.scale == "unit"
    columns = further_columns(design, by_unit=by_unit)
    rows, swapped = sorted_rows(
        design,
        data,
        weights=weights,
        serial=errors.serial == "ar1",
        by_unit=by_unit,
        columns=columns,
    )
    believed = beliefs(design, data, priors)
    if pooling is not None:
        believed = _pooled(believed, pooling, data)
    if by_unit and columns.count:
        believed = with_columns(believed, columns.scale)
    stats = equations(rows, swapped=swapped)
    return TwoWay(data, stats, believed, priors, errors, design, columns)


def _pooled(believed: Beliefs, pooling: Pooling, data: Regressors) -> Beliefs:
    sd, part = believed.sd.copy(), believed.part.copy()
    for k, name in enumerate(pooling.parts):
        columns = pooling.columns(name)
        sd[columns], part[columns] = data.scale[columns], k
    return Beliefs(believed.mean, sd, part, np.full(len(pooling.parts), pooling.scale))


def with_columns(believed: Beliefs, scale: IntArray) -> Beliefs:
    """Columns of further effects before the regressors: flat, or with a scale of their own.

    Parameters
    ----------
    scale
        Position of each column's scale, shape (F,); -1 for flat ones.
    """
    random = int(scale.max(initial=-1)) + 1
    part = np.where(believed.part >= 0, believed.part + random, -1)
    return Beliefs(
        np.concatenate([np.zeros(len(scale)), believed.mean]),
        np.concatenate([np.where(scale >= 0, 1.0, np.inf), believed.sd]),
        np.concatenate([scale, part]),
        believed.half_normal,
        random,
    )


def named_draws(model: TwoWay, found: Posterior, design: Design) -> dict[str, FloatArray]:
    """Draws of the coefficients, scalars and unit scales by their names in a result, S rows."""
    given = found.draws.scalars
    values = {"coef": found.draws.coef, "sigma": given.sigma}
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
    scaled = [one.name for one in design.further if one.kind == "random"]
    values |= {f"sigma_{name}": given.omega[:, k] for k, name in enumerate(scaled)}
    if found.scales is not None:
        values["nu_unit"] = found.scales.nu
        if found.scales.drawn.size:
            values["sigma_of_unit"] = found.scales.drawn
    return values
