"""Policies by the columns that say when they apply: a period of adoption, or a 0/1 column."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from bayesdid.exceptions import InputError
from bayesdid.front.guess import YEARS
from bayesdid.panel.frames import Columns
from bayesdid.panel.values import MISSING
from bayesdid.study.derived import NAME
from bayesdid.study.schema import Policy

_END = re.compile(
    r"(?<![A-Za-z])(?:end|ends|ended|stop|stopped|repeal|repealed|expiry|expires|expired|until"
    r"|termination|terminated|exit|abolished)(?![A-Za-z])|结束|终止|退出|废止|取消",
    re.IGNORECASE,
)
Products = tuple[str, ...]
PoliciesLike = str | Sequence[str] | Mapping[str, str]
CutLike = float | Mapping[str, float]


def policies_of(
    given: PoliciesLike, raw: Columns, unit: str, cut: CutLike | None = None
) -> tuple[Policy, ...]:
    """Policies from ``{id: column}``, or from columns that are ids themselves.

    A column with values from 0 to 1 is the policy's state in each row, any other the period of
    adoption, repeated in every row of a unit.

    Parameters
    ----------
    cut
        From which value on a policy is on whose state is a fraction in some rows: one for all, or
        by policy.

    Raises
    ------
    InputError
        For ids that no term can name, a 0/1 column that changes in no unit (it says who is treated,
        not when), and a cut of a policy that is not there, has periods, or beyond 0 to 1.
    """
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, Mapping | Sequence) or not names:
        raise InputError(
            "policies are names of columns, or names of policies with their columns",
            value=str(given),
            remedy='give policies={"a": "a_year", "b": "b_year"}',
        )
    columns = dict(names) if isinstance(names, Mapping) else dict(zip(names, names, strict=True))
    for name, column in columns.items():
        _refuse_several(name, _both_ends(column, raw))
    raw.require(columns.values())
    _refuse_ids(columns)
    found = [_policy(name, column, raw, unit) for name, column in columns.items()]
    if cut is None:
        return tuple(found)
    states = [policy.id for policy in found if policy.indicator is not None]
    cuts = cut if isinstance(cut, Mapping) else dict.fromkeys(states, cut)
    if other := next((name for name in cuts if name not in states), None):
        there = other in columns
        raise InputError(
            "a cut of a policy whose column holds periods of adoption"
            if there
            else "a cut of no such policy",
            value=other,
            remedy="a cut says from which fraction on a 0/1 column counts as adopted"
            if there
            else f"there are {', '.join(columns)}",
        )
    if not states:
        raise InputError(
            "a cut, and no policy whose column holds its state",
            value=str(cut),
            remedy="leave it out: the columns hold periods of adoption",
        )
    return tuple(_with_cut(policy, cuts.get(policy.id)) for policy in found)


def _with_cut(policy: Policy, cut: object) -> Policy:
    if cut is None:
        return policy
    if isinstance(cut, bool) or not isinstance(cut, int | float) or not 0 < cut <= 1:
        raise InputError(
            "a cut is a number above 0 and up to 1", value=str(cut), remedy="for example 0.5"
        )
    return Policy(id=policy.id, label=policy.label, indicator=policy.indicator, cut=float(cut))


def products_told(on: Mapping[str, np.ndarray]) -> tuple[list[Products], dict[Products, str]]:
    """Policies and their products that rows tell from smaller ones; why the others are not told.

    Parameters
    ----------
    on
        Policy -> rows that it is on in, boolean.
    """
    kept: dict[bytes, Products] = {}
    left: dict[Products, str] = {}
    for size in range(1, len(on) + 1):
        for of in combinations(on, size):
            value = np.logical_and.reduce([on[policy] for policy in of])
            twin = kept.get(value.tobytes())
            if size == 1 or (value.any() and twin is None):
                kept.setdefault(value.tobytes(), of)
            elif twin is None:
                left[of] = f"no row is under {' and '.join(of)}"
            else:
                left[of] = f"no row tells it from {' and '.join(twin)}"
    return [*kept.values()], left


def ends_of(on: Mapping[str, np.ndarray], columns: Mapping[str, str]) -> dict[str, str]:
    """Policies that seem to say when another one ends -> that one.

    By the name, and because they are on only where the other is.

    Parameters
    ----------
    on
        Policy -> rows that it is on in, boolean.
    columns
        Policy -> the column that says so.
    """
    found = {}
    for end in on:
        if _END.search(end) or _END.search(columns[end]):
            inside = [p for p in on if p != end and (on[p] >= on[end]).all() and p not in found]
            apart = [p for p in inside if (on[p] > on[end]).any() and on[end].any()]
            near = [p for p in apart if _stem(columns[p]) == _stem(columns[end])]
            if near or apart:
                found[end] = (near or apart)[0]
    return found


def between_remedy(start: str, end: str, period: str, name: str) -> str:
    """How a policy with a start and an end becomes one column."""
    column = (
        f'df["{name}_on"] = ((df["{period}"] >= df["{start}"]) & ~(df["{period}"] > df["{end}"]))'
    )
    return f'{column}.astype(int), and name "{name}_on": a policy may be switched off again'


def _stem(column: str) -> str:
    """What the columns of one policy's start and end share: a in ``a_start``, ``a_end``."""
    return re.sub(r"start|begin|from|year|开始|起始", "", _END.sub("", column)).strip("_").lower()


def _both_ends(column: object, raw: Columns) -> object:
    """Two columns where the shell says them in one text, ``start,end``."""
    if not isinstance(column, str) or column in raw.frame:
        return column
    parts = [part.strip() for part in column.split(",")]
    return parts if len(parts) == 2 and {*parts} <= {*raw.frame.columns} else column


def _refuse_several(name: str, column: object) -> None:
    if isinstance(column, str):
        return
    two = [*column.values()] if isinstance(column, Mapping) else column
    if not isinstance(two, Sequence) or len(two) != 2 or not all(isinstance(c, str) for c in two):
        raise InputError(
            "a policy is said by the name of one column",
            value=f"{name}: {column}",
            remedy='give policies={"a": "a_year"}, or {"a": "a_on"} for a 0/1 column',
        )
    raise InputError(
        "a policy is said by one column, its start or its state",
        value=f"{name}: {', '.join(two)}",
        remedy=f"of a start and an end make one: {between_remedy(two[0], two[1], 'year', name)}",
    )


def _refuse_ids(columns: Mapping[str, str]) -> None:
    """Refuse ids that no term can name, with some that do for every policy of the call."""
    odd = [n for n in columns if not re.fullmatch(NAME, n) or not re.match(r"[A-Za-z0-9_]", n)]
    odd += [n for n in columns if n not in odd and not re.fullmatch(r"[A-Za-z0-9_][\w-]*", n)]
    if not odd:
        return
    plain = plain_ids([*columns])
    called = ", ".join(f'"{p}": "{c}"' for p, c in zip(plain, columns.values(), strict=True))
    shell = " ".join(f"--policy {p}={c}" for p, c in zip(plain, columns.values(), strict=True))
    raise InputError(
        "a policy's id has letters a to z, digits and _ only",
        value=odd[0],
        remedy=f"give policies={{{called}}}, at the shell {shell}",
    )


def plain_ids(names: Sequence[str]) -> list[str]:
    """An id that terms can name for each policy: its letters a to z, or policy1, policy2 ..."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", name).strip("_") or "policy"
        found.append(plain)
    return [f"{plain}{k}" if found.count(plain) > 1 else plain for k, plain in enumerate(found, 1)]


def _policy(name: str, column: str, raw: Columns, unit: str) -> Policy:
    values, held = raw.numbers(column), raw.frame[column]
    words = (
        held.notna() & values.isna() & ~held.astype("string").str.strip().str.lower().isin(MISSING)
    )
    if words.any() or not values.notna().any() or not values.dropna().between(0, 1).all():
        _refuse_coded(column, raw, unit)
        return Policy(id=name, label=name, adoption=column)
    of_unit = values.groupby(raw.frame[unit])
    if (of_unit.max() == of_unit.min()).all():
        raise InputError(
            "a 0/1 column that changes in no unit says who is treated, not when",
            file=raw.source,
            column=column,
            remedy="give the period of adoption, or a column that turns 1 with it",
        )
    return Policy(id=name, label=name, indicator=column)


def _refuse_coded(column: str, raw: Columns, unit: str) -> None:
    """Refuse a state that is written otherwise than 0 and 1: two values, both within a unit."""
    held = raw.frame[column]
    kinds = sorted(map(str, held.dropna().unique()))
    numbers = raw.numbers(column)
    many = numbers.groupby(raw.frame[unit]).nunique() > 2
    if many.any() and (numbers.dropna() % 1 != 0).any():
        raise InputError(
            "a policy's column is its period of adoption or its state, from 0 to 1; this one has "
            "many values within units",
            file=raw.source,
            column=column,
            remedy=f'a dose is a treatment of a formula: "y ~ {column} | unit + period"',
        )
    if numbers.dropna().between(*YEARS).all() and numbers.notna().any():
        return  # of adoption, and not the same in all rows of a unit
    if len(kinds) != 2 or not (held.groupby(raw.frame[unit]).nunique() == 2).any():
        return
    raise InputError(
        "a policy's column of two values that changes within units is its state, which is written "
        "as 0 and 1",
        file=raw.source,
        column=column,
        value=" and ".join(kinds),
        remedy="code it 0 (not under the policy) and 1, or write No and Yes",
    )
