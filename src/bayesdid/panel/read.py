"""Read a panel file: .csv, .tsv, .parquet, .dta or .xlsx, into one frame of raw columns."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bayesdid.exceptions import InputError
from bayesdid.panel.panel import Panel
from bayesdid.panel.validate import validate_panel
from bayesdid.study.load import Study

EXTENSIONS = (".csv", ".tsv", ".parquet", ".dta", ".xlsx")
FIRST_ROW = {".csv": 2, ".tsv": 2, ".xlsx": 2, ".parquet": 1, ".dta": 1}


def read_panel(path: str | Path, study: Study) -> Panel:
    """Read and validate a user's panel.

    Raises
    ------
    InputError
        Naming file, column, row, value and remedy.
    """
    file = Path(path)
    frame = read_frame(file)
    return validate_panel(frame, study, source=str(file), first_row=FIRST_ROW[file.suffix.lower()])


def read_frame(file: Path) -> pd.DataFrame:
    """Read one file by its extension; columns keep their names and types."""
    suffix = file.suffix.lower()
    if suffix not in EXTENSIONS:
        raise InputError(
            "unknown file type",
            file=file,
            value=suffix or "(none)",
            remedy=f"use one of {', '.join(EXTENSIONS)}",
        )
    if not file.is_file():
        raise InputError("no such file", file=file, remedy="check the path")
    if file.stat().st_size == 0:
        raise InputError("the file is empty", file=file, remedy="export the panel again")
    try:
        match suffix:
            case ".csv" | ".tsv":
                return _read_text(file, "," if suffix == ".csv" else "\t")
            case ".parquet":
                return pd.read_parquet(file)
            case ".dta":
                return pd.read_stata(file, convert_categoricals=True)
            case _:
                return pd.read_excel(file)
    except InputError:
        raise
    except Exception as error:  # the readers raise a dozen types for a damaged file
        raise InputError(
            f"cannot be read as {suffix}: {error}",
            file=file,
            remedy="check that the file is what its extension says, and export it again",
        ) from error


def _read_text(file: Path, separator: str) -> pd.DataFrame:
    raw = file.read_bytes()
    marked = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            header = raw.decode(encoding).partition("\n")[0]
        except UnicodeDecodeError:
            continue
        break
    else:
        raise InputError("neither UTF-8 nor GB18030 text", file=file, remedy="save as UTF-8")
    if separator not in header and ";" in header:
        raise InputError(
            "columns are separated by semicolons",
            file=file,
            row=1,
            value=header[:60],
            remedy="export with commas and decimal points",
        )
    names = header.strip().replace('"', "").split(separator)
    if doubled := [name for name in names if names.count(name) > 1]:
        raise InputError(
            "two columns have the same name",
            file=file,
            row=1,
            column=doubled[0],
            remedy="rename one of them",
        )
    return pd.read_csv(file, sep=separator, encoding=encoding, skipinitialspace=True)
