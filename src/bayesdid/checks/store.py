"""Checks of stored fits, kept beside them so that they are made once."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from bayesdid.checks.run import run_checks
from bayesdid.inference.store import StoredFit
from bayesdid.jsonio import write_json

_FORMAT = 2


def check_or_reuse(
    stored: StoredFit, arms: pd.Series, minimum: float | None, labels: dict[str, str]
) -> list[dict[str, Any]]:
    """Results of all checks of a stored fit, as dictionaries; reused if they are on disk."""
    path = stored.path.with_suffix(f".checks{_FORMAT}.json")
    if path.is_file():
        try:
            found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            path.unlink()  # damaged: made again
        else:
            return found
    results = run_checks(
        stored.load(),
        stored.request.design,
        arms,
        minimum=minimum,
        labels=labels,
        seed=stored.request.seed,
    )
    found = [result.to_dict() for result in results]
    write_json(path, found)
    return found
