"""The terms of an event study: one for each event time but the reference, bins at the ends."""

from __future__ import annotations

import numpy as np

from bayesdid.design.terms import term_values
from bayesdid.design.window import event_labels, event_window
from bayesdid.exceptions import InputError, Note, NotIdentifiedError
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec
from bayesdid.study.terms import parse_term


def event_treatments(
    spec: Spec, panel: Panel, rows: np.ndarray, notes: list[Note]
) -> tuple[str, ...]:
    """Expand a spec's one treatment, ``both``, ``active:P`` or a column, into event-time terms.

    Parameters
    ----------
    spec
        Its options may set ``first`` and ``last`` (the bins at the ends) and ``reference``.
    panel, rows
        Event times that do not occur in these rows are left out, with a note.

    Raises
    ------
    InputError
        If the spec has not exactly one treatment, or the options contradict each other.
    NotIdentifiedError
        If the reference period does not occur in the sample.
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
    return tuple(
        f"{base}@{label}" for k, label in labels.items() if k != reference and values[k].any()
    )


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
