"""Tables whose rows are outcomes: means, n and effects of each side by side, turned about."""

from __future__ import annotations

import re
from dataclasses import replace

from bayesdid.importing.lay import Laid, Line
from bayesdid.importing.numbers import what
from bayesdid.importing.table import ReadColumn
from bayesdid.importing.words import DIFFERENCE, MODELS, WIDE, both, heading, is_measure, role_of
from bayesdid.study.schema import Below

MEANS = re.compile(
    r"^(?:control|comparison|baseline|untreated)?(?: group)? ?means?\b|"
    r"^(?:control|comparison|baseline|untreated)[\w ]* means?\b",
    re.IGNORECASE,
)


def uncrossed(laid: Laid) -> Laid:
    """Rows that are outcomes as columns; other tables as they are.

    They are outcomes if a column is headed by n or by a mean of controls, or stands before one that
    is headed as a difference, another one holds numbers with brackets below, and those columns have
    nothing below: in a regression's table n is a row.
    """
    found = _pairs(laid.body)
    # the corner says of the rows, not of the columns, that they are outcomes
    heads = [
        replace(c, heads=(c.outcome, *c.heads) if c.outcome else c.heads) for c in laid.columns
    ]
    kinds = [_kind(column) for column in heads]
    if laid.collapsed or not found or len(kinds) < 2 or any(role_of(label) for label, _ in found):
        return laid
    single = [
        j
        for j in range(len(kinds))
        if not any(line.texts[j] for _, one in found for line in one[1:])
    ]
    effects = [j for j in range(len(kinds)) if j not in single]
    told = [j for j in single if kinds[j] in {"n", "mean"}]
    if effects and any(kinds[j] == "difference" for j in effects):
        told += [j for j in single if j < effects[0] and not kinds[j]]
    if not told or not effects or _beside(kinds, effects):
        return laid
    index = found[0][1][0].index
    lines: list[Line] = []
    for j in [*effects, *single]:
        if j - 1 in effects and kinds[j] == "p":
            continue  # stands below its effect
        label = _label(heads[j])
        depth = max(len(one) for _, one in found) if j in effects else 1
        for k in range(depth):
            texts = [one[k].texts[j] if k < len(one) else "" for _, one in found]
            role = None if j in effects else role_of(label) or "statistic"
            lines.append(Line(index, label if not k else "", texts, role=role))
        if j in effects and kinds[j + 1 : j + 2] == ["p"]:
            lines.append(Line(index, "", [one[0].texts[j + 1] for _, one in found], kind="p"))
    named = laid.corner.lower().startswith(("outcome", "dep")) or not MODELS.match(laid.corner)
    columns = [
        ReadColumn(str(k), (label,), outcome=label)
        if named
        else ReadColumn(str(k), labels={laid.corner: label})
        for k, (label, _) in enumerate(found, 1)
    ]
    below = next((kind for j in effects for h in heads[j].heads if (kind := both(h))), None)
    return replace(laid, columns=columns, body=lines, below=laid.below or _BELOW.get(below or ""))


_BELOW: dict[str, Below] = {"se": "se", "t": "t", "p": "p", "interval": "interval"}


def _pairs(body: list[Line]) -> list[tuple[str, list[Line]]]:
    """Outcomes with their lines, of brackets below the first; empty if there are other lines."""
    found: list[tuple[str, list[Line]]] = []
    section = ""
    for line in body:
        texts = [text for _, text in line.filled()]
        if not texts:
            section = line.label.strip()
        elif all(what(text) == "below" for text in texts):
            if not found or (line.label.strip() and len(found[-1][1]) > 1):
                return []
            label, lines = found[-1]
            found[-1] = (f"{label} {line.label.strip()}".strip(), [*lines, line])
        elif line.label.strip() and _holds_numbers(texts):
            label = ": ".join(part for part in (section, line.label.strip()) if part)
            found.append((label, [line]))
        else:
            return []
    return found if all(len(lines) > 1 for _, lines in found) else []


def _holds_numbers(texts: list[str]) -> bool:
    """Whether texts are numbers, or Yes and No beside them."""
    kinds = {what(text) for text in texts}
    return bool(kinds & {"number", "below"}) and kinds <= {"number", "below", "yes", "no"}


def _kind(column: ReadColumn) -> str:
    """What the headings of a column say that stands below them."""
    kinds = heading(column.heads, WIDE)
    said = " ".join([*column.heads[-1:], *column.labels.values()]).strip()
    if "n" in kinds or "p" in kinds:
        return "n" if "n" in kinds else "p"
    if any(re.search(DIFFERENCE, head, re.IGNORECASE) for head in column.heads):
        return "difference"
    if MEANS.search(said) or MEANS.search(" ".join(column.heads)):
        return "mean"
    return next((kind for kind in kinds[::-1] if kind), "")


def _beside(kinds: list[str], effects: list[int]) -> bool:
    """Whether columns beside those of effects hold what belongs to them, other than p."""
    return any(kind in {"se", "t", "interval", "low", "high"} for kind in kinds) or any(
        kinds[j] == "n" for j in effects
    )


def _label(column: ReadColumn) -> str:
    """The name of a treatment or a number: the last heading that is no measure."""
    named = [head for head in column.heads if not is_measure(head)]
    if heading(column.heads[-1:], WIDE) == ["n"] or not named:
        return column.heads[-1] if column.heads else f"column {column.id}"
    said = " ".join([*column.heads, *column.labels.values()])
    return said if len(named) > 1 or MEANS.search(said) else named[-1]
