"""Which specs, under which effects, predict units left out."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bayesdid.families.registry.family import Family, Options
from bayesdid.families.registry.sections import ROBUSTNESS
from bayesdid.model.errors import DEFAULT_ERRORS, ErrorsName


class ComparisonOptions(Options):
    """``[column.options]`` of a spec of family ``comparison``."""

    specs: tuple[str, ...] = Field(
        min_length=1, description="Ids of two-way specs with one outcome on the same rows"
    )
    effects: tuple[Literal["fixed", "random", "mundlak"], ...] = Field(
        default=("fixed", "random", "mundlak"),
        min_length=1,
        description="Kinds of unit and period effects to compare",
    )
    errors: tuple[ErrorsName, ...] = Field(
        default=(DEFAULT_ERRORS.name, "iid"),
        min_length=1,
        description="Errors to compare; units left out are checked by refits under the first",
    )


FAMILY = Family(
    name="comparison",
    question="which model, and which errors, predict units left out? stacking weights",
    checked="refits without each tenth of the units",
    section=ROBUSTNESS,
    order=10,
    options=ComparisonOptions,
    reads=frozenset(),
    alone="its models are those of the specs that it compares",
    treatments="none: those of its specs",
    run="bayesdid.families.comparison.analysis:comparison",
)
