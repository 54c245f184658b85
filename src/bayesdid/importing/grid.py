"""Tables of a document as they stand: rows of texts, before anything is made of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bayesdid.exceptions import InputError

LARGEST = 30_000_000  # bytes of a file, and of what is unpacked from it
MOST_CELLS = 200_000
WIDEST = 200  # columns

_SPACE = re.compile(r"[ \t\r\f\v\u00a0\u2000-\u200b\u202f\u3000\ufeff]+")
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # （1）, ＊＊ in a Chinese font
_TUPLE = re.compile(r"^\('(.*)', '(.*)'\)$")  # labels of two levels, as data frames print them


@dataclass(frozen=True, slots=True)
class Grid:
    """One table as it stands.

    Attributes
    ----------
    rows
        Texts, row by row, of equal length; a text that spans columns stands in each of them.
    title, notes
        What stands above and below.
    loose
        Whether empty cells may have been lost on the way, so that positions are no evidence.
    """

    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    notes: str = ""
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """What was read from a file: its tables in order, and the paragraphs of its text."""

    grids: tuple[Grid, ...]
    prose: tuple[str, ...] = ()


def clean(text: str) -> str:
    """One cell's text: spaces collapsed, lines kept."""
    lines = [_SPACE.sub(" ", line.translate(_WIDE)).strip() for line in text.split("\n")]
    joined = "\n".join(line for line in lines if line)
    if found := _TUPLE.match(joined):
        return found[2]
    return joined


def make_grid(
    rows: Iterable[Iterable[str]], title: str = "", notes: str = "", *, loose: bool = False
) -> Grid:
    """Rows of one length; columns without any text dropped, cells of two lines made two rows.

    Raises
    ------
    InputError
        If the table is larger than any that is printed.
    """
    texts = [[clean(text) for text in row] for row in rows]
    width = max((len(row) for row in texts), default=0)
    if width > WIDEST or width * len(texts) > MOST_CELLS:
        raise InputError(
            "a table larger than any that is printed",
            value=f"{len(texts)} rows, {width} columns",
            remedy="give the file with the published tables alone",
        )
    full = [row + [""] * (width - len(row)) for row in texts]
    full = [row for part in full for row in _unfolded(part)]
    full = [row for row in full if any(row)]
    used = [j for j in range(width) if j == 0 or any(row[j] for row in full)]
    return Grid(
        tuple(tuple(row[j] for j in used) for row in full), clean(title), clean(notes), loose
    )


def is_note(line: str) -> bool:
    """Whether a line below a table begins as notes do, or holds a legend."""
    start = line.strip().lower().lstrip("*_- ")
    return is_legend(line) or start.startswith(
        ("note", "standard error", "t stat", "t-stat", "robust", "signif", "注:", "注：", "括号")
    )


def is_legend(line: str) -> bool:
    """Whether a line says at which levels marks are set."""
    return len(line) < 300 and bool(re.search(r"\*\s*p\s*<|p\s*<\s*0?\.\d", line))


_BOTH = re.compile(
    r"^(?P<above>\S*\d\S*?(?P<own>\s*(?:\*{1,4}|[+\u2020\u2021#]))?)\s*"
    r"(?P<below>[(\[{][^()\[\]{}]*\d[^()\[\]{}]*[)\]}])\s*(?P<mark>\*{1,4}|[+\u2020\u2021#])?$"
)


_PLUS_MINUS = re.compile(r"^([-−–+]?\d*\.?\d+)\s*(?:±|\+/-)\s*(\d*\.?\d+)")


def _unfolded(row: list[str]) -> list[list[str]]:
    """A row whose cells hold an estimate and what stands below it, as two rows."""
    pairs: list[list[str]] = []
    for j, cell in enumerate(row):
        text = _PLUS_MINUS.sub(r"\1 (\2)", cell) if j else cell
        parts = text.split("\n")
        if j and len(parts) == 1 and (found := _BOTH.match(text)):
            # a mark behind both is one of the estimate
            mark = "" if found["own"] else found["mark"] or ""
            parts = [found["above"] + mark, found["below"]]
        pairs.append(parts if j else [" ".join(parts)])
    deep = max(len(parts) for parts in pairs)
    if deep == 1 or not any(
        len(parts) > 1 and any(char.isdigit() for char in parts[-1]) for parts in pairs[1:]
    ):
        return [[" ".join(parts) for parts in pairs]]
    return [[parts[i] if i < len(parts) else "" for parts in pairs] for i in range(deep)]
