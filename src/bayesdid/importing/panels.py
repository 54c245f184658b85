"""Panels of a table: parts below each other that are columns of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bayesdid.importing.lay import Laid, Line
from bayesdid.importing.numbers import enumerator, what
from bayesdid.importing.table import ReadColumn
from bayesdid.importing.words import DEPENDENT, PANEL, is_measure, role_of

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def panels(laid: Laid) -> list[tuple[str, Laid]]:
    """Panels below each other are columns of their own; what follows the last holds for all.

    A panel that has headings of columns of its own keeps them; others have those of the one before.
    """
    marks, above = _marks(laid.body)
    marks = marks if len(marks) > 1 else _repeated(laid.body)
    if len(marks) < 2:
        opens = next((i for i, line in enumerate(laid.body) if line.filled()), 0)
        laid.columns, rest = _own_header(laid.columns, laid.body[opens:])
        laid.body = [*laid.body[:opens], *rest]
        return [("", laid)]
    lead = laid.body[: min([marks[0], *above])]
    stops = [min(marks[k + 1], *_upper(above, marks, k + 1)) for k in range(len(marks) - 1)]
    parts = [
        laid.body[i + 1 : stop] for i, stop in zip(marks, [*stops, len(laid.body)], strict=True)
    ]
    columns, headed = laid.columns, []
    for k, part in enumerate(parts):
        columns, parts[k] = _own_header(laid.columns, part, columns)
        headed.append(columns)
    measured = frozenset(j for j, c in enumerate(laid.columns) if any(map(is_measure, c.heads)))
    shared = _shared_tail(parts, measured)
    if shared:
        parts[-1] = parts[-1][: -len(shared)]
    found = []
    for k, (i, part) in enumerate(zip(marks, parts, strict=True)):
        upper = [laid.body[j].label.strip() for j in above if j < i][-1:]
        label = ": ".join([*upper, laid.body[i].label.strip()])
        named = [replace(c, heads=(*c.heads, label), labels=dict(c.labels)) for c in headed[k]]
        found.append((_LETTERS[k], replace(laid, columns=named, body=[*lead, *part, *shared])))
    return found


def _upper(above: Sequence[int], marks: Sequence[int], k: int) -> list[int]:
    """The heading of several panels that stands between a panel and the one before."""
    return [j for j in above if marks[k - 1] < j < marks[k]] or [marks[k]]


def _marks(body: Sequence[Line]) -> tuple[list[int], list[int]]:
    """Lines that head panels, and lines that head several of them."""
    heads = [i for i, line in enumerate(body) if not line.filled() and line.label.strip()]
    named = [i for i in heads if PANEL.match(body[i].label.strip())][: len(_LETTERS)]
    above = [i for i in named if i + 1 in named]
    return [i for i in named if i not in above], above


def _own_header(
    columns: list[ReadColumn], part: Sequence[Line], before: list[ReadColumn] | None = None
) -> tuple[list[ReadColumn], list[Line]]:
    """Columns with the headings that a part begins with, if it does, and the lines that follow."""
    own = 0
    while own < len(part) and _is_heading(part[own]):
        own += 1
    if not own or own == len(part):
        return before or columns, list(part)
    found = []
    for j, column in enumerate(columns):
        texts = [line.texts[j] for line in part[:own] if not enumerator(line.texts[j])]
        outcome = next(
            (line.texts[j] for line in part[:own] if DEPENDENT.match(line.label.strip())), ""
        )
        heads = (*column.heads, *(text for text in texts if text))
        found.append(replace(column, heads=heads, outcome=outcome or column.outcome))
    return found, list(part[own:])


def _is_heading(line: Line) -> bool:
    """Whether a line names columns: by their numbers, or by texts without a label of its own."""
    texts = [text for _, text in line.filled()]
    if not texts or (line.label.strip() and not DEPENDENT.match(line.label.strip())):
        return False
    return all(map(enumerator, texts)) or all(what(text) == "text" for text in texts)


def _repeated(body: Sequence[Line]) -> list[int]:
    """Headings below each of which the same rows begin with the same labels: panels without a name.

    Rows such as those of fixed effects may follow below the last.
    """
    marks = [i for i, line in enumerate(body) if not line.filled() and line.label.strip()]
    if not 2 <= len(marks) <= len(_LETTERS) or marks[0] != 0:
        return []
    parts = [
        [line.label.strip() for line in body[i + 1 : end] if line.label.strip()]
        for i, end in zip(marks, [*marks[1:], len(body)], strict=True)
    ]
    first = parts[0]
    alike = bool(first) and all(part == first for part in parts[:-1])
    return marks if alike and parts[-1][: len(first)] == first else []


def _shared_tail(parts: Sequence[Sequence[Line]], measured: frozenset[int]) -> list[Line]:
    """Rows at the end of the last panel that no other panel has a row of the same label for.

    A row of numbers in several of the columns that hold estimates, errors, t or p (`measured`) is
    one of an estimate of that panel.
    """
    last = parts[-1]
    others = {line.label for part in parts[:-1] for line in part if line.label}
    tail: list[Line] = []
    for line in reversed(last):
        if not line.label.strip() or line.label in others:
            break
        if any(what(t) == "below" or re.search(r"[*†]", t) for _, t in line.filled()):
            break
        numbers = {j for j, text in line.filled() if what(text) == "number"}
        if len(numbers & measured) > 1 and role_of(line.label) is None:
            break
        tail.insert(0, line)
    return tail if len(tail) < len(last) else []
