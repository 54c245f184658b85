"""What the audit says of a table's other readings: what a lost alignment would change."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

from bayesdid.audit.run import audit_study
from bayesdid.importing.align import placed
from bayesdid.importing.draft import table_text
from bayesdid.importing.names import Names
from bayesdid.importing.table import Alternative, ReadTable
from bayesdid.study.load import assemble_study
from bayesdid.study.schema import StudyFile, TableFile


def with_consequences(
    table: ReadTable, tables: Mapping[str, TableFile], file: StudyFile, names: Names
) -> list[Alternative]:
    """The alternatives of a table, each with how many contradictions and warnings it would make."""
    before = _counts(tables, file)
    found = []
    for other in table.alternatives:
        read = placed(deepcopy(table), other.places)
        moved = TableFile.model_validate(tomllib.loads(table_text(read, names)))
        counts = _counts({**tables, table.id: moved}, file)
        said = [
            f"{abs(counts[k] - before[k])} {'more' if counts[k] > before[k] else 'fewer'} {k}s"
            for k in ("contradiction", "warning")
            if counts[k] != before[k]
        ]
        effect = f"the audit would find {' and '.join(said)}" if said else "the audit is the same"
        found.append(replace(other, text=f"{other.text}: {effect}"))
    return found


def _counts(tables: Mapping[str, TableFile], file: StudyFile) -> dict[str, int]:
    counts: dict[str, int] = dict(
        audit_study(assemble_study(Path(), file, dict(tables))).counts.items()
    )
    return counts
