"""Read a panel file: .csv, .tsv, .parquet, .dta or .xlsx, into one frame of raw columns."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from bayesdid.exceptions import InputError
from bayesdid.panel.panel import Panel
from bayesdid.panel.raw import Raw, Wanted, refuse_doubled, told
from bayesdid.panel.stata import read_stata
from bayesdid.panel.text import read_text
from bayesdid.panel.validate import validate_panel
from bayesdid.panel.workbook import read_workbook
from bayesdid.study.load import Study
from bayesdid.study.schema import factors_of

MOST_CELLS = 200_000_000  # of a table: compressed, a small file may hold far more
EXTENSIONS = (".csv", ".tsv", ".parquet", ".dta", ".xlsx")
_NO_READER = "save it as .csv, .parquet, .dta or .xlsx, or give the data frame of {} in Python"
_AS_FRAME = {
    suffix: _NO_READER.format(reader)
    for suffix, reader in {
        ".sav": 'pd.read_spss("{}")',
        ".sas7bdat": 'pd.read_sas("{}")',
        ".xpt": 'pd.read_sas("{}")',
        ".xls": 'pd.read_excel("{}")',
        ".ods": 'pd.read_excel("{}")',
        ".json": 'pd.read_json("{}")',
        ".feather": 'pd.read_feather("{}")',
        ".gz": 'pd.read_csv("{}")',
        ".zip": 'pd.read_csv("{}")',
    }.items()
} | {
    ".txt": "call it .csv if commas or semicolons stand between its columns, .tsv if tabs do",
    ".rds": 'save it in R: write.csv(readRDS("{}"), "panel.csv", row.names = FALSE)',
}


def read_panel(
    path: str | Path, study: Study, *, sheet: str | None = None, skip: int | None = None
) -> Panel:
    """Read and validate a user's panel.

    Parameters
    ----------
    sheet
        Sheet of a workbook; default that of the study, or the one that holds the panel.
    skip
        Lines above the header; default those of the study, or found by the names of the keys.

    Raises
    ------
    InputError
        Naming file, column, row, value and remedy.
    """
    file, section = Path(path), study.file.panel
    sheet = section.sheet if sheet is None else sheet
    skip = section.skip if skip is None else skip
    texts = [section.period, *(group.column for group in study.file.group)]
    texts += [policy.adoption for policy in study.policies if policy.adoption is not None]
    texts += [name for spec in study.specs.values() for name in factors_of(spec.column)]
    wanted = Wanted(section.unit, section.period, tuple(texts), section.missing_marks)
    raw = read_raw(file, wanted, sheet, skip)
    return validate_panel(
        raw.frame,
        study,
        source=str(file),
        first_row=raw.first_row,
        codes=raw.codes,
        notes=raw.notes,
    )


def read_frame(file: Path, *, text: Iterable[str] = ()) -> pd.DataFrame:
    """Read one file by its extension; columns keep their names and types.

    Parameters
    ----------
    text
        Columns of a text file that stay text as typed.
    """
    return read_raw(file, Wanted("", "", tuple(text)), None, None).frame


def _parquet(file: Path) -> pd.DataFrame:
    """A table of columns that all have a name of their own, and a size that its header bears."""
    from pyarrow.parquet import ParquetFile

    held = ParquetFile(file)
    cells = held.metadata.num_rows * held.metadata.num_columns
    if cells > MOST_CELLS:
        raise InputError(
            f"{cells:,} cells, more than {MOST_CELLS:,}", file=file, remedy="leave columns out"
        )
    refuse_doubled(held.schema_arrow.names, file, 1)
    return pd.read_parquet(file)


def read_raw(file: Path, wanted: Wanted, sheet: str | None, skip: int | None) -> Raw:
    """Read one file by its extension into raw columns.

    Raises
    ------
    InputError
        If there is no such file, or it is not what its extension says.
    """
    suffix = file.suffix.lower()
    if suffix not in EXTENSIONS:
        raise InputError(
            "unknown file type",
            file=file,
            value=suffix or "(none)",
            remedy=_AS_FRAME.get(suffix, f"use one of {', '.join(EXTENSIONS)}").format(file),
        )
    if not file.is_file():
        raise InputError("no such file", file=file, remedy="check the path")
    if file.stat().st_size == 0:
        raise InputError("the file is empty", file=file, remedy="export the panel again")
    try:
        match suffix:
            case ".csv" | ".tsv":
                return read_text(file, "," if suffix == ".csv" else "\t", wanted, skip)
            case ".parquet":
                return told(Raw(_parquet(file), 1), wanted)
            case ".dta":
                return told(read_stata(file), wanted)
            case _:
                return read_workbook(file, wanted, sheet, skip)
    except InputError:
        raise
    except Exception as error:  # the readers raise a dozen types for a damaged file
        raise InputError(
            f"cannot be read as {suffix}: {error}",
            file=file,
            remedy="check that the file is what its extension says, and export it again",
        ) from error
