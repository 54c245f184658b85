"""Cells that lost their columns, placed by algebra: what every way of placing them would mean.

A table that was pasted without its empty cells keeps the order of a row's values. Every way to put
k values into m columns in order is scored by what must hold of regressions, and by what the text
says; the share of a way among all is its confidence. Weights are log odds and stand below.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from bayesdid.importing.evidence import Evidence, leading, ways_of
from bayesdid.importing.table import SURE, Alternative, ReadCell, ReadRow, ReadTable

Places = dict[int, tuple[int, ...]]

_BEAM = 150
SHOWN = 4  # alternatives


@dataclass(frozen=True, slots=True)
class _Block:
    """Rows that are placed alike: controls that enter together."""

    rows: tuple[int, ...]
    ways: tuple[tuple[int, ...], ...]


def align(table: ReadTable, evidence: Evidence) -> None:
    """Place what lost its columns, in place, with confidences and the alternatives."""
    lost = [i for i, row in enumerate(table.rows) if row.lost]
    width = len(table.columns)
    if not lost or not width:
        _place_below(table)
        return
    evidence = evidence.about(table)
    beam: list[tuple[float, Places]] = [(0.0, {})]
    for block in _blocks(table, lost, width):
        grown = [
            {**places, **dict.fromkeys(block.rows, way)} for _, places in beam for way in block.ways
        ]
        scored = [(evidence.score(table, places, complete=False), places) for places in grown]
        beam = sorted(scored, key=lambda item: -item[0])[:_BEAM]
    final = [(evidence.score(table, places, complete=True), places) for _, places in beam]
    final.sort(key=lambda item: -item[0])
    top = final[0][0]
    weights = [math.exp(score - top) for score, _ in final]
    total = sum(weights)
    best = final[0][1]
    shares = [weight / total for weight in weights]
    for i in lost:
        _place(table.rows[i], best[i], [(s, p[i]) for s, (_, p) in zip(shares, final, strict=True)])
        if table.rows[i].role != "label":
            _by_habit(table.rows[i], best[i], evidence.decided(table, best, i))
    table.alternatives = [
        Alternative(share, places, _says(table, best, places))
        for share, (_, places) in list(zip(shares, final, strict=True))[1 : 1 + SHOWN]
        if share > 0.001
    ]
    table.doubts.append(
        f"empty cells were lost: {len(lost)} rows hold fewer values than columns; they were placed "
        f"by {', '.join(evidence.used(table, best)) or 'their order alone'}"
    )
    _place_below(table)


def _blocks(table: ReadTable, lost: Sequence[int], width: int) -> list[_Block]:
    """Neighbouring rows with three or more values each are one block where they are as many."""
    blocks: list[list[int]] = []
    for i in lost:
        row, count = table.rows[i], len(table.rows[i].lost)
        if blocks:
            last = table.rows[blocks[-1][-1]]
            alike = last.role == row.role == "estimate" and last.part == row.part
            controls = count >= 3 and len(last.lost) == count and blocks[-1][-1] == i - 1
            if alike and controls and not _is_leading(table, blocks[-1][0], width):
                blocks[-1].append(i)
                continue
        blocks.append([i])
    found = []
    for rows in blocks:
        count = min(len(table.rows[rows[0]].lost), width)
        found.append(_Block(tuple(rows), tuple(ways_of(width, count))))
    return found


def _is_leading(table: ReadTable, i: int, width: int) -> bool:
    return i in leading(table, width)


def _place(
    row: ReadRow, way: tuple[int, ...], all_ways: list[tuple[float, tuple[int, ...]]]
) -> None:
    for k, (cell, below) in enumerate(row.lost):
        if k >= len(way):
            break
        share = sum(s for s, other in all_ways if other[k] == way[k])
        sure = min(row.confidence, share)
        row.cells[way[k]] = _moved(cell, sure)
        if below is not None:
            row.below[way[k]] = _moved(below, sure)
        if k < len(row.lost_beside):
            beside = row.lost_beside[k].items()
            row.beside[way[k]] = {kind: _moved(other, sure) for kind, other in beside}


_HABIT = 0.9  # where nothing but habits of tables tells one column from others


def _by_habit(row: ReadRow, way: tuple[int, ...], shares: Sequence[float]) -> None:
    """Mark what only the habits of tables have put into its column."""
    why = "its column was lost; placed by what tables mostly do"
    for j, share in zip(way, shares, strict=True):
        cell = row.cells.get(j)
        if cell is None or share >= SURE or cell.confidence < SURE:
            continue
        row.cells[j] = replace(cell, confidence=_HABIT, why=why)
        if j in row.below:
            row.below[j] = replace(row.below[j], confidence=_HABIT, why=why)
        for kind, other in row.beside.get(j, {}).items():
            row.beside[j][kind] = replace(other, confidence=_HABIT, why=why)


def placed(table: ReadTable, places: Mapping[int, tuple[int, ...]]) -> ReadTable:
    """The table with its lost cells in other places: what an alternative would mean."""
    for i, way in places.items():
        row = table.rows[i]
        row.cells, row.below, row.beside = {}, {}, {}
        _place(row, way, [(1.0, way)])
    return table


def _moved(cell: ReadCell, share: float) -> ReadCell:
    why = "its column was lost; placed by algebra" if share < 1 else ""
    return ReadCell(cell.text, cell.role, cell.row, -1, share, why)


def _place_below(table: ReadTable) -> None:
    """Numbers below that are fewer than the estimates above: shares are even."""
    for row in table.rows:
        if not row.lost_below:
            continue
        columns = sorted(row.cells)
        ways = list(combinations(columns, len(row.lost_below)))
        if ways:
            for j, cell in zip(ways[-1], row.lost_below, strict=True):
                row.below[j] = ReadCell(
                    cell.text, "below", cell.row, -1, 1 / len(ways), "its column was lost"
                )


def _says(table: ReadTable, best: Mapping[int, tuple[int, ...]], other: Places) -> str:
    moves = [
        f"{table.rows[i].label or table.rows[i].role} in {_named(table, other[i])}"
        f" instead of {_named(table, best[i])}"
        for i in other
        if other[i] != best[i]
    ]
    return "; ".join(moves)


def _named(table: ReadTable, way: Sequence[int]) -> str:
    ids = [table.columns[j].id for j in way]
    return f"column {ids[0]}" if len(ids) == 1 else f"columns {', '.join(ids)}"
