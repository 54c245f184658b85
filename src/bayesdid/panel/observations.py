"""Rows of a table that hold no observation: empty, of one cell, of units, or the header again."""

from __future__ import annotations

import re

import pandas as pd

from bayesdid.exceptions import Note
from bayesdid.notebook import many

UNIT = re.compile(  # what stands below a name and is none: 万元, (%), km
    r"[(（\[].*[)）\]]|[%‰°].*|[十百千万亿]*(?:美|港|日|欧)?"
    r"(?:元|吨|人|户|个|件|辆|台|套|张|所|家|次|度|天|岁|公里|千米|米|公顷|亩|公斤|千克|克|升|平方.*|立方.*|千瓦.*"
    r"|.*标准煤)(?:/.*)?"
    r"|(?:1000s?|millions?|thousands?|billions?|mn|bn|tn|persons?|people|yuan|rmb|cny|usd|us\$|eur"
    r"|dollars?|euros?|tons?|tonnes?|kg|km2?|m2|ha|mw|kwh|percent|per cent|index|years?|days?)"
    r"(?: .*|/.*)?",
    re.IGNORECASE,
)
_ROW = "__row__"


def observed_rows(frame: pd.DataFrame, unit: str, period: str, notes: list[Note]) -> pd.DataFrame:
    """Without rows that hold none; those with something in them and no key stay, to be refused.

    What is passed over: headers repeated, and rows that lack a key and have one cell (a remark, a
    heading of the rows below), none, or units of measurement in the first row.
    """
    lacking = _empty(frame[unit]) | _empty(frame[period])
    headers = _is(frame[unit], unit) & _is(frame[period], period)
    if not (lacking | headers).any():
        return frame
    doubtful = frame.loc[lacking].drop(columns=_ROW)
    told = ~doubtful.apply(_empty)
    filled = told.sum(axis=1).reindex(frame.index, fill_value=len(frame.columns))
    empty = filled == 0
    alone = (filled == 1) & (frame.shape[1] > 3)
    units = pd.Series(False, index=frame.index)
    if (
        lacking.any()
        and lacking.idxmax() == 0
        and _empty(frame.loc[[0], [unit, period]].T[0]).all()
    ):
        units[0] = all(UNIT.fullmatch(str(cell)) for cell in doubtful.loc[0][told.loc[0]])
    units &= ~empty & ~alone
    if count := int(empty.sum()):
        notes.append(Note("empty_rows", count, f"{many(count, 'empty row')} passed over"))
    if count := int(alone.sum()):
        first = doubtful[alone[lacking]].iloc[0].dropna().astype(str).str.strip()
        text = f"{many(count, 'row')} of one cell passed over ({first[first != ''].iloc[0][:30]})"
        notes.append(Note("remarks", count, text))
    if count := int(headers.sum()):
        text = f"{many(count, 'row')} passed over that {'repeats' if count == 1 else 'repeat'} the "
        notes.append(Note("repeated_header", count, text + "header"))
    if units.any():
        notes.append(Note("units_row", 1, f"row {frame.loc[0, _ROW]} was passed over: of units"))
    kept = ~(empty | alone | headers | units)
    return frame[kept].reset_index(drop=True).infer_objects()


def _is(values: pd.Series, text: str) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values):
        return pd.Series(False, index=values.index)
    return values.astype("string").str.strip().eq(text).fillna(False).astype(bool)


def _empty(values: pd.Series) -> pd.Series:
    return values.isna() | _is(values, "")
