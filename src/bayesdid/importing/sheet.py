"""Tables of CSV, TSV and workbooks."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path

from bayesdid.escape import from_spreadsheet
from bayesdid.exceptions import InputError
from bayesdid.importing.grid import LARGEST, MOST_CELLS, WIDEST, Document, Grid, is_note, make_grid
from bayesdid.importing.numbers import enumerator, what
from bayesdid.importing.words import TITLE


def read_separated(text: str, separator: str | None = None) -> Document:
    """Separated cells; a blank line ends a table, lines of one cell are titles or notes."""
    sample = text[:20_000]
    if separator is None:
        counts = {mark: sample.count(mark) for mark in ",;\t"}
        separator = max(counts, key=lambda mark: counts[mark])
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    except csv.Error as error:
        raise InputError(
            f"no table of separated cells: {error}", remedy="save it as CSV in UTF-8"
        ) from error
    return _document([[_unquoted(from_spreadsheet(cell)) for cell in row] for row in rows])


def _unquoted(text: str) -> str:
    """What esttab writes so that a spreadsheet takes it for text: ="0.12**"."""
    bare = text.strip()
    return bare[2:-1] if bare.startswith('="') and bare.endswith('"') else text


def read_workbook(path: Path) -> Document:
    """Every sheet of a workbook, numbers with the places that their format shows.

    Raises
    ------
    InputError
        If it is no workbook, or larger than any table that is printed.
    """
    import openpyxl

    check_archive(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile, SyntaxError, TypeError) as error:
        raise InputError(
            "not a workbook that can be read", file=path, remedy="save it as .xlsx or .csv"
        ) from error
    grids: list[Grid] = []
    prose: list[str] = []
    for sheet in book.worksheets:
        rows, cells = [], 0
        if sheet.max_row == sheet.max_column == 1:  # what R's openxlsx says of every sheet
            sheet.reset_dimensions()
        for row in sheet.iter_rows(max_col=WIDEST + 1):
            texts = [_shown(cell.value, getattr(cell, "number_format", "")) for cell in row]
            while texts and not texts[-1].strip():
                texts.pop()
            rows.append(texts)
            cells += len(texts) + 1
            if cells > MOST_CELLS * 2:
                raise InputError(
                    "a sheet larger than any table that is printed",
                    file=path,
                    value=sheet.title,
                    remedy="give the workbook with the published tables alone",
                )
        _spread(rows, _merged(path, getattr(sheet, _WHERE, "")))
        found = _document(rows)
        grids += found.grids
        prose += found.prose
    book.close()
    return Document(tuple(grids), tuple(prose))


_WHERE = "_worksheet_path"  # of a sheet in its archive: openpyxl tells merged cells of no stream
_AREA = re.compile(rb'<mergeCell\b[^>]*\bref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')


def _merged(path: Path, part: str) -> list[tuple[int, int, int]]:
    """Merged cells of a sheet: row, first column and the column after the last, from zero."""
    from openpyxl.utils import column_index_from_string as number

    with zipfile.ZipFile(path) as archive:
        if part not in archive.namelist():
            return []
        areas = _AREA.findall(archive.read(part))
    return [(int(row) - 1, number(a.decode()) - 1, number(b.decode())) for a, row, b, _ in areas]


def _spread(rows: list[list[str]], areas: list[tuple[int, int, int]]) -> None:
    """Put a text of merged cells into each of them, in place; not of those that begin a row."""
    for i, first, stop in areas:
        if first and i < len(rows) and first < len(rows[i]):
            stop = min(stop, WIDEST)
            rows[i] += [""] * (stop - len(rows[i]))
            rows[i][first:stop] = [rows[i][first]] * (stop - first)


def check_archive(path: Path) -> None:
    """Refuse what unpacks to more than any document.

    Raises
    ------
    InputError
        If it is no archive of the kind, or too large.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(item.file_size for item in archive.infolist())
            many = len(archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InputError(
            "damaged, or of another kind than its name says", file=path, remedy="save it again"
        ) from error
    if size > LARGEST * 4 or many > 10_000:
        raise InputError(
            "it unpacks to more than any document",
            file=path,
            value=f"{size:,} bytes",
            remedy="give a file with the published tables alone",
        )


def _shown(value: object, form: str) -> str:
    """A cell as the sheet shows it, as far as its number format says."""
    if value is None:
        return ""
    if isinstance(value, float):
        places = form.partition(".")[2]
        zeros = len(places) - len(places.lstrip("0"))
        if form.rstrip().endswith("%"):
            return f"{value * 100:.{zeros}f}%"
        text = f"{value:.{zeros}f}" if zeros else repr(value)
        around = _AROUND.fullmatch(form.partition(";")[0].replace('"', "").replace("\\", ""))
        return f"{around[1]}{text}{around[2]}" if around else text
    return str(value)


_AROUND = re.compile(r"([(\[]?)[#,]*0(?:\.0+)?(\*{0,4}[)\]]?)")  # (0.000), 0.00"**"


def _document(rows: list[list[str]]) -> Document:
    grids: list[Grid] = []
    prose: list[str] = []
    block: list[list[str]] = []
    lead: list[str] = []

    def end() -> None:
        nonlocal block, lead
        notes: list[str] = []
        while block and _is_remark(block[-1]):
            notes.insert(0, next(cell for cell in block.pop() if cell.strip()))
        grid = make_grid(block, " ".join(lead), " ".join(notes))  # two numbers of a cell apart
        numeric = sum(any(what(c) in {"number", "below"} for c in row[1:]) for row in grid.rows)
        if numeric >= 2:
            grids.append(grid)
            lead = []
        elif grids and notes and not block:
            last = grids[-1]
            grids[-1] = Grid(last.rows, last.title, f"{last.notes} {' '.join(notes)}", last.loose)
        else:
            lead += notes
            prose.extend(notes)
        block = []

    gap = False
    for row in rows:
        if not any(cell.strip() for cell in row):
            gap = True
            continue
        if gap and not _continues(block, row):
            end()
        gap = False
        if not block and _is_remark(row):
            lead.append(next(cell for cell in row if cell.strip()).strip())
        else:
            block.append(row)
    end()
    return Document(tuple(grids), tuple(prose))


def _continues(block: list[list[str]], row: list[str]) -> bool:
    """Whether a row below a blank one is of the same table, whose parts blank rows set apart.

    Below headings alone what they head does; below numbers another row of as many of them, or a
    note in one cell does not: a new table has headings of its own.
    """
    if not block:
        return False
    if not any(_holds_numbers(line) for line in block):
        return sum(bool(cell.strip()) for cell in block[-1][1:]) > 1 and _holds_numbers(row)
    widest = max(len(line) for line in block)
    return bool(row[0].strip()) and _holds_numbers(row) and len(row) <= widest


def _holds_numbers(row: list[str]) -> bool:
    return any(what(cell) in {"number", "below"} and not enumerator(cell) for cell in row[1:])


def _is_title(text: str) -> bool:
    return text.lower().startswith("table") or bool(TITLE.match(text))


def _is_remark(row: list[str]) -> bool:
    """One text in a row of its own, longer than a label or a legend's line."""
    filled = [cell for cell in row if cell.strip()]
    return (
        len(filled) == 1
        and filled[0] == row[0]
        and what(row[0]) == "text"
        and (len(row[0]) > 25 or "<" in row[0] or is_note(row[0]) or _is_title(row[0]))
    )
