"""From the columns of a study and a skeleton to regressions of sought columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
from scipy.linalg import qr

from bayesdid.arrays import BoolArray, FloatArray, IntArray
from bayesdid.design.chosen import rows_of_switchers
from bayesdid.design.event import event_treatments
from bayesdid.design.further import further_effects
from bayesdid.design.sample import sample_rows
from bayesdid.design.span import lie_in_one
from bayesdid.design.terms import term_values
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.panel.panel import Panel
from bayesdid.reconstruct.logs import inside_log, sought_in
from bayesdid.reconstruct.regression import Factor, Regression
from bayesdid.reconstruct.sandwich import Scores, clustered, robust
from bayesdid.reconstruct.spatial import spatial_reason
from bayesdid.reconstruct.targets import bounds_of, reason_against
from bayesdid.reconstruct.uncertainty import kind_of, why_not_met
from bayesdid.study.derived import derived_of, source_column
from bayesdid.study.effects import parse_effect
from bayesdid.study.load import Spec, Study
from bayesdid.study.schema import Cell
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
        hidden = {source_column(spec.column.outcome) for spec in study.specs.values()}
        given = {name for name in known.frame.columns if source_column(name) not in hidden}
    held: dict[str, Spec] = {}
    left: dict[str, str] = {}
    for spec in study.specs.values():
        if not spec.column.coefficients:
            continue
        reason = (
            reason_against(spec)
            or spatial_reason(study, spec, given, columns_named(spec), known=known is not None)
            or _unhandled(study, spec, given)
            or _not_given(spec, given)
        )
        if not reason and spec.column.sample.without and known is None:
            reason = (
                "its sample leaves out units by name, and the units of a drawn design have no names"
            )
        if reason:
            left[spec.id] = reason
        else:
            held[spec.id] = spec
    return held, left


def errors_left_out(study: Study, held: Mapping[str, Spec], panel: Panel | None) -> dict[str, str]:
    """Columns whose standard errors are not aimed at, and why."""
    units, given = study.file.panel.units, {group.column for group in study.file.group}
    if panel is not None:
        units, given = len(panel.units), set(panel.frame.columns)
    found = {
        name: why_not_met(spec, units, given)
        for name, spec in held.items()
        if any(cell != Cell(estimate=cell.estimate) for cell in spec.column.coefficients.values())
    }
    return {name: reason for name, reason in found.items() if reason}


def _unhandled(study: Study, spec: Spec, given: set[str]) -> str:
    """Which of its terms the panel's columns do not move in a way that is handled."""
    for text in _terms(spec):
        columns = [f for f in parse_term(text).factors if f.kind in {"column", "centred"}]
        if len(columns) > 1:
            return f"'{text}' is a product of two columns of the panel"
        if any(f.kind == "centred" for f in columns):
            return f"'{text}' is centred, on a mean that moves with the panel"
        for name in [f.name for f in columns if f.name not in given]:
            inside = inside_log(name)
            if inside is None and derived_of(name) is not None:
                return f"'{name}' is made from another column, and no logarithm of one"
            if inside is not None and _may_be_zero(study, inside):
                return f"'{name}' is missing in rows that are not known: {inside} has zeros"
    return ""


def _may_be_zero(study: Study, name: str) -> bool:
    """Whether a column's printed minimum is not above zero."""
    rows = [row for table in study.tables.values() for row in table.moments]
    return any(bounds_of(row)[0] <= 0.0 and row.min for row in rows if row.column == name)


def _not_given(spec: Spec, given: set[str]) -> str:
    """Which column that its effects, weights or rows are of is not given."""
    for name in _given(spec):
        if name not in given:
            return f"its effects or weights are of a column that is not given ({name})"
    if spec.column.sample.switchers:
        for name in columns_named(spec):
            if name in spec.column.treatments and name not in given:
                return f"its sample is of units that switch a column that is not given ({name})"
    return ""


def _given(spec: Spec) -> tuple[str, ...]:
    """Columns that its further effects and weights are of."""
    column = spec.column
    effects = [name for text in column.effects for name in parse_effect(text).columns]
    return (*effects, *([column.row_weights] if column.row_weights else []))


def _terms(spec: Spec) -> tuple[str, ...]:
    column = spec.column
    last = () if column.instrument is None else (column.instrument,)
    return (column.outcome, *column.treatments, *column.covariates, *last)


def columns_named(spec: Spec) -> dict[str, None]:
    """Columns of the panel that a column of a table is about, as it names them, in order."""
    factors = [f for text in _terms(spec) for f in parse_term(text).factors]
    return {f.name: None for f in factors if f.kind == "column"}


def rows_at(
    spec: Spec, panel: Panel, kept: BoolArray | None = None
) -> tuple[BoolArray, IntArray, IntArray]:
    """Rows of the panel that a column's sample has, and where its regressors and outcome stand.

    Parameters
    ----------
    kept
        Rows of the panel that the column is fitted on, where its sample has more.

    Returns
    -------
    tuple of ndarray
        The sample, shape (rows of the panel,); positions of regressors and of outcomes, (n,).

    Raises
    ------
    InputError
        If the panel has none of the rows of the sample.
    """
    column, frame = spec.column, panel.frame
    rows = sample_rows(column.sample, panel, [])
    if column.sample.switchers:
        rows = rows_of_switchers(spec, panel, rows, [])
    if kept is not None:
        rows = rows & kept
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
    return rows, at, later


def regression_of(
    spec: Spec, panel: Panel, sought: Collection[str], pooled: bool, kept: BoolArray | None = None
) -> Regression:
    """A column as a function of the sought columns; without effects if it is read as pooled.

    Parameters
    ----------
    kept
        See :func:`rows_at`.

    Raises
    ------
    InputError
        If the panel has none of the rows of the sample.
    NotIdentifiedError
        If these do not tell what the design gives from the effects.
    """
    column, frame = spec.column, panel.frame
    rows, at, later = rows_at(spec, panel, kept)
    names = (*column.treatments, *column.covariates)
    if column.family == "event_study":
        names = (*_event_terms(spec, panel, rows), *column.covariates)
    instrument = None
    if column.instrument is not None:
        if column.family == "iv_first":
            names = (column.instrument, *names)
        else:
            instrument = _factor(column.instrument, panel, rows, at, sought)
    root, basis = _effects(spec, panel, at, pooled)
    found = Regression(
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
    if column.row_weights and column.row_weights_kind == "frequency":
        counts = frame[column.row_weights].to_numpy(dtype=float)[at]
        found = dataclasses.replace(found, stands_for=float(counts.sum()))
    _refuse_unidentified(found)
    return dataclasses.replace(found, scores=_scores(spec, panel, at, found))


def _refuse_unidentified(of: Regression) -> None:
    """Refuse a sample in which the design does not tell the regressors that it gives apart."""
    given = [k for k, one in enumerate(of.regressors) if one.column is None]
    raw = np.zeros((len(of.unit_index), len(given)))
    for k, at in enumerate(given):
        raw[:, k] = of.regressors[at].fixed
    raw = of.weighted(raw)
    left = of.without_effects(raw)
    size = np.sqrt((left**2).sum(axis=0))
    gone = size <= RANK * np.sqrt((raw**2).sum(axis=0))
    if given and not gone.any():
        _, R, order = qr(left / size, mode="economic", pivoting=True)
        gone[order[np.abs(np.diag(R)) <= RANK]] = True
    if gone.any() or of.df <= 0:
        names = ", ".join(of.names[k] for k, out in zip(given, gone, strict=True) if out)
        problem = (
            f"the design of its sample does not tell {names} from its effects and other policies"
            if names
            else "its sample has no more rows than coefficients"
        )
        raise NotIdentifiedError(
            f"{of.spec}: {problem}",
            remedy="correct the sample, or who adopted what and when under [design]",
        )


def _event_terms(spec: Spec, panel: Panel, rows: BoolArray) -> tuple[str, ...]:
    """Terms of an event study: of its window, and of the event times beyond it.

    Raises
    ------
    NotIdentifiedError
        If no row of the panel is in an event time that is printed.
    """
    inside, outside = event_treatments(spec, panel, rows, [])
    known = {*inside, *outside, *spec.column.covariates, "constant"}
    if lacking := [name for name in spec.column.coefficients if name not in known]:
        raise NotIdentifiedError(
            f"{spec.id}: no row of the panel is in a printed event time",
            value=lacking[0],
            remedy="state who adopted when under [design.timing], or correct first, last, "
            "reference and ends under options of the column",
        )
    return (*inside, *outside)


def _scores(spec: Spec, panel: Panel, at: IntArray, of: Regression) -> Scores | None:
    """How its standard errors let errors depend on each other; None if not, or not handled."""
    kind, column = kind_of(spec), spec.column
    if kind in {"iid", "unknown"} or column.instrument is not None:
        return None
    if kind == "robust":
        return robust(of.size, of.size - of.df)
    by = column.cluster or panel.unit
    if by not in panel.frame:
        return None
    unit, cluster = (pd.factorize(panel.frame[name])[0] for name in (panel.unit, by))
    inside = lie_in_one(unit, cluster)
    nested = int(of.unit_index.max()) if of.unit and inside else 0
    index = pd.factorize(cluster[at])[0].astype(np.int64)
    return clustered(index, of.size, of.size - of.df - nested)


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
    free = [
        f
        for f in factors
        if f.kind == "column" and sought_in(f.name, sought) in sought and not f.event
    ]
    rest = tuple(f for f in factors if f not in free)
    fixed = term_values(Term(rest), panel, rows)
    if not free:
        return Factor(fixed[at], None, at)
    name = sought_in(free[0].name, sought)
    return Factor(fixed[at], name, at, log=name != free[0].name)
