"""Which columns of a panel say when a policy applies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from bayesdid.exceptions import InputError
from bayesdid.front.guess import POLICY_HINT, Guess, Keys, across, hinted, is_number, within
from bayesdid.front.policies import between_remedy, ends_of, plain_ids
from bayesdid.notebook import many
from bayesdid.panel.calendar import read_periods
from bayesdid.panel.kinds import coarser, year_of
from bayesdid.panel.states import state_of
from bayesdid.panel.timeline import said_never, stored_zeros

MOST = 3  # policies that are proposed unless they are named
_YEAR = 1500  # periods that are plain numbers from here on are years


@dataclass(frozen=True, slots=True)
class PolicyGuess:
    """A policy, the column that says when it applies, and how.

    `reversed` says whether some unit switches it off again, `lasting` whether some unit that adopts
    keeps it; `parts` in how many rows an indicator lies between 0 and 1, `gaps` in how many it has
    no value; `label` is the name that the user gave, or the file's label, or the column.
    """

    id: str
    column: str
    by: Literal["adoption", "indicator"]
    reason: str
    on: np.ndarray
    reversed: bool = False
    lasting: bool = True
    parts: int = 0
    gaps: int = 0
    label: str = ""


def guess_policies(
    frame: pd.DataFrame, labels: Mapping[str, str], keys: Keys, named: Mapping[str, str]
) -> tuple[list[PolicyGuess], list[Guess]]:
    """Policies, and the columns that look like one and are none, with the reason.

    Parameters
    ----------
    named
        Policy -> column, as the user says; empty to look for them.

    Raises
    ------
    InputError
        If there is none, or a named column is none.
    """
    found: list[PolicyGuess] = []
    left: list[Guess] = []
    ids = {column: name for name, column in named.items()}
    for column in named.values() or frame.columns:
        if column in {keys.unit.name, keys.period.name}:
            continue
        item = _adoption(frame, column, keys, labels, sure=bool(named)) or _state(
            frame, column, keys, left
        )
        if item is None:
            continue
        same = next((p for p in found if np.array_equal(p.on, item.on)), None)
        if same is not None:
            better = item.by == "adoption" and same.by == "indicator"
            kept, dropped = (item, same) if better else (same, item)
            found[found.index(same)] = kept
            left.append(Guess(dropped.column, f"says the same as {kept.column}"))
            continue
        found.append(item)
    if named and len(found) < len(named):
        odd = next(c for c in named.values() if c not in {p.column for p in found})
        why = next((g.reason for g in left if g.name == odd), "its values are none of the two")
        raise InputError(
            "a policy's column holds its period of adoption, or turns 1 with it",
            column=odd,
            value=why,
            remedy="name another column",
        )
    if not found:
        raise InputError(
            "no column looks like a policy: constant in a unit with a period of adoption, or 0/1 "
            "and turned on within units",
            value=left[0].reason if left else None,
            column=left[0].name if left else None,
            remedy="name one with --policy NAME=COLUMN; for a treatment of any other size, a dose, "
            "--treatment COLUMN",
        )
    dated = {p.column: p.on for p in found if p.by == "adoption"}
    ends = ends_of(dated, dict(zip(dated, dated, strict=True)))
    if ends and not named:
        end, start = next(iter(ends.items()))
        raise InputError(
            f"{end} seems to say when the policy of {start} ends; no column says its state",
            column=end,
            remedy=f"make one: {between_remedy(start, end, keys.period.name, 'policy')}; or name "
            "the policies with --policy NAME=COLUMN",
        )
    hints = {p.column for p in found if hinted(POLICY_HINT, p.column, labels)} | {*named.values()}
    if hints:
        left += [
            Guess(p.column, f"{p.reason}, but no name of a policy; --policy adds it")
            for p in found
            if p.column not in hints
        ]
        found = [p for p in found if p.column in hints]
    lasting = [p for p in found if not p.reversed]
    if lasting and not hints:  # any 0/1 covariate is switched off again
        left += [Guess(p.column, f"{p.reason}; --policy adds it") for p in found if p.reversed]
        found = lasting
    found.sort(key=lambda p: (p.reversed, p.by == "indicator", -int(p.on.sum())))
    most = len(found) if named else MOST
    left += [Guess(p.column, f"a policy too ({p.reason}); --policy adds it") for p in found[most:]]
    ids_of = plain_ids([ids.get(p.column, p.column) for p in found[:most]])
    return [
        replace(p, id=name, label=_label(p.column, ids.get(p.column, ""), labels))
        for p, name in zip(found, ids_of, strict=False)
    ], left


def _label(column: str, name: str, labels: Mapping[str, str]) -> str:
    """The name that was given, else the file's label, else the column."""
    given = "" if name == column else name
    return given.replace("_", " ") or labels.get(column) or column


def _adoption(
    frame: pd.DataFrame, column: str, keys: Keys, labels: Mapping[str, str], *, sure: bool
) -> PolicyGuess | None:
    """A column that is constant in a unit and whose values are periods of this panel."""
    values = frame[column]
    if within(frame, keys.unit.name, column) or not values.notna().any():
        return None
    given = ~said_never(values)
    given &= ~stored_zeros(values, year_of(keys.kind, int(keys.step.min())))
    if pd.api.types.is_numeric_dtype(values) and keys.step.min() > 0:
        given &= values != 0
    if not given.any():
        return None
    try:
        read = read_periods(
            values[given], "", column, pd.Series(np.arange(given.sum())), like=keys.writing
        )
    except InputError:
        return None
    index, dated = read.index, read.kind != keys.kind
    if dated and (keys.kind != "number" or keys.step.min() >= _YEAR):
        index = coarser(read.kind, keys.kind, read.index)  # a date within a month or year
    elif dated:
        return None
    inside = (index > keys.step.min()) & (index <= keys.step.max())
    if index.isna().any() or not inside.any() or (index < keys.step.min() - 100).any():
        return None
    years = keys.step.min() >= _YEAR and (index >= _YEAR).all()
    if keys.kind == "number" and not (sure or years or hinted(POLICY_HINT, column, labels)):
        return None  # 1, 2, 3 may as well be regions
    start = pd.Series(np.inf, index=values.index)
    start[given] = index.astype(float)
    on = (keys.step >= start).to_numpy()
    units = int((start.groupby(frame[keys.unit.name]).first() <= keys.step.max()).sum())
    adopt = f"{many(units, 'unit')} adopt{'s' * (units == 1)}"
    return PolicyGuess("", column, "adoption", f"a period constant in each unit; {adopt}", on)


def _state(frame: pd.DataFrame, column: str, keys: Keys, left: list[Guess]) -> PolicyGuess | None:
    """A column from 0 to 1, or of two words for these, that is turned on within units."""
    words = state_of(frame[column])
    numbers = is_number(frame, column) or pd.api.types.is_bool_dtype(frame[column])
    if not (numbers or words):
        return None
    values = words.numbers if words else frame[column].astype(float)
    unit, period = keys.unit.name, keys.period.name
    if not values.dropna().between(0, 1).all() or not {0.0, 1.0} <= {*values.dropna()}:
        return None
    if not within(frame, unit, column):
        left.append(Guess(column, "0/1 but constant within units: it says who, not when"))
        return None
    if not across(frame, period, column):
        left.append(Guess(column, "0/1 but the same for all units: a period, no policy"))
        return None
    ordered = values.iloc[np.lexsort((keys.step, frame[unit].astype(str)))]
    by_unit = ordered.groupby(frame[unit].loc[ordered.index])
    back = (by_unit.diff() < 0).groupby(frame[unit]).any()
    adopters = by_unit.max() > 0
    if falls := int(back.sum()):
        text = (
            f"turned on in {many(int(adopters.sum()), 'unit')} and switched off again in "
            f"{many(falls, 'unit')}: "
            "those have a state in each row, but no event time"
        )
        again, stays = True, bool((adopters & ~back).any())
    else:
        text = f"turned on in {many(int(adopters.sum()), 'unit')} and stays"
        again, stays = False, True
    parts = int(((values > 0) & (values < 1)).sum())
    return PolicyGuess(
        "",
        column,
        "indicator",
        text,
        (values > 0).to_numpy(),
        again,
        stays,
        parts,
        int(values.isna().sum()),
    )
