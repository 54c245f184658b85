"""Which sheet of a workbook holds the panel; others that hold pieces of it are not left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from bayesdid.exceptions import InputError, Note
from bayesdid.panel.raw import Wanted

SEARCHED = 30  # rows in which a header is looked for
_FEWEST = 4  # rows of two cells or more that make a table
_DATED = re.compile(r".*\d.*")


def chosen_sheet(
    tables: Mapping[str, pd.DataFrame], wanted: Wanted, file: Path, notes: list[Note]
) -> str:
    """The first sheet, or the only one whose header has both keys; a table where none is known.

    Raises
    ------
    InputError
        If others have the same columns, pieces of the panel or versions of it, or if several hold
        the keys and the first is none of them.
    """
    names = list(tables)
    chosen = names[0]
    found = [name for name, table in tables.items() if header_row(table, wanted) >= 0]
    if found and chosen not in found:
        if len(found) > 1 and not _alike(tables, found[0], found[1:], wanted):
            raise InputError(
                "several sheets hold the key columns",
                file=file,
                value=", ".join(found),
                remedy='say which: sheet = "NAME" under [panel], or --sheet NAME',
            )
        chosen = found[0]
        notes.append(Note("sheet", 1, f"read from sheet {chosen}: the first one lacks the keys"))
    elif not (wanted.unit or wanted.period):
        chosen = next((name for name, table in tables.items() if _is_table(table)), chosen)
    others = [name for name in names if name != chosen and (not found or name in found)]
    if alike := _alike(tables, chosen, others, wanted):
        _refuse_pieces(tables, [chosen, *alike], wanted, file)
    if found and (rest := [name for name in found if name != chosen]):
        text = f"read from sheet {chosen}: {', '.join(rest)} has other columns beside the keys"
        notes.append(Note("sheet", len(rest), text))
    return chosen


def _refuse_pieces(
    tables: Mapping[str, pd.DataFrame], pieces: list[str], wanted: Wanted, file: Path
) -> None:
    """Refuse to read one of several sheets with the same columns as if it were the panel."""
    top = header_or_likely(tables[pieces[0]], wanted)
    names = _names(tables[pieces[0]], top)
    dated = all(map(_DATED.fullmatch, pieces))
    lacking = dated and wanted.period not in names and not any(map(_is_period, names))
    level = (wanted.period or "year") if lacking else "sheet"
    header = f", header={top}" if top else ""
    raise InputError(
        f"{len(pieces)} sheets have the same columns: pieces of one panel, or versions of it",
        file=file,
        value=", ".join(pieces[:6]) + (", ..." if len(pieces) > 6 else ""),
        remedy='read one (sheet = "NAME" under [panel], sheet= in a call, --sheet NAME), or set '
        f"them below each other: df = pd.concat(pd.read_excel('{file.name}', sheet_name="
        f"{pieces if len(pieces) < len(tables) else None}{header}), names=['{level}'])"
        f".reset_index(level=0)",
    )


def _is_period(name: str) -> bool:
    return (
        re.fullmatch(r"year|date|time|period|month|quarter|年份?|年度|时间", name.lower())
        is not None
    )


def _alike(
    tables: Mapping[str, pd.DataFrame], chosen: str, others: list[str], wanted: Wanted
) -> list[str]:
    """Sheets whose header has the names of the chosen one's, and rows below."""
    header = header_or_likely(tables[chosen], wanted)
    names = _names(tables[chosen], header)
    if len(names) < 2 or not _is_table(tables[chosen]):
        return []
    return [
        other
        for other in others
        if _names(tables[other], header_or_likely(tables[other], wanted)) == names
        and _is_table(tables[other])
    ]


def _names(table: pd.DataFrame, row: int) -> set[str]:
    return set(filter(None, texts(table.iloc[row]))) if row < len(table) else set()


def texts(row: pd.Series) -> list[str]:
    """Cells of a row as text, empty ones as such."""
    return ["" if pd.isna(value) else str(value).strip() for value in row]


def header_row(table: pd.DataFrame, wanted: Wanted) -> int:
    """Row that holds the names of both keys, or of the one that is known; -1 if none does."""
    keys = {name for name in (wanted.unit, wanted.period) if name}
    for row in range(min(len(table), SEARCHED) if keys else 0):
        if keys <= {str(value).strip() for value in table.iloc[row]}:
            return row
    return -1


def header_or_likely(table: pd.DataFrame, wanted: Wanted) -> int:
    """Row that holds the names of the keys, else the first that is as full as the rows below it.

    Titles above a table fill a cell or two.
    """
    if (row := header_row(table, wanted)) >= 0:
        return row
    filled = table.notna().sum(axis=1).to_numpy()
    if not len(filled):
        return 0
    usual = int(pd.Series(filled).median())
    for row in range(min(len(table), SEARCHED)):
        if filled[row] > 1 and 2 * filled[row] > usual:
            return row
    return 0


def _is_table(table: pd.DataFrame) -> bool:
    return int((table.notna().sum(axis=1) > 1).sum()) >= _FEWEST
