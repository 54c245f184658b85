"""Rows of a table that hold no observation: empty, of one cell, of units, or the header again."""

from __future__ import annotations

import re

import pandas as pd

from bayesdid.exceptions import Note
from bayesdid.notebook import many
from bayesdid.panel.text import typed

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
_LABELS = 3  # rows of words below the header at most: labels, units
_FEWEST = 2
_NEARLY = 0.8  # of the cells of such a column hold a digit
_SAMPLE = 50  # rows below them that show which columns hold numbers


def observed_rows(frame: pd.DataFrame, unit: str, period: str, notes: list[Note]) -> pd.DataFrame:
    """Without rows that hold none; those with something in them and no key stay, to be refused.

    What is passed over: labels below the header, the header again, and rows that lack a key and
    have one cell (a remark, a heading of rows below), none, or units of measurement.

    Parameters
    ----------
    frame
        With the column ``__row__``.
    unit, period
        Columns of the keys; where they are not known any empty cell is a lack.
    """
    data = frame.drop(columns=_ROW)
    labels = _labels(data)
    keys = [name for name in (unit, period) if name in data]
    if len(keys) == 2:
        lacking = _empty(frame[unit]) | _empty(frame[period])
    else:
        keys = [*data.columns[:2]]
        lacking = data.isna().any(axis=1)
    headers = pd.Series(True, index=frame.index)
    for name in keys:
        headers &= _is(frame[name], str(name))
    if not (lacking | headers).any() and not labels:
        return frame
    told = ~data.loc[lacking].apply(_empty).astype(bool)
    filled = told.sum(axis=1).reindex(frame.index, fill_value=len(frame.columns))
    empty = filled == 0
    alone = (filled == 1) & (data.shape[1] > 2)
    above = pd.Series(frame.index < labels, index=frame.index) & ~empty & ~alone
    if count := int(empty.sum()):
        notes.append(Note("empty_rows", count, f"{many(count, 'empty row')} passed over"))
    if count := int(alone.sum()):
        first = data[alone].iloc[0].dropna().astype(str).str.strip()
        text = f"{many(count, 'row')} of one cell passed over ({first[first != ''].iloc[0][:30]})"
        notes.append(Note("remarks", count, text))
    if count := int(headers.sum()):
        text = f"{many(count, 'row')} passed over that {'repeats' if count == 1 else 'repeat'} the "
        notes.append(Note("repeated_header", count, text + "header"))
    if count := int(above.sum()):
        text = f"{many(count, 'row')} below the header passed over: labels or units, no observation"
        notes.append(Note("label_rows", count, text))
    passed = empty | alone | headers | above
    kept = frame[~passed].reset_index(drop=True).infer_objects()
    for name in kept.columns:
        text_typed = kept[name].dtype == object or pd.api.types.is_string_dtype(kept[name])
        if text_typed and not _empty(frame.loc[passed, name]).all():
            cells = kept[name].astype("string").str.strip().fillna("")
            found = typed(cells, key=name == unit)
            kept[name] = found if pd.api.types.is_numeric_dtype(found) else kept[name]
    return kept


def _labels(data: pd.DataFrame) -> int:
    """Rows of words at the top, in two columns or more of which all that follows is numbers.

    A row of units says one in two columns, or in one if its other cells are empty.
    """
    below = data.iloc[_LABELS : _LABELS + _SAMPLE]
    numbers = [
        name
        for name in data.columns
        if not pd.api.types.is_numeric_dtype(data[name]) and _has_digits(below[name])
    ]
    count = 0
    for _, row in data.iloc[:_LABELS].iterrows():
        told = row[~_empty(row)].astype(str).str.strip()
        words = told[[not any(map(str.isdigit, cell)) for cell in told]]
        in_numbers = [name for name in words.index if name in numbers]
        if len(told) > len(words) or len(in_numbers) < _FEWEST or len(below) < _FEWEST:
            break
        if len(words) < len(row) and not all(map(UNIT.fullmatch, words)):
            break  # empty cells and words: an observation of which little is known
        count += 1
    return count


def _has_digits(values: pd.Series) -> bool:
    told = values[~_empty(values)].astype(str)
    return len(told) > 0 and float(told.str.contains(r"\d").mean()) > _NEARLY


def _is(values: pd.Series, text: str) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values):
        return pd.Series(False, index=values.index)
    return values.astype("string").str.strip().eq(text).fillna(False).astype(bool)


def _empty(values: pd.Series) -> pd.Series:
    return values.isna() | _is(values, "")
