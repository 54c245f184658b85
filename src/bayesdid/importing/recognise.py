"""From a grid to a table: what kind it is, its panels, outcomes, legend, and what rows say."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bayesdid.importing.grid import Grid
from bayesdid.importing.notes import errors_of, guessed_below, legend, stated_below
from bayesdid.importing.numbers import enumerator, tidy, what
from bayesdid.importing.rows import Laid, Line, lay, read_rows
from bayesdid.importing.table import ReadCell, ReadColumn, ReadRow, ReadTable
from bayesdid.importing.words import DESCRIPTIVE, heading, is_flag

DEFAULT_STARS = {"*": 0.10, "**": 0.05, "***": 0.01}
_PANEL = re.compile(r"^panel\s+([a-z])\b", re.IGNORECASE)
_NUMBERED = re.compile(r"\b(?:table|tab\.)\s*([A-Z]?\d{1,3})", re.IGNORECASE)
_DEPENDENT = re.compile(
    r"(?:dependent|explained|outcome) variables?(?: is| are|:|=|\s*-)?\s*(?:the )?"
    r"([^.;:()]{2,60})",
    re.IGNORECASE,
)


def recognise(grid: Grid, number: int) -> ReadTable:
    """What a table holds; its columns that were lost are still to be placed.

    Parameters
    ----------
    number
        Its number in the document, where its title states none.
    """
    grid = _noted(grid)
    named = _NUMBERED.search(grid.title)
    name = f"table{named[1] if named else number}".replace(" ", "")
    descriptive = _descriptive(grid)
    if descriptive is not None:
        return ReadTable(name, grid.title, grid.notes, "descriptive", [], descriptive)
    laid = lay(grid)
    panels = _panels(laid)
    columns: list[ReadColumn] = []
    rows: list[ReadRow] = []
    for letter, part in panels:
        before = len(columns)
        read = read_rows(part)
        columns += _lettered(part.columns, letter)
        rows += _shifted(read, before)
    table = ReadTable(name, grid.title, grid.notes, "regression", columns, rows)
    table.doubts += laid.doubts
    if not any(_is_result(row) for row in rows):
        table.kind = "other"
        return table
    _outcomes(table)
    _statements(table)
    return table


_NOTE = re.compile(r"^(?:notes?|sources?)\s*[:.]?$|p\s*<\s*0?\.\d", re.IGNORECASE)


_STATED = re.compile(r"^(?:dependent|outcome) variables?\s*[:=]\s*\S+(?:\s+\S+)+", re.IGNORECASE)


def _noted(grid: Grid) -> Grid:
    """The grid without rules drawn by characters, and with rows of notes among its notes."""
    rows, notes = [], grid.notes
    for row in grid.rows:
        texts = [text for text in dict.fromkeys(row) if text]
        if all(re.fullmatch(r"[-=_─━]{3,}", text) for text in texts):
            continue
        if texts and _STATED.match(texts[0]):
            notes = f"{notes} {' '.join(texts)}.".strip()
            continue
        if any(_NOTE.search(text) for text in texts) and not any(
            what(text) in {"number", "below"} for text in texts
        ):
            notes = f"{notes} {' '.join(texts)}".strip()
            continue
        rows.append(row)
    return Grid(tuple(rows), grid.title, notes, grid.loose)


def _is_result(row: ReadRow) -> bool:
    """Whether a row holds estimates with something below them, or with marks."""
    cells = [*row.cells.values(), *(cell for cell, _ in row.lost)]
    under = row.below or row.lost_below or any(below for _, below in row.lost)
    marked = any(re.search(r"[*+†‡#]$", cell.text) for cell in cells)
    return row.role == "estimate" and bool(under or marked)


def _descriptive(grid: Grid) -> list[ReadRow] | None:
    """Rows of means, sds and ranges, if the header says that these are the columns."""
    for i, head in enumerate(grid.rows[:3]):
        kinds = heading(head, DESCRIPTIVE)
        if "mean" not in kinds or not {"sd", "min", "max"} & set(kinds):
            continue
        if kinds.count("mean") > 1:
            return None
        rows = []
        for k, line in enumerate(grid.rows[i + 1 :], i + 1):
            cells = {
                j: ReadCell(tidy(line[j]), "moment", k, j)
                for j, kind in enumerate(kinds)
                if kind and j < len(line) and what(line[j]) in {"number", "below"}
            }
            if line[0] and any(kinds[j] == "mean" for j in cells):
                row = ReadRow(line[0], "moment")
                row.cells = {list(DESCRIPTIVE).index(kinds[j]): cell for j, cell in cells.items()}
                rows.append(row)
        return rows
    return None


def _panels(laid: Laid) -> list[tuple[str, Laid]]:
    """Panels below each other are columns of their own; what follows the last holds for all."""
    marks = [
        (i, found[1].lower())
        for i, line in enumerate(laid.body)
        if not line.filled() and (found := _PANEL.match(line.label.strip()))
    ]
    if len(marks) < 2:
        return [("", laid)]
    lead = laid.body[: marks[0][0]]
    ends = [i for i, _ in marks[1:]] + [len(laid.body)]
    parts = [laid.body[i + 1 : end] for (i, _), end in zip(marks, ends, strict=True)]
    shared = _shared_tail(parts)
    if shared:
        parts[-1] = parts[-1][: -len(shared)]
    return [
        (
            letter,
            Laid(
                [ReadColumn(c.id, (*c.heads, laid.body[i].label)) for c in laid.columns],
                [*lead, *part, *shared],
                laid.collapsed,
            ),
        )
        for (i, letter), part in zip(marks, parts, strict=True)
    ]


def _shared_tail(parts: Sequence[Sequence[Line]]) -> list[Line]:
    """Rows at the end of the last panel that no other panel has a row of the same label for."""
    last = parts[-1]
    others = {line.label for part in parts[:-1] for line in part if line.label}
    tail: list[Line] = []
    for line in reversed(last):
        if not line.label.strip() or line.label in others:
            break
        if any(what(t) == "below" or re.search(r"[*†]", t) for _, t in line.filled()):
            break
        tail.insert(0, line)
    return tail if len(tail) < len(last) else []


def _lettered(columns: list[ReadColumn], letter: str) -> list[ReadColumn]:
    for column in columns:
        column.id = f"{letter}{column.id}"
    return columns


def _shifted(rows: list[ReadRow], by: int) -> list[ReadRow]:
    for row in rows:
        row.cells = {j + by: cell for j, cell in row.cells.items()}
        row.below = {j + by: cell for j, cell in row.below.items()}
    return rows


def _outcomes(table: ReadTable) -> None:
    """The outcome of each column: what its header names last, or what the title or notes say."""
    said = _DEPENDENT.search(f"{table.title}. {table.notes}")
    row = next(
        (r for r in table.rows if r.role == "label" and re.match(r"dep|outcome", r.label.lower())),
        None,
    )
    for j, column in enumerate(table.columns):
        heads = [h for h in column.heads if not enumerator(h) and not _PANEL.match(h)]
        if len(heads) > 1 and re.match(r"dependent variables?:?$", heads[0], re.IGNORECASE):
            column.heads = tuple(h for h in column.heads if h != heads[0])
            column.outcome = heads[1]
        heads = [re.sub(r"^dependent variables?:?\s*", "", h, flags=re.I) for h in heads]
        if column.outcome:
            continue
        if row is not None and j in row.cells:
            column.outcome = row.cells[j].text
        elif said:
            column.outcome = said[1].strip()
        elif heads:
            column.outcome = re.sub(r"\s+I{1,3}V?$", "", heads[-1])
    table.rows = [r for r in table.rows if r is not row]


def _statements(table: ReadTable) -> None:
    """Legend, brackets and errors as the notes state them, else as the numbers suggest."""
    text = f"{table.title} {table.notes}"
    table.stars = legend(text)
    table.se_kind = errors_of(text)
    pairs = [
        (row.cells[j].text, row.below[j].text)
        for row in table.rows
        if row.role == "estimate"
        for j in row.below
        if j in row.cells
    ]
    pairs += [
        (cell.text, below.text)
        for row in table.rows
        if row.role == "estimate"
        for cell, below in row.lost
        if below is not None
    ]
    stated = stated_below(text)
    guessed = guessed_below(pairs, table.stars or DEFAULT_STARS)
    if stated is not None and (guessed == "interval") == (stated == "interval"):
        table.in_parentheses, table.in_parentheses_why = stated, "the notes say so"
    else:
        table.in_parentheses = guessed
        table.in_parentheses_why = "" if guessed != "interval" else "two numbers in brackets"
    for row in [r for r in table.rows if r.role == "label"]:
        for j, cell in row.cells.items():
            if row.label and j < len(table.columns):
                table.columns[j].labels[row.label] = _flag(cell.text)


def _flag(text: str) -> str:
    return {"yes": "Yes", "no": "No"}.get(what(text), text)


def flags(table: ReadTable) -> list[ReadRow]:
    """Rows that say what columns contain."""
    return [row for row in table.rows if row.role == "label" and is_flag(row.label)]
