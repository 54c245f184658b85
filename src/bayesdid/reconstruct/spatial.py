"""Which spatial columns a panel can be held to, and such a column with its weights."""

from __future__ import annotations

import numpy as np

from bayesdid.panel.panel import Panel
from bayesdid.reconstruct.durbin import Durbin
from bayesdid.reconstruct.regression import Regression
from bayesdid.spatial.operators.spectrum import eigenvalues, interval_of
from bayesdid.spatial.weights.build import normalisation_of, resolve_weights
from bayesdid.study.load import Spec, Study
from bayesdid.study.schema import Sample

_OF_PLACES = {"inverse_distance", "nearest", "bands"}  # kinds of weights that coordinates give


def spatial_reason(study: Study, spec: Spec, given: set[str], *, known: bool) -> str:
    """Why a panel is not held to a spatial column; empty if it is, or if it is not spatial.

    Parameters
    ----------
    given
        Columns that the design gives.
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
    declared = next((w for w in study.file.weights if w.id == column.weights), None)
    if declared is not None and declared.column is not None and declared.column not in given:
        return f"its weights are made from a column that is not given ({declared.column})"
    if known:
        return ""
    if declared is None or declared.kind not in _OF_PLACES:
        return "its weights are those of named units, and the units of a drawn design have no names"
    if section.longitude is None or not study.file.design.timing.sourced:
        return "its weights are of places, and the units of a drawn design have none"
    return ""


def durbin_of(study: Study, spec: Spec, panel: Panel, base: Regression) -> Durbin:
    """A spatial column, from its regression without anything spatial.

    Raises
    ------
    InputError
        If its weights cannot be made for the panel's units.
    """
    column = spec.column
    how = normalisation_of(column, column.options.get("normalisation"))
    weights = resolve_weights(study, panel, str(column.weights), how)
    eigen = np.asarray(eigenvalues(weights), dtype=complex)
    ends = interval_of(eigen)
    named = column.options.get("durbin")  # as the family sdm has it: all without it
    lagged = tuple(k for k, name in enumerate(base.names) if named is None or name in named)
    return Durbin(base, weights.dense(), eigen, (ends.low, ends.high), lagged)
