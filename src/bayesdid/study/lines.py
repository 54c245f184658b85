"""The line of a TOML file that a key stands in, so that an error or a finding can name it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bayesdid.exceptions import InputError
from bayesdid.study.cells import LAG

Key = str | int
_HEADER = re.compile(r"^\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_PART = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|\'([^\']*)\'|([\w-]+))\s*(?:\.|$)')
_ASSIGNED = re.compile(
    r'^\s*((?:"(?:[^"\\]|\\.)*"|\'[^\']*\'|[\w-]+)(?:\s*\.\s*(?:"(?:[^"\\]|\\.)*"|\'[^\']*\'|[\w-]+))*)\s*='
)
_INNER = re.compile(r'(?:"((?:[^"\\]|\\.)*)"|\'([^\']*)\'|([\w-]+))\s*=')


def line_of(text: str, place: Sequence[Key]) -> int | None:
    """Number of the line, from 1, of the deepest key on the way to `place`; None if there is none.

    Parameters
    ----------
    place
        Keys and positions in arrays, as pydantic reports them:
        ``("column", 2, "coefficients", "both", "estimate")``.
    """
    best: tuple[int, int] | None = None
    for number, path in _keys(text):
        depth = _shared(path, place)
        if depth == len(path) and depth and (best is None or depth > best[0]):
            best = depth, number
    return best[1] if best else None


def _keys(text: str) -> list[tuple[int, tuple[Key, ...]]]:
    """Line and full path of every header and key; text in triple quotes is skipped."""
    found: list[tuple[int, tuple[Key, ...]]] = []
    counts: dict[tuple[Key, ...], int] = {}
    table: tuple[Key, ...] = ()
    quotes = ""
    array: tuple[tuple[Key, ...], int] | None = None  # a list of inline tables that is open
    for number, line in enumerate(text.splitlines(), 1):
        if quotes:
            quotes = "" if quotes in line else quotes
            continue
        if array is not None:
            path, position = array
            for _ in range(line.count("{")):
                found.append((number, (*path, position)))
                found += [(number, (*path, position, key)) for key in _inner(line)]
                position += 1
            array = (
                None
                if line.strip().startswith("]") or line.rstrip().endswith("]")
                else (path, position)
            )
            continue
        if header := _HEADER.match(line):
            names = _parts(header[2])
            table = _resolved(names[:-1], counts)
            table = (*table, names[-1]) if names else table
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            elif table in counts:
                table = (*table, counts[table])
            found.append((number, table))
            continue
        if assigned := _ASSIGNED.match(line):
            path = (*table, *_parts(assigned[1]))
            found.append((number, path))
            rest = line[assigned.end() :]
            found += [(number, (*path, key)) for key in _inner(rest)]
            for mark in ('"""', "'''"):
                if rest.count(mark) == 1:
                    quotes = mark
            if rest.strip().startswith("[") and "]" not in rest:
                array = (path, 0)
    return found


def _parts(text: str) -> tuple[str, ...]:
    return tuple(a or b or c for a, b, c in _PART.findall(text))


def _inner(text: str) -> list[str]:
    return [a or b or c for a, b, c in _INNER.findall(text)]


def _resolved(names: Sequence[str], counts: dict[tuple[Key, ...], int]) -> tuple[Key, ...]:
    """The names of a header with the positions of the arrays that they are in."""
    path: tuple[Key, ...] = ()
    for name in names:
        path = (*path, name)
        if path in counts:
            path = (*path, counts[path])
    return path


def _shared(path: Sequence[Key], place: Sequence[Key]) -> int:
    depth = 0
    for one, other in zip(path, place, strict=False):
        if one != other:
            break
        depth += 1
    return depth


def column_place(columns: Sequence[str], ref: str) -> tuple[Key, ...]:
    """Where ``table2.5:both.se`` stands in its table's file, as far as it goes.

    Parameters
    ----------
    columns
        Ids of the file's columns, in order.
    """
    left, _, right = ref.partition(":")
    _, _, column = left.partition(".")
    column, _, field = column.partition(".")
    if column not in columns:
        return ()
    name = right.removeprefix(LAG)
    base, _, last = name.rpartition(".")
    group = "spatial_lags" if right.startswith(LAG) else "coefficients"
    if last in {"direct", "indirect", "total"}:
        return ("column", columns.index(column), "impacts", base, last)
    if not name:
        return ("column", columns.index(column), *([field] if field else []))
    key = base if last in {"se", "estimate"} and base else name
    plain = key in {"n", "r2"}
    return ("column", columns.index(column), *((key,) if plain else (group, key)))


def located(error: InputError, folder: Path) -> InputError:
    """The error with the file and the line of what it names, as far as they can be told.

    The line is that of the value in the column that the error names, or else in the file; of a
    reference to a cell it is where the reference is made.
    """
    if error.line is not None:
        return error
    files = [Path(error.file)] if error.file else []
    if files and not files[0].is_file():
        files = [folder / name for name in ("claims.toml", "study.toml")]
    for file in files:
        if file.suffix != ".toml" or not file.is_file():
            continue
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            continue
        line = _value_line(text, str(error.value), error.column or "")
        if line is not None:
            error.file, error.line = str(file), line
            return error
    return error


def _value_line(text: str, value: str, column: str) -> int | None:
    ids = [match[1] for match in re.finditer(r'^\[\[column\]\]\s*\nid\s*=\s*"([^"]+)"', text, re.M)]
    place = column_place(ids, column if ":" in column else f"{column}:") if column else ()
    lines = text.splitlines()
    first = line_of(text, place[:2]) if len(place) >= 2 else None
    last = line_of(text, ("column", int(place[1]) + 1)) if len(place) >= 2 else None
    start, stop = (first or 1) - 1, (last or len(lines) + 1) - 1
    if value != "None":
        whole = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)")
        for i in range(start, stop):
            if whole.search(lines[i]) and not lines[i].lstrip().startswith("#"):
                return i + 1
    return line_of(text, place) if place else None
