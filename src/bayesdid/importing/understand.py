"""A document understood: its tables with every cell placed, and what its text says of them."""

from __future__ import annotations

from dataclasses import dataclass

from bayesdid.importing.align import align
from bayesdid.importing.evidence import Evidence
from bayesdid.importing.grid import Document, Grid
from bayesdid.importing.prose import Sentence, sentences
from bayesdid.importing.recognise import recognise
from bayesdid.importing.table import ReadTable
from bayesdid.study.printed import Printed


@dataclass(frozen=True, slots=True)
class Understood:
    """Tables that hold results, their grids, the text's sentences, and tables left out."""

    tables: tuple[ReadTable, ...]
    grids: tuple[Grid, ...]
    said: tuple[Sentence, ...]
    skipped: int


def understand(document: Document) -> Understood:
    """Recognise every table, and place what lost its columns."""
    said = tuple(sentences(document.prose))
    pairs: list[tuple[ReadTable, Grid]] = []
    taken: set[str] = set()
    titled = 0  # tables without results that have a number in the document all the same
    for grid in document.grids:
        table = recognise(grid, len(pairs) + titled + 1)
        if table.kind == "other":
            titled += bool(grid.title)
            continue
        while table.id in taken:
            table.id = f"{table.id}x"
        taken.add(table.id)
        pairs.append((table, grid))
    means = _means([table for table, _ in pairs])
    for table, _ in pairs:
        if table.kind == "regression":
            align(table, Evidence(said, means))
    left = len(document.grids) - len(pairs)
    return Understood(tuple(t for t, _ in pairs), tuple(g for _, g in pairs), said, left)


def _means(tables: list[ReadTable]) -> dict[str, Printed]:
    """Label -> mean, as the tables of descriptive statistics print them."""
    found: dict[str, Printed] = {}
    for table in tables:
        for row in table.rows if table.kind == "descriptive" else ():
            if 0 in row.cells:
                found.setdefault(row.label, Printed.parse(row.cells[0].text))
    return found
