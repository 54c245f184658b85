"""Tables of Markdown, and of text as it is pasted from a PDF or printed by a program."""

from __future__ import annotations

import re

from bayesdid.importing.grid import Document, Grid, make_grid
from bayesdid.importing.numbers import is_number

_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_LINE = re.compile(r"^[\s\-=_─━~+.:|]{4,}$")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>~])")
_EMPHASIS = re.compile(r"(?<![*\\])(\*\*|__)(?=[^\s*])(.+?)(?<=[^\s*])\1(?!\*)")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TITLE = re.compile(r"^\s*(?:\*\*)?(?:table|tab\.|panel)\s+[A-Z]?\d", re.IGNORECASE)


def read_text(text: str) -> Document:
    """Pipe tables, and blocks of lines of which most end in numbers."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(8).split("\n")
    if any(_is_pipe_rule(line) for line in lines):
        return _markdown(lines)
    return _columns(lines)


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
        if _is_pipe_rule(line):
            head = rows.pop() if rows else []
            end()
            above = prose[-1] if prose else ""
            title = above if _TITLE.match(above) else ""
            rows = [head] if head else []
        elif "|" in line and (rows or line.lstrip().startswith("|") or _opens(lines, i)):
            rows.append(_pipes(line))
        elif line.strip():
            if rows and len(rows) > 1:
                end(line.strip() if _is_note(line) else "")
            elif grids and _is_note(line) and not rows:
                last = grids[-1]
                grids[-1] = Grid(last.rows, last.title, f"{last.notes} {line.strip()}", last.loose)
            prose.append(_unmarked(line.strip()))
    end()
    return Document(tuple(grids), tuple(prose))


def _opens(lines: list[str], i: int) -> bool:
    return i + 1 < len(lines) and _is_pipe_rule(lines[i + 1])


def _is_note(line: str) -> bool:
    start = line.strip().lower().lstrip("*_ ")
    return start.startswith(("note", "standard error", "t stat", "t-stat", "robust", "signif")) or (
        bool(re.search(r"\*\s*p\s*<|p\s*<\s*0?\.\d", line))
    )


def _pipes(line: str) -> list[str]:
    inner = line.strip()
    if not inner.startswith("|"):  # a caption run into the header, 'Figure 4| Variable | ...'
        inner = inner[inner.index("|") :]
    cells = re.split(r"(?<!\\)\|", inner[1:])
    if cells and not cells[-1].strip():
        cells.pop()
    return [_unmarked(_BREAK.sub("\n", cell).strip()) for cell in cells]


def _unmarked(text: str) -> str:
    """Text without emphasis and escapes; stars after a number are stars."""
    if not re.search(r"\d\s*\\?\*", text):
        text = _EMPHASIS.sub(r"\2", text)
    return _ESCAPED.sub(r"\1", text)


def _columns(lines: list[str]) -> Document:
    """Lines whose words stand in columns; else those whose numbers stand at the end."""
    grids: list[Grid] = []
    prose: list[str] = []
    block: list[str] = []

    def end() -> None:
        nonlocal block
        numeric = sum(bool(_tail(line)[1]) for line in block)
        if numeric >= 3 and numeric * 4 >= len(block):
            grids.append(_block(block))
        else:
            prose.extend(line.strip() for line in block)
        block = []

    blank = 0
    for line in lines:
        if not line.strip():
            blank += 1
            if blank > 1:
                end()
            continue
        blank = 0
        if _TITLE.match(line) and block:
            end()
        if len(line.split()) > 25 and not _tail(line)[1]:  # a line of running text
            end()
            prose.append(line.strip())
            continue
        block.append(line)
    end()
    return Document(tuple(grids), tuple(prose))


def _tail(line: str) -> tuple[str, list[str]]:
    """A line's label, and the numbers and words such as Yes that end it."""
    words = _glued(line).split()
    at = len(words)
    while at and (is_number(words[at - 1]) or words[at - 1].lower() in _WORDS):
        at -= 1
    return " ".join(words[:at]), words[at:]


_WORDS = frozenset({"yes", "no", "y", "n", "✓", "–", "—", "-"})


def _glued(line: str) -> str:
    """Stars, and the ends of intervals, belong to the word before them."""
    line = re.sub(r"(?<=[\d)\]])\s+(?=\*{1,4}(?:\s|$))", "", line)
    return re.sub(r"([\[(][^\s()\[\]]+[,;])\s+(?=[^\s()\[\]]+[\])])", r"\1", line)


def _block(lines: list[str]) -> Grid:
    title = ""
    if _TITLE.match(lines[0]):
        title, lines = lines[0].strip(), lines[1:]
    body = [line for line in lines if not _LINE.match(line)]
    last = max(i for i, line in enumerate(body) if _tail(line)[1])
    notes = [line.strip() for line in body[last + 1 :]]
    body = body[: last + 1]
    starts = _starts(body)
    if starts:
        return make_grid([_cut(line, starts) for line in body], title, " ".join(notes))
    rows = []
    for line in body:
        label, values = _tail(line)
        if values or not re.search(r"\s{2,}", line.strip()):
            rows.append([*([label] if label or not values else []), *values])
        else:
            rows.append(re.split(r"\s{2,}", line.strip()))
    return make_grid(rows, title, " ".join(notes), loose=True)


def _starts(lines: list[str]) -> list[tuple[int, int]]:
    """Spans of characters in which words of the columns stand; empty if they overlap."""
    words = [
        (found.start(), found.end())
        for line in lines
        for found in re.finditer(r"\S+(?: \S+)*", _kept(line))
        if found.start() > 0 and _tail(line)[1]
    ]
    spans: list[list[int]] = []
    for start, stop in sorted(words):
        if spans and start < spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], stop)
        else:
            spans.append([start, stop])
    most = max(len(_tail(line)[1]) for line in lines)
    if len(spans) != most or most < 1:
        return []
    return [(a, b) for a, b in spans]


def _kept(line: str) -> str:
    """The line with its label blanked out: a label is no evidence of columns."""
    label, values = _tail(line)
    found = line.rfind(values[0], 0, len(line)) if len(values) == 1 else -1
    if found < 0 and values:
        found = len(label)
        at = re.search(re.escape(values[0]), line[found:])
        found = found + at.start() if at else found
    return " " * found + line[found:] if values else line


def _cut(line: str, spans: list[tuple[int, int]]) -> list[str]:
    """The words of a line in the columns that they overlap most."""
    first = spans[0][0]
    cells = [""] * (len(spans) + 1)
    for found in re.finditer(r"\S+(?: \S+)*", line):
        middle = (found.start() + found.end()) / 2
        if found.end() <= first or (found.start() == len(line) - len(line.lstrip()) == 0):
            cells[0] = f"{cells[0]} {found[0]}".strip()
            continue
        gaps = [0 if a <= middle <= b else min(abs(middle - a), abs(middle - b)) for a, b in spans]
        j = gaps.index(min(gaps)) + 1
        cells[j] = f"{cells[j]} {found[0]}".strip()
    return cells
