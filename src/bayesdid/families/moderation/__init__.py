"""Moderation: whether an effect depends on another variable."""

from __future__ import annotations

from pydantic import Field

from bayesdid.families.registry.family import (
    ROW_FIELDS,
    TERMS,
    TWO_WAY_FIELDS,
    ErrorsOption,
    Family,
)
from bayesdid.families.registry.sections import MECHANISMS
from bayesdid.study.fields import TermText


class ModerationOptions(ErrorsOption):
    """``[column.options]`` of a spec of family ``moderation``."""

    moderator: TermText = Field(
        description="What the effect may depend on; varies within units", json_schema_extra=TERMS
    )
    bins: int = Field(
        default=3, ge=2, le=20, description="Bins of the moderator in the test of linearity"
    )


FAMILY = Family(
    name="moderation",
    question="effect over the moderator's range, Johnson-Neyman region, linearity",
    checked="least squares",
    section=MECHANISMS,
    order=20,
    options=ModerationOptions,
    reads=TWO_WAY_FIELDS | ROW_FIELDS,
    treatments="one",
    run="bayesdid.families.moderation.analysis:moderation",
)
