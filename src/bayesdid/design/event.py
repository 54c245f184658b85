"""The terms of an event study: one for each event time of its window but the reference.

Event times beyond the window have terms of their own, among the covariates, so that what happens
there is no part of the path; or they are pooled with the window's ends, as papers print it, which
takes effects to be constant there and biases the path if they are not (Sun & Abraham 2021,
doi:10.1016/j.jeconom.2020.09.006).
"""

from __future__ import annotations

import numpy as np

from bayesdid.design.terms import event_times, term_values
from bayesdid.design.window import FARTHEST, EventWindow, beyond, event_labels, event_window
from bayesdid.exceptions import InputError, Note, NotIdentifiedError
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec
from bayesdid.study.terms import parse_term


def event_treatments(
    spec: Spec, panel: Panel, rows: np.ndarray, notes: list[Note]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Expand a spec's one treatment, ``both``, ``active:P`` or a column, into event-time terms.

    Returns the terms of the window, and those beyond it.

    Parameters
    ----------
    spec
        Its options may set ``first``, ``last``, ``reference`` and ``ends``.
    panel, rows
        Event times that do not occur in these rows are left out, with a note.

    Raises
    ------
    InputError
        If the spec has not exactly one treatment, or the options contradict each other.
    NotIdentifiedError
        If the reference period does not occur in the sample, or no unit without event times tells
        period effects from those of event times.
    """
    window = event_window(spec)
    reference = window.reference
    if len(spec.column.treatments) != 1:
        raise InputError(
            f"{spec.id}: an event study has one treatment: both, all, both:P+Q, active:P or a "
            "column",
            value=", ".join(spec.column.treatments),
            remedy="declare one such treatment",
        )
    base = spec.column.treatments[0]
    notes += _without_event(base, panel)
    labels = event_labels(window)
    values = {
        k: term_values(parse_term(f"{base}@{label}"), panel, rows)[rows]
        for k, label in labels.items()
    }
    if not values[reference].any():
        raise NotIdentifiedError(
            f"{spec.id}: no row is in the reference period {reference}",
            remedy="choose another reference",
        )
    if absent := [str(k) for k, value in values.items() if not value.any()]:
        text = f"event times without rows are left out: {', '.join(absent)}"
        notes.append(Note("empty_event_times", len(absent), text))
    inside = tuple(
        f"{base}@{label}" for k, label in labels.items() if k != reference and values[k].any()
    )
    return inside, _beyond(spec, panel, rows, window, notes) if window.ends == "own" else ()


def _beyond(
    spec: Spec, panel: Panel, rows: np.ndarray, window: EventWindow, notes: list[Note]
) -> tuple[str, ...]:
    """Terms of the event times that occur in the sample beyond the window."""
    base = spec.column.treatments[0]
    time = event_times(parse_term(base).factors[0], panel)[rows]
    found = beyond(window, np.unique(time))
    if not found:
        return ()
    units = panel.frame.loc[rows, panel.unit].to_numpy()
    if set(units) == set(units[np.abs(time) <= FARTHEST]):
        raise NotIdentifiedError(
            f"{spec.id}: every unit of the sample is treated some time, so that effects of all "
            "event times are identified up to a linear trend only",
            column=base,
            remedy='add units that are never treated, or set ends = "bin", which takes effects '
            f"before {window.first} and after {window.last} to be constant",
        )
    text = (
        f"{len(found)} event times beyond {window.first} to {window.last} have effects of their "
        "own, which are no part of the path"
    )
    notes.append(Note("event_times_beyond", len(found), text))
    return tuple(f"{base}@{k}" for k in found)


def _without_event(base: str, panel: Panel) -> list[Note]:
    """A note of units in which a column of event times is missing: they are no part of the path."""
    factor = parse_term(base).factors[0]
    if factor.kind != "column" or factor.name not in panel.frame:
        return []
    missing = panel.frame[factor.name].isna().groupby(panel.frame[panel.unit].to_numpy()).all()
    if not (count := int(missing.sum())):
        return []
    text = f"{count} units have no {factor.name} in any row: they are in no event time, and stay"
    return [Note("units_without_event", count, text)]
