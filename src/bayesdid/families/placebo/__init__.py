"""Placebo assignments of a treatment."""

from __future__ import annotations

from pydantic import Field

from bayesdid.families.registry.family import ROW_FIELDS, TWO_WAY_FIELDS, ErrorsOption, Family
from bayesdid.families.registry.sections import PLACEBO


class PlaceboOptions(ErrorsOption):
    """``[column.options]`` of a spec of family ``placebo``."""

    draws: int = Field(default=1000, ge=20, le=1_000_000, description="Assignments of each scheme")


FAMILY = Family(
    name="placebo",
    question="how often would units treated at random have shown as large an effect?",
    checked="least squares under the actual assignment; its level under no effect",
    section=PLACEBO,
    options=PlaceboOptions,
    reads=(TWO_WAY_FIELDS | ROW_FIELDS) - {"cluster"},
    alone="units are dealt treatments, and errors are i.i.d.: nothing of it has clusters",
    treatments="`both` or `active:P`",
    run="bayesdid.families.placebo.analysis:placebo_analysis",
)
