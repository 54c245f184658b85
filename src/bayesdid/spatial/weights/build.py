"""The spatial weights that a study declares or a user names, in the order of the panel's units."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError, Note
from bayesdid.panel.panel import Panel
from bayesdid.panel.read import read_frame
from bayesdid.spatial.weights import distance
from bayesdid.spatial.weights.distance import Distances, great_circle
from bayesdid.spatial.weights.files import read_weights
from bayesdid.spatial.weights.match import positions
from bayesdid.spatial.weights.weights import Normalisation, Weights, make_weights
from bayesdid.study.load import Study
from bayesdid.study.paths import is_file
from bayesdid.study.schema import Column
from bayesdid.study.spatial_weights import SpatialWeights

_SCALED: dict[Normalisation, str] = {
    "row": "row-normalised",
    "spectral": "divided by the spectral radius",
    "min-max": "min-max-normalised",
    "none": "not normalised",
}


def declared_weights(
    study: Study, panel: Panel, weights_id: str, *, normalisation: Normalisation | None = None
) -> Weights:
    """Weights that `study.toml` declares under ``[[weights]]``, aligned with ``panel.units``.

    Parameters
    ----------
    normalisation
        Replaces the declared one.

    Raises
    ------
    InputError
        If no such weights are declared, or what they are made from is missing.
    """
    spec = next((w for w in study.file.weights if w.id == weights_id), None)
    if spec is None:
        raise InputError(
            "no such weights",
            file=study.path / "study.toml",
            value=weights_id,
            remedy=f"{_ids(study)}; declare others under [[weights]]",
        )
    raw, notes = _raw(study, panel, spec)
    return _made(raw, panel, spec.label, normalisation or spec.normalisation, notes)


def weights_from_path(
    path: str | Path, panel: Panel, normalisation: Normalisation = "row"
) -> Weights:
    """Weights of a user's file, matched with the panel's units by value or label."""
    return _made(_from_file(Path(path), panel), panel, Path(path).name, normalisation)


def resolve_weights(
    study: Study, panel: Panel, text: str, normalisation: Normalisation | None = None
) -> Weights:
    """Weights by the id under which the study declares them, or else by the path of a file.

    A file is looked for in the study folder, then as it is named.
    """
    if any(spec.id == text for spec in study.file.weights):
        return declared_weights(study, panel, text, normalisation=normalisation)
    file = study.find(text)
    if not file.suffix and not is_file(file):
        raise InputError(
            "neither declared weights nor a file",
            value=text,
            remedy=f"{_ids(study)}; or name a file of weights",
        )
    return weights_from_path(file, panel, normalisation or "row")


def normalisation_of(column: Column, given: Normalisation | None) -> Normalisation | None:
    """How a column of a table scales its weights; None: as they are declared.

    Parameters
    ----------
    given
        What its options say, before what the table prints.
    """
    if given is not None or column.row_normalised is None:
        return given
    return "row" if column.row_normalised else "none"


def coordinates(study: Study, panel: Panel) -> FloatArray:
    """Longitude and latitude of each unit in degrees, in the order of the panel, shape (N, 2).

    Raises
    ------
    InputError
        If the study or the panel has none, or they are missing for a unit or vary within it.
    """
    keys, toml = study.file.panel, study.path / "study.toml"
    if keys.coordinates is not None:
        return _coordinates_file(study.inside(keys.coordinates), panel)
    if keys.longitude is None or keys.latitude is None:
        raise InputError(
            "the study does not say where its units are",
            file=toml,
            column="panel",
            remedy="name longitude and latitude, or coordinates",
        )
    names = [keys.longitude, keys.latitude]
    for name in names:
        if name not in panel.frame:
            raise InputError(
                "the panel lacks a column of coordinates",
                file=panel.source,
                column=name,
                remedy="add it, constant within units",
            )
        spread = panel.frame.groupby(panel.unit)[name].agg(["min", "max"])
        if (moves := spread["max"] > spread["min"]).any():
            raise InputError(
                "a coordinate varies within a unit",
                file=panel.source,
                column=name,
                value=f"{panel.unit} {moves.idxmax()}",
                remedy="give each unit one place",
            )
    return panel.frame.groupby(panel.unit)[names].first().reindex(panel.units).to_numpy(dtype=float)


def panel_distances(study: Study, panel: Panel) -> Distances:
    """Great-circle distances between the panel's units; see :func:`coordinates`."""
    source = study.file.panel.coordinates
    where = panel.source if source is None else str(study.inside(source))
    labels = [panel.unit_labels.get(str(unit), str(unit)) for unit in panel.units]
    return great_circle(coordinates(study, panel), labels, source=where)


def _raw(study: Study, panel: Panel, spec: SpatialWeights) -> tuple[csr_array, tuple[Note, ...]]:
    match spec.kind:
        case "file":
            return _from_file(study.inside(str(spec.path)), panel), ()
        case "contiguity":
            return _from_polygons(study.inside(str(spec.path)), panel, spec)
        case "nearest":
            return distance.nearest(panel_distances(study, panel), spec.k or 1), ()
        case "bands":
            high = spec.high_km or np.inf
            near = panel_distances(study, panel)
            return distance.band(near, spec.low_km, high, power=spec.power), ()
        case "inverse_distance":
            near = panel_distances(study, panel)
            return distance.inverse_distance(near, power=spec.power, cutoff_km=spec.cutoff_km), ()
        case "economic_geographic":
            means, notes = _window_means(panel, spec)
            near = panel_distances(study, panel)
            found = distance.economic_geographic(
                near, means, power=spec.power, cutoff_km=spec.cutoff_km, proximity=spec.proximity
            )
            return found, notes


def _made(
    raw: csr_array,
    panel: Panel,
    label: str,
    normalisation: Normalisation,
    notes: tuple[Note, ...] = (),
) -> Weights:
    made = make_weights(raw, panel.units, label, normalisation)
    name = f"{label}, {_SCALED[normalisation]}"
    return dataclasses.replace(made, name=name, notes=(*notes, *made.notes))


def _from_file(file: Path, panel: Panel) -> csr_array:
    read = read_weights(file)
    order = positions(read.ids, panel, file)
    return csr_array(read.matrix[order][:, order])


def _from_polygons(
    file: Path, panel: Panel, spec: SpatialWeights
) -> tuple[csr_array, tuple[Note, ...]]:
    """Polygons beyond the panel are passed over: who touches whom does not depend on them."""
    from bayesdid.spatial.weights.pysal import contiguity

    matrix, ids = contiguity(file, str(spec.id_column), spec.rule)
    order = positions(ids, panel, file, extra=True)
    beyond = len(ids) - len(order)
    text = f"{beyond} polygons of {file.name} are no unit of the panel and were passed over"
    notes = (Note("polygons_beyond_panel", beyond, text),) if beyond else ()
    return csr_array(matrix[order][:, order]), notes


def _window_means(panel: Panel, spec: SpatialWeights) -> tuple[FloatArray, tuple[Note, ...]]:
    """Mean of a column over the window, for each unit, shape (N,)."""
    column, (first, last) = str(spec.column), spec.window or (0, 0)
    if column not in panel.frame:
        raise InputError(
            "the panel lacks the column that the weights use",
            file=panel.source,
            column=column,
            remedy=f"add it, or change weights {spec.id}",
        )
    period = panel.frame[panel.period]
    low, high = panel.timeline.window(first, last)
    rows = panel.frame[(period >= low) & (period <= high)]
    values = rows.groupby(panel.unit)[column]
    means = values.mean().reindex(panel.units)
    if means.isna().any():
        raise InputError(
            f"no value between {first} and {last}",
            file=panel.source,
            column=column,
            value=f"{panel.unit} {means.isna().idxmax()}",
            remedy="widen the window, or leave the unit out",
        )
    gaps = int((values.count().reindex(panel.units) < rows[panel.period].nunique()).sum())
    text = (
        f"{gaps} units lack {column} in some periods from {first} to {last}; means are of the rest"
    )
    notes = (Note("gaps_in_window", gaps, text),) if gaps else ()
    return means.to_numpy(dtype=float), notes


def _coordinates_file(file: Path, panel: Panel) -> FloatArray:
    frame = read_frame(file)
    frame.columns = frame.columns.str.strip()
    for name in (panel.unit, "lon", "lat"):
        if name not in frame:
            raise InputError(
                "the coordinates lack a column",
                file=file,
                column=name,
                row=1,
                remedy=f"give {panel.unit}, lon and lat",
            )
        if name != panel.unit and not np.issubdtype(frame[name].to_numpy().dtype, np.number):
            raise InputError(
                "a coordinate is not a number",
                file=file,
                column=name,
                remedy="write degrees with a decimal point",
            )
    order = positions(frame[panel.unit], panel, file, extra=True)
    return frame[["lon", "lat"]].to_numpy(dtype=float)[order]


def _ids(study: Study) -> str:
    listed = ", ".join(spec.id for spec in study.file.weights)
    return f"the study declares {listed}" if listed else "the study declares no weights"
