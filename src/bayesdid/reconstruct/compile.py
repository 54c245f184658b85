"""From the columns of a study and a skeleton to regressions of sought columns."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy.linalg import qr

from bayesdid.arrays import BoolArray, FloatArray, IntArray
from bayesdid.design.further import further_effects
from bayesdid.design.sample import sample_rows
from bayesdid.design.terms import term_values
from bayesdid.exceptions import InputError
from bayesdid.panel.panel import Panel
from bayesdid.reconstruct.regression import Factor, Regression
from bayesdid.reconstruct.targets import reason_against
from bayesdid.study.effects import parse_effect
from bayesdid.study.load import Spec, Study
from bayesdid.study.terms import Term, parse_term

RANK = 1e-9  # of the largest pivot, below which a column of effects is spanned by others


def held_columns(
    study: Study, known: Panel | None = None
) -> tuple[dict[str, Spec], dict[str, str]]:
    """Columns that a panel can be held to, and why it cannot be held to the others.

    Parameters
    ----------
    known
        A real panel whose columns, the outcomes aside, are given; else the keys and the groups are.
    """
    section = study.file.panel
    given = {section.unit, section.period, *(group.column for group in study.file.group)}
    if known is not None:
        given = {*known.frame.columns} - {spec.column.outcome for spec in study.specs.values()}
    held: dict[str, Spec] = {}
    left: dict[str, str] = {}
    for spec in study.specs.values():
        if not spec.column.coefficients:
            continue
        reason = reason_against(spec)
        if not reason and not all(map(_simple, _terms(spec))):
            reason = "a term has two columns of the panel in it, or one that is centred or made"
        if not reason and (drawn := [name for name in _given(spec) if name not in given]):
            reason = f"its effects or weights are of a column that is not given ({drawn[0]})"
        if reason:
            left[spec.id] = reason
        else:
            held[spec.id] = spec
    return held, left


def _given(spec: Spec) -> tuple[str, ...]:
    """Columns that its further effects and weights are of."""
    column = spec.column
    effects = [name for text in column.effects for name in parse_effect(text).columns]
    return (*effects, *([column.row_weights] if column.row_weights else []))


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
    root, basis = _effects(spec, panel, at, pooled)
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
        root,
        basis,
    )


def _effects(
    spec: Spec, panel: Panel, at: IntArray, pooled: bool
) -> tuple[FloatArray | None, FloatArray | None]:
    """Roots of the weights, and a basis of the effects where there are more than two or weights."""
    column, frame = spec.column, panel.frame.iloc[at]
    if not (column.effects or column.row_weights):
        return None, None
    root = None
    if column.row_weights:
        weights = frame[column.row_weights].to_numpy(dtype=float)
        root = np.sqrt(weights / weights.mean())
    unit = column.unit_effects == "fixed" and not pooled
    period = column.period_effects == "fixed" and not pooled
    found = [np.ones((len(frame), 1))]
    for key, there in ((panel.unit, unit), (panel.period, period)):
        found += [_dummies(pd.factorize(frame[key])[0])] * there
    for one in further_effects(column.effects, panel, frame, has_unit_levels=unit, dims={}):
        found.append(_dummies(one.index) * one.times[:, None])
    columns = np.hstack(found)
    Q, R, _ = qr(
        columns if root is None else columns * root[:, None], mode="economic", pivoting=True
    )
    size = np.abs(np.diag(R))
    return root, Q[:, size > RANK * size[0]]


def _dummies(index: np.ndarray) -> FloatArray:
    return np.eye(int(index.max()) + 1)[index]


def _factor(
    text: str, panel: Panel, rows: np.ndarray, at: IntArray, sought: Collection[str]
) -> Factor:
    factors = parse_term(text).factors
    free = [f for f in factors if f.kind == "column" and f.name in sought and not f.event]
    rest = tuple(f for f in factors if f not in free)
    fixed = term_values(Term(rest), panel, rows)
    return Factor(fixed[at], free[0].name if free else None, at)
