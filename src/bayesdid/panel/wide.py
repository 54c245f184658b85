"""Recognise a wide file, with one column for each period, and say how to make it long."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAMED = re.compile(r"(?P<stem>.*?\D)(?P<period>(?:19|20)\d{2}(?:[qQmM]\d{1,2}|年)?)", re.DOTALL)
_BARE = re.compile(r"(?:19|20)\d{2}年?")
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


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
