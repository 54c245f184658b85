"""Read a workbook: the sheet and the header row that hold the panel, lines around passed over."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pandas as pd

from bayesdid.exceptions import InputError, Note
from bayesdid.panel.raw import Raw, Wanted, refuse_doubled

_SEARCHED = 30  # rows in which a header is looked for


def read_workbook(file: Path, wanted: Wanted, sheet: str | None, skip: int | None) -> Raw:
    """Read the table of a workbook whose header names the key columns.

    Parameters
    ----------
    sheet
        Its name; default the first sheet, or the only one whose header has both keys.
    skip
        Rows above the header; default found by the names of the keys, else none.

    Raises
    ------
    InputError
        If there is no such sheet, several hold the keys, or a name occurs twice.
    """
    from openpyxl import load_workbook

    with closing(load_workbook(file, read_only=True, data_only=True)) as book:
        pages = {page.title: page for page in book.worksheets}
        names = list(pages)
        if sheet is not None and sheet not in names:
            raise InputError(
                "the workbook has no such sheet",
                file=file,
                value=sheet,
                remedy=f"it has {', '.join(names)}",
            )
        # errors such as #DIV/0! stay text, so that they can be named
        tables = {
            name: pd.DataFrame(list(pages[name].values), dtype=object)
            for name in ([sheet] if sheet is not None else names)
        }
    found = {name: row for name, table in tables.items() if (row := _header(table, wanted)) >= 0}
    notes: list[Note] = []
    chosen = sheet or names[0]
    if sheet is None and chosen not in found and found:
        if len(found) > 1:
            raise InputError(
                "several sheets hold the key columns",
                file=file,
                value=", ".join(found),
                remedy='say which: sheet = "NAME" under [panel], or --sheet NAME',
            )
        chosen = next(iter(found))
        notes.append(Note("sheet", 1, f"read from sheet {chosen}: the first one lacks the keys"))
    table = tables[chosen]
    top = skip if skip is not None else max(found.get(chosen, 0), 0)
    if len(table) <= top:
        return Raw(pd.DataFrame(), top + 2)
    header = ["" if pd.isna(value) else str(value).strip() for value in table.iloc[top]]
    refuse_doubled(header, file, top + 1)
    if top and skip is None:
        notes.append(Note("title_rows", top, f"{top} rows above the header were passed over"))
    body = table.iloc[top + 1 :].reset_index(drop=True)
    body.columns = pd.Index([name or f"(column {k + 1})" for k, name in enumerate(header)])
    body = _without_remarks(body, notes)
    return Raw(body.infer_objects(), top + 2, notes=tuple(notes))


def _header(table: pd.DataFrame, wanted: Wanted) -> int:
    """Row that holds both key names, -1 if none does."""
    for row in range(min(len(table), _SEARCHED)):
        cells = {str(value).strip() for value in table.iloc[row]}
        if {wanted.unit, wanted.period} <= cells:
            return row
    return -1


def _without_remarks(body: pd.DataFrame, notes: list[Note]) -> pd.DataFrame:
    """Leave out empty rows and remarks at the end: one cell of text, everything else empty."""
    last = len(body)
    while last and int(body.iloc[last - 1].notna().sum()) <= 1 and len(body.columns) > 2:
        last -= 1
    if remarks := int(body.iloc[last:].notna().any(axis=1).sum()):
        text = f"{remarks} rows below the table hold a remark and were passed over"
        notes.append(Note("remarks", remarks, text))
    return body.iloc[:last]
