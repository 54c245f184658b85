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
    """Tables that hold results, the grids that they were read from, and the text's sentences."""

    tables: tuple[ReadTable, ...]
    grids: tuple[Grid, ...]
    said: tuple[Sentence, ...]


def understand(document: Document) -> Understood:
    """Recognise every table, and place what lost its columns."""
    said = tuple(sentences(document.prose))
    pairs: list[tuple[ReadTable, Grid]] = []
    taken: set[str] = set()
    for grid in document.grids:
        table = recognise(grid, len(pairs) + 1)
        if table.kind == "other":
            continue
        while table.id in taken:
            table.id = f"{table.id}x"
        taken.add(table.id)
        pairs.append((table, grid))
    means = _means([table for table, _ in pairs])
    for table, _ in pairs:
        if table.kind == "regression":
            align(table, Evidence(said, means))
    return Understood(tuple(t for t, _ in pairs), tuple(g for _, g in pairs), said)


def _means(tables: list[ReadTable]) -> dict[str, Printed]:
    """Label -> mean, as the tables of descriptive statistics print them."""
    found: dict[str, Printed] = {}
    for table in tables:
        for row in table.rows if table.kind == "descriptive" else ():
            if 0 in row.cells:
                found.setdefault(row.label, Printed.parse(row.cells[0].text))
    return found
