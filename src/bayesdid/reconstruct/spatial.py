"""Which spatial columns a panel can be held to, and such a column with its weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError
from bayesdid.panel.panel import Panel
from bayesdid.reconstruct.durbin import Durbin, Operator
from bayesdid.reconstruct.logs import as_in_a_panel, column_value
from bayesdid.reconstruct.regression import Regression
from bayesdid.spatial.operators.spectrum import eigenvalues, interval_of
from bayesdid.spatial.weights.build import normalisation_of, resolve_weights
from bayesdid.study.derived import source_column
from bayesdid.study.load import Spec, Study
from bayesdid.study.schema import Sample
from bayesdid.study.spatial_weights import SpatialWeights

# kinds of weights that coordinates give, with a column of the panel or without
_OF_PLACES = {"inverse_distance", "economic_geographic", "nearest", "bands"}


def spatial_reason(
    study: Study, spec: Spec, given: set[str], named: Collection[str], *, known: bool
) -> str:
    """Why a panel is not held to a spatial column; empty if it is, or if it is not spatial.

    Parameters
    ----------
    given
        Columns that the design gives.
    named
        Columns that it is about, which are sought where they are not given.
    known
        Whether the design is that of a real panel.
    """
    column, section = spec.column, study.file.panel
    if column.family != "sdm":
        return ""
    if column.options.get("model", "sdm") != "sdm":
        return "of spatial models the Durbin model alone is handled"
    if {column.unit_effects, column.period_effects} != {"fixed"}:
        return "a spatial column without fixed effects of units and of periods is not handled"
    if column.sample != Sample() or column.outcome_lead or column.effects or column.row_weights:
        return (
            "a spatial column on some rows, with weights of rows or further effects is not handled"
        )
    declared = _declared(study, spec)
    made_from = None if declared is None else declared.column
    known_or_sought = given | {source_column(name) for name in named}
    if made_from is not None and not {made_from, source_column(made_from)} & known_or_sought:
        return f"its weights are made from a column that is not given ({made_from})"
    if known:
        return ""
    if declared is None or declared.kind not in _OF_PLACES:
        return "its weights are those of named units, and the units of a drawn design have no names"
    if section.longitude is None or not study.file.design.timing.sourced:
        return "its weights are of places, and the units of a drawn design have none"
    return ""


def durbin_of(
    study: Study, spec: Spec, panel: Panel, base: Regression, sought: Collection[str]
) -> Durbin:
    """A spatial column, from its regression without anything spatial.

    Parameters
    ----------
    sought
        Columns to be found; the weights move with theirs.

    Raises
    ------
    InputError
        If its weights cannot be made for the panel's units.
    """
    column, declared = spec.column, _declared(study, spec)
    how = normalisation_of(column, column.options.get("normalisation"))
    made_from = None if declared is None else declared.column

    named = column.options.get("durbin")  # as the family sdm has it: all without it
    lagged = tuple(k for k, name in enumerate(base.names) if named is None or name in named)

    def operator(at: Panel) -> Operator:
        weights = resolve_weights(study, at, str(column.weights), how)
        eigen = np.asarray(eigenvalues(weights), dtype=complex)
        ends = interval_of(eigen)
        return Operator(weights.dense(), eigen, (ends.low, ends.high))

    if made_from is None or source_column(made_from) not in {source_column(n) for n in sought}:
        fixed = operator(panel)
        return Durbin(base, lambda _: fixed, lagged)

    def moving(values: Mapping[str, FloatArray]) -> Operator:
        now = {made_from: _values(made_from, values)}
        try:
            return operator(dataclasses.replace(panel, frame=panel.frame.assign(**now)))
        except InputError:  # a step so far that two units have one mean, or a share is negative
            return Operator.unknown(len(panel.units))

    return Durbin(base, moving, lagged)


def _declared(study: Study, spec: Spec) -> SpatialWeights | None:
    """The weights of a column, if the study declares them."""
    return next((one for one in study.file.weights if one.id == spec.column.weights), None)


def _values(name: str, sought: Mapping[str, FloatArray]) -> FloatArray:
    """A column of a panel, or its logarithm, from what is sought."""
    columns = as_in_a_panel(sought)
    return columns[name] if name in columns else column_value(name, columns)
