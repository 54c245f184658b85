"""Apply a spec to a panel."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesdid.arrays import BoolArray, FloatArray
from bayesdid.design.chosen import rows_of_switchers
from bayesdid.design.collinear import drop_collinear, level_out, refuse_constant
from bayesdid.design.design import Design
from bayesdid.design.event import event_treatments
from bayesdid.design.further import clusters_of, further_columns, further_effects, has_values
from bayesdid.design.lagged import with_lag_note
from bayesdid.design.sample import rows_in_event_time, sample_rows
from bayesdid.design.span import without_spanned
from bayesdid.design.terms import term_values
from bayesdid.design.treated import UNTOLD, shocks_untold, with_identification
from bayesdid.exceptions import InputError, Note, NotIdentifiedError
from bayesdid.notebook import many
from bayesdid.panel.derived import shifted
from bayesdid.panel.panel import Panel
from bayesdid.study.effects import parse_effect
from bayesdid.study.load import Spec
from bayesdid.study.schema import Column, EffectKind
from bayesdid.study.terms import parse_term

# dimensions and variables that every result has; a key column of that name gets a line after it
_TAKEN = frozenset({"chain", "draw", "obs", "treatment", "covariate", "term", "effect", "sample"})
_TAKEN |= {"alpha", "beta", "tau", "sigma", "phi", "nu", "rho", "psi", "constant", "errors"}
_TAKEN |= {"y", "D", "X", "weights", "exposure", "trials", "unit_index", "period_index"}
_MOST_ROWS = 2_000_000  # that frequency weights may stand for
FITTED_FAMILIES = frozenset({"twfe", "pooled", "event_study"})


def build_design(
    spec: Spec,
    panel: Panel,
    *,
    unit_effects: EffectKind | None = None,
    period_effects: EffectKind | None = None,
    effects: Sequence[str] | None = None,
    weights: str | None = None,
    exposure: str | None = None,
    trials: str | None = None,
    timed: tuple[str, ...] = (),
    absorbing: tuple[str, ...] = (),
) -> Design:
    """The arrays of one spec.

    Parameters
    ----------
    spec
        The declaration, ``study["table2.5"]``.
    panel
        A validated panel.
    unit_effects, period_effects
        Override the spec's own.
    effects
        Further effects in the place of the spec's own, see :mod:`bayesdid.study.effects`.
    weights, exposure, trials
        Columns of the panel with weights (default: those of the spec), exposures and numbers of
        trials. A row that lacks one is left out like a row that lacks a regressor.
    timed
        Terms, ``both`` or ``active:P``, whose time since adoption is used: units of which it is not
        known, or that reverse a policy, are left out. Default: those of the spec's own event times.
    absorbing
        Terms, ``both`` or ``active:P``, whose policies must stay on: units that reverse one are
        left out.

    Raises
    ------
    NotIdentifiedError
        If a treatment does not vary in the sample once the effects are taken out.
    InputError
        If a column is missing or the family is not a two-way linear model.
    """
    column = spec.column
    if column.family not in FITTED_FAMILIES:
        raise InputError(
            f"{spec.id} is a '{column.family}' spec, not a two-way linear model",
            remedy=f"fit one of the families {', '.join(sorted(FITTED_FAMILIES))}",
        )
    notes: list[Note] = []
    rows = sample_rows(column.sample, panel, notes)
    ordered = (*absorbing, *_ordered(spec))
    rows = rows_in_event_time(rows, panel, timed or _timed(spec), ordered, notes)
    y = _outcome(column.outcome, column.outcome_lead, panel)
    effects = column.effects if effects is None else tuple(effects)
    if panel.repeated:
        effects = _with_shocks(effects, panel, notes)
    weights = weights or column.row_weights
    sizes = {
        name: _outcome(column, 0, panel)
        for name, column in (("weights", weights), ("exposure", exposure), ("trials", trials))
        if column is not None
    }
    if weights:
        rows = _with_weight(spec, weights, sizes["weights"], rows, panel, notes)
    complete = np.isfinite(y)
    for values in sizes.values():
        complete &= np.isfinite(values)
    crossed = further_columns(effects, panel)
    if column.cluster is not None and column.cluster not in {panel.unit, panel.period}:
        crossed.append(column.cluster)
    for name in crossed:
        complete &= has_values(panel, name)
    if column.sample.switchers:
        known = [np.isfinite(term_values(parse_term(c), panel, rows)) for c in column.covariates]
        seen = rows & np.logical_and.reduce([complete, *known])
        switch = rows_of_switchers(spec, panel, seen, notes)
        rows = rows & panel.frame[panel.unit].isin(panel.frame.loc[switch, panel.unit]).to_numpy()
    treatments, covariates = column.treatments, column.covariates
    if column.family == "event_study":
        treatments, beyond = event_treatments(spec, panel, rows, notes)
        covariates = (*covariates, *beyond)
    Z = np.column_stack(
        [term_values(parse_term(text), panel, rows) for text in (*treatments, *covariates)]
        or [np.empty((len(y), 0))]
    )
    complete &= np.isfinite(Z).all(axis=1)
    if dropped := int((rows & ~complete).sum()):
        lacking = ", ".join(["the outcome", *sizes, *crossed]) + " or a regressor"
        one = dropped == 1
        text = f"{many(dropped, 'row')} {'lacks' if one else 'lack'} {lacking} and "
        text += "is left out" if one else "are left out"
        notes.append(Note("rows_with_missing_values", dropped, text))
    rows = rows & complete
    unit_effects = unit_effects or column.unit_effects
    if unit_effects == "fixed":
        most = 1 + _unit_slopes(effects, panel)
        rows, singles = _without_singletons(rows, panel, most)
        if singles:
            few = "one row" if most == 1 else f"no more than {most} rows, as many as coefficients,"
            verbs = ("has", "carries") if singles == 1 else ("have", "carry")
            text = f"{many(singles, 'unit')} {verbs[0]} {few} and {verbs[1]} no within information"
            notes.append(Note("singleton_units", singles, text))
    if weights:
        notes.append(_weights_note(column, weights, int(rows.sum())))
    if not rows.any():
        raise NotIdentifiedError(
            f"{spec.id}: no complete row is left",
            file=panel.source,
            remedy=_empty_columns(panel.frame) or "check the outcome and covariate columns",
        )
    frame = panel.frame.loc[rows]
    unit_index, units = pd.factorize(frame[panel.unit], sort=False)
    period_index, periods = pd.factorize(frame[panel.period], sort=True)
    design = Design(
        spec_id=spec.id,
        study_id=spec.study_id,
        outcome=column.outcome,
        y=y[rows],
        D=Z[rows, : len(treatments)],
        X=Z[rows, len(treatments) :],
        treatments=tuple(treatments),
        covariates=tuple(covariates),
        unit_index=unit_index.astype(np.int64),
        period_index=period_index.astype(np.int64),
        units=np.asarray(units),
        periods=np.asarray(periods),
        unit_dim=_dimension(panel.unit),
        period_dim=_dimension(panel.period),
        unit_effects=unit_effects,
        period_effects=period_effects or column.period_effects,
        synthetic=panel.synthetic,
        panel_sha256=panel.sha256,
        notes=(*panel.notes, *notes),
        weights=_row_weights(column, sizes["weights"][rows]) if weights else None,
        exposure=sizes["exposure"][rows] if exposure else None,
        trials=sizes["trials"][rows] if trials else None,
        further=further_effects(
            effects,
            panel,
            frame,
            has_unit_levels=unit_effects != "none",
            dims={name: _dimension(name) for name in (panel.unit, panel.period)},
        ),
        cluster=clusters_of(column.cluster, panel, frame) if column.cluster else None,
        timeline=panel.timeline,
    )
    design = without_spanned(design)
    if column.row_weights_kind == "frequency" and weights:
        design = as_often(design)
    refuse_constant(design, panel.source)
    design = with_identification(drop_collinear(level_out(design), panel.source))
    return _with_untold_shocks(design) if panel.repeated else with_lag_note(design)


def _empty_columns(frame: pd.DataFrame) -> str:
    """What to do about columns without a single value; empty if there are none."""
    empty = [str(name) for name in frame.columns if frame[name].isna().all()]
    if not empty:
        return ""
    return (
        f"{', '.join(empty)} {'has' if len(empty) == 1 else 'have'} no value in any row; formulas "
        "that a spreadsheet never calculated read as empty: open the file there and save it"
    )


def _dimension(name: str) -> str:
    """The name of a key column as a dimension of results, beside those that results have anyway."""
    return f"{name}_" if name in _TAKEN else name


def _timed(spec: Spec) -> tuple[str, ...]:
    """Terms of a spec that are read by event time."""
    treatments = spec.column.treatments
    if spec.column.family == "event_study":
        return treatments
    factors = [factor for text in treatments for factor in parse_term(text).factors]
    return tuple(dict.fromkeys(f"{f}".partition("@")[0] for f in factors if f.event))


def _ordered(spec: Spec) -> tuple[str, ...]:
    """Terms and conditions of a spec that are read by the order of adoption."""
    texts = (*spec.column.treatments, *spec.column.covariates)
    factors = [factor for text in texts for factor in parse_term(text).factors]
    orders = [str(f) for f in factors if f.kind in {"first", "simultaneous", "order"}]
    return tuple(dict.fromkeys([*orders, *(spec.column.sample.sequences or ())]))


def as_two_way(spec: Spec, *, with_rows: bool = False, **changes: Any) -> Spec:
    """A spec of another family as the two-way linear model that it extends.

    Parameters
    ----------
    with_rows
        Whether what extends it takes further effects and weights of rows too.
    changes
        Further fields of its column, e.g. ``covariates``.

    Raises
    ------
    InputError
        For a spec with effects beside those of unit and period, or weights of its rows, where
        what extends it has neither.
    """
    column = spec.column
    more = [*column.effects, *([column.row_weights] if column.row_weights else [])]
    if more and not with_rows:
        raise InputError(
            f"{spec.id}: what extends this regression has effects of unit and period alone, and no "
            "weights of rows",
            value=", ".join(more),
            remedy="name a spec without them",
        )
    return dataclasses.replace(
        spec, column=spec.column.model_copy(update={"family": "twfe", **changes})
    )


def refuse_frequencies(spec: Spec) -> None:
    """Refuse frequency weights where each unit has one row in a period.

    Raises
    ------
    InputError
        With the column.
    """
    if spec.column.row_weights and spec.column.row_weights_kind == "frequency":
        raise InputError(
            f"{spec.id}: with frequency weights a unit has several rows in a period, of which "
            "states and event times are averages",
            value=spec.column.row_weights,
            remedy='say that the weights are analytic (row_weights_kind = "analytic", '
            'weights_kind="analytic"): a cell of so many that are alike',
        )


def with_effects(design: Design, unit: EffectKind, period: EffectKind) -> Design:
    """The same design under other unit and period effects.

    What random effects leave to a covariate, fixed ones may take up: it is left out then.

    Raises
    ------
    NotIdentifiedError
        If fixed effects that the design had not leave nothing of a treatment.
    """
    own = dataclasses.replace(design, unit_effects=unit, period_effects=period)
    pairs = ((design.unit_effects, unit), (design.period_effects, period))
    is_tighter = any(now == "fixed" != before for before, now in pairs)
    return drop_collinear(own) if is_tighter else own


def _outcome(name: str, lead: int, panel: Panel) -> FloatArray:
    """Outcome `lead` periods later, NaN where the panel has ended."""
    if name not in panel.frame.columns:
        raise InputError(
            "the panel has no such column",
            file=panel.source,
            column=name,
            remedy="add the column or skip the specs that use it",
        )
    values = panel.frame[name].to_numpy(dtype=float, na_value=np.nan)
    return shifted(values, panel.frame[panel.unit], panel.frame[panel.period], lead)


def _with_shocks(effects: tuple[str, ...], panel: Panel, notes: list[Note]) -> tuple[str, ...]:
    """Effects with a random shock of each unit and period, unless there is one of some kind.

    Individuals of a group and period share what happens there: without it the number of rows, not
    of groups, would stand for what is known (Moulton 1990, doi:10.2307/2109724).
    """
    cell = {panel.unit, panel.period}
    if any(set(parse_effect(text).factors) == cell for text in effects):
        return effects
    shock = f"random({panel.unit}^{panel.period})"
    text = (
        f"individuals of one {panel.unit} and {panel.period} share a random shock, {shock}; their "
        "errors are independent given it"
    )
    notes.append(Note("shared_shocks", 1, text))
    return (*effects, shock)


def _with_untold_shocks(design: Design) -> Design:
    """The design with a note where nothing tells the shocks of its individuals from effects."""
    if not any(note.name == "shared_shocks" for note in design.notes) or not shocks_untold(design):
        return design
    text = (
        f"as many effects as cells of {design.unit_dim} and {design.period_dim}: none is left to "
        "tell the shared shock from an effect, so that the posterior is as wide as the prior of "
        "the shock makes it; the row of least squares beside it supposes that there is no shock"
    )
    return dataclasses.replace(design, notes=(*design.notes, Note(UNTOLD, 1, text)))


def _unit_slopes(effects: Sequence[str], panel: Panel) -> int:
    """How many fixed slopes each unit has of its own."""
    terms = [parse_effect(text) for text in effects]
    own = [term for term in terms if term.factors == (panel.unit,) and term.kind == "fixed"]
    return sum(len(term.slopes) for term in own)


def _weights_note(column: Column, name: str, count: int) -> Note:
    said = (
        f"frequency weights {name}: each row stands for as many"
        if column.row_weights_kind == "frequency"
        else f"analytic weights {name}: the variance of a row is sigma^2 / weight, of mean one"
    )
    return Note("row_weights", count, said)


def _with_weight(
    spec: Spec, name: str, values: FloatArray, rows: BoolArray, panel: Panel, notes: list[Note]
) -> BoolArray:
    """Rows whose weight is not zero: a row of weight zero says nothing.

    Raises
    ------
    InputError
        Naming a row whose weight is negative.
    """
    if (negative := rows & (values < 0)).any():
        where = int(np.flatnonzero(negative)[0])
        at, when = (panel.frame[key].iloc[where] for key in (panel.unit, panel.period))
        raise InputError(
            f"{spec.id}: a weight is negative, in {int(negative.sum())} rows",
            file=panel.source,
            column=name,
            value=f"{values[where]:g} ({at}, {panel.timeline.label(when)})",
            remedy="correct it, or leave it empty where it is not known: such rows are left out",
        )
    if count := int((rows & (values == 0)).sum()):
        notes.append(
            Note("rows_of_weight_zero", count, f"{many(count, 'row')} of {name} 0 left out")
        )
    return np.asarray(rows & (values != 0))


def _row_weights(column: Column, values: FloatArray) -> FloatArray:
    """Analytic weights with mean one, so that sigma is that of a typical row; frequencies as given.

    The scale of analytic weights says nothing: populations, in people or in millions.
    """
    if column.row_weights_kind == "frequency" or not (values > 0).all():
        return values  # what is not positive is refused by the design
    return np.asarray(values / values.mean())


def as_often(design: Design) -> Design:
    """Rows as often as their frequency weights say, and no weights.

    Raises
    ------
    InputError
        If a weight is no whole number, or the rows are too many.
    """
    counts = design.weights
    assert counts is not None
    if (odd := counts != np.round(counts)).any():
        raise InputError(
            f"{design.spec_id}: a frequency weight is no whole number",
            value=float(counts[odd][0]),
            remedy="say that the weights are analytic, or give counts",
        )
    if (total := counts.sum()) > _MOST_ROWS:
        raise InputError(
            f"{design.spec_id}: frequency weights stand for {total:.3g} rows",
            remedy=f"up to {_MOST_ROWS:,}; weights of populations are analytic",
        )
    often = design.take(np.repeat(np.arange(design.n), counts.astype(np.int64)))
    text = f"{design.n} rows stand for {often.n} by their frequency weights"
    note = Note("frequency_weights", often.n, text)
    return dataclasses.replace(often, weights=None, notes=(*design.notes, note))


def _without_singletons(rows: np.ndarray, panel: Panel, most: int) -> tuple[np.ndarray, int]:
    counts = panel.frame.loc[rows, panel.unit].value_counts()
    single = counts.index[counts <= most]
    return rows & ~panel.frame[panel.unit].isin(single).to_numpy(), len(single)
