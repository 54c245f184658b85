"""Read a text file: its encoding told apart, its columns typed only where nothing is lost."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pandas as pd

from bayesdid.escape import from_spreadsheet
from bayesdid.exceptions import InputError, Note
from bayesdid.panel.commas import has_odd_numbers, plain_numbers
from bayesdid.panel.raw import Raw, Wanted, blank_marks, refuse_doubled
from bayesdid.panel.values import BIGGEST, MISSING

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_WHOLE = r"-?(?:0|[1-9]\d*)(?:\.0+)?"  # 7 and 7.0, not 07
_SEARCHED = 30  # lines in which a header is looked for
_SAMPLE = 4_000_000  # bytes that are looked at to tell an encoding


def read_text(file: Path, separator: str, wanted: Wanted, skip: int | None) -> Raw:
    """Read a table with one header line below `skip` lines.

    Parameters
    ----------
    skip
        Default found by the names of the keys, else none.

    Raises
    ------
    InputError
        If the encoding cannot be told, columns are separated otherwise, or a name occurs twice.
    """
    raw = file.read_bytes()
    encoding, notes = encoding_of(raw, file)
    text = raw.decode(encoding)
    if separator == "," and (other := _separator(text, wanted, skip)) != ",":
        separator = other
        said = f"columns are separated by {_SEPARATORS[other]}"
        notes = (*notes, Note("separator", 1, said))
    if skip is None:
        skip = _above_header(text, separator, wanted)
        if skip:
            said = f"{skip} lines above the header were passed over"
            notes = (*notes, Note("title_rows", skip, said))
    lines = text.split("\n", skip + 1)
    if len(lines) <= skip:
        raise InputError(
            f"the file has no line below the {skip} that are to be skipped",
            file=file,
            remedy="give the number of lines above the header as skip",
        )
    header = lines[skip]
    row = skip + 1
    names = [
        from_spreadsheet(name.strip()) for name in header.strip().replace('"', "").split(separator)
    ]
    refuse_doubled(names, file, row)
    frame = pd.read_csv(
        io.StringIO(text),
        sep=separator,
        skipinitialspace=True,
        skiprows=skip,
        dtype=str,
        na_filter=False,
        index_col=False,
    )
    frame.columns = pd.Index([from_spreadsheet(str(name).strip()) for name in frame.columns])
    for name in frame.columns:
        if (quoted := frame[name].str.startswith("'")).any():
            frame.loc[quoted, name] = frame.loc[quoted, name].map(from_spreadsheet)
    kept = (wanted.unit, *wanted.text)
    notes = (*notes, *blank_marks(frame, (wanted.unit, wanted.period), wanted.marks, ""))
    if separator != "," or has_odd_numbers(text):
        notes = (*notes, *plain_numbers(frame, kept, decimal_comma=separator == ";"))
    for name in frame.columns:
        if name not in wanted.text:
            frame[name] = typed(frame[name], key=name == wanted.unit)
        else:
            frame[name] = frame[name].mask(frame[name].str.strip() == "")
    return Raw(frame, row + 1, notes=notes)


def _separator(text: str, wanted: Wanted, skip: int | None) -> str:
    """What separates the columns of a file that is called .csv.

    Whatever stands in a line that names both keys; else, where the header has no comma, what
    stands in it.
    """
    lines = text.split("\n", _SEARCHED)[skip or 0 : _SEARCHED]
    if wanted.unit and wanted.period:
        for mark in (",", *_SEPARATORS):
            for line in lines:
                if {wanted.unit, wanted.period} <= set(_cells(line, mark)):
                    return mark
    for mark in _SEPARATORS:  # decimal commas leave the header as the line without one
        filled = [line for line in lines if line.strip()]
        if filled and "," not in filled[0] and all(mark in line for line in filled[:2]):
            return mark
    return ","


def _cells(line: str, separator: str) -> list[str]:
    return [from_spreadsheet(part.strip().strip('"')) for part in line.split(separator)]


def _above_header(text: str, separator: str, wanted: Wanted) -> int:
    """Lines above the first that names both keys, or else above the first that is as full as most.

    Titles above a table fill a cell or two.
    """
    lines = text.split("\n", _SEARCHED)[:_SEARCHED]
    cells = [[part.strip().strip('"') for part in line.split(separator)] for line in lines]
    if wanted.unit and wanted.period:
        for number, names in enumerate(cells):
            if {wanted.unit, wanted.period} <= {from_spreadsheet(name) for name in names}:
                return number
    filled = [sum(map(bool, parts)) for parts in cells]
    usual = sorted(filled)[len(filled) // 2]
    return next((k for k, n in enumerate(filled) if n > 1 and 2 * n > usual), 0)


def typed(values: pd.Series, *, key: bool = False) -> pd.Series:
    """Text as numbers where every cell is one; a key or word is kept as typed.

    Parameters
    ----------
    values
        Text; an empty cell is missing.
    key
        Whether it is a column of keys, in which NA is a name and 01 is not 1.
    """
    text = values.str.strip()
    empty = text == ""
    if key:
        told = text[~empty]
        if not told.str.fullmatch(_WHOLE).all():
            return text.mask(empty)
        numbers = told.astype(float)  # as many names as numbers, none too long to be one
        exact = told.nunique() == numbers.nunique() and not (numbers.abs() >= BIGGEST).any()
        return pd.to_numeric(text.mask(empty)) if exact else text.mask(empty)
    missing = text.str.lower().isin(MISSING - {"never"})
    told = text[~missing]
    if told.str.match(r"-?0\d", na=False).any():  # 01: a code, not a number
        return text.mask(empty)
    numbers = pd.to_numeric(told, errors="coerce")
    if numbers.isna().any():
        return text.mask(empty)
    return numbers.reindex(values.index)


def encoding_of(raw: bytes, file: Path) -> tuple[str, tuple[Note, ...]]:
    """The encoding of a text file: UTF-8, UTF-16, GB18030, or Latin-1 as Windows extends it.

    GB18030 and Latin-1 both decode almost anything: which it is shows in how the bytes beyond
    ASCII stand together.

    Raises
    ------
    InputError
        If none fits, or two fit about as well.
    """
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", ()
    head = raw[:2000]
    if len(head) > 3 and 5 * head.count(0) >= len(head):
        return ("utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"), ()
    try:
        raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8-sig", ()
    fits = [_decodes(raw, name) for name in ("gb18030", "cp1252")]
    share = _common(raw[:_SAMPLE])
    if fits[0] and share > 0.8:
        return "gb18030", (Note("encoding", 1, "the file is not UTF-8: read as GB18030"),)
    if fits[1] and share < 0.2:
        return "cp1252", (Note("encoding", 1, "the file is not UTF-8: read as Latin-1"),)
    raise InputError(
        "neither UTF-8 text nor surely GB18030 or Latin-1", file=file, remedy="save as UTF-8"
    )


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _common(raw: bytes) -> float:
    """Share of the runs of bytes with a high bit that look like Chinese words, not like accents.

    An accent, or two, stands beside a plain letter; Chinese characters are pairs of bytes.
    """
    runs = list(re.finditer(rb"[\x80-\xff]+", raw))
    words = 0
    for run in runs:
        size, (start, end) = len(run[0]), run.span()
        beside = raw[max(start - 1, 0) : start] + raw[end : end + 1]
        words += size % 2 == 0 and (size > 2 or not beside.isalpha())
    return words / max(len(runs), 1)
