"""JSON Schemas of the study files as far as their structure goes; families add their own part."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from bayesdid.study.claims import ClaimsFile
from bayesdid.study.schema import StudyFile, TableFile

_FILES: dict[str, type[BaseModel]] = {"study": StudyFile, "table": TableFile, "claims": ClaimsFile}


def structure() -> dict[str, dict[str, Any]]:
    """``study``, ``table`` and ``claims`` -> JSON Schema (2020-12)."""
    return {
        name: {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        | model.model_json_schema()
        for name, model in _FILES.items()
    }
