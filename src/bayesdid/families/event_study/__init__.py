"""Event studies: the path, fitted as a two-way regression, and what violated trends do to it."""

from __future__ import annotations

from pydantic import Field

from bayesdid.design.window import EventWindow
from bayesdid.families.registry.family import (
    ROW_FIELDS,
    TWO_WAY_FIELDS,
    ErrorsOption,
    Family,
)
from bayesdid.families.registry.sections import ROBUSTNESS


class EventStudyOptions(ErrorsOption, EventWindow):
    """``[column.options]`` of a spec of family ``event_study``."""

    robust: bool = Field(default=True, description="Whether to add robust confidence sets (slower)")


FAMILY = Family(
    name="event_study",
    question="the path around adoption; breakdown of parallel trends (Rambachan & Roth)",
    checked="the Medicaid example of HonestDiD",
    section=ROBUSTNESS,
    order=30,
    options=EventStudyOptions,
    reads=TWO_WAY_FIELDS | ROW_FIELDS,
    treatments="`both`, `active:P` or a column of event times",
    run="bayesdid.families.event_study.analysis:honest",
    fitted=True,
)
