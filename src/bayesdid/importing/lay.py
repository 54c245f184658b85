"""From a grid to lines: the header of columns told from the body, labels and marks joined."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bayesdid.importing.grid import Grid
from bayesdid.importing.numbers import enumerator, what
from bayesdid.importing.table import ReadColumn, Role
from bayesdid.importing.words import (
    CONSTANT,
    DEPENDENT,
    OUTCOME,
    PANEL,
    WIDE,
    both,
    heading,
    is_enumerated,
    is_measure,
    role_of,
)
from bayesdid.study.schema import Below


@dataclass(slots=True)
class Line:
    """A row of a grid: its label, its texts by column, and whether columns were lost.

    Attributes
    ----------
    kind
        What it holds of the estimates above it, if columns beside theirs held it: t, p, interval.
    role
        What its numbers are, if the heading of a column that they stood in said so.
    """

    index: int
    label: str
    texts: list[str]
    lost: bool = False
    kind: str = ""
    role: Role | None = None

    def filled(self) -> list[tuple[int, str]]:
        """Columns and texts of the cells that are not empty."""
        return [(j, text) for j, text in enumerate(self.texts) if what(text) != "empty"]


@dataclass(slots=True)
class Laid:
    """The lines of a table, its header apart.

    Attributes
    ----------
    corner
        What the header says above the labels of rows.
    below
        What stands below estimates, if a heading says so.
    models
        What is estimated, if each row is a model of its own.
    """

    columns: list[ReadColumn]
    body: list[Line]
    collapsed: bool
    corner: str = ""
    below: Below | None = None
    models: str = ""


def lay(grid: Grid) -> Laid:
    """Tell the header from the body, and whether the table lost its empty cells.

    A table of Markdown or of pasted text in which rows begin with a number where a label should
    stand has lost them: there positions of a row that is not full are no evidence.
    """
    rows = _one_label(_labelled([list(row) for row in grid.rows]))
    collapsed = grid.loose and sum(_begins_with_number(row) for row in rows) >= 1
    lines = [_line(i, row, collapsed) for i, row in enumerate(rows)]
    first = next((k for k, line in enumerate(lines) if _is_body(line)), len(lines))
    if 1 < first < len(lines) and not lines[first - 1].filled() and lines[first - 1].label:
        first -= 1  # a heading of the rows that follow, not of columns
    head, body = lines[:first], lines[first:]
    width = _width(head, body, collapsed)
    for line in body:
        _end_label(line, width if collapsed else len(line.texts))
        count = len(line.filled())
        line.lost = collapsed and 0 < count < width
        line.texts = _without_dashes((line.texts + [""] * width)[:width])
    corner = next((line.label.strip() for line in reversed(head) if line.label.strip()), "")
    laid = Laid(_header(head, width, collapsed), body, collapsed, corner)
    _merge_marks(laid)
    _unname(laid)
    _unlabel(laid)
    _name_apart(laid.columns)
    return laid


def _end_label(line: Line, width: int) -> None:
    """Whole numbers that a line has more than columns are the end of its label: ``n in 2010``."""
    more = len(line.filled()) - width
    if more > 0 and line.label.strip() and not any("." in text for text in line.texts[:more]):
        line.label = " ".join([line.label, *line.texts[:more]])
        line.texts = line.texts[more:]


_NAMED = re.compile(r"([tzp]) ?= ?([-−–]?[\d.,]*\d)")  # t = 3.18, as stargazer prints it


def _unname(laid: Laid) -> None:
    """Numbers below estimates that say themselves what they are, in brackets as others print."""
    for line in laid.body:
        found = [(j, _NAMED.fullmatch(text.strip())) for j, text in line.filled()]
        kinds = {m[1] for _, m in found if m}
        if line.label.strip() or not found or len(kinds) != 1 or not all(m for _, m in found):
            continue
        laid.below = "p" if kinds == {"p"} else "t"
        for j, m in found:
            line.texts[j] = f"({m[2]})" if m else ""


_BELOW: tuple[Below, ...] = ("se", "t", "p", "interval")


def _unlabel(laid: Laid) -> None:
    """Lines whose label says what they hold of the estimates above, ``SE``, stand below those.

    The first such line of an estimate stands below it, others are numbers beside it. A ``t`` or
    ``p`` that comes once may be a variable.
    """
    kinds = [_measure_of(laid.body, i) for i in range(len(laid.body))]
    if not any(kind == "se" or kinds.count(kind) > 1 for kind in kinds if kind):
        return
    first = ""
    if any(_is_bracketed(laid.body[i - 1]) for i, kind in enumerate(kinds) if i and kind):
        first = "what stands in brackets"
    for line, kind in zip(laid.body, kinds, strict=True):
        if not kind or (kind != "se" and kinds.count(kind) < 2):
            continue
        first = first or kind
        line.label = ""
        if kind == first:
            line.texts = [f"({t})" if what(t) == "number" else t for t in line.texts]
        else:
            line.kind = kind
    laid.below = next((kind for kind in _BELOW if kind == first), laid.below)


def _is_bracketed(line: Line) -> bool:
    """Whether a line without a label holds what stands in brackets below estimates."""
    texts = [text for _, text in line.filled()]
    return not line.label.strip() and bool(texts) and all(what(text) == "below" for text in texts)


def _measure_of(body: Sequence[Line], i: int) -> str:
    """What a line holds of an estimate above it by its label, if numbers stand alike in both."""
    line = body[i]
    kind, filled = _said(line), line.filled()
    known = all(what(text) in {"number", "below"} for _, text in filled)
    if kind not in _BELOW or not filled or not known:
        return ""
    others = (other for other in reversed(body[:i]) if other.filled())
    above = next(
        (other for other in others if _said(other) not in _BELOW and not _is_bracketed(other)), None
    )
    if above is None or not above.label.strip() or role_of(above.label) in {"n", "r2"}:
        return ""
    places = {j for j, text in above.filled() if what(text) == "number"}
    if line.lost and (not above.lost or len(filled) != len(places)):
        return ""
    return kind if {j for j, _ in filled} <= places else ""


def _said(line: Line) -> str:
    """What the label of a line says that it holds, as a heading would."""
    return heading([line.label.strip().lower()], WIDE)[0]


_OF_NAME = re.compile(r"(.*\S)\s*\(([^()]+)\)")


def _name_apart(columns: list[ReadColumn]) -> None:
    """Headings such as ``Coefficient (m1)`` and ``p (m1)`` as the name of a model and a measure."""
    found = [_OF_NAME.fullmatch(column.heads[-1]) if column.heads else None for column in columns]
    whole = [m for m in found if m and is_measure(m[1]) and not is_measure(m[2])]
    if len(whole) < len(columns) or len(columns) < 2 or any(both(m[0]) for m in whole):
        return
    for column, m in zip(columns, whole, strict=True):
        column.heads = (*column.heads[:-1], m[2].strip(), m[1])


def _without_dashes(texts: list[str]) -> list[str]:
    """A row of numbers without the dashes that stand for none among them."""
    kinds = [what(text) for text in texts]
    if not {"number", "below"} & set(kinds) or {"yes", "text"} & set(kinds):
        return texts
    return ["" if re.fullmatch(r"[-–—一]+", text.strip()) else text for text in texts]


_TIMES = re.compile(r"(?:month|year|week|day|wave|quarter|period|age|time)s?\b", re.IGNORECASE)


def _labelled(rows: list[list[str]]) -> list[list[str]]:
    """Rows whose second column holds labels that are numbers in part, with these in the first.

    Either the first column is a category that few rows name, or the second counts months or the
    like and the first says once what several rows are of.
    """
    body = [row for row in rows if any(what(text) == "number" for text in row[2:])]
    filled = [row for row in body if len(row) > 2 and row[1]]
    if len(body) < _FEWEST or len(filled) < len(body):
        return rows
    named = sum(bool(row[0]) for row in body)
    texts = sum(_label_kind(row[1]) in {"text", "empty"} for row in body)
    timed = any(_TIMES.match(row[1]) for row in rows[:3]) and all(
        re.fullmatch(r"\d{1,2}(?:[-–]\d{1,2})?|\d{4}", row[1]) for row in body
    )
    if timed and named < len(body):
        return _timed(rows, body)
    if texts == len(body) or 3 * texts < 2 * len(body) or 5 * named > len(body):
        return rows
    found, section = [], ""
    for row in rows:
        number = any(row is line for line in body) and _label_kind(row[1]) == "number"
        section = section if number else row[1].rstrip("*†‡#§ ") or section
        found.append([f"{section}: {row[1]}" if number else row[1] or row[0], *row[2:]])
    return found


_FEWEST = 3  # rows with numbers


def _timed(rows: list[list[str]], body: list[list[str]]) -> list[list[str]]:
    """Rows named after what the first column said last, and the time in the second."""
    found, said = [], ""
    for row in rows:
        if not any(row is line for line in body):
            found.append([row[0], *row[2:]])
            continue
        said = row[0] or said
        found.append([": ".join(text for text in (said, row[1]) if text), *row[2:]])
    return found


def _one_label(rows: list[list[str]]) -> list[list[str]]:
    """Rows whose labels stand in two columns, the first one's said once for several rows, in one.

    The second column is a label if it holds text, and neither numbers nor Yes and No, in most rows
    that hold numbers.
    """
    rows = _two_labels(rows)
    numeric = [row for row in rows if any(what(text) == "number" for text in row[2:])]
    second = [_label_kind(row[1]) for row in rows if len(row) > 2]
    texts = sum(_label_kind(row[1]) == "text" for row in numeric if len(row) > 2)
    shares = not any(char.isalpha() for row in numeric for char in row[1])  # 412/2,310
    other = bool(set(second) - {"text", "empty"}) or shares
    if other or texts < 2 or texts * 3 < len(numeric) * 2:
        return rows
    if (parts := _grouped(rows)) is not None:
        return parts
    joined, group, begun = [], "", False
    for row in rows:
        holds = any(row is line for line in numeric)
        begun = begun or holds
        group = (row[0] or group) if row[1] or row[0] else group
        label = ": ".join(part for part in (group, row[1]) if part) if holds and row[1] else row[0]
        if begun and not holds and row[0] == group and not row[1] and _holds(row):
            label = ""  # what stands below, in the span of the label above
        if not begun and row[0] and row[1]:
            label = f"{row[0]} / {row[1]}"  # the corner
        joined.append([label or row[1], *row[2:]])
    return joined


def _two_labels(rows: list[list[str]]) -> list[list[str]]:
    """Rows whose labels stand in three columns or more, in two: what is said once goes on below.

    The columns behind the first are labels up to the last that holds text, and no number, in
    every row with numbers.
    """
    width = min(map(len, rows), default=0)
    body = [row for row in rows if any(what(text) == "number" for text in row[2:])]
    last = (
        next(
            (
                j
                for j in range(1, width)
                if any(_label_kind(row[j]) in {"number", "below"} for row in body)
            ),
            1,
        )
        - 1
    )
    if last < 2 or len(body) < 2 or any(_label_kind(row[last]) != "text" for row in body):
        return rows
    found, said = [], [""] * last
    for row in rows:
        if any(row is line for line in body):
            said = [text or (said[j] if not row[0] else "") for j, text in enumerate(row[:last])]
            middle = ": ".join(text for text in (*said[1:], row[last]) if text)
        else:
            middle = " / ".join(text for text in dict.fromkeys(row[1 : last + 1]) if text)
        found.append([row[0], middle, *row[last + 1 :]])
    return found


def _grouped(rows: list[list[str]]) -> list[list[str]] | None:
    """Rows below the name of their panel, which the first of two columns of labels said before.

    They are panels if the same labels follow every name.
    """
    first = next((i for i, row in enumerate(rows) if row[0] and _holds(row)), len(rows))
    names: list[str] = []
    parts: list[list[list[str]]] = []
    for row in rows[first:]:
        if row[0] and (not names or row[0] != names[-1]):
            names.append(row[0])
            parts.append([])
        parts[-1].append(row[1:])
    labels = [[row[0] for row in part if row[0]] for part in parts]
    if len(names) < 2 or len(set(names)) != len(names):
        return None
    # models that take more terms one after the other each begin with a constant
    blocks = all(map(enumerator, names)) and all(one and CONSTANT.match(one[0]) for one in labels)
    if not blocks and (len(labels[0]) < 2 or any(one != labels[0] for one in labels)):
        return None
    names = [f"Panel {name}: model {name}" for name in names] if blocks else names
    head = [[row[1], *row[2:]] for row in rows[:first]]
    width = len(rows[0]) - 2
    for name, part in zip(names, parts, strict=True):
        head += [[name, *[""] * width], *part]
    return head


def _holds(row: list[str]) -> bool:
    return any(what(text) in {"number", "below"} for text in row[2:])


def _label_kind(text: str) -> str:
    """What a label is; X, Y and M name variables there, and are no crosses that say yes."""
    return "text" if re.fullmatch(r"[A-Za-z]", text.strip()) else what(text)


def _begins_with_number(row: Sequence[str]) -> bool:
    """Whether a number in brackets stands where the label should: its empty label was lost."""
    rest = [text for text in row[1:] if what(text) != "empty"]
    return (
        what(row[0]) == "below"
        and not is_enumerated([row[0]])
        and all(what(text) in {"below", "number"} for text in rest)
    )


def _line(index: int, row: list[str], collapsed: bool) -> Line:
    if len(row) > 1 and row[0] and len(set(row)) == 1 and what(row[0]) == "text":
        return Line(index, row[0], [""] * (len(row) - 1))  # a heading over all columns
    over = [text for text in row[1:] if text]
    spanned = len(over) > 1 and len(set(over)) == 1 and what(over[0]) == "text"
    if spanned and (row[0] == over[0] or (not row[0] and PANEL.match(over[0]))):
        return Line(index, over[0], [""] * (len(row) - 1))
    lost_label = collapsed and what(row[0]) in {"below", "number"}
    if lost_label:
        return Line(index, "", row)
    if collapsed and is_enumerated([text for text in row if text]):
        return Line(index, "", [text for text in row if text])
    return Line(index, row[0], row[1:])


def _is_body(line: Line) -> bool:
    """Whether a line holds estimates; numbers of columns, and years as headings, are none."""
    texts = _without_dashes([text for _, text in line.filled()])
    texts = [text for text in texts if text]
    kinds = [what(text) for text in texts]
    if not texts:
        return bool(PANEL.match(line.label.strip()))
    if is_enumerated(texts) and not line.label.strip():
        return False
    numbered = all(map(enumerator, texts)) and len(set(texts)) > 1
    if (numbered and not role_of(line.label)) or (all(map(is_measure, texts)) and "text" in kinds):
        return False
    numbers = sum(kind in {"number", "below"} for kind in kinds)
    if numbers * 2 < len(kinds):
        return role_of(line.label) is not None and numbers > 0
    return bool(line.label.strip()) or numbers == len(kinds)


def _width(head: Sequence[Line], body: Sequence[Line], collapsed: bool) -> int:
    if not collapsed:
        return max((len(line.texts) for line in [*head, *body]), default=0)
    for line in head:
        texts = [text for _, text in line.filled()]
        if is_enumerated(texts):
            return len(texts)
    return max((len(line.filled()) for line in body), default=0)


_TOLD = re.compile(r"\((\d{1,2})\)\s+(\S.*)")  # (1) OLS


def _header(head: Sequence[Line], width: int, collapsed: bool) -> list[ReadColumn]:
    columns = [ReadColumn(str(j + 1)) for j in range(width)]
    for depth, line in enumerate(head):
        if re.fullmatch(r"variables?:?", line.label.strip(), re.IGNORECASE) and not line.filled():
            continue
        texts = [text for _, text in line.filled()] if collapsed else line.texts
        texts = texts if collapsed else _of_groups(texts, head[depth + 1 :])
        if (
            collapsed and depth and line.label and len(texts) < width
        ):  # the empty label before it was lost
            texts = [line.label, *texts]
        named = [text for text in texts if text]
        if is_enumerated(named):
            if not collapsed or len(named) == width:
                for column, text in zip(columns, texts, strict=False):
                    column.id = enumerator(text) or column.id
            continue
        if collapsed and len(named) != width:
            if named and depth == 0 and width % len(named) == 0:  # lost spans, evenly
                texts = [text for text in named for _ in range(width // len(named))]
            elif depth == 0 or len(named) > width:
                continue
        measures = 2 * sum(map(is_measure, named)) >= len(named) > 0
        dependent = bool(DEPENDENT.match(line.label)) and not measures
        told = None if collapsed or any(map(OUTCOME.match, named)) else OUTCOME.match(line.label)
        dependent = dependent and told is None
        for column, text in zip(columns, texts, strict=False):
            if told and not column.outcome:
                column.outcome = told[1].strip()
            if (numbered := _TOLD.fullmatch(text)) and not collapsed:
                column.id, text = numbered[1], numbered[2]
            if text and dependent:
                column.outcome = OUTCOME.sub(r"\1", text)
            elif text and not measures and _is_labelled(line, depth) and not collapsed:
                column.labels[line.label] = text
            elif text:
                column.heads = (*column.heads, text)
    seen: dict[str, int] = {}
    for j, column in enumerate(columns):
        seen[column.id] = seen.get(column.id, 0) + 1
        if seen[column.id] > 1:
            column.id = str(j + 1) if str(j + 1) not in seen else f"{column.id}_{j + 1}"
            seen[column.id] = 1
    return columns


def _of_groups(texts: list[str], following: Sequence[Line]) -> list[str]:
    """Headings of equal groups of columns, each in the first of its own, in all of them.

    They are some if a row of headings below is full.
    """
    named = [j for j, text in enumerate(texts) if text]
    size = len(texts) // len(named) if named else 0
    full = any(
        all(line.texts[: len(texts)]) and len(line.texts) >= len(texts) for line in following
    )
    if not full or size < 2 or named != list(range(0, len(texts), size)):
        return texts
    return [texts[j - j % size] for j in range(len(texts))]


def _is_labelled(line: Line, depth: int) -> bool:
    """Whether a row of a header has a label of its own, so that it says something of columns."""
    label = line.label.strip()
    return bool(depth) and label not in {"", "VARIABLES"} and not OUTCOME.match(label)


_MARKED = re.compile(r"[*+†‡#]{1,4}|[)\]]")
_UNMARKED = re.compile(r"n\.? ?s\.?|[-–—]", re.IGNORECASE)


def _merge_marks(laid: Laid) -> None:
    """Marks that stand in a column of their own belong to the number before them."""
    width = len(laid.columns)
    for j in range(1, width):
        texts = [line.texts[j] for line in laid.body if line.texts[j]]
        if any(_MARKED.fullmatch(t) for t in texts) and all(
            _MARKED.fullmatch(t) or _UNMARKED.fullmatch(t) for t in texts
        ):
            for line in laid.body:
                line.texts[j - 1] += line.texts[j] if _MARKED.fullmatch(line.texts[j]) else ""
                line.texts[j] = ""
    empty = [j for j in range(width) if not any(line.texts[j] for line in laid.body)]
    if empty and len(empty) < width and not laid.collapsed:
        keep = [j for j in range(width) if j not in empty]
        for line in laid.body:
            line.texts = [line.texts[j] for j in keep]
        laid.columns = [laid.columns[j] for j in keep]
