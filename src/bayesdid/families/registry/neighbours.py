"""What spatial families share: fields of a column that they read, and weights that they refuse."""

from __future__ import annotations

from bayesdid.families.registry.family import TWO_WAY_FIELDS, WEIGHT_FIELDS, Options
from bayesdid.study.schema import Column

SPATIAL_FIELDS = TWO_WAY_FIELDS | WEIGHT_FIELDS
ALONE = (
    "neighbours are those of whole periods, whose effects and those of units are integrated out "
    "with what spreads, and no others; their intervals are the posterior's alone, not clustered"
)


def refused_frequencies(column: Column, options: Options) -> str:  # noqa: ARG001
    """Why a spatial family does not take a column's frequency weights; empty if it has none."""
    if not column.row_weights or column.row_weights_kind != "frequency":
        return ""
    return (
        f"frequency weights ({column.row_weights}) make several rows of a unit in a period, but a "
        "unit has one row of W; where a row is a mean of so many, say that they are analytic "
        '(row_weights_kind = "analytic")'
    )
