"""An effect under other likelihoods and error models."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from bayesdid.families.registry.family import TERMS, Family, Options
from bayesdid.families.registry.sections import ROBUSTNESS


class ErrorsOptions(Options):
    """``[column.options]`` of a spec of family ``errors``."""

    models: tuple[Literal["ar1", "unit_variance", "student_t", "negative_binomial"], ...] | None = (
        Field(default=None, description="Which to fit beside i.i.d. normal errors; default: all")
    )
    counts: str | None = Field(
        default=None,
        description="Column of counts for the negative binomial",
        json_schema_extra=TERMS,
    )
    exposure: str | None = Field(
        default=None, description="Column of the counts' exposure", json_schema_extra=TERMS
    )
    counts_from_outcome: float | None = Field(
        default=None, gt=0, description="Factor that turns the outcome into counts"
    )
    contrast: int | None = Field(
        default=None, ge=1, description="Position of the treatment that is followed; default: last"
    )

    @model_validator(mode="after")
    def _counts(self) -> ErrorsOptions:
        has_counts = self.counts is not None or self.counts_from_outcome is not None
        asked = self.models is not None and "negative_binomial" in self.models
        if self.counts is not None and self.counts_from_outcome is not None:
            raise ValueError("give one of counts and counts_from_outcome")
        if self.exposure is not None and self.counts is None:
            raise ValueError("exposure is that of counts: name them too")
        if asked and not has_counts:
            raise ValueError("the negative binomial needs counts or counts_from_outcome")
        if has_counts and self.models is not None and not asked:
            raise ValueError("counts are for the negative binomial, which models leaves out")
        return self


FAMILY = Family(
    name="errors",
    question="AR(1), unit variances, Student t, counts: what errors do to an effect",
    checked="clustered and wild-bootstrap errors",
    section=ROBUSTNESS,
    order=20,
    options=ErrorsOptions,
    alone="the counts among its models have no weights, and its levels are units and periods",
    treatments="any; one is followed",
    run="bayesdid.families.errors.analysis:errors",
)
