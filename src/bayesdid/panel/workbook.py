"""Read a workbook: the sheet and the header row that hold the panel, lines around passed over."""

from __future__ import annotations

from contextlib import closing
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pandas as pd

from bayesdid.exceptions import InputError, Note
from bayesdid.notebook import many
from bayesdid.panel.commas import plain_numbers
from bayesdid.panel.observations import UNIT
from bayesdid.panel.raw import Raw, Wanted, blank_marks, refuse_doubled
from bayesdid.panel.sheets import chosen_sheet, header_or_likely, texts
from bayesdid.panel.text import typed

MOST_CELLS = 50_000_000


def read_workbook(file: Path, wanted: Wanted, sheet: str | None, skip: int | None) -> Raw:
    """Read the table of a workbook whose header names the key columns.

    Parameters
    ----------
    sheet
        Its name; default the first sheet, or the only one whose header has both keys; where keys
        are not known the first that holds a table.
    skip
        Rows above the header; default found by the names of the keys, else none.

    Raises
    ------
    InputError
        If there is no such sheet, several hold the keys or pieces of the panel, or a name occurs
        twice.
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
            name: pd.DataFrame(_rows(pages[name], file), dtype=object)
            for name in ([sheet] if sheet is not None else names)
        }
    notes: list[Note] = []
    chosen = sheet or chosen_sheet(tables, wanted, file, notes)
    table = tables[chosen]
    top = skip if skip is not None else header_or_likely(table, wanted)
    if len(table) <= top:
        return Raw(pd.DataFrame(), top + 2)
    header, first = _named(table, top, wanted, notes)
    refuse_doubled(header, file, top + 1)
    if top and skip is None:
        notes.append(Note("title_rows", top, f"{top} rows above the header were passed over"))
    body = table.iloc[first:].reset_index(drop=True)
    body.columns = pd.Index([name or f"(column {k + 1})" for k, name in enumerate(header)])
    body = _filled_down(_without_remarks(body, notes), wanted, notes)
    kept = (wanted.unit, *wanted.text)
    notes += blank_marks(body, (wanted.unit, wanted.period), wanted.marks)
    notes += plain_numbers(body, kept)
    for name in body.columns:
        if name not in kept:
            body[name] = _as_numbers(body[name])
    return Raw(body.infer_objects(), first + 1, notes=tuple(notes))


def _as_numbers(values: pd.Series) -> pd.Series:
    """A column in which all cells are numbers, typed as text in some, as what they are."""
    text = [isinstance(value, str) for value in values]
    if not any(text) or values.map(type).isin([bool, datetime, date, time]).any():
        return values
    found = typed(values.astype("string").str.strip().fillna(""))
    return found if pd.api.types.is_numeric_dtype(found) else values


def _named(
    table: pd.DataFrame, top: int, wanted: Wanted, notes: list[Note]
) -> tuple[list[str], int]:
    """Names of the columns, which may stand in two rows, and the row of the first observation.

    Where the cells below the names of keys are empty nothing is observed: such a row holds names,
    or, where every column has a name already, units of measurement.
    """
    upper = texts(table.iloc[top])
    if top and len(set(filter(None, upper))) < len([*filter(None, upper)]):
        above = _spread(texts(table.iloc[top - 1]), upper)
        twice = {name for name in upper if name and upper.count(name) > 1}
        if any(above[k] for k, name in enumerate(upper) if name in twice):
            names = [
                _under(above[k], name) if name in twice or not name else name
                for k, name in enumerate(upper)
            ]
            return names, _said(names, upper, top + 1, notes)
    lower = texts(table.iloc[top + 1]) if top + 1 < len(table) else []
    keys = [k for k, name in enumerate(upper) if name in {wanted.unit, wanted.period}]
    if not (wanted.unit or wanted.period):
        keys = _keyless(table, top)
    if len(keys) < 2 or any(lower[k] for k in keys) or not any(lower):
        return upper, top + 1
    own_names = all(upper[k] for k, name in enumerate(lower) if name)
    if own_names and any(UNIT.fullmatch(name) for name in lower if name):
        notes.append(Note("units_row", 1, f"row {top + 2} was passed over: it holds no keys"))
        return upper, top + 2
    wide = _spread(upper, lower)
    names = []
    for k, (own, name) in enumerate(zip(upper, lower, strict=True)):
        merged = not own or (k + 1 < len(upper) and not upper[k + 1] and lower[k + 1])
        if not name or (not merged and UNIT.fullmatch(name)):
            names.append(own)
        elif name.isdecimal() or lower.count(name) > 1:
            names.append(_under(wide[k], name))
        else:
            names.append(name)
    return names, _said(names, upper, top + 2, notes)


def _under(heading: str, name: str) -> str:
    """A name below its heading: ``people total``, but ``gdp2008``."""
    return f"{heading}{name}" if name.isdecimal() else f"{heading} {name}".strip()


def _keyless(table: pd.DataFrame, top: int) -> list[int]:
    """Columns that may be keys above a second row of names: named, empty below, then filled.

    The leftmost is one of them, and the second row holds words or years, no numbers: a first
    observation with missing values is no row of names.
    """
    lower = table.iloc[top + 1] if top + 1 < len(table) else table.iloc[top]
    told = [value for value in lower if not pd.isna(value)]
    if not told or not all(isinstance(v, str) or 1900 <= float(v) < 2100 for v in told):
        return []
    upper, next_rows = table.iloc[top], table.iloc[top + 2 : top + 3]
    found = [
        k
        for k in range(table.shape[1])
        if not pd.isna(upper.iloc[k])
        and pd.isna(lower.iloc[k])
        and bool(next_rows.iloc[:, k].notna().all())
    ]
    return found if 0 in found else []


def _filled_down(body: pd.DataFrame, wanted: Wanted, notes: list[Note]) -> pd.DataFrame:
    """The unit in every row, where merged cells name it in the first row of its block only.

    Merged cells leave most rows without a name, a forgotten name leaves few.
    """
    name = wanted.unit or (str(body.columns[0]) if len(body.columns) else "")
    if name not in body or not len(body) or pd.isna(body[name].iloc[0]):
        return body
    empty = body[name].isna()
    rest = body.loc[empty].drop(columns=name)
    if 2 * int(empty.sum()) < len(body) or rest.isna().all(axis=1).any():
        return body
    text = f"{int(empty.sum())} empty cells of {name}, below a filled one, were taken as merged"
    notes.append(Note("merged_units", int(empty.sum()), text))
    return body.assign(**{name: body[name].ffill()})


def _said(names: list[str], upper: list[str], first: int, notes: list[Note]) -> int:
    made = [name for name, own in zip(names, upper, strict=True) if name != own]
    text = f"two header rows: columns are called {', '.join(made[:8])}"
    notes.append(Note("two_header_rows", len(made), text + (", ..." if len(made) > 8 else "")))
    return first


def _spread(headings: list[str], below: list[str]) -> list[str]:
    """Merged headings over all the columns that they stand above."""
    found, last = [], ""
    for heading, name in zip(headings, below, strict=True):
        last = heading or (last if name else "")
        found.append(last)
    return found


def _rows(page: Any, file: Path) -> list[tuple[object, ...]]:
    """Rows of a sheet up to the last that holds something; a stray cell far below makes millions.

    Raises
    ------
    InputError
        If there are more cells than a panel can have.
    """
    if page.max_row == page.max_column == 1:  # what R's openxlsx says of every sheet
        page.reset_dimensions()
    found: list[tuple[object, ...]] = []
    cells = last = 0
    for number, row in enumerate(page.values, 1):
        if any(value is not None for value in row):
            found += [()] * (number - 1 - len(found))
            found.append(row)
            last = number
        cells += len(row)
        if cells > MOST_CELLS:
            raise InputError(
                f"a sheet of more than {MOST_CELLS:,} cells",
                file=file,
                value=page.title,
                remedy="delete empty rows and columns, or export it as .csv",
            )
    width = max(map(len, found), default=0)
    return [(*row, *(None,) * (width - len(row))) for row in found[:last]]


def _without_remarks(body: pd.DataFrame, notes: list[Note]) -> pd.DataFrame:
    """Leave out empty rows and remarks at the end: one cell of text, everything else empty."""
    last = len(body)
    while last and int(body.iloc[last - 1].notna().sum()) <= 1 and len(body.columns) > 2:
        last -= 1
    if remarks := int(body.iloc[last:].notna().any(axis=1).sum()):
        verbs = "holds a remark and was" if remarks == 1 else "hold a remark and were"
        text = f"{many(remarks, 'row')} below the table {verbs} passed over"
        notes.append(Note("remarks", remarks, text))
    return body.iloc[:last]
