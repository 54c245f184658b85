"""One effect under every combination of defensible choices."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bayesdid.families.registry.family import SAMPLE_FIELDS, Family, Options
from bayesdid.families.registry.sections import ROBUSTNESS
from bayesdid.model.errors import DEFAULT_ERRORS, ErrorsName


class CurveOptions(Options):
    """``[column.options]`` of a spec of family ``specification_curve``."""

    effects: tuple[Literal["fixed", "random", "mundlak"], ...] = Field(
        default=("fixed", "random", "mundlak"),
        min_length=1,
        description="Kinds of unit and period effects to try",
    )
    errors: tuple[ErrorsName, ...] = Field(
        default=(DEFAULT_ERRORS.name, "iid"),
        min_length=1,
        description="Error models to try; the declared specification has the default, if it is one",
    )


FAMILY = Family(
    name="specification_curve",
    question="one effect under every combination of effects, errors, controls and samples",
    checked="the engines that other families are checked with",
    section=ROBUSTNESS,
    order=60,
    options=CurveOptions,
    reads=SAMPLE_FIELDS,
    alone="effects, errors and samples are what it varies: name them in its options",
    treatments="one",
    run="bayesdid.families.specification_curve.analysis:specification_curve",
)
