"""Columns of a raw panel as what their use requires: numbers, keys, or levels of a group."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from bayesdid.exceptions import InputError

MISSING = frozenset(
    {"", ".", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none", "never", "nat"}
    | {f".{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"}
)
FOOTNOTES = "*†‡§¶①-⑳⑴-⒇❶-❿¹²³⁰-⁹"
"""Marks of footnotes behind numbers and names, as the inside of a class of a pattern."""

_TRUTH = {"true": "1", "false": "0"}
BIGGEST = 2.0**53  # beyond, neighbouring whole numbers are the same double


def numeric(frame: pd.DataFrame, column: str, source: str) -> pd.Series:
    """The column as float64; the usual ways to leave a number out count as missing.

    Raises
    ------
    InputError
        Naming the first cell that is no number, with a remedy for what it is instead.
    """
    values = frame[column]
    kinds = {"M": "date", "m": "span of time", "c": "complex number"}
    dated = pd.api.types.is_datetime64_any_dtype(values)
    if kind := "date" if dated else kinds.get(getattr(values.dtype, "kind", ""), ""):
        raise InputError(
            f"not a number but a {kind}",
            file=source,
            column=column,
            remedy="name another column in study.toml, or export this one as numbers",
        )
    if not pd.api.types.is_numeric_dtype(values):
        text = values.astype("string").str.strip()
        text = text.mask(text.str.lower().isin(MISSING))
        text = text.mask(text.str.lower().isin(set(_TRUTH)), text.str.lower().map(_TRUTH))
        numbers = pd.to_numeric(text, errors="coerce")
        if (bad := numbers.isna() & text.notna()).any():
            where = bad.idxmax()
            hint, remedy = _why(str(text[where]), among_numbers=bool(numbers.notna().any()))
            if text.dropna().eq(text[where]).all():  # √ where something is on, and empty elsewhere
                remedy = f"write 1 for {text[where]} and 0 in empty cells if it says what is on"
            if isinstance(values.dtype, pd.CategoricalDtype):
                remedy = f"{remedy}; of a Stata file give the path: its codes are read"
            raise InputError(
                f"not a number{hint}",
                file=source,
                column=column,
                row=int(frame.loc[where, "__row__"]),
                value=text[where],
                remedy=remedy,
            )
        values = numbers
    return pd.Series(values.to_numpy(dtype=float, na_value=np.nan), index=frame.index)


def _why(text: str, *, among_numbers: bool) -> tuple[str, str]:
    """What a cell that is no number seems to be, and what to do about that."""
    if text.startswith("#"):
        return " (an error of the spreadsheet)", "correct its formula, or leave the cell empty"
    if text[0] in "$€£¥￥":
        return " (an amount of money)", f"take the sign {text[0]} away in all rows"
    if text[0] in "'’":
        return " (a number stored as text)", "take the apostrophe away in all rows"
    if text.endswith("%"):
        return " (a percentage)", "take the percent sign away in all rows"
    if re.fullmatch(r"\([\d.,]+\)", text):
        return " (negative, in parentheses?)", f"write -{text[1:-1]} if that is what it means"
    if "," in text:
        return " (a decimal comma?)", "write numbers with a decimal point, no thousands separator"
    if not any(letter.isalnum() for letter in text):
        return (
            " but a mark",
            f'say missing_marks = ["{text}"] (under [panel], or in the call; --missing at the '
            "shell) if it means not known, write 0 if it means less than the unit",
        )
    if not any(letter.isdigit() for letter in text):
        remedy = (
            "code the column in numbers (0 and 1 for no and yes), or leave the cell empty if the "
            "value is not known"
        )
        if among_numbers:
            remedy += (
                f'; missing_marks = ["{text}"] (--missing at the shell) says so of all of them'
            )
        return " but a word or label", remedy
    return "", "write numbers with a decimal point; leave missing cells empty"


def unit_keys(values: pd.Series, source: str, rows: pd.Series) -> pd.Series:
    """Unit keys: whole numbers stay numbers, everything else is text as typed.

    Raises
    ------
    InputError
        For a key that is infinite or too big to be told from its neighbours.
    """
    if not pd.api.types.is_numeric_dtype(values):
        text = pd.Series([_typed(value) for value in values], index=values.index, dtype=object)
        if (nul := text.str.contains("\x00", regex=False)).any():
            raise InputError(
                "a key holds a NUL character",
                file=source,
                column=str(values.name),
                row=int(rows[nul.idxmax()]),
                remedy="export the panel again",
            )
        if (odd := _no_names(text)).any():
            raise InputError(
                "a key must be a finite number of at most 15 digits, or text",
                file=source,
                column=str(values.name),
                row=int(rows[odd.idxmax()]),
                value=text[odd.idxmax()],
                remedy="store long ids as text",
            )
        return text.astype(str)
    if (bad := ~(values.abs() < BIGGEST)).any():
        raise InputError(
            "a key must be a finite number of at most 15 digits, or text",
            file=source,
            column=str(values.name),
            row=int(rows[bad.idxmax()]),
            value=values[bad.idxmax()],
            remedy="store long ids as text",
        )
    return values.astype(np.int64) if (values % 1 == 0).all() else values


def _no_names(text: pd.Series) -> pd.Series:
    """Infinite or huge numbers among keys that are all numbers: 1e300 is no name, 007 is one."""
    numbers = pd.to_numeric(text, errors="coerce")
    if numbers.isna().any():
        return pd.Series(False, index=text.index)
    digits = text.str.fullmatch(r"\d+").astype(bool)
    return (numbers.abs() >= BIGGEST) & ~digits


def levels(values: pd.Series) -> pd.Series:
    """Levels of a group as text as typed; an empty text where there is none."""
    text = [
        ("" if missing else _typed(v)) for v, missing in zip(values, values.isna(), strict=True)
    ]
    return pd.Series(text, index=values.index, dtype=object).astype(str)


def _typed(value: object) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()
