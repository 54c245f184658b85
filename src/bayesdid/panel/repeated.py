"""Several rows of a unit in one period: repeated cross-sections, individuals treated by group."""

from __future__ import annotations

import pandas as pd

from bayesdid.exceptions import InputError, Note
from bayesdid.panel.timeline import Timeline


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
    raise InputError(
        f"duplicate {unit}-{period}: rows {', '.join(map(str, rows))}",
        file=source,
        row=rows[1],
        value=f"{later[unit]} {timeline.label(later[period])}",
        remedy=f"give each row of a {unit} its own {period}; keep one row only where two say "
        f"the same; if rows are individuals of a {unit}, say repeated = true",
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
