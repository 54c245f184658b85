"""Apply a spec to a panel."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.event import event_treatments
from bayesdid.design.sample import sample_rows
from bayesdid.design.terms import term_values
from bayesdid.design.within import absorb
from bayesdid.exceptions import InputError, Note, NotIdentifiedError
from bayesdid.panel.derived import shifted
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec
from bayesdid.study.schema import EffectKind
from bayesdid.study.terms import parse_term

FITTED_FAMILIES = frozenset({"twfe", "pooled", "event_study"})


def build_design(
    spec: Spec,
    panel: Panel,
    *,
    unit_effects: EffectKind | None = None,
    period_effects: EffectKind | None = None,
    weights: str | None = None,
    exposure: str | None = None,
    trials: str | None = None,
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
    weights, exposure, trials
        Columns of the panel with analytic weights, exposures and numbers of trials. A row that
        lacks one is left out like a row that lacks a regressor.

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
    rows = sample_rows(column.sample, panel)
    y = _outcome(column.outcome, column.outcome_lead, panel)
    treatments, covariates = column.treatments, column.covariates
    notes: list[Note] = []
    if column.family == "event_study":
        treatments = event_treatments(spec, panel, rows, notes)
    Z = np.column_stack(
        [term_values(parse_term(text), panel, rows) for text in (*treatments, *covariates)]
        or [np.empty((len(y), 0))]
    )
    sizes = {
        name: _outcome(column, 0, panel)
        for name, column in (("weights", weights), ("exposure", exposure), ("trials", trials))
        if column is not None
    }
    complete = np.isfinite(y) & np.isfinite(Z).all(axis=1)
    for values in sizes.values():
        complete &= np.isfinite(values)
    if dropped := int((rows & ~complete).sum()):
        lacking = ", ".join(["the outcome", *sizes]) + " or a regressor"
        text = f"{dropped} rows lack {lacking} and are left out"
        notes.append(Note("rows_with_missing_values", dropped, text))
    rows = rows & complete
    unit_effects = unit_effects or column.unit_effects
    if unit_effects == "fixed":
        rows, singles = _without_singletons(rows, panel)
        if singles:
            text = f"{singles} units have one row and carry no within information"
            notes.append(Note("singleton_units", singles, text))
    if not rows.any():
        raise NotIdentifiedError(
            f"{spec.id}: no complete row is left",
            file=panel.source,
            remedy="check the outcome and covariate columns",
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
        unit_dim=panel.unit,
        period_dim=panel.period,
        unit_effects=unit_effects,
        period_effects=period_effects or column.period_effects,
        synthetic=panel.synthetic,
        panel_sha256=panel.sha256,
        notes=(*panel.notes, *notes),
        weights=sizes["weights"][rows] if weights else None,
        exposure=sizes["exposure"][rows] if exposure else None,
        trials=sizes["trials"][rows] if trials else None,
    )
    return drop_collinear(design, panel.source)


def as_two_way(spec: Spec, **changes: Any) -> Spec:
    """A spec of another family as the two-way linear model that it extends.

    Parameters
    ----------
    changes
        Further fields of its column, e.g. ``covariates``.
    """
    return dataclasses.replace(
        spec, column=spec.column.model_copy(update={"family": "twfe", **changes})
    )


def with_effects(design: Design, unit: EffectKind, period: EffectKind) -> Design:
    """The same design under other unit and period effects."""
    return dataclasses.replace(design, unit_effects=unit, period_effects=period)


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


def _without_singletons(rows: np.ndarray, panel: Panel) -> tuple[np.ndarray, int]:
    counts = panel.frame.loc[rows, panel.unit].value_counts()
    single = counts.index[counts == 1]
    return rows & ~panel.frame[panel.unit].isin(single).to_numpy(), len(single)


def drop_collinear(design: Design, source: str = "") -> Design:
    """Refuse treatments that do not vary; leave out covariates that are collinear.

    Collinearity is judged after the fixed effects are taken out, by the share of a column's
    own variation that the columns before it leave (treatments come first).
    """
    Z = design.regressors
    spread = Z.std(axis=0) * np.sqrt(design.n)
    within = absorb(
        Z,
        design.unit_index,
        design.period_index,
        unit=design.unit_effects == "fixed",
        period=design.period_effects == "fixed",
    )
    kept: list[int] = []
    lost: list[int] = []
    basis = np.asfortranarray(within)  # its first columns become those kept, orthonormal
    for k in range(Z.shape[1]):
        rest, before = basis[:, k], basis[:, : len(kept)]
        for _ in range(2 if kept else 0):  # twice is enough (Giraud et al. 2005)
            rest = rest - before @ (before.T @ rest)
        size = np.linalg.norm(rest)
        if size <= 1e-7 * max(spread[k], 1e-300):
            lost.append(k)
            continue
        basis[:, len(kept)] = rest / size
        kept.append(k)
    P = len(design.treatments)
    if bad := [design.names[k] for k in lost if k < P]:
        raise NotIdentifiedError(
            f"{design.spec_id}: the treatment does not vary in this sample once "
            f"{design.unit_effects} unit and {design.period_effects} period effects and the "
            "treatments before it are taken out",
            file=source,
            column=", ".join(bad),
            remedy="choose a sample with treated and untreated periods, or drop the term",
        )
    if not lost:
        return design
    names = [design.names[k] for k in lost]
    note = Note(
        "collinear_covariates",
        len(names),
        f"left out of {design.spec_id} as collinear: {', '.join(names)}",
    )
    keep = [k - P for k in kept if k >= P]
    return dataclasses.replace(
        design,
        X=design.X[:, keep],
        covariates=tuple(design.covariates[k] for k in keep),
        notes=(*design.notes, note),
    )
