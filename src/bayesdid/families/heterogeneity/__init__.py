"""Effects by group, in one model."""

from __future__ import annotations

from pydantic import Field, model_validator

from bayesdid.families.registry.family import ROW_FIELDS, TWO_WAY_FIELDS, ErrorsOption, Family
from bayesdid.families.registry.sections import HETEROGENEITY


class HeterogeneityOptions(ErrorsOption):
    """``[column.options]`` of a spec of family ``heterogeneity``."""

    groups: tuple[str, ...] = Field(
        min_length=1, description="Group columns; sequence is the order of adoption of dual units"
    )
    separate: bool | None = Field(
        default=None,
        description="Whether each group has period effects and covariates of its own, as in "
        "separate regressions; default: for a single grouping of units",
    )

    @model_validator(mode="after")
    def _one_grouping(self) -> HeterogeneityOptions:
        if self.separate and not self.can_separate:
            raise ValueError("separate = true needs a single grouping of units, and not sequence")
        return self

    @property
    def can_separate(self) -> bool:
        """Whether groups can have period effects of their own: one grouping, constant in units."""
        from bayesdid.published.groups import SEQUENCE

        return len(self.groups) == 1 and self.groups != (SEQUENCE,)


FAMILY = Family(
    name="heterogeneity",
    question="is it really different between groups? from the panel, and from printed columns",
    checked="one regression per group, to rounding",
    section=HETEROGENEITY,
    options=HeterogeneityOptions,
    reads=TWO_WAY_FIELDS | ROW_FIELDS,
    treatments="one",
    run="bayesdid.families.heterogeneity.analysis:heterogeneity",
)
