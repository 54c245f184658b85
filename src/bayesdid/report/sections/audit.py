"""The audit of the published numbers."""

from __future__ import annotations

from bayesdid.notebook import many
from bayesdid.report.document.blocks import Block, Cell, Table, Text, ref
from bayesdid.report.sections.part import Part, Results

_SHOWN = 6  # findings that the page shows, the gravest first
_GRAVITY = ("contradiction", "warning", "note")


def audit(results: Results) -> Part:
    """How many comparisons, the gravest findings on the page, all of them below."""
    found = results["audit"]
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
    if len(ordered) <= _SHOWN:
        return Part("audit", "Audit of the published numbers", (Text(said), whole))
    main: list[Block] = [
        Text(f"{said} All of them: {ref('findings')}."),
        _table("findings-first", f"The {_SHOWN} gravest findings.", ordered[:_SHOWN]),
    ]
    return Part("audit", "Audit of the published numbers", tuple(main), (whole,))


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
