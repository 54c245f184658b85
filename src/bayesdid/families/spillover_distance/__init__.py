"""Spillover as a smooth function of distance."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bayesdid.families.registry.family import Family, Options
from bayesdid.families.registry.neighbours import ALONE, SPATIAL_FIELDS, refused_frequencies
from bayesdid.families.registry.sections import SPATIAL
from bayesdid.study.schema import Column


class DistanceOptions(Options):
    """``[column.options]`` of a spec of family ``spillover_distance``."""

    step_km: float = Field(default=100.0, gt=0, description="Width of a ring of distance, km")
    last_km: float = Field(default=2000.0, gt=0, description="Where the last ring ends, km")
    exposure: Literal["count", "share"] = Field(
        default="count", description="Treated units in a ring, or their share of its units"
    )
    kernel: Literal["matern52", "squared_exponential"] = Field(
        default="matern52", description="Covariance of the profile over distance"
    )
    rho: bool = Field(default=False, description="Also a spatial lag of the outcome, by weights")
    weights: str | None = Field(
        default=None, description="Those of the lag; default: the weights of the column"
    )
    share: float = Field(
        default=1.0, gt=0, description="Prior: spillover of a typical ring over the sd within"
    )
    rope: float | None = Field(
        default=None,
        gt=0,
        description="Half width of the ROPE of what comes from one typical ring, outcome units; "
        "default: the study's, or a tenth of the residual sd",
    )
    boundaries: tuple[float | str, float | str] | None = Field(
        default=None, description="Published ones: kilometres, or names of the table's numbers"
    )


def _check(column: Column, options: DistanceOptions) -> str:
    named = [name for name in (options.weights, column.weights) if name is not None]
    if options.rho and not named:
        return "a spatial lag (rho = true) needs weights"
    if named and not options.rho:
        return "weights are those of a spatial lag: set rho = true in options"
    if len(named) > 1:
        return "give one of weights and options.weights"
    return refused_frequencies(column, options)


FAMILY = Family(
    name="spillover_distance",
    question="how far do spillovers reach, and do they turn? one smooth profile over distance",
    checked="the PyMC model; planted boundaries",
    section=SPATIAL,
    order=20,
    options=DistanceOptions,
    reads=SPATIAL_FIELDS | {"weights"},
    alone=ALONE,
    treatments="the first spills over",
    run="bayesdid.families.spillover_distance.analysis:distance_analysis",
    check=_check,
)
