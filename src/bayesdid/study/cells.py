"""References to one printed number: ``table2.5:both.se``, ``table1:safety.mean``, ``table2.5:n``.

``<table>.<column>:<name>[.<field>]`` for regression tables, where *name* is a term, a scalar
(``rho``), a statistic, ``W:<term>`` for a spatial lag, ``n`` or ``r2``, and *field* is
``estimate`` (default), ``se``, ``direct``, ``indirect`` or ``total``;
``<table>:<variable>.<mean|sd|min|max>`` for descriptive tables; ``<figure>:<number>`` for figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bayesdid.exceptions import InputError
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Cell, Column, TableFile

LAG = "W:"
"""Before a term, of whose spatial lag a number is."""
_FIELDS = frozenset({"estimate", "se", "direct", "indirect", "total", "mean", "sd", "min", "max"})


@dataclass(frozen=True, slots=True)
class CellValue:
    """A printed number found in a study.

    Attributes
    ----------
    ref
        The reference it was found by.
    value
        The number itself.
    se
        The standard error printed with it, if the reference is to an estimate that has one.
    cell
        The whole cell, if the reference is to an estimate.
    """

    ref: str
    value: Printed
    se: Printed | None = None
    cell: Cell | None = None


def find_cell(ref: str, tables: dict[str, TableFile], folder: Path) -> CellValue:
    """Resolve `ref` among `tables`.

    Raises
    ------
    InputError
        If no such table, column or cell exists; the message lists what does.
    """
    left, _, right = ref.partition(":")
    table_id, _, column_id = left.partition(".")
    table = tables.get(table_id)
    if table is None or not right:
        raise _missing(ref, folder, f"tables are {', '.join(tables)}; write table2.5:both")
    name, _, field = right.rpartition(".")
    if field not in _FIELDS or not name:
        name, field = right, "estimate"
    if not column_id:
        return _in_table(ref, table, name, field, folder)
    for column in table.column:
        if column.id == column_id:
            return _in_column(ref, table, column, name, field, folder)
    file = folder / f"{table.id}.toml"
    raise _missing(ref, file, f"columns are {', '.join(c.id for c in table.column)}")


def _in_table(ref: str, table: TableFile, name: str, field: str, folder: Path) -> CellValue:
    for number in table.number:
        if number.name == name:
            return CellValue(ref, Printed.parse(number.value))
    for row in table.moments:
        text = getattr(row, field, None) if row.column == name else None
        if text is not None:
            return CellValue(ref, Printed.parse(text))
    known = [*(number.name for number in table.number), *(row.column for row in table.moments)]
    file = folder / f"{table.id}.toml"
    raise _missing(ref, file, f"names are {', '.join(known)}")


def _in_column(
    ref: str, table: TableFile, column: Column, name: str, field: str, folder: Path
) -> CellValue:
    plain = {
        "n": column.n,
        "r2": column.r2,
        **{statistic.name: statistic.value for statistic in column.statistic},
    }
    if plain.get(name) is not None:
        return CellValue(ref, Printed.parse(str(plain[name])))
    cell = _cell(column, name, field)
    if cell is not None:
        se = None if cell.se is None else Printed.parse(cell.se)
        if field == "se" and se is not None:
            return CellValue(ref, se)
        if field == "se" and (other := cell.t or cell.p) is not None:
            file = folder / f"{table.id}.toml"
            raise _missing(ref, file, f"no standard error is printed there, but {other}")
        return CellValue(ref, Printed.parse(cell.estimate), se, cell)
    known = [*column.coefficients, *column.scalars, *(f"{LAG}{k}" for k in column.spatial_lags)]
    known += [key for key, value in plain.items() if value is not None]
    file = folder / f"{table.id}.toml"
    raise _missing(ref, file, f"cells are {', '.join(known)}")


def _cell(column: Column, name: str, field: str) -> Cell | None:
    if field in {"direct", "indirect", "total"}:
        impacts = column.impacts.get(name)
        return None if impacts is None else getattr(impacts, field)
    if name.startswith(LAG):
        return column.spatial_lags.get(name.removeprefix(LAG))
    return column.coefficients.get(name) or column.scalars.get(name)


def _missing(ref: str, file: Path, known: str) -> InputError:
    return InputError("no such published cell", file=file, value=ref, remedy=known)
