"""Spatial weights from and to files: .csv, .npz, .gal and .gwt. Ids always come with them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from bayesdid.escape import spreadsheet
from bayesdid.exceptions import InputError
from bayesdid.files import replacing
from bayesdid.spatial.weights.match import unique
from bayesdid.spatial.weights.npz import read_npz
from bayesdid.spatial.weights.tables import EDGE, read_table
from bayesdid.spatial.weights.weights import Weights, unit_key

EXTENSIONS = (".gal", ".gwt", ".csv", ".npz")


@dataclass(frozen=True, slots=True)
class RawWeights:
    """Weights as a file holds them, not yet normalised or matched with a panel.

    Attributes
    ----------
    matrix
        Shape (N, N).
    ids
        Of rows and columns, as text, shape (N,).
    source
        The file.
    """

    matrix: csr_array
    ids: NDArray[Any]
    source: str


def read_weights(path: str | Path) -> RawWeights:
    """Read weights and the ids of their rows and columns.

    ``.csv``: a square table with ids in the first row and the first column, or an edge list with
    columns ``from``, ``to``, ``weight``, where ``A,A,0`` names a unit without neighbours.
    ``.npz``: a SciPy sparse matrix, or a dense `W`, and an array `ids`. ``.gal`` (0/1) and
    ``.gwt`` as GeoDa and PySAL write them; values are weights as they stand, although GeoDa
    writes distances to .gwt.

    Raises
    ------
    InputError
        If the file is missing, damaged, not square, has no ids or one of them twice, or holds
        something that is no number.
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in EXTENSIONS:
        raise InputError(
            "unknown type of weights file",
            file=file,
            value=suffix or "(none)",
            remedy=f"use one of {', '.join(EXTENSIONS)}; declare polygons as weights "
            "of kind contiguity in study.toml",
        )
    if not file.is_file():
        raise InputError("no such file", file=file, remedy="check the path")
    if suffix == ".csv":
        return RawWeights(*read_table(file), str(file))
    if suffix == ".npz":
        matrix, ids = read_npz(file)
        keys = [unit_key(name) for name in ids]
        unique("id", keys, file)
        return RawWeights(matrix, np.array(keys), str(file))
    from bayesdid.spatial.weights.pysal import read_pysal

    return RawWeights(*read_pysal(file), str(file))


def write_weights(weights: Weights, path: str | Path) -> None:
    """Write weights as they are, normalised or not: a .csv edge list, or a sparse .npz.

    Raises
    ------
    InputError
        If the file is of another type, or its folder does not exist.
    """
    file = Path(path)
    if file.suffix not in {".csv", ".npz"}:
        raise InputError(
            "weights are written as .csv or .npz", file=file, remedy="name such a file"
        )
    if not file.parent.is_dir():
        raise InputError("no such folder", file=file.parent, remedy="make it first")
    ids = [unit_key(unit) for unit in weights.units]
    with replacing(file) as temporary:
        if file.suffix == ".npz":
            _write_npz(weights.matrix, ids, temporary)
        else:
            _write_edges(weights.matrix, ids, temporary)


def _write_npz(W: csr_array, ids: list[str], file: Path) -> None:
    with file.open("wb") as out:
        np.savez_compressed(
            out,
            format=b"csr",
            shape=W.shape,
            data=W.data,
            indices=W.indices,
            indptr=W.indptr,
            ids=np.array(ids),
        )


def _write_edges(W: csr_array, ids: list[str], file: Path) -> None:
    edge = coo_array(W)
    rows, columns = edge.coords
    ids = [spreadsheet(name) for name in ids]
    edges = [
        (ids[i], ids[j], repr(float(w))) for i, j, w in zip(rows, columns, edge.data, strict=True)
    ]
    alone = set(range(len(ids))) - set(rows.tolist()) - set(columns.tolist())
    edges += [(ids[i], ids[i], "0") for i in sorted(alone)]
    with file.open("w", encoding="utf-8", newline="") as text:
        csv.writer(text, lineterminator="\n").writerows([EDGE, *edges])
