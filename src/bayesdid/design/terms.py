"""The value of a term in every row of a panel."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.panel.adoption import (
    active,
    event_time,
    event_value,
    policy_value,
    require_states,
    starts,
)
from bayesdid.panel.panel import Panel
from bayesdid.study.terms import STAGGERED, Factor, Term


def term_values(term: Term, panel: Panel, rows: np.ndarray) -> FloatArray:
    """Value of `term` in each row of `panel`; centring uses the `rows` of the sample.

    Parameters
    ----------
    term
        A parsed term of the study vocabulary.
    panel
        The panel, n rows.
    rows
        Estimation sample, boolean, shape (n,).

    Returns
    -------
    ndarray, shape (n,)
        Missing values stay NaN.
    """
    values = np.ones(len(panel.frame))
    for factor in term.factors:
        values = values * _factor_values(factor, panel, rows)
    return values


def _factor_values(factor: Factor, panel: Panel, rows: np.ndarray) -> FloatArray:
    if factor.kind == "column" and factor.event:
        return _category(factor, panel)
    if factor.kind in {"column", "centred"}:
        values = _column(factor.name, panel)
        return values - np.nanmean(values[rows]) if factor.kind == "centred" else values
    if factor.event:
        return _event(factor, panel)
    _right_number(panel, factor)
    require_states(panel, *(factor.policies if factor.kind in STAGGERED else ()))
    return policy_value(factor, panel.policies, active(panel), starts(panel)).astype(float)


def _event(factor: Factor, panel: Panel) -> FloatArray:
    """Whether each row is in the event time that the factor names; 0 for never-treated units."""
    return event_value(factor, event_times(factor, panel)).astype(float)


def event_times(factor: Factor, panel: Panel) -> FloatArray:
    """The event time of each row by a factor's policies or its column; NaN where there is none."""
    if factor.kind == "column":
        return _column(factor.name, panel)
    _right_number(panel, factor)
    require_states(panel, *factor.policies)
    return event_time(panel, *factor.policies).to_numpy(dtype=float, na_value=np.nan)


def _category(factor: Factor, panel: Panel) -> FloatArray:
    """Whether a column has the value that the factor names; NaN where it alone is missing.

    A unit in which it is missing in every row has none of its values, as a unit that never adopts
    is in no event time.
    """
    values = event_times(factor, panel)
    seen = pd.Series(np.isfinite(values)).groupby(panel.frame[panel.unit].to_numpy())
    lacking = np.isnan(values) & seen.transform("any").to_numpy()
    return np.where(lacking, np.nan, event_value(factor, values))


def _right_number(panel: Panel, factor: Factor) -> None:
    """Refuse terms of all policies where there is one, and ``both`` where there are several."""
    number = len(panel.policies)
    if number < 2 and factor.kind in {"both", "all", "first", "simultaneous"}:
        raise NotIdentifiedError(
            f"the term '{factor}' needs two policies, the study declares {number}",
            remedy="use active:POLICY or a column",
        )
    if number > 2 and factor.kind == "both" and not factor.policies:
        a, b, *_ = panel.policies
        raise NotIdentifiedError(
            f"the term '{factor}' does not say which of {number} policies",
            remedy=f"write both:{a}+{b} for two of them, or all",
        )


def _column(name: str, panel: Panel) -> FloatArray:
    if name not in panel.frame.columns:
        raise InputError(
            "the panel has no such column",
            file=panel.source,
            column=name,
            remedy="add the column or drop the term from the spec",
        )
    return panel.frame[name].to_numpy(dtype=float, na_value=np.nan)
