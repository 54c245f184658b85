"""What a reader hands on: raw columns, codes behind labels, and what was done to get them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from bayesdid.exceptions import InputError, Note
from bayesdid.notebook import many
from bayesdid.panel.commas import plain_numbers


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a study asks a file for: its key columns, and all columns that are text as typed.

    `marks` are what cells hold that mean not known, beside the usual ways.
    """

    unit: str
    period: str
    text: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Raw:
    """One table of a file.

    Attributes
    ----------
    frame
        Columns as stored; labels where a column has labels and codes.
    first_row
        Row of the first observation, as a person counts them in the file.
    codes
        The numbers behind the labelled columns of `frame`, with the same rows.
    notes
        What was passed over or assumed.
    """

    frame: pd.DataFrame
    first_row: int
    codes: pd.DataFrame = field(default_factory=pd.DataFrame)
    notes: tuple[Note, ...] = ()


def blank_marks(
    frame: pd.DataFrame, keys: Sequence[str], marks: Sequence[str], empty: object = None
) -> list[Note]:
    """Empty the cells that hold a mark which means not known, keys left alone, and count them.

    Parameters
    ----------
    empty
        What an empty cell of this frame holds.
    """
    count = 0
    for name in frame.columns if marks else ():
        if name not in keys and not pd.api.types.is_numeric_dtype(frame[name]):
            marked = frame[name].astype("string").str.strip().isin([*marks]).fillna(False)
            count += int(marked.sum())
            frame[name] = frame[name].mask(marked.astype(bool), empty)
    text = f"{many(count, 'cell')} holding {' or '.join(marks)} were read as not known"
    return [Note("missing_marks", count, text)] if count else []


def told(raw: Raw, wanted: Wanted) -> Raw:
    """A table that a file or package types itself: marks taken away, texts of numbers as numbers.

    Its own frame is left as it is. Labels stay, for a use of the column that needs them.
    """
    frame = raw.frame.copy(deep=False)
    notes = blank_marks(frame, (wanted.unit, wanted.period), wanted.marks)
    kept = (wanted.unit, wanted.period, *wanted.text, *map(str, raw.codes.columns))
    notes += plain_numbers(frame, kept)
    return Raw(frame, raw.first_row, raw.codes, (*raw.notes, *notes))


def refuse_doubled(names: list[str], file: object, row: int) -> None:
    """Refuse a header that has one name twice.

    Raises
    ------
    InputError
        Naming the column.
    """
    if doubled := [name for name in names if name and names.count(name) > 1]:
        raise InputError(
            "two columns have the same name",
            file=str(file),
            row=row,
            column=doubled[0],
            remedy="rename one of them",
        )
