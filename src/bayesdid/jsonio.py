"""The border to JSON: what every command and file writes, and how values become plain.

Only here, in `report` and in `cli` do dictionaries stand for objects. A dataclass is written field
by field; one that declares ``json_keys`` writes those fields and properties instead.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import math
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from bayesdid.files import replacing


def to_json(value: Any) -> str:
    """One document; NaN and infinities become null."""
    return json.dumps(plain(value), ensure_ascii=False, indent=1, allow_nan=False)


def write_json(path: Path, value: Any) -> None:
    """Write atomically: a reader sees the whole document or none."""
    write_text(path, to_json(value) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, with the same bytes on every system."""
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def write_sealed(path: Path, value: Any) -> Any:
    """Write a document with a digest of its bytes; returns it as a reader will find it."""
    text = to_json(value)
    write_text(path, _sealed(text))
    return json.loads(text)


def read_sealed(path: Path) -> Any:
    """Read a document that :func:`write_sealed` wrote.

    Raises
    ------
    ValueError
        If a single bit is not as it was written.
    FileNotFoundError
        If there is none.
    """
    raw = path.read_bytes()
    head, tail = _sealed("\0").split("\0")  # of the same length whatever the digest
    text = raw[len(head) : len(raw) - len(tail)]
    if raw != _sealed(text.decode("utf-8")).encode():
        raise ValueError(f"{path} is damaged")
    return json.loads(text)


def _sealed(text: str) -> str:
    found = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return f'{{"sha256": "{found}",\n"content":\n{text}\n}}\n'


def plain(value: Any) -> Any:
    """Dictionaries, lists, strings, numbers and None that say the same as `value`.

    - A dataclass: its fields, or the fields and properties that its ``json_keys`` name. A name
      that begins with a star is a mapping whose items join the others; ``spec_id`` and its like
      are written ``spec``.
    - A table: its rows; a named index is their first column.
    - NaN and infinities: null. Keys of several parts: ``design x1.5``.

    Raises
    ------
    TypeError
        For anything else: what JSON cannot say is left out by whoever declares the keys.
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):  # numpy's own float64 too
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _object(value)
    if isinstance(value, Path):
        return str(value)
    return _array(value)


def _array(value: Any) -> Any:
    import numpy as np  # here, because commands that say no more than --help need neither
    import pandas as pd

    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, pd.DataFrame):
        frame = value if value.index.name is None else value.reset_index()
        return plain(frame.to_dict(orient="records"))
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, datetime.date):  # datetimes too
        return str(value)
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def _object(value: Any) -> dict[str, Any]:
    names = getattr(value, "json_keys", None)
    if names is None:
        names = [field.name for field in dataclasses.fields(value)]
    found: dict[str, Any] = {}
    for name in names:
        if name.startswith("*"):
            found |= plain(getattr(value, name[1:]))
        else:
            found[name.removesuffix("_id")] = plain(getattr(value, name))
    return found


def _key(key: object) -> str:
    if isinstance(key, tuple):
        return " x".join(f"{part:g}" if isinstance(part, float) else str(part) for part in key)
    return str(key)
