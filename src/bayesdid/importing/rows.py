"""From lines to rows of cells: estimates, what stands below them, N, R2, effects."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from bayesdid.importing.lay import Laid, Line
from bayesdid.importing.numbers import is_interval, tidy, what
from bayesdid.importing.second import second_below
from bayesdid.importing.table import ReadCell, ReadRow, Role
from bayesdid.importing.words import CONSTANT, MEAN, WIDE, heading, is_flag, part_of, role_of
from bayesdid.study.printed import Printed


def read_rows(laid: Laid) -> list[ReadRow]:
    """Rows with their roles, estimates paired with what stands below them."""
    found: list[ReadRow] = []
    section, after = "", False
    lines = _without_bases(laid.body)
    last = max((i for i, line in enumerate(lines) if _follows(line, lines, i + 1)), default=0)
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
        beside = i + 1 < len(lines) and bool(lines[i + 1].kind)
        below = lines[i + 1] if not beside and _follows(line, lines, i + 1) else None
        paired = [row for row in found if row.role == "estimate"]
        counts = below is None and bool(paired) and all(map(_has_below, paired))
        whole = all(map(_is_whole, (text for _, text in filled)))
        counts = counts and not line.kind and (whole or i > last)
        # from here on, numbers with nothing below or beside them are no estimates
        alone = (after or bool(apart) or counts) and not beside
        if below is None and not line.label.strip():
            found.append(_unlabelled(line))
            after = True
        elif below is None and not line.kind and (known or (alone and not _starred(filled))):
            found.append(_single(line, known or "statistic", section))
            if not (known or after or apart or whole):
                _mark(found[-1])
            after = True
            if i + 1 < len(lines) and (degrees := _degrees(line, lines[i + 1])):
                found[-1].references = degrees
                i += 1
        elif below is None and (
            known == "clusters" or (known in {"n", "r2"} and not beside and _is_size(line, known))
        ):
            found.append(_single(line, known, section))
            after = True
        elif below is not None and MEAN.match(line.label.strip()):
            error = Line(below.index, f"{line.label.strip()}, se", below.texts, below.lost)
            found += [_single(one, "statistic", section) for one in (line, error)]
            i += 1
        else:
            row = _estimates(line, below)
            if below is not None and _third(line, lines, i + 2):
                i += 1  # a second line below: kept if it holds intervals, or p in other brackets
                second = {j: _cell(lines[i + 1], j, "below") for j, _ in lines[i + 1].filled()}
                row.beside, row.why = second_below(row, {} if lines[i + 1].lost else second)
            while (at := i + 1 + (below is not None)) < len(lines) and lines[at].kind:
                _put_beside(row, lines[at])
                i += 1
            found.append(row)
            i += below is not None
        i += 1
    return [_doubted(row) for row in _distinct(_named_above(found))]


def _named_above(rows: list[ReadRow]) -> list[ReadRow]:
    """Estimates without a label are named by the row of words above them, as g=2004 of groups."""
    for above, row in pairwise(rows):
        said = above.role == "label"
        flags = {what(cell.text) for cell in above.cells.values()} & {"yes", "no"}
        if row.role == "estimate" and not row.label.strip() and said and not flags:
            row.label, row.part = above.label, part_of(above.label)
    return rows


def _has_below(row: ReadRow) -> bool:
    return bool(row.below) or any(below is not None for _, below in row.lost)


def _put_beside(row: ReadRow, line: Line) -> None:
    """A line of t, p or the like among what stands beside the estimates of a row."""
    cells = [ReadCell(tidy(text), "below", line.index, j) for j, text in line.filled()]
    if row.lost and len(cells) == len(row.lost):
        known = row.lost_beside or ({},) * len(cells)
        pairs = zip(known, cells, strict=True)
        row.lost_beside = tuple({**others, line.kind: cell} for others, cell in pairs)
    elif not row.lost:
        for cell in cells:
            row.beside.setdefault(cell.position, {})[line.kind] = cell


def _distinct(rows: list[ReadRow]) -> list[ReadRow]:
    """Rows of statistics whose label repeats below each estimate, named after that one."""
    labels = [row.label for row in rows if row.role == "statistic"]
    above = ""
    for row in rows:
        if row.role == "estimate":
            above = row.label
        elif row.role == "statistic" and above and row.label and labels.count(row.label) > 1:
            row.label = f"{above}: {row.label}"
    return rows


_NO_ERROR = re.compile(r"[(\[]\s*\.?\s*[)\]]")  # (.), as Stata prints it


def _without_bases(lines: list[Line]) -> list[Line]:
    """Lines without zeros that have no error below them: base categories, left-out terms."""
    kept: list[Line] = []
    for line in lines:
        bare = [j for j, text in enumerate(line.texts) if _NO_ERROR.fullmatch(text.strip())]
        if bare and kept and not line.label.strip():
            above = kept.pop()
            bare = [j for j in bare if re.fullmatch(r"0(?:\.0+)?", above.texts[j].strip())]
            texts = ["" if j in bare else text for j, text in enumerate(above.texts)]
            if not any(texts):
                continue
            kept.append(replace(above, texts=texts))
        kept.append(line)
    return kept


def _doubted(row: ReadRow) -> ReadRow:
    """A row of estimates, marked if nothing stands below or beside it that could confirm them."""
    if row.role != "estimate" or row.below or row.beside or any(b for _, b in row.lost):
        return row
    return _mark(row)


def _mark(row: ReadRow) -> ReadRow:
    row.confidence, row.why = 0.9, "nothing stands below it"
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


def _is_size(line: Line, role: Role | None) -> bool:
    """Whether a row is one of n or R2, by its role and by what it holds: no marks, n whole."""
    if role not in {"n", "r2"}:
        return False
    filled = line.filled()
    whole = role == "r2" or not any(re.search(r"\.\d*[1-9]", text) for _, text in filled)
    return whole and not _starred(filled)


def _stands_below(line: Line, other: Line) -> bool:
    filled = other.filled()
    kinds = [what(text) for _, text in filled]
    one = other.index == line.index  # what stood beside it, as nothing does beside n or R2
    if not filled or (_is_size(line, role_of(line.label)) and not one):
        return False
    if all(what(text) == "below" for _, text in line.filled()) and not line.label.strip():
        return False
    brackets = kinds.count("below")
    if brackets == 0 or any(kind not in {"below", "number"} for kind in kinds):
        return False
    return (not other.label.strip() or brackets == len(kinds)) and brackets * 2 >= len(kinds)


def _follows(line: Line, lines: list[Line], i: int) -> bool:
    """Whether there is a line that stands below an estimate."""
    return i < len(lines) and _stands_below(line, lines[i])


def _third(line: Line, lines: list[Line], i: int) -> bool:
    return _follows(line, lines, i) and not lines[i].label.strip() and not lines[i].kind


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
