"""The audit of the published numbers."""

from __future__ import annotations

from bayesdid.notebook import many
from bayesdid.report.document.blocks import Block, Cell, Table, Text, ref
from bayesdid.report.sections.part import Part, Results

_SHOWN = 6  # findings that the page shows, the gravest first
_GRAVITY = ("contradiction", "warning", "note")


def audit(results: Results) -> Part:
    """How many comparisons, the gravest findings on the page, all of them below.

    Nothing, where no printed numbers could be compared.
    """
    found = results["audit"]
    if not found["comparisons"] and not found["findings"]:
        return Part("audit", "Audit of the published numbers")
    counted = ", ".join(many(found["counts"][kind], kind) for kind in _GRAVITY)
    said = (
        f"{many(found['comparisons'], 'comparison')} between published numbers that algebra ties "
        f"together, with rounding intervals: {counted}."
    )
    if not found["findings"]:
        return Part(
            "audit", "Audit of the published numbers", (Text(f"{said} Nothing to report."),)
        )
    ordered = sorted(found["findings"], key=lambda f: _GRAVITY.index(f["severity"]))
    whole = _table("findings", "All findings of the audit.", ordered)
    carried = _doubts(results)
    if len(ordered) <= _SHOWN:
        return Part("audit", "Audit of the published numbers", (Text(said), whole, *carried))
    main: list[Block] = [
        Text(f"{said} All of them: {ref('findings')}."),
        _table("findings-first", f"The {_SHOWN} gravest findings.", ordered[:_SHOWN]),
        *carried,
    ]
    return Part("audit", "Audit of the published numbers", tuple(main), (whole,))


def _doubts(results: Results) -> list[Block]:
    """Cells that contradictions are about, and indirect effects of printed columns."""
    found = results.get("doubts")
    if not found or not found["cells"]:
        return []
    table = Table(
        "doubts",
        f"{many(len(found['cells']), 'cell')} that a contradiction is about.",
        ("cell", "printed", "may have been", "because"),
        tuple((c["cell"], c["printed"], c["instead"] or "–", c["text"]) for c in found["cells"]),
        frozenset({0, 3}),
    )
    return [table, *(Text(f"Indirect effect, {text}") for text in found["mediations"])]


def _table(key: str, caption: str, findings: list[dict[str, object]]) -> Table:
    return Table(
        key,
        caption,
        ("severity", "where", "what", "unless"),
        tuple(
            (
                Cell(str(f["severity"]), str(f["severity"])),
                f"{f['place']} ({f['rule']})",
                str(f["text"]),
                "; ".join(map(str, f["assumptions"])),  # type: ignore[call-overload]
            )
            for f in findings
        ),
        frozenset(range(4)),
    )
