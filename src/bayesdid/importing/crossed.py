"""Tables whose rows are outcomes: means, n and effects of each side by side, turned about."""

from __future__ import annotations

import re
from dataclasses import replace

from bayesdid.importing.numbers import what
from bayesdid.importing.rows import Laid, Line
from bayesdid.importing.table import ReadColumn
from bayesdid.importing.words import MEAN, WIDE, heading, is_measure, role_of

_CORNER = re.compile(
    r"^(?:outcomes?|dep\w*\.? var\w*\.?|(?:dependent )?variables?)\b", re.IGNORECASE
)
_MEAN = re.compile(r"^(?:control|comparison|baseline|untreated)?(?: group)? ?mean\b", re.IGNORECASE)


def uncrossed(laid: Laid) -> Laid:
    """Rows that are outcomes as columns; other tables as they are.

    They are outcomes if a column is headed by n or by a mean of controls, another one holds numbers
    with brackets below, and those columns have nothing below: in a regression's table n is a row.
    """
    effects = _pairs(laid.body)
    kinds = [_kind(column) for column in laid.columns]
    if laid.collapsed or not effects or len(laid.columns) < 2:
        return laid
    paired = [sum(bool(below.texts[j]) for _, _, below in effects) for j in range(len(kinds))]
    single = [j for j, count in enumerate(paired) if not count]
    told = [j for j in single if kinds[j] in {"n", "mean"}]
    if not told or len(single) == len(kinds) or any(k == "estimate" for k in _beside(laid)):
        return laid
    if any(role_of(label) for label, _, _ in effects):
        return laid
    order = [j for j in range(len(kinds)) if j not in single] + single
    lines: list[Line] = []
    for j in order:
        label = _label(laid.columns[j])
        first = effects[0][1].index
        lines.append(Line(first, label, [line.texts[j] for _, line, _ in effects]))
        if j not in single:
            lines.append(Line(first, "", [below.texts[j] for _, _, below in effects]))
    columns = [
        ReadColumn(str(k), (label,), outcome=label) for k, (label, _, _) in enumerate(effects, 1)
    ]
    return replace(laid, columns=columns, body=lines)


def _pairs(body: list[Line]) -> list[tuple[str, Line, Line]]:
    """Outcomes with their line and the one below; empty if other lines hold numbers."""
    found: list[tuple[str, Line, Line]] = []
    section, k = "", 0
    while k < len(body):
        line = body[k]
        if not line.filled():
            section = line.label.strip()
            k += 1
            continue
        below = body[k + 1] if k + 1 < len(body) else None
        texts = [text for _, text in below.filled()] if below is not None else []
        if below is None or not texts or not all(what(text) == "below" for text in texts):
            return []
        label = " ".join(part for part in (line.label.strip(), below.label.strip()) if part)
        if not label:
            return []
        found.append((": ".join(part for part in (section, label) if part), line, below))
        k += 2
    return found


def _kind(column: ReadColumn) -> str:
    """What the headings of a column say that stands below them."""
    said = " ".join(column.heads).strip()
    if any(kind == "n" for kind in heading(column.heads, WIDE)):
        return "n"
    return "mean" if _MEAN.match(said) or MEAN.match(said) else ""


def _beside(laid: Laid) -> list[str]:
    """Kinds of columns that hold what belongs to estimates, where some do."""
    kinds = [heading([c.heads[-1]], WIDE)[0] if c.heads else "" for c in laid.columns]
    return kinds if {*kinds} & {"se", "t", "interval", "low", "high"} else []


def _label(column: ReadColumn) -> str:
    """The name of a treatment or a number: the last heading that is no measure."""
    named = [head for head in column.heads if not is_measure(head)]
    if heading(column.heads[-1:], WIDE) == ["n"] or not named:
        return column.heads[-1] if column.heads else f"column {column.id}"
    said = " ".join(column.heads)
    return said if _MEAN.match(said) else named[-1]
