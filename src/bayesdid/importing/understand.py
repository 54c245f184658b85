"""A document understood: its tables with every cell placed, and what its text says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bayesdid.importing.align import align
from bayesdid.importing.evidence import Evidence
from bayesdid.importing.grid import Document, Grid
from bayesdid.importing.left_out import left_out
from bayesdid.importing.numbers import what
from bayesdid.importing.prose import Sentence, sentences
from bayesdid.importing.recognise import recognise
from bayesdid.importing.table import ReadTable
from bayesdid.importing.words import role_of
from bayesdid.study.printed import Printed


@dataclass(frozen=True, slots=True)
class Understood:
    """Tables that hold results, their grids, the text's sentences, and why others are left out."""

    tables: tuple[ReadTable, ...]
    grids: tuple[Grid, ...]
    said: tuple[Sentence, ...]
    left_out: tuple[str, ...]


def understand(document: Document) -> Understood:
    """Recognise every table, and place what lost its columns."""
    said = tuple(sentences(document.prose))
    pairs: list[tuple[ReadTable, Grid]] = []
    taken: set[str] = set()
    titled = 0  # tables without results that have a number in the document all the same
    others: list[str] = []
    for place, grid in enumerate(_with_sizes(document.grids), 1):
        table = recognise(grid, len(pairs) + titled + 1)
        if table.kind == "other":
            titled += bool(grid.title)
            others.append(left_out(grid, place))
            continue
        while table.id in taken:
            table.id = f"{table.id}x"
        taken.add(table.id)
        pairs.append((table, grid))
    means = _means([table for table, _ in pairs])
    for table, _ in pairs:
        if table.kind == "regression":
            align(table, Evidence(said, means))
    tables, grids = tuple(t for t, _ in pairs), tuple(g for _, g in pairs)
    return Understood(tables, grids, said, tuple(others))


def _with_sizes(grids: Sequence[Grid]) -> list[Grid]:
    """Grids; one row of n, R2 and the like below their headings is part of the table before it."""
    found: list[Grid] = []
    for grid in grids:
        rows = [[text for text in row if text] for row in grid.rows]
        alone = len(rows) == 2 and len(rows[0]) == len(rows[1]) > 1
        roles = {role_of(text) for text in rows[0]} if alone else set()
        if found and roles & {"n", "r2"} and roles <= _OF_FIT and _are_numbers(rows[1]):
            last = found[-1]
            width = len(last.rows[0]) - 2
            more = [(*pair, *[""] * width) for pair in zip(*rows, strict=True)]
            title = last.title or grid.title
            found[-1] = Grid((*last.rows, *more), title, f"{last.notes} {grid.notes}", last.loose)
        else:
            found.append(grid)
    return found


_OF_FIT = {"n", "r2", "clusters", "statistic"}


def _are_numbers(texts: Sequence[str]) -> bool:
    return all(what(text) == "number" for text in texts)


def _means(tables: list[ReadTable]) -> dict[str, Printed]:
    """Label -> mean, as the tables of descriptive statistics print them."""
    found: dict[str, Printed] = {}
    for table in tables:
        for row in table.rows if table.kind == "descriptive" else ():
            if 0 in row.cells:
                found.setdefault(row.label, Printed.parse(row.cells[0].text))
    return found
