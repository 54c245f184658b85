"""The headline: what policies together do beyond the sum of each, at the ages that they have.

Each policy's effect follows its cohorts and ages, partially pooled towards smooth paths; each pair
departs from its sum along the time since the second adoption, more policies from what they and
their pairs add up to (:mod:`bayesdid.model.overlap`); errors are the calibrated default. Beside it
stand models that assume less or something else (:mod:`bayesdid.estimands.beside`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.overlap import OverlapDesign, overlap_design
from bayesdid.estimands.assumed import assumed
from bayesdid.estimands.beside import DIFFERING, HEADLINE, Beside, ModelSays, of_draws
from bayesdid.estimands.deciding import deciding
from bayesdid.estimands.differing import Differing, differing
from bayesdid.estimands.gls import Scalars, gls
from bayesdid.estimands.names import RATIO, contrasts_of
from bayesdid.estimands.nonlinear import side
from bayesdid.estimands.question import claimed_below
from bayesdid.estimands.state_effects import Average, state_averages
from bayesdid.estimands.verdict import word_for
from bayesdid.exceptions import InputError, Note, NotIdentifiedError, ResultError
from bayesdid.inference.fit import fit
from bayesdid.inference.result import Fit
from bayesdid.model.bound import BoundModel, PriorsLike, study_priors
from bayesdid.model.bound import model as bind
from bayesdid.model.errors import DEFAULT_ERRORS, Errors
from bayesdid.model.overlap import overlap_pooling
from bayesdid.model.pooling import Pooling
from bayesdid.model.resolve import base_of
from bayesdid.notebook import html, lines
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec, Study
from bayesdid.study.schema import Sample
from bayesdid.summary import Interval, Summary, chance, summarise

_CHANCES = ("p_claim", "p_low", "p_high")  # columns of a frame


@dataclass(frozen=True, slots=True)
class SynergyContrast:
    """One contrast of a panel.

    Attributes
    ----------
    name, label
        ``both - sum of singles``, and with the policies' own names.
    mean, sd, interval, level
        Of the headline model's posterior.
    claim
        What is claimed of it: ``< 0`` or ``> 0`` as the study's claim says, without one the side
        on which the outcome is better; ``> 1`` of the ratio.
    p_claim, p_range
        Probability of that, and its range over `models`.
    word
        See :func:`bayesdid.estimands.verdict.word_for`; of the model in `answering`.
    models
        Every model of the contrast, the headline first; where effects differ between units, the
        same with these differences second.
    rows
        Rows that it averages over: unit, period and ``weight`` (negative for rows subtracted).
    refused
        Rows that were left out, and why; or empty.
    alert
        Where pooling or the errors decide; or empty.
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
        "claim",
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
    claim: str
    p_claim: float
    p_range: tuple[float, float]
    word: str
    models: dict[str, ModelSays]
    rows: pd.DataFrame
    refused: str
    alert: str
    summary: Summary

    def __repr__(self) -> str:
        low, high = map(chance, self.p_range)
        return (
            f"<{self.label}: {self.mean:.4g} (sd {self.sd:.3g}; {self.interval:.4g}); "
            f"P({self.claim}) {chance(self.p_claim)}, {low} to {high} over models: {self.word}>"
        )

    @property
    def answering(self) -> ModelSays:
        """The headline, or the model with differences between units where they are there."""
        return _answering(self.models)


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
    rows, averages
        States and ages of the rows, and each contrast as an average over them.
    differing
        Whether effects differ between units; None where no unit tells.
    """

    contrasts: dict[str, SynergyContrast]
    refused: dict[str, str]
    fit: Fit
    design: Design
    errors: Errors
    notes: tuple[Note, ...]
    synthetic: str
    rows: OverlapDesign
    averages: dict[str, Average]
    differing: Differing | None = None

    def frame(self) -> pd.DataFrame:
        """One row for each contrast: mean, sd, interval, probability of the claim, word.

        In the outcome's units; ``low`` and ``high`` are the interval at ``level``.
        """
        found = {
            name: {
                "mean": c.mean,
                "sd": c.sd,
                "low": c.interval.low,
                "high": c.interval.high,
                "level": c.level,
                "p_claim": c.p_claim,
                "p_low": c.p_range[0],
                "p_high": c.p_range[1],
                "word": c.word,
            }
            for name, c in self.contrasts.items()
        }
        return pd.DataFrame.from_dict(found, orient="index").rename_axis("contrast")

    def _about(self, table: Sequence[str] = ()) -> str:
        """What is answered, the table if there is one, what was refused, the stamp."""
        return lines(
            f"Synergy of {self.design.outcome}; errors: {self.errors}",
            [
                *table,
                *([self.differing.found] if self.differing and not self.differing.passed else []),
                *(f"note: {note.text}" for note in self.notes if note.name.startswith("few_units")),
                *(f"refused: {name}: {why}" for name, why in self.refused.items()),
                f"SYNTHETIC PANEL: {self.synthetic}" if self.synthetic else "",
            ],
        )

    def _shown(self) -> pd.DataFrame:
        """The frame as it is printed: no probability is nought or one."""
        table = self.frame().drop(columns="level")
        return table.assign(**{name: table[name].map(chance) for name in _CHANCES})

    def __repr__(self) -> str:
        return self._about(self._shown().to_string(float_format="%.4g").split("\n"))

    def _repr_html_(self) -> str:
        return html(self._about(), self._shown())

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


@dataclass(frozen=True, slots=True)
class Headline:
    """The headline's model, fitted.

    Attributes
    ----------
    rows, pooling
        Its design, and the columns of its mean.
    fit
        Its posterior.
    priors
        Those of the study on covariates.
    averages, refused
        Contrasts that some row identifies; of the others why not.
    """

    rows: OverlapDesign
    pooling: Pooling
    fit: Fit
    priors: PriorsLike
    averages: dict[str, Average]
    refused: dict[str, str]

    @property
    def tau(self) -> FloatArray:
        """Draws of the coefficients, shape (S, P)."""
        found = self.fit.tree["posterior"]["tau"].to_numpy()
        return np.asarray(found.reshape(-1, found.shape[-1]))

    @property
    def scalars(self) -> Scalars:
        """What the coefficients are linear in the outcome given."""
        return Scalars.of(self.fit.tree, self.pooling.design)


def fit_headline(
    study: Study,
    panel: Panel,
    *,
    spec: str | None = None,
    errors: str | Errors | None = None,
    draws: int = 500,
    chains: int = 4,
    seed: int = 0,
    anticipation: int = 0,
) -> Headline:
    """The headline's model alone; parameters and errors as of :func:`synergy`.

    Parameters
    ----------
    anticipation
        Periods before the recorded adoption in which effects may already be there. Contrasts
        average over the same rows whatever it is.
    """
    if anticipation:
        panel = dataclasses.replace(panel, adoption=panel.adoption - anticipation)
    own = headline_spec(study, spec)
    rows = overlap_design(own, panel)
    pooling = overlap_pooling(rows)
    priors = covariate_priors(own)
    bound = bind(pooling.design, errors=errors, priors=priors)
    found = fit(bound, draws=draws, chains=chains, seed=seed)
    used = bound.model.errors
    if not found.converged and len(rows.policies) > 2 and used.scale == "common":
        raise ResultError(
            f"{own.id}: {len(pooling.parts)} parts are too many for the sampler of errors of one "
            f"scale ({used}): use errors {DEFAULT_ERRORS.name}, whose sampler has no such limit"
        )
    found = found.require()
    averages = state_averages(rows, pooling, since=anticipation)
    return Headline(rows, pooling, found, priors, *averages)


def synergy(
    study: Study,
    panel: Panel,
    *,
    spec: str | None = None,
    errors: str | Errors | None = None,
    draws: int = 500,
    chains: int = 4,
    seed: int = 0,
) -> Synergy:
    """Contrasts of the states of policies in a panel.

    Parameters
    ----------
    spec
        Whose covariates and effects to use; default the study's spec of family ``overlap`` or
        ``cohort``, else its first spec on all rows of the main outcome.
    errors
        Of the headline model; default :func:`bayesdid.model.bound.default_errors`.
    draws, chains
        Size of the run, draws per chain.

    Returns
    -------
    Synergy
        A mapping from a contrast's name to what the panel says of it.

    Raises
    ------
    NotIdentifiedError
        If no row is untreated, or with several policies none is under two.
    ResultError
        If the headline model did not converge.
    """
    head = fit_headline(
        study, panel, spec=spec, errors=errors, draws=draws, chains=chains, seed=seed
    )
    rows, tau, averages, refused = head.rows, head.tau, head.averages, head.refused
    bound = bound_of(head.fit)
    errors = bound.model.errors
    lower = study.file.outcome.better == "lower"
    labels = {contrast.name: contrast.label for contrast in contrasts_of(study)}
    beside = Beside.of(
        rows,
        averages,
        errors,
        head.scalars,
        priors=head.priors,
        draws=draws,
        chains=chains,
        seed=seed,
    )
    effects = head.pooling.design.D @ tau.mean(axis=0)
    between = differences(head, seed)
    found = {}
    for name, average in averages.items():
        values = average.values(name, tau, lower)
        assumes = "paths are smooth, cohorts alike, up to what they show"
        below = claimed_below(study, name)
        models = {HEADLINE: of_draws(name, values, below, assumes)}
        if between is not None and not between.passed:
            wider = between.wider(average, name, tau, lower)
            models[DIFFERING] = of_draws(name, wider, below, f"{assumes}; effects of units differ")
        models |= beside.models(name, effects, float(values.mean()), below)
        rope = None if name == RATIO else study.file.synergy.rope
        found[name] = _contrast(
            name,
            labels[name],
            side(name, below),
            average,
            rows,
            models,
            refused,
            panel,
            summarise(values, rope=rope),
        )
    return Synergy(
        found,
        {name: why for name, why in refused.items() if name not in found},
        head.fit,
        head.pooling.design,
        errors,
        assumed(base_of(bound.design).notes, rows, beside, averages),
        panel.synthetic or "",
        rows,
        averages,
        between,
    )


def differences(head: Headline, seed: int = 0) -> Differing | None:
    """Whether effects differ between units; None where that cannot be told."""
    try:
        fitted = gls(head.pooling, head.scalars, priors=head.priors)
    except NotIdentifiedError:
        return None
    return differing(head.rows, fitted, head.averages, seed=seed)


def bound_of(found: Fit) -> BoundModel:
    """The model of a fit that was just made, with its data."""
    assert found.bound is not None
    return found.bound


def covariate_priors(spec: Spec) -> PriorsLike:
    """The study's priors but for those of treatments, in whose place the headline has paths."""
    return study_priors(spec, dict.fromkeys(spec.column.treatments, ()))


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
    plain = [s for s in mine if not (s.column.effects or s.column.row_weights)]
    for spec in plain:
        if spec.column.sample == Sample() and spec.column.outcome_lead == 0:
            return spec
    mine = plain or mine
    if not mine:
        raise InputError(
            "the study has no spec of its main outcome",
            file=study.path,
            value=outcome,
            remedy="add a column, e.g. of family overlap",
        )
    column = mine[0].column.model_copy(update={"sample": Sample(), "outcome_lead": 0})
    return dataclasses.replace(mine[0], column=column)


def _contrast(
    name: str,
    label: str,
    claim: str,
    average: Average,
    rows: OverlapDesign,
    models: dict[str, ModelSays],
    refused: Mapping[str, str],
    panel: Panel,
    summary: Summary,
) -> SynergyContrast:
    main, answers = models[HEADLINE], _answering(models)
    judged = [says.p_claim for says in models.values() if says.judged]
    low, high = min(judged), max(judged)
    return SynergyContrast(
        name,
        label,
        main.mean,
        main.sd,
        main.interval,
        main.interval.level,
        claim,
        main.p_claim,
        (low, high),
        word_for(answers.p_claim, low, high),
        models,
        _row_frame(average, rows, panel),
        refused.get(name, ""),
        deciding(models),
        summary,
    )


def _answering(models: Mapping[str, ModelSays]) -> ModelSays:
    return models.get(DIFFERING, models[HEADLINE])


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
