"""Tables of Markdown, and of text as it is pasted from a PDF or printed by a program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

from bayesdid.importing.console import is_stata, read_console
from bayesdid.importing.grid import Document, Grid, is_note, make_grid
from bayesdid.importing.numbers import enumerator, is_number
from bayesdid.importing.pandoc import pipes, without_drawings
from bayesdid.importing.pasted import (
    are_errors,
    gapped,
    in_groups,
    labelled,
    measured_names,
    names_of,
    paired,
)
from bayesdid.importing.stacked import read_stacked
from bayesdid.importing.tails import GLUE, is_numeric, tail
from bayesdid.importing.words import DEPENDENT, TITLE, is_enumerated

_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_LINE = re.compile(r"^[\s\-=_─━~+.:|]{4,}$")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>~])")
_EMPHASIS = re.compile(r"(?<![*\\])(\*\*|__)(?=[^\s*])(.+?)(?<=[^\s*])\1(?!\*)")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)

_CAPTION = re.compile(r"(?:Table)?: (\S.*?)\s*(?:\{[^{}]*\})?\s*$")  # of Pandoc, below its table


def read_text(text: str) -> Document:
    """Pipe tables, and blocks of lines of which most end in numbers."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(8).split("\n")
    if is_stata(lines):  # whose bars draw no table
        return read_console(lines) or _columns(lines)
    lines = without_drawings(lines)
    if any(_is_pipe_rule(line) for line in lines) or _piped(lines):
        return _markdown(lines)
    return read_console(lines) or read_stacked(lines) or _columns(lines)


def _piped(lines: list[str]) -> bool:
    """Whether most lines are rows between pipes, although no rule of dashes is among them."""
    full = [line.strip() for line in lines if line.strip()]
    rows = [line for line in full if line.startswith("|") and line.endswith("|")]
    return len(rows) >= 4 and 2 * len(rows) > len(full)


def _is_pipe_rule(line: str) -> bool:
    return "|" in line and bool(_RULE.match(line))


def _markdown(lines: list[str]) -> Document:
    """Pipe tables; a rule of dashes begins one, with the line above as its header."""
    grids: list[Grid] = []
    prose: list[str] = []
    rows: list[list[str]] = []
    title = ""

    def end(notes: str = "") -> None:
        nonlocal rows, title
        if rows:
            grids.append(make_grid(rows, title, notes, loose=True))
        rows, title = [], ""

    for i, line in enumerate(lines):
        if _is_pipe_rule(line) and rows and _goes_on(rows):
            continue
        if _is_pipe_rule(line):
            head = rows.pop() if rows else []
            end()
            above = prose[-1] if prose else ""
            title = above if TITLE.match(above) else ""
            rows = [head] if head else []
        elif "|" in line and (rows or line.lstrip().startswith("|") or _opens(lines, i)):
            rows.append([_unmarked(_BREAK.sub("\n", cell).strip()) for cell in pipes(line)])
        elif line.strip():
            if rows and len(rows) > 1:
                end(_noted(line) if is_note(line) else "")
            elif grids and is_note(line) and not rows:
                last = grids[-1]
                grids[-1] = Grid(last.rows, last.title, f"{last.notes} {_noted(line)}", last.loose)
            if grids and not rows and not grids[-1].title and (below := _CAPTION.match(line)):
                last = grids[-1]
                grids[-1] = Grid(last.rows, _unmarked(below[1]), last.notes, last.loose)
                continue
            prose.append(_unmarked(line.strip()))
    end()
    return Document(tuple(grids), tuple(prose))


def _opens(lines: list[str], i: int) -> bool:
    return i + 1 < len(lines) and _is_pipe_rule(lines[i + 1])


def _goes_on(rows: list[list[str]]) -> bool:
    """Whether a rule stands inside of a table: no numbers yet, or numbers in the line above."""
    numbers = [any(is_numeric(c) and not enumerator(c) for c in row) for row in rows]
    return len(rows) > 1 and (not any(numbers) or numbers[-1])


def _noted(line: str) -> str:
    """A line of notes; stars are escaped in some, and those of a legend are no emphasis."""
    return _ESCAPED.sub(r"\1", line.strip())


def _unmarked(text: str) -> str:
    """Text without emphasis and escapes; stars after a number are stars."""
    if whole := re.fullmatch(r"\*\*([^*]+)\*\*", text):
        text = whole[1]  # **1.23** is bold, 1.23** is not
    elif whole := re.fullmatch(r"([*_])([A-Za-z][^*]*)\1", text):
        text = whole[2]
    elif not re.search(r"\d\s*\\?\*", text):
        text = _EMPHASIS.sub(r"\2", text)
    return _ESCAPED.sub(r"\1", text)


def _columns(lines: list[str]) -> Document:
    """Lines whose words stand in columns; else those whose numbers stand at the end."""
    grids: list[Grid] = []
    prose: list[str] = []
    block: list[str] = []
    after_rule = False  # of a double rule, which ends a table

    def end(*, ruled: bool = False) -> None:
        nonlocal block, after_rule
        numeric = sum(bool(tail(line)[1]) for line in block)
        if numeric >= 3 and numeric * 4 >= len(block):
            grids.append(_block(block))
        else:
            text = [line.strip() for line in block if not _LINE.match(line)]
            if grids and text and (after_rule or is_note(text[0])):
                last = grids[-1]
                notes = f"{last.notes} {' '.join(text)}".strip()
                grids[-1] = Grid(last.rows, last.title, notes, last.loose)
            prose.extend(text)
        block, after_rule = [], ruled and bool(grids)

    blank = 0
    for line in lines:
        if not line.strip():
            blank += 1
            if blank > 1:
                end()
            continue
        blank = 0
        if re.fullmatch(r"\s*=+\s*", line):
            end(ruled=True)
            continue
        if TITLE.match(line) and block:
            end()
        if len(line.split()) > 25 and not tail(line)[1]:  # a line of running text
            below = bool(block)
            end()
            if grids and (is_note(line) or (below and _OF_TABLE.search(line))):
                last = grids[-1]
                notes = f"{last.notes} {line.strip()}".strip()
                grids[-1] = Grid(last.rows, last.title, notes, last.loose)
            prose.append(line.strip())
            continue
        block.append(line)
    end()
    return Document(tuple(grids), tuple(prose))


_OF_TABLE = re.compile(r"\bstandard errors? (?:are|is|in)\b|\bin parentheses\b", re.IGNORECASE)


def _block(lines: list[str]) -> Grid:
    title = ""
    if TITLE.match(lines[0]):
        title, lines = lines[0].strip(), lines[1:]
        if len(lines) > 1 and re.fullmatch(r"\S+\s+\S+", title) and _is_title(lines[0]):
            title, lines = f"{title} {lines[0].strip()}", lines[1:]
    body, runs = _ruled(lines)
    codes = next((i for i, line in enumerate(body) if "signif. codes" in line.lower()), len(body))
    if codes < len(body):  # there a dot behind a number is a mark, of less than any star
        body = [re.sub(r"(?<=\d)\.(?=\s|$)", " ", line) for line in body[:codes]] + body[codes:]
    last = max(i for i, line in enumerate(body[:codes]) if tail(line)[1])
    notes = [line.strip() for line in body[last + 1 :]]
    body = body[: last + 1]
    body = _with_left_labels(body)
    if (pairs := paired(body) or in_groups(body)) is not None:
        return make_grid(pairs, title, " ".join(notes), loose=True)
    tight = _is_tight(body)
    width = max(sum(map(is_number, tail(line)[1])) for line in body)
    opens = next((i for i, line in enumerate(body) if all(tail(line))), 0)
    measured = any(
        measured_names(line, width) and "  " not in line.strip() for line in body[:opens]
    )
    pasted = not any("  " in line.rstrip() for line in body)  # one space apart: no places
    spans = [] if measured or pasted else _spans(body, tight=tight)
    if spans:
        rows = [_cut(line, spans, runs[i], tight=tight) for i, line in enumerate(body)]
        for i, line in enumerate(body):
            if tail(line)[1]:
                break
            rows[i] = _over_groups(rows[i], _words(line), spans)
            rows[i] = _one_each(line, spans) or rows[i]
        return make_grid(rows, title, " ".join(notes))
    rows = []
    heads: list[str] = []
    middles = [] if pasted else _middles(body, width)
    for i, line in enumerate(body):
        label, values = labelled(line, body[i + 1] if i + 1 < len(body) else "")
        numbered = any(is_enumerated(other.split()) for other in body[max(0, i - 1) : i + 2])
        if not values and i < opens and (names := measured_names(line, width)):
            rows.append(names)
            heads = names
            continue
        if not values and i < opens and (names := _over_middles(line, runs[i], middles)):
            rows.append(names)
            continue
        if not values and i < opens and (names := names_of(line, width, plain=numbered)):
            rows.append(names)
            continue
        if is_enumerated(values) and not label:
            rows.append(["", *values])
        elif pasted and len(values) < width and are_errors(label, values):
            rows.append(values)  # which says that empty cells were lost
        elif values or not re.search(r"\s{2,}", line.strip()):
            rows.append(gapped([*([label] if label or not values else []), *values], heads))
        else:
            rows.append(re.split(r"\s{2,}", line.strip()))
    return make_grid(rows, title, " ".join(notes), loose=True)


def _with_left_labels(lines: list[str]) -> list[str]:
    """Lines whose labels all end below each other, as R prints a data frame, with labels left."""
    labels = [tail(line)[0] if all(tail(line)) else "" for line in lines]
    starts = [len(line) - len(line.lstrip()) for line in lines]
    begins = {start for start, label in zip(starts, labels, strict=True) if label}
    ends = {start + len(label) for start, label in zip(starts, labels, strict=True) if label}
    if len(ends) != 1 or len(begins) < _VARIED:
        return lines
    width = ends.pop()
    return [
        label.ljust(width) + line[width:] if label else line
        for line, label in zip(lines, labels, strict=True)
    ]


_VARIED = 3  # places where labels begin


def _is_tight(lines: list[str]) -> bool:
    """Whether numbers stand one space apart: from each other, or from the longest label."""
    apart = [span for line in lines for span in _words(line) if _pair(line[slice(*span)])]
    begin, end = {a for a, _ in apart}, {b for _, b in apart}

    def splits(line: str, span: tuple[int, int]) -> bool:
        parts = _parts(line, *span)
        a, b = parts[-1]
        lined = (a in begin or b in end) and "." in line[a:b]
        beside = is_numeric(line[span[0] :].split(maxsplit=1)[0]) or lined
        return len(parts) > 1 and beside

    return any(splits(line, span) for line in lines for span in _words(line))


def _over_groups(
    row: list[str], words: list[tuple[int, int]], spans: list[tuple[int, int]]
) -> list[str]:
    """A line of headings that are fewer than the columns, each of as many columns as the others.

    They are where each stands above the middle of its own columns.
    """
    named = [text for text in row[1:] if text]
    inner = [(a, b) for a, b in words if a > spans[0][0]]
    width, count = len(spans) - 1, len(named)
    if not 0 < count < width or width % count or len(inner) != count:
        return row
    size = width // count
    for k, (a, b) in enumerate(inner):
        group = spans[1 + k * size : 1 + (k + 1) * size]
        middle = (group[0][0] + group[-1][1]) / 2
        if abs((a + b) / 2 - middle) > (group[-1][1] - group[0][0]) / (2 * size):
            return row
    return [row[0], *(text for text in named for _ in range(size))]


def _middles(lines: list[str], width: int) -> list[float]:
    """About where columns are whose numbers overlap: the middle of the k-th of full rows."""
    found = [[(a + b) / 2 for a, b in _words(line) if _pair(line[a:b])] for line in lines]
    full = [one for one in found if len(one) == width]
    return [median(places) for places in zip(*full, strict=True)]


def _over_middles(line: str, runs: list[tuple[int, int]], middles: list[float]) -> list[str]:
    """Headings of all columns, each above the stroke that runs over its own; else none."""
    columns = [(0.0, 0.0), *((middle, middle) for middle in middles)]
    names = _cut(line, columns, runs, tight=False)[1:] if runs else []
    return names if all(names) else []


def _one_each(line: str, spans: list[tuple[int, int]]) -> list[str]:
    """Headings that one space sets apart, as many as columns, each above its own; else none."""
    words = [match.span() for match in re.finditer(r"\S+", line)]
    above = len(words) == len(spans) - 1 and all(
        a < d and c < b for (a, b), (c, d) in zip(words, spans[1:], strict=True)
    )
    return ["", *(line[a:b] for a, b in words)] if above else []


def _is_title(line: str) -> bool:
    """Whether a line below the number of a table is its title: one text, no heading of columns."""
    text = line.strip()
    words = text.split()
    plain = len(words) > 1 and not re.search(r"\s{2,}", text) and not tail(line)[1]
    if not plain or DEPENDENT.match(text):
        return False
    said = (
        text.endswith(".")
        or (text.isupper() and len(words) > 2)
        or 2 * sum(word.islower() for word in words) >= len(words)
    )
    return said or bool(_PHRASE.search(text))


_PHRASE = re.compile(r"\S (?:of|on|in|and|by|for|to|the) \S")  # of a title in Capitals


_COUNTED = re.compile(r"[^\W\d]+\.? \(?(\d{1,2})\)?(?!\S)")


def _words(line: str, *, tight: bool = False) -> list[tuple[int, int]]:
    """Where words of a line stand that two spaces or more set apart; if `tight`, numbers by one."""
    counted = list(_COUNTED.finditer(line))  # Model 1 Model 2: headings, whose numbers are no cells
    if (
        counted
        and not _COUNTED.sub("", line).strip()
        and [int(match[1]) for match in counted] == [*range(1, len(counted) + 1)]
    ):
        return [match.span() for match in counted]
    found = [match.span() for match in re.finditer(r"\S+(?: \S+)*", line)]
    return [part for span in found for part in _parts(line, *span)] if tight else found


def _parts(line: str, start: int, stop: int) -> list[tuple[int, int]]:
    """The numbers that end a word, each on its own, and what stands before them."""
    glued = re.sub(r"([,;]) (?=[^\s()\[\]]+[\])])", rf"\1{GLUE}", line[start:stop])
    glued = re.sub(r"(?<=[\d*+†.]) (?=[(\[][^ ]*\d[^ ]*[)\]](?: |$))", GLUE, glued)
    tokens = [(start + m.start(), start + m.end()) for m in re.finditer(r"[^ ]+", glued)]
    at = len(tokens)
    while at and _pair(line[tokens[at - 1][0] : tokens[at - 1][1]]):
        at -= 1
    return [*([(start, tokens[at - 1][1])] if at else []), *tokens[at:]]


def _ruled(lines: list[str]) -> tuple[list[str], list[list[tuple[int, int]]]]:
    """Lines without rules, and where the rule below each of them has its strokes."""
    body: list[str] = []
    runs: list[list[tuple[int, int]]] = []
    for line in lines:
        if not _LINE.match(line):
            body.append(line)
            runs.append([])
        elif body:
            runs[-1] = [match.span() for match in re.finditer(r"[^\s.:|+]+", line)]
    return body, runs


def _pair(text: str) -> bool:
    """Whether a text is a number, or an estimate with what stands in brackets beside it."""
    above, _, below = text.partition(" ")
    return is_numeric(text) or (is_numeric(above) and below[:1] in {"(", "["} and is_numeric(below))


def _spans(lines: list[str], *, tight: bool) -> list[tuple[int, int]]:
    """The characters between which columns stand, the labels' first; empty if they overlap."""
    edge = min(len(line) - len(line.lstrip()) for line in lines)
    words: list[tuple[int, int]] = []
    most = 0
    for line in lines:
        found = [span for span in _words(line, tight=tight) if span[0] > edge]
        numbers = sum(_pair(line[a:b]) for a, b in found)
        if numbers and numbers * 2 >= len(found):
            words += found
            most = max(most, len(found))
    spans: list[tuple[int, int]] = []
    for a, b in sorted(words):
        if spans and a < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], b))
        else:
            spans.append((a, b))
    return [(edge, edge + 1), *spans] if spans and len(spans) == most else []


def _cut(
    line: str, spans: Sequence[tuple[float, float]], runs: list[tuple[int, int]], *, tight: bool
) -> list[str]:
    """The words of a line in the columns that they are nearest to.

    A heading above a stroke that begins beside the labels is that of all columns below the stroke.
    """
    cells = [""] * len(spans)
    beside = [run for run in runs if run[0] > spans[0][0]]
    for a, b in _words(line, tight=tight):
        middle = (a + b) / 2
        over = next((run for run in beside if run[0] <= middle <= run[1]), None)
        if over is not None and len(beside) == len(runs) and not is_numeric(line[a:b]):
            for j, (c, d) in enumerate(spans[1:], 1):
                if over[0] <= (c + d) / 2 <= over[1]:
                    cells[j] = f"{cells[j]} {line[a:b]}".strip()
            continue
        gaps = [
            0.0 if c <= middle <= d else min(abs(middle - c), abs(middle - d)) for c, d in spans[1:]
        ]
        j = 0 if a <= spans[0][0] else gaps.index(min(gaps)) + 1
        cells[j] = f"{cells[j]} {line[a:b]}".strip()
    return cells
