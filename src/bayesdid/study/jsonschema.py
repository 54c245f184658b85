"""JSON Schemas of the study files, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bayesdid.jsonio import write_json
from bayesdid.study.schema import ClaimsFile, StudyFile, TableFile

_FILES: dict[str, type[BaseModel]] = {"study": StudyFile, "table": TableFile, "claims": ClaimsFile}


def schemas() -> dict[str, dict[str, Any]]:
    """``study``, ``table`` and ``claims`` -> JSON Schema (2020-12)."""
    return {
        name: {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        | model.model_json_schema()
        for name, model in _FILES.items()
    }


def write_schemas(folder: Path) -> list[Path]:
    """Write one ``<name>.schema.json`` for each kind of file."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, schema in schemas().items():
        path = folder / f"{name}.schema.json"
        write_json(path, schema)
        paths.append(path)
    return paths
