"""Recognise a file with one column for each period or unit, and say how to make it long."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from bayesdid.exceptions import InputError
from bayesdid.panel.calendar import read_periods

_NAMED = re.compile(r"(?P<stem>.*?\D)(?P<period>(?:19|20)\d{2}(?:[qQmM]\d{1,2}|年)?)", re.DOTALL)
_BARE = re.compile(r"(?:19|20)\d{2}(?:年| ?\[YR\d{4}\])?")  # the last as the World Bank has it
_FEWEST = 3  # periods of one variable: two years in names may be versions of something


def wide_remedy(columns: Iterable[str], unit: str, period: str) -> str:
    """The command of pandas that makes a wide file long; empty if it is not wide.

    Parameters
    ----------
    columns
        Of the file: ``city``, ``碳排放强度2008`` and so on, or ``city``, ``2008`` and so on.
    unit, period
        What the study calls its keys.
    """
    names = [name.strip() for name in columns]
    if len(bare := [name for name in names if _BARE.fullmatch(name)]) >= _FEWEST:
        return (
            f"the columns {_some(bare)} hold one period each; make one row for each unit and "
            f"period (long format): df.melt(id_vars={[n for n in names if n not in bare]!r}, "
            f"var_name={period!r}, value_name='NAME OF THE VARIABLE')"
            + f".assign(**{{{period!r}: lambda d: d[{period!r}].str[:4]}})"
            * bare[0].endswith("]")
        )
    found: dict[str, list[str]] = {}
    for name in names:
        if matched := _NAMED.fullmatch(name):
            found.setdefault(matched["stem"], []).append(matched["period"])
    stems = {stem: periods for stem, periods in found.items() if len(set(periods)) >= _FEWEST}
    if not stems:
        return ""
    first = next(iter(stems))
    mark = first[-1] if all(stem[-1] == first[-1] in "_.-" for stem in stems) else ""
    bases = [stem.removesuffix(mark) for stem in stems]
    digits = all(p.isdigit() for periods in stems.values() for p in periods)
    options = (f", sep={mark!r}" if mark else "") + ("" if digits else r", suffix=r'\d+\w*'")
    shown = [f"{first}{each}" for each in stems[first]]
    return (
        f"the columns {_some(shown)} hold one period each; make one row for each unit and period "
        f"(long format): pd.wide_to_long(df, {bases!r}, i={unit!r}, j={period!r}{options})"
        ".reset_index()"
    )


def across_remedy(frame: pd.DataFrame, unit: str, period: str) -> str:
    """The command that makes a file with one column for each unit long; empty if it is not so.

    Every row is a period then, each once, and all else are numbers of one variable.

    Parameters
    ----------
    frame
        Raw columns.
    unit, period
        What the study calls its keys; the period's column may have another name.
    """
    names = [str(name) for name in frame.columns if name != "__row__"]
    if unit in names or len(names) <= _FEWEST:
        return ""
    time = period if period in names else names[0]
    rest = [name for name in names if name != time]
    whole = frame[time].notna().all() and frame[time].is_unique and len(frame) > 1
    if not whole or not all(_is_number(frame[name]) for name in rest):
        return ""
    try:
        read = read_periods(frame[time], "", time, pd.Series(np.arange(len(frame))))
    except InputError:
        return ""
    if read.kind == "number" and not 1500 <= int(read.index.min()) <= int(read.index.max()) <= 2500:
        return ""
    return (
        f"the columns {_some(rest)} hold one unit each; make one row for each unit and period "
        f"(long format): df.melt(id_vars={[time]!r}, var_name={unit!r}, "
        "value_name='NAME OF THE VARIABLE')"
    )


def _is_number(values: pd.Series) -> bool:
    told = values.dropna()
    return bool(len(told) and pd.to_numeric(told, errors="coerce").notna().all())


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
