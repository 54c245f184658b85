"""Digests of what a result depends on: values, arrays, frames, files, the code and its packages.

The one place where keys of stored results are made. Every value is written to the hash with its
type and its length, so that no two different values read alike: ``["ab", "c"]`` is not
``["a", "bc"]``, ``1`` is not ``1.0``, and an array is not its transpose.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import hashlib
import re
import struct
from collections.abc import Mapping, Sequence, Set
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import numpy as np

_SOURCE = Path(__file__).parent
# What only shows results: no stored result depends on it, and nothing may import from it.
_SHOWN = frozenset({"report", "cli"})
# Not declared, but they compile or compute what the declared packages return.
_BELOW = ("arviz-base", "arviz-stats", "llvmlite", "numba", "pytensor")


def digest(*values: Any) -> str:
    """SHA-256 of any number of values, 64 hexadecimal digits.

    Takes what settings and data are made of: None, numbers, text, bytes, enumerations, dates,
    NumPy arrays, pandas frames and series, SciPy sparse arrays, frozen dataclasses, pydantic
    models, and mappings (in any order), sequences and sets of these.

    Raises
    ------
    TypeError
        For anything else. A path is refused, because a name is not content: pass
        :func:`file_digest`.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    hasher = hashlib.sha256()
    for value in values:
        _feed(hasher, value)
    return hasher.hexdigest()


def file_digest(path: Path) -> str | None:
    """SHA-256 of a file's bytes, of all files of a folder, or None if there is neither."""
    if path.is_dir():
        inside = sorted(item for item in path.rglob("*") if item.is_file())
        return digest({item.relative_to(path).as_posix(): file_digest(item) for item in inside})
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


@cache
def code_digest() -> str:
    """SHA-256 of bayesdid's own source, once a process; a checkout and its wheel agree.

    Rendering and the command line are left out.
    """
    sources = {path.relative_to(_SOURCE).as_posix(): path for path in _SOURCE.rglob("*.py")}
    return digest(
        {
            name: path.read_text(encoding="utf-8")  # text: whatever the ends of lines
            for name, path in sources.items()
            if name.partition("/")[0] not in _SHOWN
        }
    )


@cache
def environment_digest() -> str:
    """SHA-256 of the code and of the versions of the packages that it computes with."""
    declared = [
        match.group()
        for text in requires("bayesdid") or ()
        if (match := re.match(r"[A-Za-z0-9._-]+", text))
    ]
    return digest(code_digest(), {name: _version(name) for name in (*declared, *_BELOW)})


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:  # an extra that is not installed
        return None


def _feed(hasher: Any, value: Any) -> None:
    """Write a value to the hash: a tag for its kind, the number of its parts, its parts."""
    match value:
        case None | bool():
            _write(hasher, "constant", str(value).encode())
        case enum.Enum():
            _parts(hasher, f"enum {type(value).__qualname__}", (value.value,))
        case np.generic() if value.ndim == 0 and not isinstance(value, np.void):
            _feed(hasher, value.item())
        case int():
            _write(hasher, "int", str(value).encode())
        case float():
            _write(hasher, "float", struct.pack("<d", value))
        case str():
            _write(hasher, "str", value.encode("utf-8", "surrogatepass"))
        case bytes():
            _write(hasher, "bytes", value)
        case datetime.date() | datetime.time():
            _write(hasher, "date", value.isoformat().encode())
        case np.ndarray():
            _array(hasher, value)
        case Mapping():
            pairs = sorted((digest(key), digest(item)) for key, item in value.items())
            _parts(hasher, "mapping", [text for pair in pairs for text in pair])
        case Set():
            _parts(hasher, "set", sorted(digest(item) for item in value))
        case Sequence():
            _parts(hasher, "sequence", value)
        case _:
            _object(hasher, value)


def _object(hasher: Any, value: Any) -> None:
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
        _parts(hasher, f"object {name}", (fields,))
    elif hasattr(type(value), "model_fields"):  # pydantic
        fields = {item: getattr(value, item) for item in type(value).model_fields}
        _parts(hasher, f"object {name}", (fields,))
    elif hasattr(value, "tocsr"):  # SciPy sparse, whatever its format and the order of entries
        matrix = value.tocsr().copy()
        matrix.sum_duplicates()
        _parts(hasher, "sparse", (matrix.shape, matrix.data, matrix.indices, matrix.indptr))
    elif name.startswith("pandas."):
        _pandas(hasher, value)
    else:
        raise TypeError(f"a {name} has no digest of its content")


def _array(hasher: Any, value: np.ndarray) -> None:
    if value.dtype.kind in "OT":  # objects and variable-length text: element by element
        _parts(hasher, "array", (value.shape, value.ravel().tolist()))
    else:
        plain = np.ascontiguousarray(value)
        plain = plain.astype(plain.dtype.newbyteorder("<"), copy=False)
        _parts(hasher, "array", (value.shape, plain.dtype.str, plain.tobytes()))


def _pandas(hasher: Any, value: Any) -> None:
    import pandas as pd

    if value is pd.NA or value is pd.NaT:
        _write(hasher, "missing", str(value).encode())
    elif isinstance(value, pd.DataFrame):
        columns = [(name, _column(value.iloc[:, k])) for k, name in enumerate(value.columns)]
        _parts(hasher, "frame", (_column(value.index), *columns))
    elif isinstance(value, pd.Series):
        _parts(hasher, "series", (value.name, _column(value.index), _column(value)))
    elif isinstance(value, pd.Index):
        _parts(hasher, "index", (value.names, _column(value)))
    elif isinstance(value, pd.Timestamp):
        _write(hasher, "date", value.isoformat().encode())
    else:
        raise TypeError(f"a {type(value).__qualname__} has no digest of its content")


def _column(value: Any) -> Any:
    """Values of a series or index: an array, or the levels of what NumPy has no type for."""
    import pandas as pd

    if isinstance(value.dtype, np.dtype) and value.dtype.kind != "O":
        return value.to_numpy()
    codes, levels = pd.factorize(value)
    return str(value.dtype), codes, list(levels)


def _parts(hasher: Any, tag: str, parts: Sequence[Any]) -> None:
    _write(hasher, tag, str(len(parts)).encode())
    for part in parts:
        _feed(hasher, part)


def _write(hasher: Any, tag: str, content: bytes) -> None:
    hasher.update(f"{tag}:{len(content)}:".encode())
    hasher.update(content)
