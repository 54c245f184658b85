"""JSON as every command and file writes it: no NaN, numpy numbers as numbers, whole files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def to_json(value: Any) -> str:
    """One document; NaN and infinities become null."""
    return json.dumps(_clean(value), ensure_ascii=False, indent=1, default=str, allow_nan=False)


def write_json(path: Path, value: Any) -> None:
    """Write atomically: a reader sees the whole document or none."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(to_json(value) + "\n", encoding="utf-8")
    temporary.replace(path)


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
