"""The headline: what both policies do beyond the sum of the two, at the ages that they have.

Each policy's effect follows its cohorts and ages, partially pooled towards smooth paths, and the
joint state departs from their sum along the time since the second adoption
(:mod:`bayesdid.model.overlap`); errors are the calibrated default. Beside it stand models that
assume less or something else: cells without pooling (with i.i.d. and with clustered errors), and
the static factorial regression with its bias at the fitted paths.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import norm

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.overlap import OverlapDesign, overlap_design
from bayesdid.design.within import absorb
from bayesdid.estimands.distribution import distribution_of
from bayesdid.estimands.names import RATIO, SUM, contrasts_of
from bayesdid.estimands.saturated import saturated_moments
from bayesdid.estimands.state_effects import Average, state_averages
from bayesdid.estimands.verdict import SURE, word_for
from bayesdid.exceptions import InputError, Note, ResultError
from bayesdid.inference.fit import fit
from bayesdid.inference.result import Fit
from bayesdid.model.errors import DEFAULT_ERRORS, Errors
from bayesdid.model.overlap import overlap_pooling
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec, Study
from bayesdid.study.schema import Sample
from bayesdid.summary import Interval, Summary, normal_interval, summarise

HEADLINE = "pooled paths"
CELLS_IID = "cells, i.i.d. errors"
CELLS_CLUSTERED = "cells, clustered errors"
STATIC = "static factorial"
_APART = 0.5  # posterior sds between pooled and unpooled from which on the prior decides


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
    quantiles
        As in :class:`~bayesdid.estimands.distribution.Distribution`.
    """

    json_keys: ClassVar[tuple[str, ...]] = ("mean", "sd", "interval", "p_claim", "assumes", "bias")

    mean: float
    sd: float
    interval: Interval
    p_claim: float
    assumes: str
    bias: float = 0.0
    quantiles: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class SynergyContrast:
    """One contrast of a panel.

    Attributes
    ----------
    name, label
        ``both - sum of singles``, and with the policies' own names.
    mean, sd, interval, level
        Of the headline model's posterior.
    p_claim, p_range
        Probability of the claim's direction, and its range over `models`.
    word
        See :func:`bayesdid.estimands.verdict.word_for`.
    models
        Every model of the contrast, the headline first.
    rows
        Rows that it averages over: unit, period and ``weight`` (negative for rows subtracted).
    refused
        Rows that were left out, and why; or empty.
    alert
        Where prior and data disagree; or empty.
    summary
        Of the headline model's draws, with the intervals of every summary.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "name",
        "label",
        "mean",
        "sd",
        "interval",
        "level",
        "p_claim",
        "p_range",
        "word",
        "models",
        "refused",
        "alert",
        "summary",
    )

    name: str
    label: str
    mean: float
    sd: float
    interval: Interval
    level: float
    p_claim: float
    p_range: tuple[float, float]
    word: str
    models: dict[str, ModelSays]
    rows: pd.DataFrame
    refused: str
    alert: str
    summary: Summary


@dataclass(frozen=True, slots=True)
class Synergy(Mapping[str, SynergyContrast]):
    """Contrasts of a panel by name; what none of its rows identifies is in `refused`.

    Attributes
    ----------
    contrasts
        Name -> contrast.
    refused
        Name -> why no row identifies it.
    fit, design, errors
        The headline model's posterior, and what it is of.
    notes
        What was assumed and left out.
    synthetic
        Why the panel is synthetic, or empty.
    """

    contrasts: dict[str, SynergyContrast]
    refused: dict[str, str]
    fit: Fit
    design: Design
    errors: Errors
    notes: tuple[Note, ...]
    synthetic: str

    def __getitem__(self, name: str) -> SynergyContrast:
        """The contrast; one that is refused says why."""
        if name in self.refused and name not in self.contrasts:
            raise ResultError(f"{name} is not identified: {self.refused[name]}")
        return self.contrasts[name]

    def __contains__(self, name: object) -> bool:
        """Whether a contrast is identified."""
        return name in self.contrasts

    def __iter__(self) -> Iterator[str]:
        """Names."""
        return iter(self.contrasts)

    def __len__(self) -> int:
        """How many contrasts are identified."""
        return len(self.contrasts)


def synergy(
    study: Study,
    panel: Panel,
    *,
    spec: str | None = None,
    errors: str | Errors = DEFAULT_ERRORS,
    draws: int = 500,
    seed: int = 0,
) -> Synergy:
    """Contrasts of the states of one or two policies in a panel.

    Parameters
    ----------
    spec
        Whose covariates and effects to use; default the study's spec of family ``overlap`` or
        ``cohort``, else its first spec on all rows of the main outcome.
    errors
        Of the headline model.
    draws
        Per chain, of four chains.

    Returns
    -------
    Synergy
        A mapping from a contrast's name to what the panel says of it.

    Raises
    ------
    NotIdentifiedError
        If no row is untreated, or with two policies none is under both.
    ResultError
        If the headline model did not converge.
    """
    own = headline_spec(study, spec)
    rows = overlap_design(own, panel)
    pooling = overlap_pooling(rows)
    main = fit(pooling.design, errors=errors, draws=draws, seed=seed).require()
    tau = main.tree["posterior"]["tau"].to_numpy().reshape(-1, len(pooling.design.treatments))
    averages, refused = state_averages(rows, pooling)
    lower = study.file.outcome.better == "lower"
    labels = {contrast.name: contrast.label for contrast in contrasts_of(study)}
    cells = saturated_moments(rows, averages)
    static = static_factorial(rows, errors, draws, seed)
    effects = pooling.design.D @ tau.mean(axis=0)
    found = {}
    for name, average in averages.items():
        values = average.values(name, tau, lower)
        models = {
            HEADLINE: _of_draws(
                name, values, lower, "paths are smooth, cohorts alike, up to what they show"
            )
        }
        if name in cells:
            mean, sd_iid, sd_cluster = cells[name]
            models[CELLS_IID] = _of_normal(mean, sd_iid, lower, "errors are independent")
            models[CELLS_CLUSTERED] = _of_normal(
                mean, sd_cluster, lower, "there are many units; errors of a unit are anything"
            )
        if name in static.weights:
            w = static.weights[name]
            bias = float(w @ static.project(effects)) - float(values.mean())
            says = _of_draws(name, static.tau @ w, lower, "effects of a state do not change")
            models[STATIC] = dataclasses.replace(says, bias=bias)
        rope = None if name == RATIO else study.file.synergy.rope
        found[name] = _contrast(
            name, labels[name], average, rows, models, refused, panel, summarise(values, rope=rope)
        )
    return Synergy(
        found,
        {name: why for name, why in refused.items() if name not in found},
        main,
        pooling.design,
        Errors.parse(errors) if isinstance(errors, str) else errors,
        (*rows.design.notes, *_assumed(rows)),
        panel.synthetic or "",
    )


def headline_spec(study: Study, name: str | None = None) -> Spec:
    """The spec whose covariates and effects the headline has, on all rows.

    Raises
    ------
    InputError
        If the study has no spec of its main outcome.
    """
    if name is not None:
        return study[name]
    outcome = study.file.outcome.column
    mine = [spec for spec in study.specs.values() if spec.column.outcome == outcome]
    for wanted in ("overlap", "cohort"):
        for spec in mine:
            if spec.column.family == wanted:
                return spec
    for spec in mine:
        if spec.column.sample == Sample() and spec.column.outcome_lead == 0:
            return spec
    if not mine:
        raise InputError(
            "the study has no spec of its main outcome",
            file=study.path,
            value=outcome,
            remedy="add a column, e.g. of family overlap",
        )
    column = mine[0].column.model_copy(update={"sample": Sample(), "outcome_lead": 0})
    return dataclasses.replace(mine[0], column=column)


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
    rows: OverlapDesign, errors: str | Errors, draws: int, seed: int
) -> StaticFactorial:
    """Fit it to the same rows under the same errors; without draws if that did not converge."""
    design = rows.design
    found = fit(design, errors=errors, draws=draws, seed=seed)
    P = len(design.treatments)
    tau = found.tree["posterior"]["tau"].to_numpy().reshape(-1, P)
    kinds = {"unit": design.unit_effects != "none", "period": design.period_effects != "none"}
    Z = absorb(design.regressors, design.unit_index, design.period_index, **kinds)
    weights: dict[str, FloatArray] = {}
    if found.converged:
        unit = np.eye(P)
        weights = {f"only:{p} - none": unit[k] for k, p in enumerate(rows.policies)}
        if P == 3:
            weights |= {
                "both - none": np.ones(3),
                SUM: unit[2],
                "both - single": np.array([0.5, 0.5, 1.0]),
                **{f"both - only:{p}": 1 - unit[k] for k, p in enumerate(rows.policies)},
            }
    return StaticFactorial(tau, weights, np.linalg.pinv(Z)[:P])


def _of_draws(name: str, values: FloatArray, lower: bool, assumes: str) -> ModelSays:
    claim = values > 1 if name == RATIO else values < 0 if lower else values > 0
    found = distribution_of(values)
    return ModelSays(
        found.mean,
        found.sd,
        found.interval,
        float(claim.mean()),
        assumes,
        quantiles=found.quantiles,
    )


def _of_normal(mean: float, sd: float, lower: bool, assumes: str) -> ModelSays:
    below = float(norm.cdf(-mean / sd)) if sd > 0 else float(mean < 0)
    return ModelSays(mean, sd, normal_interval(mean, sd), below if lower else 1 - below, assumes)


def _contrast(
    name: str,
    label: str,
    average: Average,
    rows: OverlapDesign,
    models: dict[str, ModelSays],
    refused: Mapping[str, str],
    panel: Panel,
    summary: Summary,
) -> SynergyContrast:
    main = models[HEADLINE]
    unbiased = [says.p_claim for label, says in models.items() if label != STATIC]
    low, high = min(unbiased), max(unbiased)
    return SynergyContrast(
        name,
        label,
        main.mean,
        main.sd,
        main.interval,
        main.interval.level,
        main.p_claim,
        (low, high),
        word_for(main.p_claim, low, high),
        models,
        _row_frame(average, rows, panel),
        refused.get(name, ""),
        _alert(models),
        summary,
    )


def _alert(models: Mapping[str, ModelSays]) -> str:
    """Where pooling, not data, decides."""
    main, cells = models[HEADLINE], models.get(CELLS_CLUSTERED)
    if cells is None:
        return ""
    gap = abs(main.mean - cells.mean) / main.sd
    across = (main.p_claim >= SURE) != (cells.p_claim >= SURE)
    across |= (main.p_claim <= 1 - SURE) != (cells.p_claim <= 1 - SURE)
    if gap <= _APART and not across:
        return ""
    return (
        f"Pooling matters: without it the estimate is {cells.mean:+.3f} ({cells.sd:.3f}), "
        f"{gap:.1f} posterior sds away, with probability {cells.p_claim:.3f} of the claim in the "
        f"place of {main.p_claim:.3f}."
    )


def _row_frame(average: Average, rows: OverlapDesign, panel: Panel) -> pd.DataFrame:
    """Rows with a weight other than zero."""
    weight, design = average.weights(), rows.design
    used = np.flatnonzero(weight)
    return pd.DataFrame(
        {
            panel.unit: design.units[design.unit_index[used]],
            panel.period: design.periods[design.period_index[used]],
            "weight": weight[used],
        }
    )


def _assumed(rows: OverlapDesign) -> list[Note]:
    found = [Note("averaging", int(rows.both.sum()), "contrasts average over rows, not over units")]
    if rows.design.covariates:
        text = "covariates have one slope in treated and untreated rows"
        found.append(Note("covariate_slopes", len(rows.design.covariates), text))
    return found
