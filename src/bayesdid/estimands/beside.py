"""Models that stand beside the headline, each with what it assumes.

Cells without pooling and imputation assume less and are judged with it. The static factorial
regression and differences of columns suppose constant effects: they are what papers do, and stand
there with their bias at the effects that the headline fits.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import OverlapDesign
from bayesdid.design.span import within
from bayesdid.estimands.distribution import distribution_of, normal_distribution
from bayesdid.estimands.gls import Scalars
from bayesdid.estimands.imputation import Imputed, imputed_moments
from bayesdid.estimands.names import contrasts_between
from bayesdid.estimands.nonlinear import claim_holds
from bayesdid.estimands.row_weights import contrast_weights
from bayesdid.estimands.saturated import cell_moments, saturated_moments
from bayesdid.estimands.state_columns import Columns, state_columns
from bayesdid.estimands.state_effects import Average
from bayesdid.inference.fit import fit
from bayesdid.model.bound import PriorsLike
from bayesdid.model.errors import Errors
from bayesdid.panel.adoption import state_name
from bayesdid.summary import Interval

HEADLINE = "pooled paths"
DIFFERING = "pooled paths, effects differ between units"
CELLS = "cells, the same errors"
CELLS_IID = "cells, i.i.d. errors"
CELLS_CLUSTERED = "cells, clustered errors"
IMPUTATION = "imputation"
STATIC = "static factorial"
COLUMNS = "difference of columns"


@dataclass(frozen=True, slots=True)
class ModelSays:
    """One model's posterior of a contrast.

    Attributes
    ----------
    mean, sd, interval
        Of the contrast.
    p_claim
        Probability of the claim's direction.
    assumes
        What the model assumes, in a clause.
    bias
        Expected error of the model at the effects that the headline fits; 0 where there is none.
    judged
        Whether the model counts in the range of the claim: not if it supposes constant effects.
    quantiles
        As in :class:`~bayesdid.estimands.distribution.Distribution`.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "mean",
        "sd",
        "interval",
        "p_claim",
        "assumes",
        "bias",
        "judged",
    )

    mean: float
    sd: float
    interval: Interval
    p_claim: float
    assumes: str
    bias: float = 0.0
    judged: bool = True
    quantiles: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Beside:
    """Everything that the models beside the headline are made of.

    Attributes
    ----------
    rows
        The design.
    same
        Contrast -> mean and sd of cells without pooling under the headline's errors.
    cells
        Contrast -> mean, sd under i.i.d. errors and clustered sd of cells without pooling.
    imputed
        Contrast -> estimate from untreated rows.
    static, columns
        Regressions that suppose constant effects.
    """

    rows: OverlapDesign
    same: dict[str, tuple[float, float]]
    cells: dict[str, tuple[float, float, float]]
    imputed: dict[str, Imputed]
    static: StaticFactorial
    columns: Columns

    @classmethod
    def of(
        cls,
        rows: OverlapDesign,
        averages: Mapping[str, Average],
        errors: str | Errors,
        scalars: Scalars,
        *,
        priors: PriorsLike,
        draws: int,
        chains: int,
        seed: int,
    ) -> Beside:
        """Fit them.

        Parameters
        ----------
        errors, priors, draws, chains, seed
            Of the static factorial.
        scalars
            Of the headline's errors.
        """
        weights = {
            name: w
            for name, average in averages.items()
            if (w := contrast_weights(name, rows, average)) is not None
        }
        return cls(
            rows,
            cell_moments(rows, weights, scalars),
            saturated_moments(rows, weights),
            imputed_moments(rows, weights),
            static_factorial(rows, errors, draws, seed, priors, chains),
            state_columns(rows),
        )

    def models(
        self, name: str, effects: FloatArray, mean: float, below: bool
    ) -> dict[str, ModelSays]:
        """What they say of a contrast.

        Parameters
        ----------
        effects
            Of every row, as the headline fits them, shape (n,).
        mean
            Of the contrast at these effects.
        below
            Whether the claim is that it is negative.
        """
        found = {}
        if name in self.same:
            found[CELLS] = of_normal(*self.same[name], below, "errors are those of the main model")
        if name in self.cells:
            cell, sd_iid, sd_cluster = self.cells[name]
            found[CELLS_IID] = of_normal(cell, sd_iid, below, "errors are independent")
            found[CELLS_CLUSTERED] = of_normal(
                cell, sd_cluster, below, "there are many units; errors of a unit are anything"
            )
        if name in self.imputed:
            item = self.imputed[name]
            text = "there are many units; unit and period effects{} are those of untreated rows"
            covariates = " and slopes of covariates" if self.rows.design.covariates else ""
            found[IMPUTATION] = of_normal(item.mean, item.sd, below, text.format(covariates))
        if name in self.static.weights:
            w = self.static.weights[name]
            bias = float(w @ self.static.project(effects)) - mean
            says = of_draws(name, self.static.tau @ w, below, "effects of a state do not change")
            found[STATIC] = dataclasses.replace(says, bias=bias, judged=False)
        shares = state_shares(self.rows.policies).get(name)
        if shares is not None and set(shares) <= set(self.columns.estimate):
            estimate, sd, weights = self.columns.contrast(shares)
            text = "effects of a state do not change, and units under both were untreated before"
            says = of_normal(estimate, sd, below, text)
            bias = float(weights @ effects) - mean
            found[COLUMNS] = dataclasses.replace(says, bias=bias, judged=False)
        return found


@dataclass(frozen=True, slots=True)
class StaticFactorial:
    """The regression on the states alone.

    Attributes
    ----------
    tau
        Draws of its coefficients, shape (S, P).
    weights
        Contrast -> weights of the coefficients.
    within
        The coefficients of least squares as functionals of the outcome, shape (P, n).
    """

    tau: FloatArray
    weights: dict[str, FloatArray]
    within: FloatArray

    def project(self, effects: FloatArray) -> FloatArray:
        """What it estimates if outcomes move by `effects`, shape (n,) -> (P,)."""
        return np.asarray(self.within @ effects)


def static_factorial(
    rows: OverlapDesign,
    errors: str | Errors,
    draws: int,
    seed: int,
    priors: PriorsLike = "weak",
    chains: int = 4,
) -> StaticFactorial:
    """Fit it to the same rows under the same errors; without draws if that did not converge."""
    design = rows.design
    found = fit(design, errors=errors, priors=priors, draws=draws, chains=chains, seed=seed)
    P = len(design.treatments)
    tau = found.tree["posterior"]["tau"].to_numpy().reshape(-1, P)
    Z = within(design, design.regressors, flat_only=False, weights=design.weights)
    root = np.ones(design.n) if design.weights is None else np.sqrt(design.weights)
    weights: dict[str, FloatArray] = {}
    if found.converged:
        vectors = _state_vectors(rows)
        weights = {
            name: np.sum([share * vectors[state] for state, share in shares.items()], axis=0)
            for name, shares in state_shares(rows.policies).items()
            if set(shares) <= set(vectors)
        }
    return StaticFactorial(tau, weights, np.linalg.pinv(Z)[:P] * root)


def state_shares(policies: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Contrast -> state -> weight, for contrasts that are linear in effects of states."""
    contrasts = contrasts_between({policy: policy for policy in policies})
    return {one.name: one.states for one in contrasts if one.states is not None}


def _state_vectors(rows: OverlapDesign) -> dict[str, FloatArray]:
    """Value of the static factorial's treatments in each state that occurs, shape (P,) each."""
    alone = [(policy,) for policy in rows.policies]
    columns = [*alone, *rows.sets]
    return {
        state_name(of, rows.policies): np.array([float(set(one) <= set(of)) for one in columns])
        for of in columns
        if rows.just(of).any()
    }


def of_draws(name: str, values: FloatArray, below: bool, assumes: str) -> ModelSays:
    """What draws of a contrast say."""
    found = distribution_of(values)
    p_claim = float(claim_holds(name, values, below).mean())
    return ModelSays(
        found.mean, found.sd, found.interval, p_claim, assumes, quantiles=found.quantiles
    )


def of_normal(mean: float, sd: float, below: bool, assumes: str) -> ModelSays:
    """What an estimate with a standard error says."""
    found = normal_distribution(mean, sd)
    p_claim = found.p_negative if below else 1 - found.p_negative
    return ModelSays(mean, sd, found.interval, p_claim, assumes)
