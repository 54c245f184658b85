"""Rows that are totals or means of others, by their names or because they add up.

A name tells on its own if it says total in words, or is that of a country among its regions, of a
province among cities. Numbers tell whatever the names are: a unit whose values are the sum of all
others, of those with the same first digits of a code, or of the units that follow it in the file,
or whose outcome is the mean of all others. That no chance makes this is counted in digits: those to
which values agree in the first period, and to which their changes agree in each later one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.exceptions import InputError, Note
from bayesdid.notebook import many
from bayesdid.panel.lookalikes import plain_name

_TOTALS = frozenset(
    {
        "全国平均",
        "平均",
        "全国",
        "全省",
        "全市",
        "世界",
        "全世界",
        "东部地区",
        "中部地区",
        "西部地区",
        "东北地区",
    }
    | {"all", "nationwide", "national", "average", "mean", "sum", "world", "wld", "euarea"}
    | {"euroarea", "oecdmembers", "highincome", "lowincome", "middleincome", "uppermiddleincome"}
)
_ENDS = re.compile(r".*(?:合计|总计|共计|小计)|(?:.*\W)?(?:sub|grand)?[ -]?totals?", re.IGNORECASE)
_WHOLES = (  # names of a whole, and of two of its parts that show what the units are
    ({"unitedstates", "us", "usa", "u.s.", "unitedstatesofamerica"}, ("california", "texas")),
    ({"unitedstates", "us", "usa", "u.s.", "unitedstatesofamerica"}, ("ca", "tx")),
    ({"china", "prchina", "中国"}, ("beijing", "hebei")),
    ({"china", "prchina", "中国"}, ("北京", "河北")),
    ({"china", "prchina", "中国"}, ("北京市", "河北省")),
    ({"germany", "deutschland", "brd"}, ("hessen", "berlin")),
    ({"germany"}, ("hesse", "berlin")),
    ({"canada"}, ("ontario", "alberta")),
    ({"australia"}, ("victoria", "queensland")),
    ({"india", "allindia"}, ("kerala", "gujarat")),
    ({"brazil", "brasil"}, ("bahia", "acre")),
    ({"mexico", "méxico"}, ("jalisco", "oaxaca")),
    ({"japan"}, ("tokyo", "osaka")),
    ({"eu", "eu27", "eu28", "europeanunion"}, ("germany", "france")),
    ({"eu", "eu27", "eu28", "eu27_2020"}, ("de", "fr")),
)
_MUNICIPALITIES = 4  # cities with the rank of a province
_FEWEST_MEMBERS = 2
_FEWEST_OTHERS = 4  # of a mean
_FEWEST_PERIODS = 2
_AGREE = 0.8  # of the periods: of the rest one may be revised or mistyped
_DIGITS = 8.0  # beyond one for each comparison tenfold: a chance of 1e-8
_ZEROS = 2  # at the end of the code of a whole
_TINY = 1e-300
_DECIMALS = 6
_FLOAT = 1e-6  # relative: sums of numbers in single precision
_SHOWN = 3
_FOLLOWING = 400  # units up to which totals of those below them are looked for


@dataclass(frozen=True, slots=True)
class AddsUp:
    """A unit whose column is the sum or mean of that of others."""

    unit: str
    column: str
    how: str
    members: int


def without_named(
    frame: pd.DataFrame, unit: str, notes: list[Note]
) -> tuple[pd.DataFrame, list[str]]:
    """Rows of a panel but those of units whose names say that they are totals, and these units.

    If fewer than two units were left, all stay: then the names say something else.
    """
    keys = frame[unit]
    if pd.api.types.is_numeric_dtype(keys):
        return frame, []
    totals = named_totals([name for name in keys.unique() if isinstance(name, str)])
    left_out = keys.isin(totals)
    if not totals or keys[~left_out].nunique() < _FEWEST_MEMBERS:
        return frame, []
    one = len(totals) == 1
    text = (
        f"left out: {many(int(left_out.sum()), 'row')} of {_listed(totals)}, by "
        f"{'its name a total or mean' if one else 'their names totals or means'} of other units; "
        f"rename {'it if it is' if one else 'those that are'} a unit of its own"
    )
    notes.append(Note("total_unit", len(totals), text))
    return frame[~left_out].reset_index(drop=True), totals


def without_sums(
    frame: pd.DataFrame,
    unit: str,
    period: str,
    columns: Sequence[str],
    outcome: str,
    notes: list[Note],
) -> tuple[pd.DataFrame, list[str]]:
    """Rows of a panel but those of units that are sums or means of others, and these units.

    Whatever their names are.

    Raises
    ------
    InputError
        If nothing is left.
    """
    found: list[AddsUp] = []
    while more := adding_up(frame, unit, period, columns, outcome):
        found += more
        frame = frame[~frame[unit].astype(str).isin([one.unit for one in more])]
        if frame[unit].nunique() < _FEWEST_MEMBERS:
            raise InputError(
                "units of the panel are sums of one another",
                column=unit,
                value=_listed([one.unit for one in found]),
                remedy="leave out the rows that are totals of others",
            )
    if found:
        some = "; ".join(
            f"{one.column} of {one.unit!r} is the {one.how} of that of {one.members} other units"
            for one in found[:_SHOWN]
        )
        adds = "unit that adds" if len(found) == 1 else "units that add"
        text = (
            f"left out: {len(found)} {adds} up to others ({some}"
            f"{'; ...' if len(found) > _SHOWN else ''}), and would count twice"
        )
        notes.append(Note("unit_adds_up", len(found), text))
    return frame, [one.unit for one in found]


def _listed(names: Iterable[str]) -> str:
    every = [repr(name) for name in names]
    return ", ".join(every[:_SHOWN]) + (f" and {len(every) - _SHOWN} more" * (len(every) > _SHOWN))


def named_totals(names: Sequence[str]) -> list[str]:
    """Units whose names say that they are totals or means of others.

    Parameters
    ----------
    names
        Distinct keys of units, as typed.
    """
    known = {plain_name(name) for name in names}
    wholes = {one for whole, parts in _WHOLES if known.issuperset(parts) for one in whole & known}
    found = [
        name
        for name in names
        if plain_name(name) in _TOTALS | wholes or _ENDS.fullmatch(_spaced(name))
    ]
    provinces = [name for name in names if name.strip().endswith(("省", "自治区"))]
    cities = [name for name in names if name.strip().endswith(("市", "地区", "自治州", "盟"))]
    if len(cities) > max(len(provinces), _MUNICIPALITIES):
        found += [name for name in provinces if name not in found]
    return found


def _spaced(name: str) -> str:
    """A name with one space between words."""
    return " ".join(name.split()).strip("()（）.*: ")


def adding_up(
    frame: pd.DataFrame, unit: str, period: str, columns: Sequence[str], outcome: str
) -> list[AddsUp]:
    """Units that are sums of others in at least one column, or their mean in the outcome.

    Parameters
    ----------
    frame
        One row per `unit` and `period`.
    columns
        Numeric columns to try.
    outcome
        The one of which means count: columns that people make, such as unit x period, have a unit
        that is the mean of all without being a total.
    """
    of_unit, keys = pd.factorize(frame[unit])
    of_period, periods = pd.factorize(frame[period], sort=True)
    names = [str(key) for key in keys]
    if len(periods) < _FEWEST_PERIODS or len(names) <= _FEWEST_MEMBERS:
        return []
    found: dict[str, AddsUp] = {}
    codes = list(_of_codes(names))
    for column in columns:
        table = np.full((len(periods), len(names)), np.nan)
        table[of_period, of_unit] = frame[column].to_numpy(dtype=float, na_value=np.nan)
        candidates = [*_sums(table), *((k, members, "sum") for k, members in codes)]
        if column == outcome:
            candidates += _means(table)
        for k, members, how in candidates:
            if _is_sum(table, k, members, how, len(names)):
                found.setdefault(names[k], AddsUp(names[k], column, how, len(members)))
    return list(found.values())


def _sums(table: FloatArray) -> Iterator[tuple[int, IntArray, str]]:
    """Units, and those of which they may be the sum as far as the fullest period shows it."""
    every = np.arange(table.shape[1])
    values = np.nan_to_num(table[np.isfinite(table).sum(axis=1).argmax()])
    near = _FLOAT * np.abs(values) + _unit(table) * (1 + np.sqrt(len(every)))
    for k in np.flatnonzero((values != 0) & (np.abs(values.sum() - 2 * values) <= near)):
        yield int(k), np.delete(every, k), "sum"
    for k in np.flatnonzero(values) if len(every) <= _FOLLOWING else ():
        sums = np.cumsum(values[k + 1 :])
        for m in np.flatnonzero(np.abs(sums - values[k]) <= near[k]):
            if m + 1 >= _FEWEST_MEMBERS:
                yield int(k), every[k + 1 : k + 2 + m], "sum"


def _means(table: FloatArray) -> Iterator[tuple[int, IntArray, str]]:
    """Units, and all others, of which they may be the mean as far as the fullest period shows."""
    values = table[np.isfinite(table).sum(axis=1).argmax()]
    if np.isfinite(values).sum() > _FEWEST_OTHERS:
        near = _FLOAT * np.abs(values) + _unit(table)
        for k in np.flatnonzero(np.abs(np.nanmean(values) - values) <= near):
            yield int(k), np.delete(np.arange(len(values)), k), "mean"


def _of_codes(names: Sequence[str]) -> Iterator[tuple[int, IntArray]]:
    """Codes that end in zeros, with those that begin alike: 130000 and 130100, 130200 ..."""
    if not all(name.isdecimal() for name in names):
        return
    longest = max(map(len, names))
    codes = [name.zfill(longest) for name in names]
    for k, code in enumerate(codes):
        bare = code.rstrip("0")
        if len(code) - len(bare) < _ZEROS:
            continue
        for digits in range(max(len(bare), 1), longest - 1):
            members = [j for j, one in enumerate(codes) if j != k and one[:digits] == code[:digits]]
            if len(members) >= _FEWEST_MEMBERS:
                yield k, np.array(members)


def _is_sum(table: FloatArray, k: int, members: IntArray, how: str, comparisons: int) -> bool:
    own, others = table[:, k], table[:, members]
    there = np.isfinite(others)
    full = np.isfinite(own) & (there.any(axis=1) if how == "mean" else there.all(axis=1))
    full &= (own != 0) | (np.nan_to_num(others) != 0).any(axis=1)  # zeros add up to zero
    if full.sum() < max(_FEWEST_PERIODS, np.isfinite(own).sum() / 2):
        return False
    own, others = own[full], others[full]
    near = _FLOAT * np.maximum(np.abs(own), np.median(np.abs(own))) + _unit(table)
    if how == "mean":  # of columns that are additive or trends, some unit is the mean by itself
        off, size = np.abs(own - np.nanmean(others, axis=1)), np.nanstd(others[:1], axis=1)
        moved = np.nanstd(np.diff(others, n=2, axis=0), axis=1)
    else:
        near += _unit(table) * np.sqrt(len(members))
        off, size = np.abs(own - others.sum(axis=1)), np.abs(own[:1])
        moved = np.abs(np.diff(own))
    agree = off <= near
    if agree.mean() < _AGREE:
        return False
    told = np.concatenate([size, moved])
    near, agree = near[-len(told) :], agree[-len(told) :]
    digits = np.log10(np.maximum(told / np.maximum(near, _TINY), 1.0))[agree].sum()
    return bool(digits >= _DIGITS + np.log10(comparisons))


def _unit(table: FloatArray) -> float:
    """What the last digit of the values is worth, down to 1e-6; 0 beyond."""
    values = table[np.isfinite(table)]
    for decimals in range(_DECIMALS + 1):
        if np.abs(values - np.round(values, decimals)).max(initial=0.0) < 10.0 ** -(decimals + 3):
            return 10.0**-decimals
    return 0.0
