"""ATT by cohort and event time of one staggered treatment."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bayesdid.families.registry.family import ROW_FIELDS, TWO_WAY_FIELDS, ErrorsOption, Family
from bayesdid.families.registry.sections import DYNAMICS


class CohortOptions(ErrorsOption):
    """``[column.options]`` of a spec of family ``cohort``."""

    controls: Literal["not_yet", "never"] = Field(
        default="not_yet",
        description="Whom cohorts are compared with: units not yet treated, or never-treated ones",
    )


FAMILY = Family(
    name="cohort",
    question="ATT by cohort and event time, partially pooled; is the TWFE coefficient biased?",
    checked="imputation and Callaway-Sant'Anna (`diff-diff`), to rounding",
    section=DYNAMICS,
    order=10,
    options=CohortOptions,
    reads=TWO_WAY_FIELDS | ROW_FIELDS,
    treatments="`both` or `active:P`",
    run="bayesdid.families.cohort.analysis:cohort",
)
