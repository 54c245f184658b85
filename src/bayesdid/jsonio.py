"""JSON as every command and file writes it: no NaN, numpy numbers as numbers, whole files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from bayesdid.files import replacing


def to_json(value: Any) -> str:
    """One document; NaN and infinities become null."""
    return json.dumps(_clean(value), ensure_ascii=False, indent=1, default=str, allow_nan=False)


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


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
