"""Matching on a propensity score, then difference in differences."""

from __future__ import annotations

from pydantic import Field

from bayesdid.families.registry.family import ROW_FIELDS, TWO_WAY_FIELDS, ErrorsOption, Family
from bayesdid.families.registry.sections import ROBUSTNESS


class MatchingOptions(ErrorsOption):
    """``[column.options]`` of a spec of family ``psm_did``."""

    # 0.2: Austin 2011, doi:10.1002/pst.433
    caliper: float = Field(
        default=0.2, gt=0, description="Farthest match, in sds of the logit of the score"
    )
    matches: int = Field(
        default=200, ge=1, le=100_000, description="Draws of the score that are matched on"
    )


FAMILY = Family(
    name="psm_did",
    question="matching on a propensity score whose uncertainty is carried on",
    checked="least squares on the matched rows",
    section=ROBUSTNESS,
    order=50,
    options=MatchingOptions,
    reads=TWO_WAY_FIELDS | ROW_FIELDS,
    treatments="`both` or `active:P`",
    run="bayesdid.families.psm_did.analysis:matching",
)
