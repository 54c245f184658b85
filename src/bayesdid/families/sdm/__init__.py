"""Spatial panels: the spatial Durbin model and those that it nests."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bayesdid.families.registry.family import Family, Options
from bayesdid.families.registry.neighbours import ALONE, SPATIAL_FIELDS, refused_frequencies
from bayesdid.families.registry.sections import SPATIAL
from bayesdid.study.schema import Column


class SpatialOptions(Options):
    """``[column.options]`` of a spec of family ``sdm``."""

    model: Literal["sar", "sem", "slx", "sdm", "sdem"] = Field(
        default="sdm", description="The model whose effects are shown"
    )
    durbin: tuple[str, ...] | None = Field(
        default=None, description="Regressors whose spatial lag enters; default: all"
    )
    compare: tuple[str, ...] = Field(
        default=(), description="Further weights: ids under [[weights]], or files"
    )
    student_t: bool = Field(default=False, description="Also under Student-t errors")
    dynamic: bool = Field(
        default=False, description="Also with the outcome and its spatial lag of a period before"
    )
    logdet: Literal["auto", "eigenvalues", "sparse_lu", "chebyshev", "trace"] = Field(
        default="auto", description="Method of the log-determinant"
    )
    normalisation: Literal["row", "spectral", "min-max", "none"] | None = Field(
        default=None, description="Of all weights; default: as they are declared"
    )


def _check(column: Column, options: SpatialOptions) -> str:
    if options.normalisation is not None and column.row_normalised is not None:
        return "give one of row_normalised and options.normalisation"
    if column.row_weights and column.period_effects == "random":
        return (
            "models are compared by their evidence, which with weights of rows is known for fixed "
            "period effects or none: leave out period_effects, or row_weights"
        )
    return refused_frequencies(column, options)


FAMILY = Family(
    name="sdm",
    question="spatial models: direct, indirect, total effects; which model, which W; a map",
    checked="maximum likelihood; `spreg`, to six digits",
    section=SPATIAL,
    order=10,
    options=SpatialOptions,
    reads=SPATIAL_FIELDS | {"weights", "row_normalised"},
    alone=ALONE,
    treatments="any",
    run="bayesdid.families.sdm.analysis:spatial",
    check=_check,
)
