"""Spatial weights as a study file declares them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from bayesdid.study.fields import Identifier, Strict

WeightsKind = Literal[
    "inverse_distance", "economic_geographic", "nearest", "contiguity", "bands", "file"
]
# kind -> fields that it must have, and may have
_WEIGHT_FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "inverse_distance": (set(), {"power", "cutoff_km"}),
    "economic_geographic": ({"column", "window"}, {"power", "cutoff_km", "proximity"}),
    "nearest": ({"k"}, set()),
    "contiguity": ({"path", "id_column"}, {"rule"}),
    "bands": ({"high_km"}, {"low_km", "power"}),
    "file": ({"path"}, set()),
}


class SpatialWeights(Strict):
    """Spatial weights between the units: what is near to what, and how it is normalised."""

    id: Identifier
    label: str
    kind: WeightsKind
    power: float = Field(
        default=1.0, ge=0, description="Weight is 1 / distance**power; 0 weighs all pairs alike"
    )
    cutoff_km: float | None = Field(default=None, gt=0, description="No weight beyond")
    k: int | None = Field(default=None, ge=1, description="nearest: how many")
    column: str | None = Field(default=None, description="economic_geographic: panel column")
    window: tuple[int, int] | None = Field(
        default=None, description="economic_geographic: first and last period averaged over"
    )
    proximity: Literal["gap", "share"] = Field(
        default="gap",
        description="economic_geographic: near are like units (gap), or rich ones (share)",
    )
    low_km: float = Field(default=0.0, ge=0, description="bands: farther than")
    high_km: float | None = Field(default=None, gt=0, description="bands: at most this far")
    path: str | None = Field(
        default=None, description="file or polygons, relative to the study folder"
    )
    id_column: str | None = Field(default=None, description="contiguity: the polygons' ids")
    rule: Literal["queen", "rook"] = Field(
        default="queen", description="Neighbours share a point (queen) or an edge (rook)"
    )
    normalisation: Literal["row", "spectral", "min-max", "none"] = "row"

    @model_validator(mode="after")
    def _fields_of_the_kind(self) -> SpatialWeights:
        needed, allowed = _WEIGHT_FIELDS[self.kind]
        given = {name for name in self.model_fields_set if getattr(self, name) is not None}
        if missing := sorted(needed - given):
            raise ValueError(f"weights of kind {self.kind} need {', '.join(missing)}")
        common = {"id", "label", "kind", "normalisation"}
        if extra := sorted(given - needed - allowed - common):
            raise ValueError(f"weights of kind {self.kind} have no {', '.join(extra)}")
        if self.window is not None and self.window[0] > self.window[1]:
            raise ValueError("the window's first period is after its last")
        if self.high_km is not None and self.low_km >= self.high_km:
            raise ValueError("low_km must be less than high_km")
        return self

    @property
    def needs_coordinates(self) -> bool:
        """Whether it is made from distances."""
        return self.kind not in {"contiguity", "file"}
