"""Tables drawn by characters, as Pandoc reads them or with bars between columns, as pipe tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from bayesdid.importing.numbers import enumerator, is_number
from bayesdid.importing.words import is_measure

_FRAME = re.compile(r"^\s*\+(?:[-=:]+\+)+\s*$")
_STROKES = re.compile(r"^\s*(?:-{2,}(?:\s+-{2,})+|={2,}(?:\s+={2,})+)\s*$")
_DASHES = re.compile(r"^\s*-{4,}\s*$")
_BREAK = "<br>"


def without_drawings(lines: list[str]) -> list[str]:
    """Lines in which tables that are drawn by characters are pipe tables."""
    lines = _without_boxes(lines)
    return _without_strokes(_without_bars(_without_frames(lines)))


_BOX = str.maketrans("│┃║┆┊", "|||||")
_CORNERS = re.compile(r"^\s*[┌┍┏╔╭└┗╚╰╒╘][─━═┬┴┯┷┳┻╦╩╤╧┼]*[┐┓╗╮┘┛╝╯╕╛]\s*$")
_ACROSS = re.compile(r"^\s*[├┝┠┣╠╞╟][─━═┼┿╋╬╪╫┬┴]*[┤┥┨┫╣╡╢]\s*$")


def _without_boxes(lines: list[str]) -> list[str]:
    """Tables in boxes of lines as pipe tables; the first line across them is the header's."""
    kept = [line for line in lines if not _CORNERS.match(line)]
    return [
        "|" + "---|" * (len(re.findall("[┼┿╋╬╪╫┬┴]", line)) + 1)
        if _ACROSS.match(line)
        else line.translate(_BOX)
        for line in kept
    ]


def pipes(line: str) -> list[str]:
    """The texts between the pipes of a line; those of ``Pr(>|t|)`` are none."""
    inner = line.strip()
    if re.match(r"(?:table|figure|fig\.)\s*\w{0,4}\s*\|", inner, re.IGNORECASE):
        inner = inner[inner.index("|") :]  # a caption run into the header, 'Figure 4| Variable'
    inner = inner if inner.startswith("|") else f"|{inner}"
    inner = re.sub(r"\|([tz])\|(?=\s*\))", r"\|\1\|", inner)
    cells = re.split(r"(?<!\\)\|", inner[1:])
    if cells and not cells[-1].strip():
        cells.pop()
    return cells


def _row(cells: Sequence[str]) -> str:
    return "|" + "|".join(cells) + "|"


def _without_frames(lines: list[str]) -> list[str]:
    """Grid tables: lines between two rules are one row, and a rule of = ends the header."""
    if not any(_FRAME.match(line) for line in lines):
        return lines
    found: list[str] = []
    row: list[list[str]] = []  # of each column its lines
    headed = False
    for line in lines:
        rule = bool(_FRAME.match(line))
        if not rule and row and line.lstrip().startswith("|"):
            for column, text in zip(row, pipes(line), strict=False):
                column += [text.strip()] if text.strip() else []
            continue
        if any(column for column in row):
            found.append(_row([_BREAK.join(column) for column in row]))
        row = [[] for _ in range(line.count("+") - 1)] if rule else []
        if rule and "=" in line and not headed:
            found.append(_row(["---"] * len(row)))
        headed = rule and (headed or "=" in line)
        if not rule:
            found.append(line)
    return found


def _without_bars(lines: list[str]) -> list[str]:
    """Tables whose columns bars set apart, with a rule of dashes alone below the header."""
    found = list(lines)
    for i in range(1, len(lines) - 1):
        bars = len(pipes(f"|{lines[i - 1]}|"))
        if not _DASHES.match(lines[i]) or bars < 2 or len(pipes(f"|{lines[i + 1]}|")) != bars:
            continue
        found[i - 1], found[i] = _row(pipes(f"|{lines[i - 1]}|")), _row(["---"] * bars)
        for k in range(i + 1, len(lines)):
            cells = pipes(f"|{lines[k]}|")
            if len(cells) != bars and not _DASHES.match(lines[k]):
                break
            found[k] = _row(cells) if len(cells) == bars else ""
    return [line for line, old in zip(found, lines, strict=True) if line or not old]


def _without_strokes(lines: list[str]) -> list[str]:
    """Simple tables, multiline tables and those of reStructuredText: columns below strokes.

    Rows of a multiline table are apart by empty lines; of a simple one each line is a row.
    """
    found: list[str] = []
    at = 0
    while at < len(lines):
        if not _STROKES.match(lines[at]) or not found:
            found.append(lines[at])
            at += 1
            continue
        spans = [m.span() for m in re.finditer("[-=]+", lines[at])]
        head: list[str] = []
        while found and found[-1].strip() and not _rules(found[-1]) and len(head) < _DEEPEST:
            head.insert(0, found.pop())
        closed = bool(found) and _rules(found[-1])
        begins = not found or closed or not found[-1].strip()
        begins = begins and not any(_is_value(word) for line in head for word in line.split())
        stop = next(
            (k for k in range(at + 1, len(lines)) if _ends(lines, k, closed=closed)), len(lines)
        )
        body = lines[at + 1 : stop]
        if not head or not begins or not all(_fits(line, spans) for line in [*head, *body]):
            found += [*head, lines[at]]
            at += 1
            continue
        rows = (
            _blocks(body) if any(not line.strip() for line in body) else [[line] for line in body]
        )
        if closed:
            found.pop()
        found += ["", _table_row(head, spans), _row(["---"] * len(spans))]
        found += [_table_row(row, spans) for row in rows]
        at = stop + (stop < len(lines) and bool(lines[stop].strip()))
    return found


_DEEPEST = 3  # lines of a header


def _is_value(word: str) -> bool:
    """Whether a word is a number that heads no column, as ``(1)`` and ``97.5`` do."""
    return is_number(word) and not enumerator(word) and not is_measure(f"{word.rstrip('%')} %")


def _rules(line: str) -> bool:
    return bool(_DASHES.match(line) or _STROKES.match(line))


def _ends(lines: list[str], k: int, *, closed: bool) -> bool:
    """Whether a table ends before a line: a rule, or an empty line that is none between rows."""
    return _rules(lines[k]) or (not closed and not lines[k].strip())


def _blocks(lines: list[str]) -> list[list[str]]:
    rows: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            rows[-1].append(line)
        elif rows[-1]:
            rows.append([])
    return [row for row in rows if row]


def _fits(line: str, spans: list[tuple[int, int]]) -> bool:
    """Whether nothing of a line stands between the columns."""
    outside = [line[b:a] for (_, b), (a, _) in pairwise(spans)]
    return not any(text.strip() for text in (line[: spans[0][0]], *outside))


def _table_row(lines: list[str], spans: list[tuple[int, int]]) -> str:
    """A row of one line or more; the last column goes on to the end of its lines."""
    ends = [b for _, b in spans[:-1]] + [None]
    cells = [
        _BREAK.join(text for line in lines if (text := line[a:b].strip()))
        for (a, _), b in zip(spans, ends, strict=True)
    ]
    return _row([cell.replace("|", r"\|") for cell in cells])
