"""What changed since an earlier run, on the page; all of it in the supplement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.notebook import many
from bayesdid.report.against import FALSE_ALARM, apart
from bayesdid.report.document.blocks import Block, Items, Table, Text, ref
from bayesdid.report.sections.part import Part
from bayesdid.report.text import number, significant

_ON_PAGE = 10  # numbers that the page shows, furthest apart first
_SPECS = {
    "added": "Specs that are new",
    "removed": "Specs that are gone",
    "failed": "Specs that fail now",
    "mended": "Specs that failed before",
    "unconverged": "Fits that did converge and do not now",
}


def changes_part(found: Mapping[str, Any]) -> Part:
    """The section of one comparison, as :func:`bayesdid.report.against.changes` returns it."""
    moved = sorted(found["numbers"], key=lambda n: -(n["apart"] or float("inf")))
    main: list[Block] = [Text(sentence(found))]
    if found["words"]:
        main.append(_words(found["words"]))
    for key, said in _SPECS.items():
        if found["specs"][key]:
            main.append(Text(f"{said}: {'; '.join(found['specs'][key])}."))
    for key, said in (("added", "new"), ("removed", "gone")):
        if found["audit"][key]:
            main.append(Text(f"Findings of the audit that are {said}:"))
            main.append(Items(tuple(found["audit"][key])))
    if moved:
        main.append(_numbers(moved[:_ON_PAGE], "changed-numbers", len(moved)))
    for key in ("data", "versions"):
        if found[key]:
            pairs = (f"{name} {old} → {new}" for name, (old, new) in found[key].items())
            main.append(Text(f"{key.capitalize()}: {', '.join(pairs)}."))
    more: list[Block] = []
    if len(moved) > _ON_PAGE:
        more.append(_numbers(moved, "all-changed-numbers", len(moved)))
    for key, said in (("added", "Numbers that are new"), ("removed", "Numbers that are gone")):
        if found[key]:
            more += [Text(f"{said}:"), Items(tuple(found[key]))]
    return Part("changes", "What changed since the earlier run", tuple(main), tuple(more))


def sentence(found: Mapping[str, Any]) -> str:
    """How much changed, and by what rule."""
    beyond = len(found["numbers"])
    words = many(len(found["words"]), "verdict")
    said = (
        f"Of {many(found['compared'], 'number')} that both runs have, {beyond or 'none'} "
        f"changed by more than Monte Carlo error (from {number(found['limit'], 1)} such errors "
        f"on, so that with probability {1 - FALSE_ALARM:g} none does where nothing changed); "
        f"{words if found['words'] else 'no verdict'} changed."
    )
    kinds = {key: len(found["specs"][key]) for key in ("added", "removed", "failed")}
    if any(kinds.values()):
        said += " Specs: " + ", ".join(f"{n} {kind}" for kind, n in kinds.items() if n) + "."
    return said


def _words(rows: list[dict[str, str]]) -> Table:
    return Table(
        "changed-words",
        "Verdicts that changed.",
        ("of what", "by", "before", "now"),
        tuple((row["of"], row["source"], row["before"], row["after"]) for row in rows),
        frozenset(range(4)),
    )


def _numbers(moved: list[Mapping[str, Any]], key: str, of: int) -> Table:
    rows = tuple(
        (item["quantity"], significant(item["before"]), significant(item["after"]), apart(item))
        for item in moved
    )
    left = of - len(moved)
    note = f"{left} more: {ref('all-changed-numbers')}." if left else ""
    return Table(
        key,
        "Numbers that changed, furthest apart first.",
        ("number", "before", "now", "apart"),
        rows,
        frozenset({0, 3}),
        note,
    )
