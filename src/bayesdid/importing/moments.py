"""Tables of descriptive statistics: means, deviations and ranges of each variable, by group."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bayesdid.importing.grid import Grid
from bayesdid.importing.numbers import tidy, what
from bayesdid.importing.table import ReadCell, ReadRow
from bayesdid.importing.words import DESCRIPTIVE, heading, role_of
from bayesdid.study.printed import Printed


def moments_of(grid: Grid) -> list[ReadRow] | None:
    """Rows of means, sds and ranges, if the header says that these are the columns; None if not.

    Those of several groups side by side are rows of each group, if nothing else stands there.

    Parameters
    ----------
    grid
        Where estimates with brackets or marks stand beside, it is no table of moments.

    Returns
    -------
    list of ReadRow or None
        Cells are keyed by the place of their moment in `words.DESCRIPTIVE`.
    """
    grid = _moments_apart(grid)
    for i, head in enumerate(grid.rows[:3]):
        kinds = heading(head, DESCRIPTIVE)
        if "mean" not in kinds or not {"sd", "min", "max"} & set(kinds):
            continue
        groups = _groups(kinds)
        name = _names(grid.rows[i + 1 :], groups[0][0])
        others = [j for j, kind in enumerate(kinds) if j > name and not kind]
        apart = [[line[j] for j in others if j < len(line)] for line in grid.rows[i + 1 :]]
        of_estimates = any(_of_estimate(text) for line in apart for text in line)
        if ((len(groups) > 1 and others) or of_estimates) and not _are_shares(apart):
            return None
        rows: list[ReadRow] = []
        for k, line in enumerate(grid.rows[i + 1 :], i + 1):
            if role_of(line[name]) == "n":
                _count(rows, line, groups, k)
                continue
            for group in groups:
                cells = {
                    list(DESCRIPTIVE).index(kinds[j]): ReadCell(tidy(line[j]), "moment", k, j)
                    for j in group
                    if j < len(line) and what(line[j]) in {"number", "below"}
                }
                if line[name] and _MEAN_AT in cells:
                    above = grid.rows[i - 1][group[0]] if i and len(groups) > 1 else ""
                    rows.append(ReadRow(": ".join(filter(None, (line[name], above))), "moment"))
                    rows[-1].cells = cells
        return rows
    return None


def _count(rows: list[ReadRow], line: Sequence[str], groups: list[list[int]], k: int) -> None:
    """A row of numbers of observations, one of each group, as n of the rows of the group."""
    for group in groups:
        counts = [j for j in group if what(line[j]) == "number" and "." not in line[j]]
        for row in rows if counts else ():
            if {cell.position for cell in row.cells.values()} & set(group):
                row.cells.setdefault(_N_AT, ReadCell(tidy(line[counts[0]]), "moment", k, counts[0]))


def _names(body: Sequence[Sequence[str]], first: int) -> int:
    """The column that names variables: the first before the moments that is full of texts.

    Others before it say once what several rows are (`Outcomes`).
    """
    body = [line for line in body if any(what(text) == "number" for text in line[first:])]
    full = [j for j in range(first) if all(what(line[j]) == "text" for line in body)]
    return full[0] if full else 0


def _moments_apart(grid: Grid) -> Grid:
    """A grid whose cells ``15.3 (5.33)`` stand below ``Mean (SD)``, with a column for each of them.

    Rows are named after the heading above them, too, where a label comes twice.
    """
    head = next((i for i, row in enumerate(grid.rows[:3]) if any(map(_BOTH.fullmatch, row))), None)
    if head is None:
        return grid
    both_in = [j for j, text in enumerate(grid.rows[head]) if _BOTH.fullmatch(text)]
    rows: list[list[str]] = []
    section, labels = "", [row[0] for row in grid.rows[head + 1 :] if row[0] and any(row[1:])]
    for i, row in enumerate(grid.rows):
        under = i > head and not row[0] and any(what(row[j]) == "below" for j in both_in)
        if under and rows:
            for k, j in enumerate(both_in):
                rows[-1][j + k + 1] = row[j].strip("()[] ")
            continue
        if row[0] and not any(row[1:]):
            section = row[0]
        twice = i > head and labels.count(row[0]) > 1 and section
        cells = [f"{section}: {row[0]}" if twice else row[0], *row[1:]]
        for k, j in enumerate(both_in):
            more = row[j] if i < head else "SD" if i == head else ""
            cells.insert(j + k + 1, more)
            if i == head:
                cells[j + k] = "Mean"
        rows.append(cells)
    return Grid(tuple(map(tuple, rows)), grid.title, grid.notes, grid.loose)


_BOTH = re.compile(r"(?:mean|m)\s*[(±,]\s*(?:s\.?d\.?|std\.? dev\.?)\s*\)?", re.IGNORECASE)


def _of_estimate(text: str) -> bool:
    """Whether a cell holds what tables of moments do not: brackets, or a number with a mark."""
    return what(text) == "below" or bool(re.search(r"\d[*†‡]{1,3}$", text))


_MEAN_AT, _N_AT = (list(DESCRIPTIVE).index(kind) for kind in ("mean", "n"))


def _groups(kinds: list[str]) -> list[list[int]]:
    """Columns of moments, those of each group together: a group ends where a kind comes again."""
    groups: list[list[int]] = [[]]
    for j, kind in enumerate(kinds):
        if kind and any(kinds[other] == kind for other in groups[-1]):
            groups.append([])
        if kind:
            groups[-1].append(j)
    return groups


def are_correlations(grid: Grid) -> bool:
    """Whether a table holds each variable's correlations with those above it, and ones below them.

    Parameters
    ----------
    grid
        Its numbers are at most one, each row has one more of them than the row above, and the last
        of a row is one or a dash.
    """
    rows = [[text for text in row[1:] if text] for row in grid.rows]
    rows = [row for row in rows if any(what(text) == "number" for text in row)]
    ends = [_ONE.fullmatch(row[-1]) for row in rows]
    first = next((k for k, end in enumerate(ends) if end and len(rows[k]) == 1), None)
    if first is None or len(rows) - first < _SMALLEST or not all(ends[first:]):
        return False
    return _grows([row[:-1] for row in rows[first + 1 :]])


_ONE = re.compile(r"1(?:\.0+)?|[-–—]+")


def _are_shares(rows: Sequence[Sequence[str]]) -> bool:
    """Whether what stands beside moments are correlations, of either half, with ones or without."""
    kept = [[text for text in row if text and not _ONE.fullmatch(text)] for row in rows]
    kept = [row for row in kept if row]
    if kept and len(kept[0]) > len(kept[-1]):
        kept.reverse()
    return len(kept) + 1 >= _SMALLEST and _grows(kept)


def _grows(rows: Sequence[Sequence[str]]) -> bool:
    """Whether rows hold one number, two, three and so on, and none is above one."""
    shares = [text.rstrip("*†‡+ ") for row in rows for text in row if what(text) == "number"]
    grows = all(len(row) == k for k, row in enumerate(rows, 1))
    return grows and all(abs(float(Printed.parse(tidy(text)))) <= 1 for text in shares)


_SMALLEST = 3  # variables
