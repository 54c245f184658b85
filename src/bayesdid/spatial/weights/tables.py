"""Weights in a .csv file: a square table with ids, or a list of edges."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from bayesdid.escape import from_spreadsheet
from bayesdid.exceptions import InputError
from bayesdid.spatial.weights.match import some, unique
from bayesdid.spatial.weights.weights import unit_key

EDGE = ("from", "to", "weight")
_Raw = tuple[csr_array, NDArray[Any]]


def read_table(file: Path) -> _Raw:
    """Raw weights and ids; see :func:`bayesdid.spatial.weights.files.read_weights`."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = file.read_bytes().decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise InputError("neither UTF-8 nor GB18030 text", file=file, remedy="save as UTF-8")
    reader = csv.reader(io.StringIO(text))
    try:
        rows = [
            (reader.line_num, [from_spreadsheet(cell.strip()) for cell in row])
            for row in reader
            if any(row)
        ]
    except csv.Error as error:
        raise InputError(
            f"not a table: {error}", file=file, row=reader.line_num, remedy="check its quotes"
        ) from error
    if len(rows) < 2 or len(rows[0][1]) < 2:
        raise InputError(
            "neither a square table nor an edge list",
            file=file,
            row=1,
            remedy="separate cells by commas; see docs/study-format.md",
        )
    header = rows[0][1]
    if set(EDGE) <= {name.lower() for name in header}:
        return _edges([name.lower() for name in header], rows[1:], file)
    return _square(header, rows[1:], file)


def _edges(header: list[str], rows: list[tuple[int, list[str]]], file: Path) -> _Raw:
    place: dict[str, int] = {}
    found: dict[tuple[int, int], float] = {}
    at = [header.index(name) for name in EDGE]
    for line, cells in rows:
        _width(cells, header, line, file)
        ends = [unit_key(cells[at[0]]), unit_key(cells[at[1]])]
        if not all(ends):
            raise InputError("an edge lacks an end", file=file, row=line, remedy="name both units")
        i, j = (place.setdefault(end, len(place)) for end in ends)
        if (i, j) in found:
            raise InputError(
                "an edge occurs twice",
                file=file,
                row=line,
                value=" - ".join(ends),
                remedy="keep one of them",
            )
        found[i, j] = _number(cells[at[2]], file, line, "weight")
    matrix = coo_array(
        (list(found.values()), tuple(zip(*found, strict=True))), shape=(len(place), len(place))
    )
    return csr_array(matrix), np.array(list(place))


def _square(header: list[str], rows: list[tuple[int, list[str]]], file: Path) -> _Raw:
    if _is_number(header[0]):
        raise InputError(
            "the table has no ids, only numbers; the order of units is never assumed",
            file=file,
            row=1,
            value=header[0],
            remedy="put the units' ids into the first row and the first column, and "
            "leave the corner empty",
        )
    ids = [unit_key(name) for name in header[1:]]
    if len(rows) != len(ids):
        raise InputError(
            f"the table has {len(rows)} rows and {len(ids)} columns of weights",
            file=file,
            remedy="give one row and one column for each unit",
        )
    unique("id of a column", ids, file)
    for line, cells in rows:
        _width(cells, header, line, file)
    names = [unit_key(cells[0]) for _, cells in rows]
    unique("id of a row", names, file)
    if other := sorted(set(names) - set(ids)):
        raise InputError(
            "rows and columns name different units",
            file=file,
            value=some(other),
            remedy="use the same ids in the first row and column",
        )
    W = np.empty((len(ids), len(ids)))
    place = {name: k for k, name in enumerate(ids)}
    for line, cells in rows:
        W[place[unit_key(cells[0])]] = [
            _number(cell, file, line, name) for cell, name in zip(cells[1:], ids, strict=True)
        ]
    return csr_array(W), np.array(ids)


def _width(cells: list[str], header: list[str], line: int, file: Path) -> None:
    if len(cells) != len(header):
        raise InputError(
            f"the row has {len(cells)} cells, the first row {len(header)}",
            file=file,
            row=line,
            remedy="fill or drop the row",
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(text: str, file: Path, line: int, column: str) -> float:
    if not _is_number(text):
        raise InputError(
            "not a number",
            file=file,
            column=column,
            row=line,
            value=text or "empty",
            remedy="write weights with a decimal point, 0 for none",
        )
    return float(text)
