"""Numbers that are typed with commas, groups of thousands or marks of footnotes, in text cells.

Whether ``1,234`` is a thousand or one and a quarter stands in no cell. What other cells of the file
leave open is left as it was typed, to be refused where a number is needed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from bayesdid.exceptions import Note
from bayesdid.notebook import many
from bayesdid.panel.values import FOOTNOTES, MISSING

_END = r"(?:[eE][+-]?[0-9]+)?"
_ONE = r"(?=.*[0-9])[+-]?"
_POINT = re.compile(rf"{_ONE}(?:[0-9]*|[1-9][0-9]{{0,2}}(?:,[0-9]{{3}})+)(?:\.[0-9]+)?{_END}")
_COMMA = re.compile(rf"{_ONE}(?:[0-9]*|[1-9][0-9]{{0,2}}(?:\.[0-9]{{3}})+)(?:,[0-9]+)?{_END}")
_GAP = re.compile(r"[ \u00a0\u2009\u202f'’]")
_SPACED = re.compile(rf"[+-]?[1-9][0-9]{{0,2}}(?:{_GAP.pattern}[0-9]{{3}})+(?:[.,][0-9]+)?")
# a number and the mark of a footnote: 12.3*, 12.3①, 12.3¹, 1,234†
_WIDE = str.maketrans(
    "０１２３４５６７８９．，－＋", "0123456789.,-+"
)  # as a Chinese keyboard types
_MINUS = re.compile(r"^[−–](?=[0-9.])")
_MARKED = re.compile(rf"([+-]?[0-9][0-9.,]*)\s*[{FOOTNOTES}]+")
_ODD = re.compile(rf'"|[0-9]{_GAP.pattern}[0-9]{{3}}|[0-9]\s*[{FOOTNOTES}]|[−–][0-9.]|[０-９．，]')


def has_odd_numbers(text: str) -> bool:
    """Whether a file that commas separate may hold what :func:`plain_numbers` changes."""
    return _ODD.search(text) is not None


def plain_numbers(
    frame: pd.DataFrame, kept: Sequence[str], *, decimal_comma: bool = False
) -> list[Note]:
    """Write numbers with a decimal point and nothing else, in the frame's cells of text.

    A column counts if all its numbers can be read in one way. It tells that way itself (``1,5`` and
    ``0,512`` are decimal commas, ``1,234.5`` and ``1,234,567`` are thousands), or other columns do.

    Parameters
    ----------
    kept
        Columns of text, in which no thousands are looked for.
    decimal_comma
        Whether what nothing tells is a decimal comma, as in files that semicolons separate.

    Returns
    -------
    list of Note
        What was read how, with the names of the columns.
    """
    notes = _without_marks(frame, kept)
    told = {name: _told(frame[name]) for name in frame.columns}
    told = {name: cells for name, cells in told.items() if len(cells)}
    points = {name for name, cells in told.items() if _is(cells, _POINT)}
    commas = {name for name, cells in told.items() if _is(cells, _COMMA)}
    for name in (points | commas) - {*kept}:  # 12 345, −3, １２
        if told[name].ne(_raw(frame, name, told[name])).any():
            _replace(frame, name, told[name])
    own_point, own_comma = points - commas, commas - points
    comma, point = decimal_comma, False
    if own_comma or own_point:
        comma, point = not own_point, not own_comma
    with_comma, with_dot = (_holding(told, points & commas, *marks) for marks in (",.", ".,"))
    decimal = _order(frame, own_comma | (with_comma if comma else set()))
    dots = _order(frame, with_dot - {*kept} if decimal and comma else set())
    groups = _holding(told, own_point, ",") | (with_comma if point else set())
    grouped = _order(frame, groups - {*kept})
    for name in (*decimal, *dots):
        plain = told[name].str.replace(".", "", regex=False)
        _replace(frame, name, plain.str.replace(",", ".", regex=False))
    for name in grouped:
        _replace(frame, name, told[name].str.replace(",", "", regex=False))
    if decimal:
        text = f"decimal commas in {_listed(decimal)}"
        if dots:
            text += f"; dots in {_listed(dots)} are read as those of thousands"
        notes.append(Note("decimal_commas", len(decimal), text))
    if grouped:
        text = f"commas in {_listed(grouped)} are read as those of thousands"
        notes.append(Note("thousands", len(grouped), text))
    return notes


def _raw(frame: pd.DataFrame, name: str, cells: pd.Series) -> pd.Series:
    return frame[name].loc[cells.index].astype("string").str.strip()


def _holding(told: dict[str, pd.Series], names: set[str], mark: str, without: str = "") -> set[str]:
    """Which of the columns hold a mark in some cell, and another in none."""
    return {
        name
        for name in names
        if told[name].str.contains(mark, regex=False).any()
        and not (without and told[name].str.contains(without, regex=False).any())
    }


def _order(frame: pd.DataFrame, names: set[str]) -> list[str]:
    return [str(name) for name in frame.columns if name in names]


def _told(values: pd.Series) -> pd.Series:
    """Cells of text that say something, thousands without their spaces, a hyphen for a minus.

    Marks such as … or -- say nothing of the others; they are refused later, by what they are.
    """
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return pd.Series([], dtype="string")
    text = values[[isinstance(value, str) for value in values]].astype("string").str.strip()
    text = text[~text.str.lower().isin(MISSING) & text.str.contains(r"\w")]
    text = text.str.translate(_WIDE).str.replace(_MINUS, "-", regex=True)
    spaced = text.str.fullmatch(_SPACED)
    return text.mask(spaced, text.str.replace(_GAP, "", regex=True))


def _is(cells: pd.Series, way: re.Pattern[str]) -> bool:
    return bool(cells.str.fullmatch(way).all())


def _replace(frame: pd.DataFrame, name: str, cells: pd.Series) -> None:
    column = frame[name].astype(object)
    column.loc[cells.index] = cells.astype(object)
    frame[name] = column


def _without_marks(frame: pd.DataFrame, kept: Sequence[str]) -> list[Note]:
    """Take marks of footnotes away from numbers, in columns of which most cells are numbers."""
    found: list[str] = []
    count, example = 0, ""
    for name in frame.columns:
        if name in kept:
            continue
        cells = _told(frame[name])
        if not len(cells):
            continue
        marked = cells.str.fullmatch(_MARKED)
        plain = cells.str.fullmatch(_POINT) | cells.str.fullmatch(_COMMA)
        numbers = int(plain.sum()) + int(frame[name].notna().sum()) - len(cells)
        if not marked.any() or not (marked | plain).all() or int(marked.sum()) > numbers:
            continue
        example = example or str(cells[marked].iloc[0])
        count, found = count + int(marked.sum()), [*found, name]
        _replace(frame, name, cells[marked].str.replace(_MARKED, r"\1", regex=True))
    text = (
        f"{many(count, 'number')} of {_listed(found)} had the mark of a footnote ({example}), "
        "which was left out"
    )
    return [Note("footnote_marks", count, text)] if found else []


def _listed(names: list[str]) -> str:
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
