"""Several rows of a unit in one period: repeated cross-sections, individuals treated by group."""

from __future__ import annotations

import re

import pandas as pd

from bayesdid.exceptions import InputError, Note
from bayesdid.panel.timeline import Timeline

_YEAR = re.compile(r"year|年", re.IGNORECASE)
_PART = re.compile(r"quarter|qtr|month|mon\b|week|half|季|月|周|旬", re.IGNORECASE)
_JOINED = (  # a name, and how its values and the year make numbers that are read as periods
    (re.compile(r"month|mon\b|月", re.IGNORECASE), ": {} * 100 + {} (201003)"),
    (re.compile(r"quarter|qtr|季", re.IGNORECASE), ": {} * 10 + {} (20101)"),
)
_MOST_PARTS = 53  # of a year: weeks


def one_row_each(
    frame: pd.DataFrame, unit: str, period: str, timeline: Timeline, source: str
) -> None:
    """Refuse two rows of one unit and period.

    Raises
    ------
    InputError
        Naming the rows.
    """
    twice = frame.duplicated([unit, period], keep="first")
    if not twice.any():
        return
    later = frame.loc[twice.idxmax()]
    same = (frame[unit] == later[unit]) & (frame[period] == later[period])
    rows = frame.loc[same, "__row__"].tolist()
    key = int(later[unit]) if isinstance(later[unit], float) else later[unit]
    raise InputError(
        f"duplicate {unit}-{period}: rows {', '.join(map(str, rows[:10]))}"
        + (", ..." if len(rows) > 10 else ""),
        file=source,
        row=rows[1],
        value=f"{key} {timeline.label(later[period])}",
        remedy=_apart(frame, frame[same], unit, period),
    )


def _apart(frame: pd.DataFrame, together: pd.DataFrame, unit: str, period: str) -> str:
    """What to do about rows of one unit and period: it depends on what they differ in."""
    others = [name for name in frame.columns if name not in {unit, period, "__row__"}]
    if not together[others].drop_duplicates().shape[0] > 1:
        return "the rows are alike in every column: keep one of them (df.drop_duplicates())"
    for name in others:
        if frame[name].nunique() > _MOST_PARTS or frame.duplicated([unit, period, name]).any():
            continue
        if _PART.search(name):
            year, part = period, name
        elif _PART.search(period) and _YEAR.search(name):
            year, part = name, period
        else:
            continue
        how = next((way for word, way in _JOINED if word.search(part)), "").format(year, part)
        return f"{name} tells them apart: name a column of both as the period{how}"
    for name in others:
        kinds = frame[name].dropna().astype(str).unique()
        told = not pd.api.types.is_numeric_dtype(frame[name]) and len(kinds) <= _MOST_PARTS
        if told and not frame.duplicated([unit, period, name]).any():
            some = ", ".join(kinds[:3]) + (", ..." if len(kinds) > 3 else "")
            return (
                f"{name} tells them apart ({some}): keep the rows of one, "
                f"df[df[{name!r}] == {kinds[0]!r}], or, if they are parts of a {unit}, name a unit "
                f"of both, df[{unit!r}].astype(str) + df[{name!r}]"
            )
    return (
        f"make one row for each {unit} and {period}: name a finer unit if a row is of one, keep "
        f"one row only where two say the same; if rows are individuals of one {unit}, say "
        "repeated = true"
    )


def repeated_rows(
    frame: pd.DataFrame, unit: str, period: str, source: str, notes: list[Note]
) -> None:
    """Note of how many rows, cells and groups there are.

    Raises
    ------
    InputError
        If no unit has two rows in one period: there is nothing that individuals could share.
    """
    sizes = frame.groupby([unit, period], sort=False).size()
    if int(sizes.max()) < 2:
        raise InputError(
            f"repeated = true, but no {unit} has two rows in one {period}",
            file=source,
            column="panel.repeated",
            remedy="leave it out",
        )
    text = (
        f"{len(frame)} rows of individuals in {len(sizes)} cells of {unit} and {period}, "
        f"{int(sizes.min())} to {int(sizes.max())} each: what is learnt of a policy comes from "
        f"{frame[unit].nunique()} groups ({unit}), not from the number of rows"
    )
    notes.append(Note("repeated_rows", len(frame), text))


def same_in_cell(frame: pd.DataFrame, unit: str, period: str, column: str, source: str) -> None:
    """Refuse a policy that differs between the individuals of a unit and period.

    Raises
    ------
    InputError
        Naming a row.
    """
    first = frame.groupby([unit, period], sort=False)[column].transform("first")
    differs = (frame[column] != first) & ~(frame[column].isna() & first.isna())
    if differs.any():
        where = differs.idxmax()
        raise InputError(
            f"a policy differs between rows of one {unit} and {period}",
            file=source,
            column=column,
            row=int(frame.loc[where, "__row__"]),
            value=frame.loc[where, column],
            remedy=f"a policy is that of the {unit}: name a finer unit, or take the column as a "
            "treatment without [[policy]]",
        )
