"""What libpysal reads and computes: .gal and .gwt files, contiguity of polygons."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from bayesdid.exceptions import InputError
from bayesdid.extras import extra
from bayesdid.spatial.weights.match import unique
from bayesdid.spatial.weights.weights import unit_key

POLYGONS = (".shp", ".geojson", ".gpkg")
_GEOJSON = {"FeatureCollection", "Feature"}


def read_pysal(file: Path) -> tuple[csr_array, NDArray[Any]]:
    """Read a .gal or .gwt file: raw weights and ids.

    libpysal passes over lines past the declared number of units and keeps the last of two equal
    edges, so the text is checked first.

    Raises
    ------
    InputError
        With the row, if the file does not hold what its header says.
    """
    with extra("spatial"):
        import libpysal

    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError("not UTF-8 text", file=file, remedy="save it as UTF-8") from error
    (_check_gal if file.suffix.lower() == ".gal" else _check_gwt)(lines, file)
    try:
        with _quiet():
            handle = libpysal.io.open(str(file))
            try:
                found = handle.read()
            finally:
                handle.close()
            matrix = csr_array(found.sparse)
    except Exception as error:
        raise InputError(
            f"libpysal cannot read it: {error!r}",
            file=file,
            remedy="export it again, or use a .csv edge list",
        ) from error
    return matrix, np.array([unit_key(name) for name in found.id_order])


def contiguity(
    path: str | Path, id_column: str, rule: Literal["queen", "rook"] = "queen"
) -> tuple[csr_array, NDArray[Any]]:
    """Which polygons touch: raw 0/1 weights and ids.

    Parameters
    ----------
    path
        A .shp, .geojson or .gpkg file with one (multi)polygon for each unit.
    id_column
        Attribute that names the unit.
    rule
        ``queen``: neighbours share at least a point; ``rook``: at least an edge.

    Raises
    ------
    InputError
        If the file cannot be read, has no such column, or an id is missing or occurs twice, or a
        unit has no polygon.
    """
    with extra("spatial"):
        import geopandas
        from libpysal.graph import Graph

    file = Path(path)
    if file.suffix.lower() not in POLYGONS:
        raise InputError(
            "unknown type of polygon file",
            file=file,
            value=file.suffix or "(none)",
            remedy=f"use one of {', '.join(POLYGONS)}",
        )
    if not file.is_file():
        raise InputError("no such file", file=file, remedy="check the path")
    if not _is_what_it_says(file):
        raise InputError(
            "the file is not what its extension says", file=file, remedy="export it again"
        )
    try:
        with _quiet():
            frame = geopandas.read_file(file)
    except Exception as error:
        raise InputError(
            f"cannot be read: {error}",
            file=file,
            remedy="export it again; a .shp needs its .dbf and .shx",
        ) from error
    if id_column not in frame:
        raise InputError(
            "the polygons lack the id column",
            file=file,
            column=id_column,
            remedy=f"use one of {', '.join(map(str, frame.columns))}",
        )
    if frame[id_column].isna().any():
        raise InputError(
            "a polygon has no id",
            file=file,
            column=id_column,
            row=int(np.flatnonzero(frame[id_column].isna())[0]) + 1,
            remedy="fill the column",
        )
    ids = [unit_key(name) for name in frame[id_column]]
    unique("id", ids, file)
    odd = ~frame.geometry.geom_type.isin({"Polygon", "MultiPolygon"}).to_numpy()
    if odd.any():
        raise InputError(
            "a unit is no polygon",
            file=file,
            column=id_column,
            value=ids[int(np.flatnonzero(odd)[0])],
            remedy="give areas; for points use distances",
        )
    with _quiet():
        shapes = frame.geometry.set_axis(ids)
        graph = Graph.build_contiguity(shapes, rook=rule == "rook")
        return csr_array(graph.sparse), np.array(list(graph.unique_ids))


def _is_what_it_says(file: Path) -> bool:
    """Whether a file of polygons begins as its extension promises.

    GDAL goes by content: a file named .geojson may be of a format that reads other files or the
    network (virtual data sets, pipelines).
    """
    with file.open("rb") as held:
        head = held.read(16)
    match file.suffix.lower():
        case ".shp":
            return head.startswith(b"\x00\x00\x27\x0a")
        case ".gpkg":
            return head == b"SQLite format 3\x00"
    try:
        found = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("type") in _GEOJSON


def _check_gal(lines: list[str], file: Path) -> None:
    header = lines[0].split() if lines else []
    number = header[1] if len(header) > 1 else header[0] if header else ""
    if not _is_count(number):
        raise _bad("the first row must hold the number of units", file, 1, number or "empty")
    ids: list[str] = []
    named: list[tuple[int, str]] = []
    for k in range(int(number)):
        at = 1 + 2 * k
        pair = lines[at].split() if at < len(lines) else []
        if len(pair) != 2 or not _is_count(pair[1]):
            raise _bad(
                f"unit {k + 1} of {number}: a row with its id and its number of neighbours "
                "is expected",
                file,
                at + 1,
                " ".join(pair) or "empty",
            )
        neighbours = lines[at + 1].split() if at + 1 < len(lines) else []
        if len(neighbours) != int(pair[1]):
            raise _bad(
                f"unit {pair[0]} has {len(neighbours)} neighbours where {pair[1]} are announced",
                file,
                at + 2,
            )
        ids.append(pair[0])
        named += [(at + 2, name) for name in neighbours]
    unique("id", ids, file)
    if any(line.strip() for line in lines[1 + 2 * int(number) :]):
        raise _bad(
            f"there are more than the {number} units that the first row announces",
            file,
            2 + 2 * int(number),
        )
    _known(named, set(ids), file)


def _check_gwt(lines: list[str], file: Path) -> None:
    if not lines or len(lines[0].split()) != 4:
        raise _bad(
            "the first row must hold 0, the number of units, a file and an id variable",
            file,
            1,
            lines[0][:40] if lines else "empty",
        )
    seen: set[tuple[str, ...]] = set()
    for k, line in enumerate(lines[1:], start=2):
        cells = line.split()
        if len(cells) != 3:
            raise _bad("from, to and weight are expected", file, k, line[:40] or "empty")
        try:
            float(cells[2])
        except ValueError:
            raise _bad("not a number", file, k, cells[2]) from None
        if (edge := tuple(cells[:2])) in seen:
            raise _bad("an edge occurs twice", file, k, " - ".join(edge))
        seen.add(edge)
    starts = {edge[0] for edge in seen}
    _known([(k, line.split()[1]) for k, line in enumerate(lines[1:], start=2)], starts, file)
    if lines[0].split()[1] != str(len(starts)):
        raise InputError(
            f"the first row announces {lines[0].split()[1]} units, {len(starts)} have "
            "rows; a unit without neighbours needs one too",
            file=file,
            row=1,
            remedy="give it the row 'id id 0'",
        )


def _is_count(text: str) -> bool:
    return text.isdecimal() and len(text) < 10


def _known(named: list[tuple[int, str]], ids: set[str], file: Path) -> None:
    for row, name in named:
        if name not in ids:
            raise _bad("a neighbour has no row of its own", file, row, name)


def _bad(problem: str, file: Path, row: int, value: object = None) -> InputError:
    return InputError(
        problem, file=file, row=row, value=value, remedy="export it again, or use a .csv edge list"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without libpysal's warnings: what they say of islands is a note of the weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
