"""Rows that a sample names beside its units' policies: a window, units left out, switchers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdid.design.terms import term_values
from bayesdid.exceptions import InputError, Note, NotIdentifiedError, nearest_name
from bayesdid.notebook import left_out
from bayesdid.panel.calendar import read_periods
from bayesdid.panel.panel import Panel
from bayesdid.panel.timeline import Timeline
from bayesdid.study.fields import PeriodText
from bayesdid.study.load import Spec
from bayesdid.study.schema import Sample
from bayesdid.study.terms import parse_term

_NUMBERS = {"number", "year"}


def in_window(sample: Sample, panel: Panel, notes: list[Note]) -> NDArray[np.bool_]:
    """Rows from the sample's first period to its last, both included, shape (n,).

    Raises
    ------
    InputError
        If a bound is no period as this panel writes them.
    """
    keep = np.ones(len(panel.frame), dtype=bool)
    if sample.first is not None:
        keep &= _inner(sample.first, panel, "first")
    if sample.last is not None:
        keep &= _inner(sample.last, panel, "last")
    if out := int((~keep).sum()):
        said = {"from": sample.first, "to": sample.last}
        window = " ".join(f"{word} {bound}" for word, bound in said.items() if bound is not None)
        text = f"{out} rows are outside the sample's window ({window}) and are left out"
        notes.append(Note("outside_window", out, text))
    return keep


def _inner(bound: PeriodText, panel: Panel, field: str) -> NDArray[np.bool_]:
    """Rows on the inner side of a bound, itself included."""
    steps, timeline = panel.frame[panel.period].to_numpy(dtype=float), panel.timeline
    typed = {text: step for step, text in timeline.labels.items()}
    if bound in typed:
        places, at = steps, typed[bound]
    else:
        at, whole_years = _position(bound, panel, field)
        seen, index = np.unique(steps, return_inverse=True)
        places = np.array([_place(timeline, step, whole_years) for step in seen.tolist()])[index]
    return np.asarray(places >= at if field == "first" else places <= at)


def _position(bound: PeriodText, panel: Panel, field: str) -> tuple[int, bool]:
    """What a bound counts as, and whether it is a year in a panel of finer periods."""
    timeline = panel.timeline
    try:
        read = read_periods(
            pd.Series([bound]), panel.source, panel.period, pd.Series([0]), like=timeline.writing
        )
    except InputError:
        read = None
    if read is not None and (read.kind == timeline.kind or {read.kind, timeline.kind} <= _NUMBERS):
        return int(read.index.iloc[0]), False
    if bound.isdecimal() and len(bound) == 4 and timeline.kind not in _NUMBERS:
        return int(bound), True
    raise InputError(
        f"the sample's {field} is no period of this panel",
        file=panel.source,
        column=f"sample.{field}",
        value=bound,
        remedy=f"write it as the panel writes its periods: {timeline.label(panel.periods[0])}",
    )


def _place(timeline: Timeline, step: float, whole_years: bool) -> int:
    if whole_years:
        return timeline.year(step)
    if timeline.is_plain:
        return round(step)
    return (round(step) - 1) * timeline.spacing + timeline.origin


def units_left_in(sample: Sample, panel: Panel, notes: list[Note]) -> NDArray[np.bool_]:
    """Rows of the units that the sample does not leave out by key or label, shape (n,).

    Raises
    ------
    InputError
        If a name is that of no unit of the panel.
    """
    keys = panel.frame[panel.unit].astype(str)
    if not sample.without:
        return np.ones(len(keys), dtype=bool)
    labels = panel.unit_labels
    out: set[str] = set()
    for name in sample.without:
        found = {name} & labels.keys() or {key for key, label in labels.items() if label == name}
        if not found and name in panel.totals:
            continue  # it is left out already
        if not found:
            near = nearest_name(name, [*labels, *labels.values()])
            raise InputError(
                "the sample leaves out a unit that the panel does not have",
                file=panel.source,
                column="sample.without",
                value=name,
                remedy=f"did you mean '{near}'?" if near else f"name a {panel.unit} of the panel",
            )
        out |= found
    if not out:
        return np.ones(len(keys), dtype=bool)
    gone = keys.isin(out).to_numpy(dtype=bool)
    text = f"{left_out(len(out), int(gone.sum()))} by name: {_some(sorted(out))}"
    notes.append(Note("units_left_out", len(out), text))
    return np.asarray(~gone)


def rows_of_switchers(
    spec: Spec, panel: Panel, rows: NDArray[np.bool_], notes: list[Note]
) -> NDArray[np.bool_]:
    """Rows of units with rows both with and without the treatment, shape (n,).

    Without is where every treatment of the spec is zero; of an event study by a column of event
    times, where that is negative.

    Parameters
    ----------
    rows
        Of the sample, complete: what is missing shows no state.

    Raises
    ------
    NotIdentifiedError
        If there is no such unit.
    """
    values = [term_values(parse_term(text), panel, rows) for text in spec.column.treatments]
    treated = np.zeros(len(rows), dtype=bool)
    for value, text in zip(values, spec.column.treatments, strict=True):
        factor = parse_term(text).factors[0]
        timed = spec.column.family == "event_study" and factor.kind == "column"
        rows = rows & np.isfinite(value)
        treated |= value >= 0 if timed else value != 0
    unit = panel.frame[panel.unit]
    switch = set(unit[rows & treated]) & set(unit[rows & ~treated])
    keep = rows & unit.isin(switch).to_numpy(dtype=bool)
    if not switch:
        raise NotIdentifiedError(
            f"{spec.id}: no unit of the sample has rows both with and without the treatment",
            file=panel.source,
            column="sample.switchers",
            remedy="widen the window, or leave switchers out",
        )
    if out := int(rows.sum() - keep.sum()):
        units = int(unit[rows & ~keep].nunique())
        text = (
            f"{units} units ({out} rows) have no rows both with and without the treatment and are "
            "left out (switchers)"
        )
        notes.append(Note("no_switchers", units, text))
    return np.asarray(keep)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
