"""Every statement about an effect, with every model of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.report.claim_html import claim_groups
from bayesdid.report.document.blocks import Block, Cell, Fold, Table, Text
from bayesdid.report.sections.available import STATEMENTS
from bayesdid.report.sections.part import Part, Results, counts, word_cell
from bayesdid.report.text import estimate, probability

_ORIGIN = {"published": "Printed numbers", "panel": "Panel"}


def statements(results: Results) -> list[Part]:
    """Statements judged by print and by a real panel; those of a synthetic one apart."""
    groups = claim_groups(results)
    if not groups:
        return []
    if not results["synthetic"]:
        given = ("published",) if results["panel"] is None else ("published", "panel")
        return [_part(groups, given, STATEMENTS, "Statements", False)]
    return [
        _part(groups, ("published",), STATEMENTS, "Statements", False),
        _part(groups, ("panel",), "stand-in-statements", "Statements", True),
    ]


def _part(
    groups: list[dict[str, Any]], sources: tuple[str, ...], key: str, title: str, of_panel: bool
) -> Part:
    table = f"{key}-table"
    known = [g for g in groups if any(s in g["answers"] for s in sources)]
    if not known:
        return Part(key, title, (), (), of_panel)
    rows = tuple(
        (
            group["label"],
            "; ".join(f"“{c['text']}” ({c['place']})" for c in group["claims"])
            or f"no claim is declared; {group['asks']} is better",
            *(_word(group, s) for s in sources),
        )
        for group in known
    )
    columns = ("of what", "statement", *(_ORIGIN[s].lower() for s in sources))
    more: list[Block] = [
        Table(
            table,
            "What is stated, and what the evidence says of it.",
            columns,
            rows,
            frozenset(range(len(columns))),
            known[0]["rule"],
        )
    ]
    more += [
        Fold(f"{group['label']}: {_words(group, sources)}", _models(group, sources, f"{key}-{k}"))
        for k, group in enumerate(known)
    ]
    return Part(key, title, (), tuple(more), of_panel)


def _words(group: Mapping[str, Any], sources: tuple[str, ...]) -> str:
    return ", ".join(group["answers"][s]["word"] for s in sources if s in group["answers"])


def _word(group: Mapping[str, Any], source: str) -> str | Cell:
    found = group["answers"].get(source)
    if found is None:
        return "–"
    return word_cell(found["word"], "", f" (P {probability(found['p'])})")


def _models(group: Mapping[str, Any], sources: tuple[str, ...], key: str) -> tuple[Block, ...]:
    size = [f"P({group['size_asked']})"] if group["size_asked"] else []
    columns = ("model", group["unit"], "mean (sd)", f"P({group['asks']})", *size)
    rows: list[tuple[str | Cell, ...]] = []
    for source in sources:
        of = [m for m in group["rows"] if m["source"] == source]
        if of and len(sources) > 1:
            rows.append((_ORIGIN[source],))
        rows += [_row(m, bool(size)) for m in of]
    blank = ("–",) * (2 + len(size))
    rows.append(("axis", Cell(_axis_text(group), "soft", group["axis"]), *blank))
    said = tuple(Text(s) for s, source in _said(group, sources))
    caption = f"{group['label']}: every model."
    return (*said, Table(key, caption, columns, tuple(rows), frozenset({0, 1})))


def _said(group: Mapping[str, Any], sources: tuple[str, ...]) -> list[tuple[str, str]]:
    given = [s for s in ("published", "panel") if s in group["answers"]]
    return [(text, s) for text, s in zip(group["sentences"], given, strict=False) if s in sources]


def _axis_text(group: Mapping[str, Any]) -> str:
    return str(group["unit"])


def _row(m: Mapping[str, Any], sized: bool) -> tuple[str | Cell, ...]:
    if m["false_here"]:
        why = f"does not count: supposes {m['false_here']}"
    elif m["passes"] is False:
        why = "does not count: fails a check that bears on its uncertainty"
    else:
        why = f"if {m['assumes']}"
    name = f"{m['model']}, {why}"
    kind = "" if counts(m) else "soft"
    cells = (
        Cell(name, kind),
        Cell("", "", m["svg"]),
        estimate(m["mean"], m["sd"]),
        probability(m["p_sign"]),
    )
    return (*cells, probability(m["p_size"])) if sized else cells
