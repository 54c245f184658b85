"""Checks of stored fits, kept beside them so that they are made once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from bayesdid.checks.run import run_checks
from bayesdid.digest import digest
from bayesdid.exceptions import Note
from bayesdid.files import damaged
from bayesdid.inference.store import StoredFit
from bayesdid.jsonio import read_sealed, write_sealed


@dataclass(frozen=True, slots=True)
class StoredChecks:
    """Results of all checks of a stored fit, as dictionaries.

    Attributes
    ----------
    results
        As :class:`bayesdid.checks.check.CheckResult` is written.
    reused
        Whether they were already on disk.
    notes
        Named warnings of the store, e.g. that a damaged file was made again.
    """

    results: list[dict[str, Any]]
    reused: bool
    notes: tuple[Note, ...] = ()


def check_or_reuse(
    stored: StoredFit, arms: pd.Series, minimum: float | None, labels: dict[str, str]
) -> StoredChecks:
    """All checks of a stored fit; reused if they are on disk and whole."""
    key = digest("checks", stored.request.key, arms, minimum, labels)[:16]
    name = f"{stored.request.design.spec_id}-{stored.request.label}-checks-{key}.json"
    path = stored.path.with_name(name)
    notes: tuple[Note, ...] = ()
    try:
        return StoredChecks(read_sealed(path), True)
    except FileNotFoundError:
        pass
    except ValueError:
        notes = (damaged(path),)
    results = run_checks(
        stored.load(),
        stored.request.bound,
        arms,
        minimum=minimum,
        labels=labels,
        seed=stored.request.size.seed,
    )
    return StoredChecks(write_sealed(path, results), False, notes)
