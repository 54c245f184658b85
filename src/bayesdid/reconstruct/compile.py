"""From the columns of a study and a skeleton to regressions of sought columns."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from bayesdid.arrays import BoolArray, IntArray
from bayesdid.design.sample import sample_rows
from bayesdid.design.terms import term_values
from bayesdid.exceptions import InputError
from bayesdid.panel.panel import Panel
from bayesdid.reconstruct.regression import Factor, Regression
from bayesdid.reconstruct.targets import reason_against
from bayesdid.study.load import Spec, Study
from bayesdid.study.terms import Term, parse_term


def held_columns(study: Study) -> tuple[dict[str, Spec], dict[str, str]]:
    """Columns that a panel can be held to, and why it cannot be held to the others."""
    held: dict[str, Spec] = {}
    left: dict[str, str] = {}
    for spec in study.specs.values():
        if not spec.column.coefficients:
            continue
        reason = reason_against(spec)
        if not reason and not all(map(_simple, _terms(spec))):
            reason = "a term has two columns of the panel in it, or one that is centred or made"
        if reason:
            left[spec.id] = reason
        else:
            held[spec.id] = spec
    return held, left


def _terms(spec: Spec) -> tuple[str, ...]:
    column = spec.column
    last = () if column.instrument is None else (column.instrument,)
    return (column.outcome, *column.treatments, *column.covariates, *last)


def _simple(text: str) -> bool:
    factors = parse_term(text).factors
    columns = [factor for factor in factors if factor.kind in {"column", "centred"}]
    plain = all(f.kind == "column" and "(" not in f.name for f in columns)
    return plain and len(columns) <= 1


def columns_named(spec: Spec) -> dict[str, None]:
    """Columns of the panel that a column of a table is about, in order."""
    found = [f.name for text in _terms(spec) for f in parse_term(text).factors]
    kinds = [f.kind for text in _terms(spec) for f in parse_term(text).factors]
    return {name: None for name, kind in zip(found, kinds, strict=True) if kind == "column"}


def regression_of(
    spec: Spec,
    panel: Panel,
    sought: Collection[str],
    pooled: bool,
    matched: BoolArray | None = None,
) -> Regression:
    """A column as a function of the sought columns; without effects if it is read as pooled.

    Parameters
    ----------
    matched
        Rows of the panel that a matched column is fitted on.

    Raises
    ------
    InputError
        If the panel has none of the rows of the sample.
    """
    column = spec.column
    rows = sample_rows(column.sample, panel, [])
    if matched is not None:
        rows = rows & matched
    frame = panel.frame
    at = np.flatnonzero(rows)
    later = at
    if lead := column.outcome_lead:
        unit, period = frame[panel.unit].to_numpy(), frame[panel.period].to_numpy()
        later = at + lead
        ok = later < len(frame)
        at, later = at[ok], later[ok]
        ok = (unit[later] == unit[at]) & (period[later] == period[at] + lead)
        at, later = at[ok], later[ok]
    if not len(at):
        raise InputError(
            f"{spec.id}: no row of the panel is in its sample", remedy="correct the sample"
        )
    names = (*column.treatments, *column.covariates)
    instrument = None
    if column.instrument is not None:
        if column.family == "iv_first":
            names = (column.instrument, *names)
        else:
            instrument = _factor(column.instrument, panel, rows, at, sought)
    return Regression(
        spec.id,
        _factor(column.outcome, panel, rows, later, sought),
        tuple(_factor(text, panel, rows, at, sought) for text in names),
        names,
        pd.factorize(frame[panel.unit].iloc[at])[0].astype(np.int64),
        pd.factorize(frame[panel.period].iloc[at], sort=True)[0].astype(np.int64),
        column.unit_effects == "fixed" and not pooled,
        column.period_effects == "fixed" and not pooled,
        instrument,
    )


def _factor(
    text: str, panel: Panel, rows: np.ndarray, at: IntArray, sought: Collection[str]
) -> Factor:
    factors = parse_term(text).factors
    free = [f for f in factors if f.kind == "column" and f.name in sought and not f.event]
    rest = tuple(f for f in factors if f not in free)
    fixed = term_values(Term(rest), panel, rows)
    return Factor(fixed[at], free[0].name if free else None, at)
