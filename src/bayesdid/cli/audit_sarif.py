"""Findings in SARIF 2.1.0, which editors and continuous integration read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bayesdid.audit.finding import AuditReport, Finding
from bayesdid.study.lines import column_place, line_of

_LEVELS = {"contradiction": "error", "warning": "warning", "note": "note"}
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif_run(audited: Sequence[tuple[Path, AuditReport]], version: str) -> dict[str, Any]:
    """One run with a result for each finding, at the line of the number that it is about.

    Parameters
    ----------
    audited
        Study folders and their reports.
    version
        Of this package.
    """
    rules = list(dict.fromkeys(f.rule for _, report in audited for f in report.findings))
    results = [
        _result(folder, finding, rules) for folder, report in audited for finding in report.findings
    ]
    driver = {
        "name": "bayesdid audit",
        "version": version,
        "rules": [{"id": rule, "name": rule} for rule in rules],
    }
    return {
        "version": "2.1.0",
        "$schema": SCHEMA,
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _result(folder: Path, finding: Finding, rules: list[str]) -> dict[str, Any]:
    file, line = where(folder, finding.place)
    unless = f" Unless: {'; '.join(finding.assumptions)}." if finding.assumptions else ""
    place: dict[str, Any] = {"artifactLocation": {"uri": file.as_posix()}}
    if line is not None:
        place["region"] = {"startLine": line}
    return {
        "ruleId": finding.rule,
        "ruleIndex": rules.index(finding.rule),
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.place}: {finding.text}{unless}"},
        "locations": [{"physicalLocation": place}],
    }


def where(folder: Path, place: str) -> tuple[Path, int | None]:
    """File and line of what a finding is about; the study's file where it names no cell."""
    if place.startswith("claim "):
        return _claim(folder / "claims.toml", place.removeprefix("claim ").strip())
    first = re.match(r"([\w-]+)(?:\.([\w-]+))?", place)
    file = folder / f"{first[1]}.toml" if first else folder / "study.toml"
    if not file.is_file():
        return folder / "study.toml", None
    text = file.read_text(encoding="utf-8-sig")
    ids = re.findall(r'^\[\[column\]\]\s*\nid\s*=\s*"([^"]+)"', text, re.MULTILINE)
    first_place = place.split(",", maxsplit=1)[0]
    found = column_place(ids, first_place if ":" in first_place else f"{first_place}:")
    return file, line_of(text, found) if found else None


def _claim(file: Path, name: str) -> tuple[Path, int | None]:
    if not file.is_file():
        return file.with_name("study.toml"), None
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), 1):
        if re.fullmatch(rf'\s*id\s*=\s*"{re.escape(name)}"\s*(#.*)?', line):
            return file, number
    return file, None
