"""What a table says of all its columns, carried to each column and cell."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from bayesdid.exceptions import InputError
from bayesdid.study.printed import Printed
from bayesdid.study.schema import BELOW, Below, Cell, Column, Impacts, TableFile

_INHERITED = (
    "rows",
    "clusters",
    "in_parentheses",
    "interval_level",
    "printed_as",
    "r2_kind",
    "se_kind",
)


def spread_table(table: TableFile, legend: dict[str, float], file: Path) -> TableFile:
    """The table with its own statements in every column, and its legend stated.

    What stands in ``parentheses`` of a cell becomes its ``se``, ``t``, ``p`` or ``interval``, as
    ``in_parentheses`` of the column or else of the table says. A table without a legend of its own
    has the study's; one that prints no mark at all says nothing about significance.

    Parameters
    ----------
    legend
        The study's: mark -> level.

    Raises
    ------
    InputError
        If a number in parentheses is not what it is said to be, or a mark is not in the legend.
    """
    columns = tuple(_column(table, column, file) for column in table.column)
    own = table.stars if table.stars is not None else legend
    marked = False
    for column in columns:
        for place, text in _marked(column):
            mark = Printed.parse(text).mark
            marked = marked or bool(mark)
            if mark and mark not in own:
                raise InputError(
                    f"the mark '{mark}' is not in the legend",
                    file=file,
                    column=f"{table.id}.{column.id}:{place}",
                    value=text,
                    remedy="state the levels under [stars] of the table or of study.toml, e.g. "
                    f'stars = {{ "{mark}" = 0.10 }}',
                )
    stated = own if marked or table.stars else {}
    return table.model_copy(update={"column": columns, "stars": stated})


def _column(table: TableFile, column: Column, file: Path) -> Column:
    update: dict[str, object] = {
        name: getattr(table, name) if getattr(column, name) is None else getattr(column, name)
        for name in _INHERITED
    }
    update["labels"] = {**table.labels, **column.labels}
    kind = column.in_parentheses or table.in_parentheses
    spec = f"{table.id}.{column.id}"
    for group in ("coefficients", "scalars", "spatial_lags"):
        cells: dict[str, Cell] = getattr(column, group)
        update[group] = {k: _cell(c, kind, file, f"{spec}:{k}") for k, c in cells.items()}
    update["impacts"] = {
        name: Impacts(
            **{
                part: _cell(cell, kind, file, f"{spec}:{name}.{part}")
                for part in ("direct", "indirect", "total")
                if (cell := getattr(impacts, part)) is not None
            }
        )
        for name, impacts in column.impacts.items()
    }
    return column.model_copy(update=update)


def _cell(cell: Cell, kind: Below, file: Path, place: str) -> Cell:
    given = [name for name in BELOW if getattr(cell, name) is not None]
    if cell.parentheses is None:
        if kind != "se" and given == ["se"]:
            raise InputError(
                f"a standard error in a column whose parentheses hold {_WORDS[kind]}",
                file=file,
                column=place,
                value=cell.se,
                remedy=f'write {kind} = "{cell.se}" (or parentheses = "..."), or take '
                "in_parentheses out",
            )
        return cell
    if kind in given:
        raise InputError(
            f"{_WORDS[kind]} twice, in parentheses and by name",
            file=file,
            column=place,
            value=cell.parentheses,
            remedy=f"take {kind} out, or say in in_parentheses what stands there",
        )
    beside = {name: getattr(cell, name) for name in given}
    try:
        return Cell.model_validate({"estimate": cell.estimate, **beside, kind: cell.parentheses})
    except ValidationError as error:
        raise InputError(
            error.errors()[0]["msg"].removeprefix("Value error, "),
            file=file,
            column=place,
            value=cell.parentheses,
            remedy=f"in_parentheses says that it is {_WORDS[kind]}: mend either",
        ) from error


_WORDS = {"se": "standard errors", "t": "t statistics", "p": "p-values", "interval": "intervals"}


def _marked(column: Column) -> list[tuple[str, str]]:
    """Place and text of every number that may carry a mark."""
    groups = (column.coefficients, column.scalars, column.spatial_lags)
    cells = [item for group in groups for item in group.items()]
    for name, impacts in column.impacts.items():
        parts = (("direct", impacts.direct), ("indirect", impacts.indirect))
        for part, cell in (*parts, ("total", impacts.total)):
            if cell is not None:
                cells.append((f"{name}.{part}", cell))
    found = [(name, text) for name, cell in cells for text in (cell.estimate, cell.se) if text]
    return [*found, *((item.name, item.value) for item in column.statistic)]
