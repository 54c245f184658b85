"""Rows of a table that hold no observation: empty ones, and a header repeated further down."""

from __future__ import annotations

import pandas as pd

from bayesdid.exceptions import Note
from bayesdid.notebook import many

_ROW = "__row__"
_CAPTION = 1  # cells that a line above a repeated header fills: 续表


def observed_rows(frame: pd.DataFrame, unit: str, period: str, notes: list[Note]) -> pd.DataFrame:
    """Without empty rows, and without headers repeated with the one-cell line above them.

    Rows with something in them stay, to be refused if a key is missing.
    """
    lacking = _empty(frame[unit]) | _empty(frame[period])
    repeated = _said(frame[unit]).eq(unit) & _said(frame[period]).eq(period)
    if not (lacking | repeated).any():
        return frame
    doubtful = frame.loc[lacking].drop(columns=_ROW)
    filled = (~doubtful.apply(_empty)).sum(axis=1).reindex(frame.index, fill_value=2)
    empty = filled == 0
    below = repeated[~empty].shift(-1, fill_value=False).reindex(frame.index, fill_value=False)
    captions = (filled == _CAPTION) & below & (frame.shape[1] > 3)
    headers = repeated | captions
    if count := int(empty.sum()):
        notes.append(Note("empty_rows", count, f"{many(count, 'empty row')} passed over"))
    if count := int(headers.sum()):
        text = f"{many(count, 'row')} passed over: the header again, and a line above it"
        notes.append(Note("repeated_header", count, text))
    return frame[~(empty | headers)].reset_index(drop=True).infer_objects()


def _said(values: pd.Series) -> pd.Series:
    return values.astype("string").str.strip()


def _empty(values: pd.Series) -> pd.Series:
    text = _said(values)
    return (text.isna() | (text == "")).astype(bool)
