"""Tables of Markdown, and of text as it is pasted from a PDF or printed by a program."""

from __future__ import annotations

import re

from bayesdid.importing.console import read_console
from bayesdid.importing.grid import Document, Grid, is_note, make_grid
from bayesdid.importing.numbers import enumerator, is_number
from bayesdid.importing.pandoc import pipes, without_drawings
from bayesdid.importing.words import WIDE, heading, is_enumerated, is_measure, is_standardised

_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_LINE = re.compile(r"^[\s\-=_─━~+.:|]{4,}$")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>~])")
_EMPHASIS = re.compile(r"(?<![*\\])(\*\*|__)(?=[^\s*])(.+?)(?<=[^\s*])\1(?!\*)")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TITLE = re.compile(r"^\s*(?:\*\*)?(?:table|tab\.|panel)\s+[A-Z]?\d", re.IGNORECASE)

_CAPTION = re.compile(r"(?:Table)?: (\S.*?)\s*(?:\{[^{}]*\})?\s*$")  # of Pandoc, below its table


def read_text(text: str) -> Document:
    """Pipe tables, and blocks of lines of which most end in numbers."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(8).split("\n")
    lines = without_drawings(lines)
    if any(_is_pipe_rule(line) for line in lines) or _piped(lines):
        return _markdown(lines)
    return read_console(lines) or _columns(lines)


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
            title = above if _TITLE.match(above) else ""
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
    numbers = [any(_numeric(c) and not enumerator(c) for c in row) for row in rows]
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
        numeric = sum(bool(_tail(line)[1]) for line in block)
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
        if _TITLE.match(line) and block:
            end()
        if len(line.split()) > 25 and not _tail(line)[1]:  # a line of running text
            end()
            if grids and is_note(line):
                last = grids[-1]
                notes = f"{last.notes} {line.strip()}".strip()
                grids[-1] = Grid(last.rows, last.title, notes, last.loose)
            prose.append(line.strip())
            continue
        block.append(line)
    end()
    return Document(tuple(grids), tuple(prose))


def _numeric(word: str) -> bool:
    """Whether a word is a number of a table; p<0.05 is one of a legend."""
    return word[:1] not in {"p", "P", "<"} and is_number(word)


def _tail(line: str) -> tuple[str, list[str]]:
    """A line's label, and the numbers and words such as Yes that end it."""
    if _LEVEL.fullmatch(line.strip()):
        return line.strip(), []
    words = [word.replace(_GLUE, " ") for word in _glued(line).split()]
    at = len(words)
    while at and (_numeric(words[at - 1]) or words[at - 1].lower() in _WORDS or _bounds(words, at)):
        at -= 1
    at += at == 0 and len(words) > 1 and words[0] in {"N", "n"}  # a label, not No
    if at and words[at - 1].endswith("<"):  # * < 0.1, of a legend
        return line.strip(), []
    return " ".join(words[:at]), words[at:]


_LEVEL = re.compile(r"(?:level|step|block|model|stage|study|part)\s+\d{1,2}:?", re.IGNORECASE)


def _bounds(words: list[str], at: int) -> bool:
    """Whether a word is a bound such as ``<.001`` of a number of the same line, not of a legend."""
    before = words[at - 2] if at > 1 else ""
    bound = words[at - 1].startswith("<") and is_number(words[at - 1])
    return bound and (at < len(words) or _numeric(before)) and before.lower() not in {"p", "value"}


_GLUE = "\ue000"  # of two words that are one cell
_WORDS = frozenset({"yes", "no", "y", "n", "✓", "–", "—", "-"})


_RANGE = re.compile(  # 1.773 1.043−3.013 **: its mark is the estimate's
    r"(?<!\S)(\d*\.\d+)\s+(\d*\.\d+)[-−–](\d*\.\d+)(?:\s*(\*{1,4}))?(?!\S)"
)


def _glued(line: str) -> str:
    """Stars, and the ends of intervals, belong to the word before them."""
    line = re.sub(r"(?<=[\d)\]])\s+(?=\*{1,4}(?:\s|$))", "", line)
    line = _RANGE.sub(r"\1\4 [\2,\3]", line)
    line = re.sub(r"(?<=\d)(\s+<)\s+(?=[-−]?\.?\d)", r"\1", line)
    return re.sub(r"([\[(][^\s()\[\]]+[,;])\s+(?=[^\s()\[\]]+[\])])", rf"\1{_GLUE}", line)


def _block(lines: list[str]) -> Grid:
    title = ""
    if _TITLE.match(lines[0]):
        title, lines = lines[0].strip(), lines[1:]
        if len(lines) > 1 and re.fullmatch(r"\S+\s+\S+", title) and _is_title(lines[0]):
            title, lines = f"{title} {lines[0].strip()}", lines[1:]
    body, runs = _ruled(lines)
    codes = next((i for i, line in enumerate(body) if "signif. codes" in line.lower()), len(body))
    if codes < len(body):  # there a dot behind a number is a mark, of less than any star
        body = [re.sub(r"(?<=\d)\.(?=\s|$)", " ", line) for line in body[:codes]] + body[codes:]
    last = max(i for i, line in enumerate(body[:codes]) if _tail(line)[1])
    notes = [line.strip() for line in body[last + 1 :]]
    body = body[: last + 1]
    body = _with_left_labels(body)
    if (pairs := _paired(body)) is not None:
        return make_grid(pairs, title, " ".join(notes), loose=True)
    tight = _is_tight(body)
    width = max(sum(map(is_number, _tail(line)[1])) for line in body)
    opens = next((i for i, line in enumerate(body) if all(_tail(line))), 0)
    measured = any(_measured(line, width) and "  " not in line.strip() for line in body[:opens])
    spans = [] if measured else _spans(body, tight=tight)
    if spans:
        rows = [_cut(line, spans, runs[i], tight=tight) for i, line in enumerate(body)]
        for i, line in enumerate(body):
            if _tail(line)[1]:
                break
            rows[i] = _over_groups(rows[i], _words(line), spans)
            rows[i] = _one_each(line, spans) or rows[i]
        return make_grid(rows, title, " ".join(notes))
    rows = []
    heads: list[str] = []
    for i, line in enumerate(body):
        label, values = _tail(line)
        numbered = any(is_enumerated(other.split()) for other in body[max(0, i - 1) : i + 2])
        if not values and i < opens and (names := _measured(line, width)):
            rows.append(names)
            heads = names
            continue
        if not values and i < opens and (names := _names(line, width, plain=numbered)):
            rows.append(names)
            continue
        if values or not re.search(r"\s{2,}", line.strip()):
            rows.append(_gapped([*([label] if label or not values else []), *values], heads))
        else:
            rows.append(re.split(r"\s{2,}", line.strip()))
    return make_grid(rows, title, " ".join(notes), loose=True)


def _paired(lines: list[str]) -> list[list[str]] | None:
    """Rows of lines of estimates each with its error in brackets, one space apart from the next.

    Errors become a line of their own; where rows are shorter than others it has no label either,
    as in a table that lost its empty cells. None of other lines.
    """
    headed = any(sum(map(is_measure, line.split())) > 1 for line in lines)
    if headed or any("  " in line.strip() for line in lines):
        return None
    tails = [_tail(line) for line in lines]
    split = [_halves(values) for _, values in tails]
    paired = [len(above) for above, below in split if below]
    if len(paired) < _PAIRED or max(paired) < _LEAST:
        return None
    width, rows = max(paired), []
    gap = [""] if min(paired) == width else []
    for line, (label, values), (above, below) in zip(lines, tails, split, strict=True):
        if not values:
            names = line.split()
            cut = len(names) - width
            rows.append([" ".join(names[:cut]), *names[cut:]] if cut >= 0 else [line.strip()])
        elif below:
            rows += [[label, *above], [*gap, *below]]
        else:
            rows.append([label, *values])
    return rows


_PAIRED, _LEAST = 2, 2  # lines of estimates and errors, and columns


def _halves(values: list[str]) -> tuple[list[str], list[str]]:
    """Estimates and the brackets behind each of them; no brackets where they do not alternate."""
    above, below = values[::2], values[1::2]
    alternate = len(above) == len(below) and not any(v[0] in "([" for v in above)
    return (above, below) if alternate and all(v[0] in "([" for v in below) else (values, [])


def _with_left_labels(lines: list[str]) -> list[str]:
    """Lines whose labels all end below each other, as R prints a data frame, with labels left."""
    labels = [_tail(line)[0] if all(_tail(line)) else "" for line in lines]
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
        beside = _numeric(line[span[0] :].split(maxsplit=1)[0]) or lined
        return len(parts) > 1 and beside

    return any(splits(line, span) for line in lines for span in _words(line))


def _measured(line: str, width: int) -> list[str]:
    """A heading such as ``Coefficient z SE P`` or ``Variable OR 95% CI p``, with its label.

    A column of p-values in which marks stand is none: those are at the estimates.
    """
    words = line.split()
    found: list[str] = []
    while words:
        size = next((k for k in (3, 2, 1) if is_measure(" ".join(words[-k:]))), 0)
        if not size:
            break
        found.insert(0, " ".join(words[-size:]))
        words = words[:-size]
    if len(words) > 2 or any(map(is_number, words)):
        return []
    unmarked = [text for text in found if heading([text], WIDE) != ["p"]]
    fitting = next((one for one in (found, unmarked) if len(one) == width > 1), [])
    return [" ".join(words), *fitting] if fitting else []


def _gapped(row: list[str], heads: list[str]) -> list[str]:
    """The numbers of a constant, which has no standardised coefficient, under their headings."""
    gaps = [j for j, head in enumerate(heads) if j and is_standardised(head)]
    short = len(gaps) == 1 and len(row) == len(heads) - 1
    constant = re.search(r"intercept|constant", row[0] if row else "", re.IGNORECASE)
    return [*row[: gaps[0]], "", *row[gaps[0] :]] if short and constant else row


_VARIABLES = re.compile(r"(?:variables?|dep\w*\.?(?: var\w*\.?)?|outcomes?)\s*:?$", re.IGNORECASE)


def _names(line: str, width: int, *, plain: bool) -> list[str]:
    """A heading of outcomes that one space sets apart, with its label: one name repeated, or more.

    Without a label, names of different columns are told from running text where they stand beside
    the numbers of columns (`plain`).
    """
    words = line.split()
    label = " ".join(words[: len(words) - width])
    names = words[len(words) - width :]
    if width < 2 or len(words) < width or (label and not _VARIABLES.match(label)):
        return []
    return [label, *names] if label or plain or len(set(names)) == 1 else []


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
    plain = len(words) > 1 and not re.search(r"\s{2,}", text) and not _tail(line)[1]
    return plain and (text.endswith(".") or 2 * sum(word.islower() for word in words) >= len(words))


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
    glued = re.sub(r"([,;]) (?=[^\s()\[\]]+[\])])", rf"\1{_GLUE}", line[start:stop])
    glued = re.sub(r"(?<=[\d*+†.]) (?=[(\[][^ ]*\d[^ ]*[)\]](?: |$))", _GLUE, glued)
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
    return _numeric(text) or (_numeric(above) and below[:1] in {"(", "["} and _numeric(below))


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
    line: str, spans: list[tuple[int, int]], runs: list[tuple[int, int]], *, tight: bool
) -> list[str]:
    """The words of a line in the columns that they are nearest to.

    A heading above a stroke that begins beside the labels is that of all columns below the stroke.
    """
    cells = [""] * len(spans)
    beside = [run for run in runs if run[0] > spans[0][0]]
    for a, b in _words(line, tight=tight):
        middle = (a + b) / 2
        over = next((run for run in beside if run[0] <= middle <= run[1]), None)
        if over is not None and len(beside) == len(runs) and not _numeric(line[a:b]):
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
