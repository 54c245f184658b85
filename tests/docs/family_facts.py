"""What pages of families say of each: from the registry, and from the calibration's documents.

Between ``<!-- family: NAME -->`` or ``<!-- calibration: NAME -->`` and ``<!-- end -->``: `make map`
writes it.
"""

from __future__ import annotations

import re
from pathlib import Path

from bayesdid.families.registry.describe import option_texts
from bayesdid.families.registry.docs import fields_text
from bayesdid.families.registry.family import AnyFamily

MARKS = re.compile(r"(<!-- (family|calibration): (\w+) -->\n).*?(<!-- end -->)", flags=re.S)

# beginnings of rows in calibration.md, and cells of calibration-sbc.md
CALIBRATED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "twfe": (("TWFE", "factorial"), ("two-way, AR(1), unit scales",)),
    "pooled": (("TWFE",), ("two-way",)),
    "event_study": (("event study",), ("event study, AR(1)", "event path, random walk")),
    "cohort": (("cohorts",), ("cohorts, AR(1)",)),
    "overlap": (("overlap",), ("overlap, AR(1), unit scales",)),
    "mediation": (("mediation",), ("mediation, AR(1), unit scales",)),
    "moderation": (("moderation",), ("moderation, AR(1)",)),
    "heterogeneity": (("heterogeneity",), ("heterogeneity, AR(1), unit scales",)),
    "errors": (
        ("AR(1) errors", "Student t", "unit variances", "negative binomial"),
        ("Student t", "negative binomial"),
    ),
    "iv_second": (("instrument",), ("instrument",)),
    "psm_did": ((), ("propensity",)),
    "sdm": ((), ("spatial Durbin",)),
    "spillover_distance": ((), ("distance profile",)),
}
ELSEWHERE = {
    "sdm": "[calibration-spatial](../calibration-spatial.md)",
    "spillover_bands": "[calibration-spatial](../calibration-spatial.md)",
    "overlap": "[validity](../validity.md), [validity-three](../validity-three.md)",
    "twfe": "[calibration-errors](../calibration-errors.md)",
    "placebo": "[calibration-errors](../calibration-errors.md)",
}


def with_facts(page: str, known: dict[str, AnyFamily], docs: Path) -> str:
    """A page with everything between its marks made anew."""

    def made(match: re.Match[str]) -> str:
        begin, kind, name, end = match.groups()
        text = registered(known[name]) if kind == "family" else calibrated(name, docs)
        return f"{begin}{text}\n{end}"

    return MARKS.sub(made, page)


def registered(family: AnyFamily) -> str:
    """What the registry says of a family."""
    run_by = [
        f"`bayesdid {command}`"
        for command, does in (("fit", family.fitted), ("analyse", family.has_analysis))
        if does
    ]
    lines = [
        f"| family | `{family.name}` |",
        "| --- | --- |",
        f"| question | {family.question} |",
        f"| run by | {', '.join(run_by) or 'nothing: audited'} |",
        f"| treatments | {family.treatments} |",
        f"| reads | {fields_text(family)} |",
        f"| checked against | {family.checked} |",
    ]
    options = option_texts(family.options)
    if options:
        lines += ["", "| option | takes | default | meaning |", "| --- | --- | --- | --- |"]
    for text in options:
        default = "needed" if text.required else f"`{text.default}`" if text.default else ""
        lines.append(f"| `{text.name}` | {text.takes} | {default} | {text.description} |")
    return "\n".join(lines)


def calibrated(name: str, docs: Path) -> str:
    """A family's rows of the documents that `make calibrate` and `make calibrate-sbc` write."""
    begins, cells = CALIBRATED.get(name, ((), ()))
    parts = []
    for file, column, chosen in (
        ("calibration.md", 0, lambda first: first.startswith(begins) if begins else False),
        ("calibration-sbc.md", 0, lambda first: first in cells),
    ):
        head, rows = _table(docs / file)
        own = [row for row in rows if chosen(row[column])]
        if own:
            page = file.removesuffix(".md")
            lines = [f"From [{page}](../{file}):", "", _line(head), _line(["---"] * len(head))]
            parts.append("\n".join([*lines, *map(_line, own)]))
    if name in ELSEWHERE:
        parts.append(f"{'More' if parts else 'See'}: {ELSEWHERE[name]}.")
    if not parts:
        parts.append("None of its own: its models are those of other families.")
    return "\n\n".join(parts)


def _table(file: Path) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of the first table of a document."""
    lines = file.read_text(encoding="utf-8").splitlines()
    begin = next(k for k, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[begin:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows[0], rows[2:]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
