"""Spillover by distance band, one model for each, as papers do it."""

from __future__ import annotations

from pydantic import Field

from bayesdid.families.registry.family import Family, Options
from bayesdid.families.registry.neighbours import ALONE, SPATIAL_FIELDS, refused_frequencies
from bayesdid.families.registry.sections import SPATIAL


class BandsOptions(Options):
    """``[column.options]`` of a spec of family ``spillover_bands``."""

    step_km: float = Field(default=100.0, gt=0, description="Width of a band, km")
    last_km: float = Field(default=2000.0, gt=0, description="Where the last band ends, km")
    power: float = Field(
        default=1.0, gt=0, description="Weights are 1 / distance**power within a band"
    )
    level: float = Field(
        default=0.9, gt=0, lt=1, description="Of the intervals that are counted as significant"
    )


FAMILY = Family(
    name="spillover_bands",
    question="spillover as papers do it: one model per distance band, with the multiplicity said",
    checked="–",
    section=SPATIAL,
    order=30,
    options=BandsOptions,
    reads=SPATIAL_FIELDS,
    alone=ALONE,
    treatments="the first is followed",
    run="bayesdid.families.spillover_bands.analysis:bands",
    check=refused_frequencies,
)
