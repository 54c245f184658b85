"""Mediation: how much of an effect goes through mediators."""

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


class MediationOptions(ErrorsOption):
    """``[column.options]`` of a spec of family ``mediation``."""

    mediators: tuple[TermText, ...] = Field(
        min_length=1,
        description="What the effect may go through, in parallel",
        json_schema_extra=TERMS,
    )


FAMILY = Family(
    name="mediation",
    question="indirect and direct effect, and the confounding that would undo them",
    checked="each least-squares regression",
    section=MECHANISMS,
    order=10,
    options=MediationOptions,
    reads=TWO_WAY_FIELDS | ROW_FIELDS,
    treatments="one",
    run="bayesdid.families.mediation.analysis:mediation",
)
