"""Overlapping staggered policies: effects by state, and what they do beyond their sum."""

from __future__ import annotations

from bayesdid.families.registry.family import ROW_FIELDS, TWO_WAY_FIELDS, ErrorsOption, Family
from bayesdid.families.registry.sections import SYNERGY


class OverlapOptions(ErrorsOption):
    """``[column.options]`` of a spec of family ``overlap``."""


FAMILY = Family(
    name="overlap",
    question="overlapping staggered policies: effects by state, what each pair and all do beyond",
    checked="imputation by pyfixest, to rounding",
    section=SYNERGY,
    options=OverlapOptions,
    order=20,
    reads=(TWO_WAY_FIELDS | ROW_FIELDS) - {"treatments"},
    treatments="none: the study's policies, two or more",
    run="bayesdid.families.overlap.analysis:overlap",
)
