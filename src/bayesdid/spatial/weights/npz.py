"""Spatial weights in a .npz file: every array checked in full before anything uses it.

SciPy's compiled code trusts `indices` and `indptr`: one that points out of its array ends the
process. Sizes are read from the headers and bounded before memory is taken. Objects, which NumPy
would unpickle, are refused.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from scipy.sparse import bsr_array, coo_array, csc_array, csr_array, dia_array

from bayesdid.exceptions import InputError

LARGEST = 1 << 30
"""Bytes that all arrays of a file may take together: a dense W of 11,000 units."""
MOST_UNITS = 5_000_000

_SHOWN = "save a dense W or a SciPy sparse matrix, and ids as an array of text or numbers"
_FIELDS = ("ids", "W", "format", "shape", "data", "indices", "indptr", "row", "col", "offsets")


def read_npz(file: Path) -> tuple[csr_array, NDArray[Any]]:
    """Raw weights, finite numbers, and the ids of their rows, of shapes (N, N) and (N,).

    Raises
    ------
    InputError
        If it is no such file, an array is too large, of the wrong type or shape, or points out of
        another, or there are no ids.
    """
    try:
        arrays = _arrays(file)
    except (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile) as error:
        raise InputError(f"cannot be read as .npz: {error}", file=file, remedy=_SHOWN) from error
    except Exception as error:  # zlib, bz2 and lzma each raise their own for damaged bytes
        raise InputError(
            f"cannot be read as .npz: {error}", file=file, remedy="save it again"
        ) from error
    if "ids" not in arrays:
        raise InputError(
            "the file has no ids; the order of units is never assumed",
            file=file,
            column="ids",
            remedy="save an array ids beside the matrix",
        )
    ids = arrays["ids"].ravel()
    if ids.dtype.kind not in "iufUS" or not ids.dtype.itemsize:
        _refuse(file, "ids", "ids are text or numbers")
    if ids.size > MOST_UNITS:
        _refuse(file, "ids", f"more than {MOST_UNITS:,} units")
    if ids.dtype.kind == "S":
        ids = np.char.decode(ids, "utf-8", "replace")
    if "W" in arrays:
        _square(arrays["W"].shape, ids.size, file)
        return csr_array(_numbers(arrays["W"], "W", file)), ids
    return _sparse(arrays, ids.size, file), ids


def _arrays(file: Path) -> dict[str, NDArray[Any]]:
    """The arrays of the file that weights are made from, none of them before all fit."""
    with zipfile.ZipFile(file) as held:
        names = [name for name in _FIELDS if f"{name}.npy" in held.NameToInfo]
        sizes = {name: _size(held, f"{name}.npy", name, file) for name in names}
        if sum(sizes.values()) > LARGEST:
            raise InputError(
                f"its arrays take {sum(sizes.values()) / 1e9:.1f} GB, more than "
                f"{LARGEST / 1e9:.1f} GB",
                file=file,
                remedy="save the weights as a sparse matrix, with far pairs left out",
            )
        found = {}
        for name in names:
            with held.open(f"{name}.npy") as member:
                found[name] = npy.read_array(member, allow_pickle=False)
    return found


def _size(held: zipfile.ZipFile, member: str, name: str, file: Path) -> int:
    """Bytes of an array by its header, which must be those that the archive announces."""
    with held.open(member) as stream:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(stream)
        begins = stream.tell()
    if dtype.hasobject:
        _refuse(file, name, "the array holds Python objects, which are never loaded")
    size = math.prod(shape) * dtype.itemsize
    if begins + size != held.getinfo(member).file_size:
        _refuse(file, name, "the array is not as large as its header says")
    return size


def _square(shape: tuple[int, ...], N: int, file: Path) -> None:
    if shape != (N, N):
        raise InputError(
            f"the weights have shape {shape} for {N} ids",
            file=file,
            remedy="give one row and one column for each unit",
        )


def _sparse(arrays: dict[str, NDArray[Any]], N: int, file: Path) -> csr_array:
    """A SciPy sparse matrix from its fields, as ``save_npz`` writes them."""
    kind = _kind(arrays, file)
    needed = {
        "csr": ("data", "indices", "indptr"),
        "csc": ("data", "indices", "indptr"),
        "bsr": ("data", "indices", "indptr"),
        "coo": ("data", "row", "col"),
        "dia": ("data", "offsets"),
    }
    if kind not in needed:
        _refuse(file, "format", f"'{kind}' is no sparse format of SciPy's")
    for name in (*needed[kind], "shape"):
        if name not in arrays:
            _refuse(file, name, f"a matrix in format {kind} has an array {name}")
    data = _numbers(arrays["data"], "data", file)
    _square(tuple(_whole(arrays["shape"], "shape", file).tolist()), N, file)
    if kind == "coo":
        pair = [_whole(arrays[name], name, file) for name in ("row", "col")]
        _within(pair[0], N, data, "row", file)
        _within(pair[1], N, data, "col", file)
        return _single(csr_array(coo_array((data, tuple(pair)), shape=(N, N))), data, file)
    if kind == "dia":
        offsets = _whole(arrays["offsets"], "offsets", file)
        if len(set(offsets.tolist())) < offsets.size or data.shape[:1] != offsets.shape:
            _refuse(file, "offsets", "each row of data needs an offset of its own")
        if data.ndim != 2 or data.shape[1] > N or (abs(offsets) >= N).any():
            _refuse(file, "data", "a diagonal lies outside of the matrix")
        return csr_array(dia_array((data, offsets), shape=(N, N)))
    inner = (1, 1)
    if kind == "bsr":
        if data.ndim != 3 or 0 in data.shape[1:] or N % data.shape[1] or N % data.shape[2]:
            _refuse(file, "data", "the blocks do not fill the matrix")
        inner = (data.shape[1], data.shape[2])
    elif data.ndim != 1:
        _refuse(file, "data", f"data has {data.ndim} dimensions, not 1")
    lines, across = N // inner[0], N // inner[1]
    indices, indptr = (_whole(arrays[name], name, file) for name in ("indices", "indptr"))
    if indptr.shape != (lines + 1,) or indptr[0] != 0 or indptr[-1] != len(indices):
        _refuse(file, "indptr", "indptr does not begin at 0 and end at the number of indices")
    if (np.diff(indptr) < 0).any():
        _refuse(file, "indptr", "indptr decreases")
    _within(indices, across, data, "indices", file)
    make = {"csr": csr_array, "csc": csc_array, "bsr": bsr_array}[kind]
    made: Any = make((data, indices, indptr), shape=(N, N))
    return _single(csr_array(made), data, file)


def _kind(arrays: dict[str, NDArray[Any]], file: Path) -> str:
    found = arrays.get("format")
    if found is None:
        _refuse(file, "format", "there is neither a dense W nor a SciPy sparse matrix")
    if found.size != 1 or found.dtype.kind not in "SU":
        _refuse(file, "format", "the format is not one word")
    word = found.ravel()[0]
    return word.decode("ascii", "replace") if isinstance(word, bytes) else str(word)


def _numbers(values: NDArray[Any], name: str, file: Path) -> NDArray[np.float64]:
    if values.dtype.kind not in "biuf":
        _refuse(file, name, f"weights are real numbers, not {values.dtype}")
    return values.astype(np.float64)


def _whole(values: NDArray[Any], name: str, file: Path) -> NDArray[np.int64]:
    if values.dtype.kind not in "iu" or values.ndim != 1:
        _refuse(file, name, f"{name} is one row of whole numbers")
    if values.size and int(values.max()) >= 2**62:
        _refuse(file, name, "a number is far too large")
    return values.astype(np.int64)


def _within(
    at: NDArray[np.int64], size: int, data: NDArray[np.float64], name: str, file: Path
) -> None:
    if at.shape[0] != data.shape[0]:
        _refuse(file, name, f"{name} has {at.shape[0]} entries, data {data.shape[0]}")
    if at.size and (at.min() < 0 or at.max() >= size):
        _refuse(file, name, f"{name} points out of the matrix")


def _single(made: csr_array, data: NDArray[np.float64], file: Path) -> csr_array:
    """The matrix, if no entry occurs twice."""
    before = made.nnz
    made.sum_duplicates()
    if made.nnz < before or (before < data.size and data.ndim == 1):
        _refuse(file, "data", "a pair of units has two weights")
    return made


def _refuse(file: Path, name: str, problem: str) -> NoReturn:
    raise InputError(f"cannot be read as .npz: {problem}", file=file, column=name, remedy=_SHOWN)
