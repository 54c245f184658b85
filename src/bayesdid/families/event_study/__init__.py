"""Event studies: the path, fitted as a two-way regression, and what violated trends do to it."""

from __future__ import annotations

from pydantic import Field

from bayesdid.design.window import EventWindow, event_labels
from bayesdid.families.registry.family import ROW_FIELDS, TWO_WAY_FIELDS, ErrorsOption, Family
from bayesdid.families.registry.sections import DYNAMICS
from bayesdid.study.schema import Column


class EventStudyOptions(ErrorsOption, EventWindow):
    """``[column.options]`` of a spec of family ``event_study``."""

    robust: bool = Field(default=True, description="Whether to add robust confidence sets (slower)")


def _check(column: Column, options: EventStudyOptions) -> str:
    """Refuse a printed effect of an event time that the window does not have."""
    base = column.treatments[0] if column.treatments else ""
    known = {f"{base}@{label}" for label in event_labels(options).values()}
    strange = [t for t in column.coefficients if t.startswith(f"{base}@") and t not in known]
    if not strange:
        return ""
    bins = any(mark in strange[0] for mark in ("@<=", "@>="))
    cure = 'ends = "bin" pools them' if bins and options.ends == "own" else "change first and last"
    return (
        f"{strange[0]} is printed, but the window {options.first} to {options.last} with "
        f'ends = "{options.ends}" has no such event time: {cure}'
    )


FAMILY = Family(
    name="event_study",
    question="the path around adoption; breakdown of parallel trends (Rambachan & Roth)",
    checked="the Medicaid example of HonestDiD",
    section=DYNAMICS,
    order=30,
    options=EventStudyOptions,
    reads=TWO_WAY_FIELDS | ROW_FIELDS,
    treatments="`both`, `active:P` or a column of event times",
    run="bayesdid.families.event_study.analysis:honest",
    fitted=True,
    check=_check,
)
