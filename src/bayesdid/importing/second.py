"""A second line in brackets below estimates: intervals, p-values, or those of other tests."""

from __future__ import annotations

from dataclasses import replace

from bayesdid.importing.numbers import is_interval
from bayesdid.importing.table import ReadCell, ReadRow
from bayesdid.study.printed import Printed

OTHER = "second brackets"  # what a line of no known kind is called
_SECOND = "p-values in a second line of brackets"
_NEAR, _SAME = 0.2, 0.05  # of p by the normal distribution: of some test, and of this one


def second_below(
    row: ReadRow, under: dict[int, ReadCell]
) -> tuple[dict[int, dict[str, ReadCell]], str]:
    """What a second line holds of the estimates of a row, and a word on it for `settled`.

    Intervals where the first line holds none; p-values where all numbers lie between 0 and 1 and
    stand in other brackets than the first line's; else numbers of no known kind.
    """
    under = {j: cell for j, cell in under.items() if j in row.below}
    found = {j: {"interval": cell} for j, cell in under.items() if is_interval(cell.text)}
    if found and not any(is_interval(cell.text) for cell in row.below.values()):
        return found, ""
    if not under:
        return {}, ""
    shapes = [{cell.text[:1] for cell in cells} for cells in (row.below.values(), under.values())]
    other = len(shapes[1]) != 1 or bool(shapes[0] & shapes[1])
    if other or any(_far(row, j, cell) is None for j, cell in under.items()):
        return {j: {OTHER: cell} for j, cell in under.items()}, ""
    bare = {j: replace(cell, text=cell.text.strip("()[]")) for j, cell in under.items()}
    return {j: {"p": cell} for j, cell in bare.items()}, _SECOND


def _far(row: ReadRow, j: int, cell: ReadCell) -> float | None:
    """How far a p-value is from the normal one of an estimate and its error; None if it is none."""
    from scipy.stats import norm

    try:
        p, error = float(Printed.parse(cell.text)), float(Printed.parse(row.below[j].text))
        size = abs(float(Printed.parse(row.cells[j].text)))
    except (ValueError, KeyError):
        return None
    if not 0 <= p <= 1:
        return None
    return abs(p - float(2 * norm.sf(size / error))) if error > 0 else 1.0


def settled(rows: list[ReadRow]) -> tuple[list[ReadRow], str]:
    """Rows whose second lines are p-values of their estimates, or else rows of their own; a doubt.

    Values that the errors do not make likely are of another test, such as a bootstrap, a
    permutation, or one that is adjusted for their number: they are kept beside, and not audited
    with the estimates.
    """
    mine = [row for row in rows if row.why == _SECOND]
    far = [_far(r, j, c["p"]) for r in mine for j, c in r.beside.items() if "p" in c]
    known = [value for value in far if value is not None]
    doubt = ""
    if any(OTHER in of for row in rows for of in row.beside.values()):
        doubt = "numbers in a second line of brackets are not p-values of the estimates: kept apart"
    if not all(value < _SAME for value in known):
        doubt = "numbers in a second line of brackets are not p-values of the estimates: kept apart"
        if sum(value < _NEAR for value in known) * 2 >= len(known):
            doubt = (
                "p-values in brackets are of another test than estimate and error make: kept apart"
            )
        for row in mine:
            row.beside = {
                j: {OTHER if kind == "p" else kind: cell for kind, cell in of.items()}
                for j, of in row.beside.items()
            }
    return [part for row in rows for part in _apart(row)], doubt


_OF_ESTIMATE = frozenset({"se", "t", "p", "interval", "n"})


def _apart(row: ReadRow) -> list[ReadRow]:
    """A row, and what stands beside its estimates under another name, as rows of their own."""
    kinds = dict.fromkeys(k for of in row.beside.values() for k in of if k not in _OF_ESTIMATE)
    if not kinds:
        return [row]
    left = {j: {k: c for k, c in of.items() if k not in kinds} for j, of in row.beside.items()}
    found = [replace(row, beside=left)]
    for kind in kinds:
        cells = {
            j: replace(of[kind], role="statistic") for j, of in row.beside.items() if kind in of
        }
        found.append(ReadRow(f"{row.label}: {kind}", "statistic", cells=cells))
    return found
