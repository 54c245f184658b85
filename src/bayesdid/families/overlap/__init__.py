"""Two overlapping staggered policies: effects by state, and their synergy."""

from __future__ import annotations

from bayesdid.families.registry.family import TWO_WAY_FIELDS, ErrorsOption, Family
from bayesdid.families.registry.sections import STAGGERED


class OverlapOptions(ErrorsOption):
    """``[column.options]`` of a spec of family ``overlap``."""


FAMILY = Family(
    name="overlap",
    question="two staggered policies: effects by state, synergy by time since the second",
    checked="imputation by pyfixest, to rounding",
    section=STAGGERED,
    options=OverlapOptions,
    order=20,
    reads=TWO_WAY_FIELDS - {"treatments"},
    treatments="none: the study's two policies",
    run="bayesdid.families.overlap.analysis:overlap",
)
