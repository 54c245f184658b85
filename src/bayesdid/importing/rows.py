"""From a grid to rows of cells: header, estimates, what stands below them, N, R2, effects."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bayesdid.importing.grid import Grid
from bayesdid.importing.numbers import enumerator, is_interval, tidy, what
from bayesdid.importing.second import second_below
from bayesdid.importing.table import ReadCell, ReadColumn, ReadRow, Role
from bayesdid.importing.words import (
    CONSTANT,
    DEPENDENT,
    MEAN,
    OUTCOME,
    PANEL,
    WIDE,
    heading,
    is_enumerated,
    is_flag,
    is_measure,
    part_of,
    role_of,
)
from bayesdid.study.printed import Printed
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
    rows = _one_label([list(row) for row in grid.rows])
    collapsed = grid.loose and sum(_begins_with_number(row) for row in rows) >= 1
    lines = [_line(i, row, collapsed) for i, row in enumerate(rows)]
    first = next((k for k, line in enumerate(lines) if _is_body(line)), len(lines))
    if 1 < first < len(lines) and not lines[first - 1].filled() and lines[first - 1].label:
        first -= 1  # a heading of the rows that follow, not of columns
    head, body = lines[:first], lines[first:]
    width = _width(head, body, collapsed)
    for line in body:
        count = len(line.filled())
        line.lost = collapsed and 0 < count < width
        line.texts = _without_dashes((line.texts + [""] * width)[:width])
    corner = next((line.label.strip() for line in reversed(head) if line.label.strip()), "")
    laid = Laid(_header(head, width, collapsed), body, collapsed, corner)
    _merge_marks(laid)
    return laid


def _without_dashes(texts: list[str]) -> list[str]:
    """A row of numbers without the dashes that stand for none among them."""
    kinds = [what(text) for text in texts]
    if not {"number", "below"} & set(kinds) or {"yes", "text"} & set(kinds):
        return texts
    return ["" if re.fullmatch(r"[-–—一]+", text.strip()) else text for text in texts]


def _one_label(rows: list[list[str]]) -> list[list[str]]:
    """Rows whose labels stand in two columns, the first one's said once for several rows, in one.

    The second column is a label if it holds text, and neither numbers nor Yes and No, in most rows
    that hold numbers.
    """
    numeric = [row for row in rows if any(what(text) in {"number", "below"} for text in row[2:])]
    second = [_label_kind(row[1]) for row in rows if len(row) > 2]
    texts = sum(_label_kind(row[1]) == "text" for row in numeric if len(row) > 2)
    other = bool(set(second) - {"text", "empty"})
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
        if not begun and row[0] and row[1]:
            label = f"{row[0]} / {row[1]}"  # the corner
        joined.append([label or row[1], *row[2:]])
    return joined


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
    if len(names) < 2 or len(set(names)) != len(names) or any(one != labels[0] for one in labels):
        return None
    if len(labels[0]) < 2:
        return None
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
    texts = [text for _, text in line.filled()]
    kinds = [what(text) for text in texts]
    if not texts:
        return bool(PANEL.match(line.label.strip()))
    if is_enumerated(texts) and not line.label.strip():
        return False
    if all(enumerator(t) for t in texts) and len(texts) > 1 and not role_of(line.label):
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


def read_rows(laid: Laid) -> list[ReadRow]:
    """Rows with their roles, estimates paired with what stands below them."""
    found: list[ReadRow] = []
    section, after = "", False
    lines = laid.body
    i = 0
    while i < len(lines):
        line = lines[i]
        filled = line.filled()
        if not filled:
            section = line.label
            i += 1
            continue
        kinds = [what(text) for _, text in filled]
        numbers = sum(kind in {"number", "below"} for kind in kinds)
        known = (
            line.role
            or role_of(line.label)
            or ("statistic" if MEAN.match(line.label.strip()) else None)
        )
        if numbers * 2 < len(kinds) or (numbers == 0):
            found.append(_labels(line, section))
            after = after or is_flag(line.label)
            i += 1
            continue
        apart = _MEANS.search(section) and any(row.below for row in found)
        below = lines[i + 1] if i + 1 < len(lines) and _stands_below(line, lines[i + 1]) else None
        paired = [row for row in found if row.role == "estimate"]
        counts = below is None and bool(paired) and all(row.below for row in paired)
        counts = counts and not line.kind and all(map(_is_whole, (text for _, text in filled)))
        alone = (
            after or bool(apart) or counts
        )  # from here on, numbers without any below are no estimates
        if below is None and not line.label.strip():
            found.append(_unlabelled(line))
            after = True
        elif below is None and not line.kind and (known or (alone and not _starred(filled))):
            found.append(_single(line, known or "statistic", section))
            after = True
            if i + 1 < len(lines) and (degrees := _degrees(line, lines[i + 1])):
                found[-1].references = degrees
                i += 1
        elif known in {"n", "r2"} or (known == "clusters" and below is None):
            found.append(_single(line, known, section))
            after = True
        elif below is not None and MEAN.match(line.label.strip()):
            error = Line(below.index, f"{line.label.strip()}, se", below.texts, below.lost)
            found += [_single(one, "statistic", section) for one in (line, error)]
            i += 1
        else:
            row = _estimates(line, below)
            if below is not None and i + 2 < len(lines) and _third(line, lines[i + 2]):
                i += 1  # a second line below: kept if it holds intervals, or p in other brackets
                second = {j: _cell(lines[i + 1], j, "below") for j, _ in lines[i + 1].filled()}
                row.beside, row.why = second_below(row, {} if lines[i + 1].lost else second)
            while (at := i + 1 + (below is not None)) < len(lines) and lines[at].kind:
                for j, text in lines[at].filled():
                    cell = ReadCell(tidy(text), "below", lines[at].index, j)
                    row.beside.setdefault(j, {})[lines[at].kind] = cell
                i += 1
            found.append(row)
            i += below is not None
        i += 1
    return [_doubted(row, found) for row in found]


def _doubted(row: ReadRow, rows: list[ReadRow]) -> ReadRow:
    """A row of estimates, marked if nothing stands below it where something does below others."""
    if row.role != "estimate" or row.below or row.beside or any(b for _, b in row.lost):
        return row
    row.confidence, row.why = 0.9, "nothing stands below it"
    if any(other.below for other in rows if other.role == "estimate"):
        row.cells = {
            j: replace(cell, confidence=min(cell.confidence, row.confidence), why=row.why)
            for j, cell in row.cells.items()
        }
    return row


def _is_whole(text: str) -> bool:
    """Whether a text is a count: a whole number without a mark or brackets."""
    return bool(re.fullmatch(r"\d{1,3}(?:[, ]?\d{3})*", text.strip()))


_MEANS = re.compile(r"\b(?:means?|averages?|statistics?|tests?)\b", re.IGNORECASE)


def _degrees(line: Line, other: Line) -> dict[int, str]:
    """Null distributions of F statistics from ``(df = 8; 273)`` below them."""
    if other.label.strip() or not re.match(r"f\b", line.label.strip(), re.IGNORECASE):
        return {}
    found = {j: re.fullmatch(r"\(df = (\d+); (\d+)\)", text) for j, text in other.filled()}
    return {j: f"F({m[1]}, {m[2]})" for j, m in found.items() if m is not None}


def _starred(filled: list[tuple[int, str]]) -> bool:
    return any(re.search(r"[*+†‡#]$", tidy(text)) for _, text in filled)


def _stands_below(line: Line, other: Line) -> bool:
    filled = other.filled()
    kinds = [what(text) for _, text in filled]
    if not filled or role_of(line.label) in {"n", "r2"}:
        return False
    if all(what(text) == "below" for _, text in line.filled()) and not line.label.strip():
        return False
    brackets = kinds.count("below")
    if brackets == 0 or any(kind not in {"below", "number"} for kind in kinds):
        return False
    return (not other.label.strip() or brackets == len(kinds)) and brackets * 2 >= len(kinds)


def _third(line: Line, other: Line) -> bool:
    return not other.label.strip() and _stands_below(line, other)


def _cell(line: Line, j: int, role: Role, *, confidence: float = 1.0, why: str = "") -> ReadCell:
    return ReadCell(tidy(line.texts[j]), role, line.index, -1 if line.lost else j, confidence, why)


def _estimates(line: Line, below: Line | None) -> ReadRow:
    label = line.label
    if below is not None and not any(heading([below.label], WIDE)):
        label = f"{label} {below.label}".strip()  # a label of two lines
    row = ReadRow(label, "estimate", part_of(label))
    above = [(j, _cell(line, j, "estimate")) for j, text in line.filled() if what(text) == "number"]
    under = {} if below is None else {j: _cell(below, j, "below") for j, _ in below.filled()}
    if not line.lost:
        row.cells = dict(above)
        if below is not None and below.lost and len(under) != len(above):
            row.lost_below = tuple(under.values())
            row.why = "what stands below lost its columns"
        elif below is not None and below.lost:
            row.below = dict(zip(row.cells, under.values(), strict=True))
        else:
            row.below = {j: cell for j, cell in under.items() if j in row.cells}
        return row
    values = list(under.values())
    if len(values) == len(above):
        row.lost = tuple((cell, values[k]) for k, (_, cell) in enumerate(above))
    else:
        row.lost = tuple((cell, None) for _, cell in above)
        row.why = "fewer numbers below than estimates"
    return row


def _single(line: Line, role: Role, section: str) -> ReadRow:
    label = line.label or section
    row = ReadRow(label, role)
    cells = [(j, _cell(line, j, role)) for j, t in line.filled() if what(t) in {"number", "below"}]
    if line.lost:
        row.lost = tuple((cell, None) for _, cell in cells)
    else:
        row.cells = dict(cells)
    return row


def _unlabelled(line: Line) -> ReadRow:
    """A row without a label: whole numbers are n, numbers up to one are R2."""
    numbers = [t for _, t in line.filled() if what(t) in {"number", "below"} and not is_interval(t)]
    values = [abs(float(Printed.parse(tidy(t)))) for t in numbers]
    whole = all(v == int(v) and v >= 10 for v in values)
    role: Role = "n" if whole else "r2" if all(v <= 1 for v in values) else "statistic"
    row = _single(line, role, "")
    row.confidence, row.why = 0.9, "the row has no label"
    return row


def _labels(line: Line, section: str) -> ReadRow:
    row = ReadRow(line.label or section, "label")
    cells = [(j, _cell(line, j, "label")) for j, _ in line.filled()]
    if line.lost:
        row.lost = tuple((cell, None) for _, cell in cells)
    else:
        row.cells = dict(cells)
    return row


def is_constant(label: str) -> bool:
    """Whether a row is the constant."""
    return bool(CONSTANT.match(label.strip()))
