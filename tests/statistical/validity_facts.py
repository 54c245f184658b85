"""What the page says of the coverage of its answers: read from the documents of calibrations.

``synergy_calibrate.py``, ``single_calibrate.py``, ``three_calibrate.py`` and
``published_calibrate.py`` call :func:`update` after they have written their documents; run as a
script it reads them as they are.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from validity_sections import UNFORESEEN, section_of

from bayesdid.report.validity import DRAWN, KNOWN, NAMED, PLACEBO, SINGLE, THREE, UNNAMED, Facts

ROOT = Path(__file__).parents[2]
STORED = ROOT / "src" / "bayesdid" / "report" / "validity.json"
SYNERGY, PUBLISHED = "docs/validity.md", "docs/calibration-published.md"
TRIPLE = "docs/validity-three.md"
ALONE = "docs/validity-single.md"
DESIGNS = {
    NAMED: "worlds that the model allows for",
    UNNAMED: "worlds that it does not allow for",
    SINGLE: "worlds of one policy that the model allows for",
    PLACEBO: "real panels with laws that never were",
    THREE: "worlds of three policies, for all and for each pair",
    KNOWN: "worlds on the design of the nine columns of dual_pilot, timing known",
    DRAWN: "worlds on the design of the nine columns of dual_pilot, timing drawn",
}
LEVEL = re.compile(r"(\d+) ?% interval")


def _cells(line: str) -> list[str]:
    return [cell.strip().removesuffix(" *") for cell in line.strip().strip("|").split("|")]


def _tables(text: str) -> list[list[dict[str, str]]]:
    """Markdown tables, row by row."""
    found: list[list[dict[str, str]]] = []
    head: list[str] = []
    for line in text.splitlines():
        if not line.startswith("|"):
            head = []
        elif not head:
            head = _cells(line)
            found.append([])
        elif not line.startswith("|---"):
            found[-1].append(dict(zip(head, _cells(line), strict=True)))
    return found


def _facts(
    document: str,
    design: str,
    level: float,
    panels: int,
    rows: list[dict[str, str]],
    false: tuple[str, str],
) -> Facts:
    coverage = [float(row["coverage"]) for row in rows]
    worst = [max(float(row[name]) for row in rows if row[name]) for name in false]
    return {
        "document": document,
        "design": design,
        "level": level,
        "worlds": len(rows),
        "panels": panels,
        "coverage": [min(coverage), round(sum(coverage) / len(coverage), 4), max(coverage)],
        "false_for": worst[0],
        "false_against": worst[1],
    }


def synergy_facts(text: str) -> dict[str, Facts]:
    """From docs/validity.md: the headline in worlds that it names, and in others."""
    level = int(LEVEL.search(text)[1]) / 100
    panels = int(re.search(r"(\d+) a world", text)[1])
    rows = _tables(text)[0]
    beside = _tables(section_of(text, UNFORESEEN))
    by = {
        NAMED: [row for row in rows if row["named"] == "yes"],
        UNNAMED: [row for row in rows if row["named"] == "no"] + (beside[0] if beside else []),
    }
    return {
        name: _facts(SYNERGY, DESIGNS[name], level, panels, some, ("false for", "false against"))
        for name, some in by.items()
        if some
    }


def three_facts(text: str) -> dict[str, Facts]:
    """From docs/validity-three.md: sums of all and of pairs, in every world."""
    level = int(LEVEL.search(text)[1]) / 100
    panels = int(re.search(r"(\d+) a world", text)[1])
    rows = [row for row in _tables(text)[0] if row["contrast"].endswith("- sum of singles")]
    found = _facts(TRIPLE, DESIGNS[THREE], level, panels, rows, ("false for", "false against"))
    return {THREE: found | {"worlds": len({row["world"] for row in rows})}}


def single_facts(text: str) -> dict[str, Facts]:
    """From docs/validity-single.md: the headline of one policy, and under placebo laws."""
    level = int(LEVEL.search(text)[1]) / 100
    panels = int(re.search(r"(\d+) a world", text)[1])
    rows, false = _tables(text)[0], ("false for", "false against")
    return {
        name: _facts(ALONE, DESIGNS[name], level, panels, some, false)
        for name, said in ((SINGLE, "yes"), (PLACEBO, "no"))
        if (some := [row for row in rows if row["named"] == said])
    }


def published_facts(text: str) -> dict[str, Facts]:
    """From docs/calibration-published.md: all columns of dual_pilot, timing known and drawn."""
    level = int(LEVEL.search(text)[1]) / 100
    found = {}
    for name in (KNOWN, DRAWN):
        after = text.split(f"## Nine columns of dual_pilot, timing {name}\n")[1]
        section = after.split("\n## ", maxsplit=1)[0]
        panels = int(re.search(r"(\d+) panels of each world", section)[1])
        false = ("false supported", "false contradicted")
        found[name] = _facts(PUBLISHED, DESIGNS[name], level, panels, _tables(section)[0], false)
    return found


def update(found: dict[str, Facts], stored: Path = STORED) -> None:
    """Put these facts in the place of those that are there."""
    before = json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else {}
    text = json.dumps(before | found, indent=1, sort_keys=True)
    stored.write_text(text + "\n", encoding="utf-8")


def documents() -> dict[str, Facts]:
    """From the documents as they are."""
    return (
        synergy_facts((ROOT / SYNERGY).read_text(encoding="utf-8"))
        | single_facts((ROOT / ALONE).read_text(encoding="utf-8"))
        | three_facts((ROOT / TRIPLE).read_text(encoding="utf-8"))
        | published_facts((ROOT / PUBLISHED).read_text(encoding="utf-8"))
    )


if __name__ == "__main__":
    update(documents())
