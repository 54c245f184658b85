"""Which regressors of a formula are treatments, and what its categories stand for in a frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.design.window import FARTHEST
from bayesdid.exceptions import InputError
from bayesdid.panel.frames import Columns
from bayesdid.study.derived import quoted, unquoted
from bayesdid.study.formula import Categories, Formula, Part, parse_parts

MOST = 100
"""Values of a column that becomes categories."""


@dataclass(frozen=True, slots=True)
class Regressors:
    """Fields of a study's column: see :class:`bayesdid.study.schema.Column`."""

    family: str
    treatments: tuple[str, ...]
    covariates: tuple[str, ...]
    options: dict[str, Any]
    instrument: str | None = None


def regressors_of(formula: Formula, treatment: Sequence[str] | None, raw: Columns) -> Regressors:
    """Treatments and covariates of a formula; an event study if its treatment is ``i(event)``.

    Treatments are what the first term makes and every product that contains one of them, or the
    named terms and every product that contains one of those.

    Raises
    ------
    InputError
        If a named treatment is not in the formula or not the one that has an instrument, or a
        column of categories has no whole numbers.
    """
    own = formula.parts[: formula.leading] if treatment is None else parse_parts(treatment)
    known = {_key(part) for part in formula.parts}
    if absent := [str(part) for part in own if _key(part) not in known]:
        raise InputError(
            "a treatment that is not in the formula",
            value=absent[0],
            remedy=f"use one of {', '.join(map(str, formula.parts))}",
        )
    treatments = [part for part in formula.parts if any(_contains(part, one) for one in own)]
    covariates = [part for part in formula.parts if part not in treatments]
    first = treatments[0]
    if formula.instrument:
        if treatments != [formula.parts[0]]:
            raise InputError(
                "one instrument moves one treatment",
                value=", ".join(map(str, treatments)),
                remedy=f"leave {formula.parts[0]} the one treatment",
            )
        own_covariates = terms_of(covariates, raw)
        return Regressors("iv_second", (str(first),), own_covariates, {}, formula.instrument)
    alone = len(treatments) == 1
    if alone and isinstance(first, Categories) and first.reference is not None and not first.by:
        values = _values(first, raw)
        if np.abs(values).max() <= FARTHEST:
            _refuse_codes(first.column, values, raw)
            window = {"first": int(values[0]), "last": int(values[-1])}
            options = window | {"reference": first.reference}
            return Regressors("event_study", (first.column,), terms_of(covariates, raw), options)
    return Regressors("twfe", terms_of(treatments, raw), terms_of(covariates, raw), {})


def terms_of(parts: Iterable[Part], raw: Columns) -> tuple[str, ...]:
    """Terms of the study vocabulary, one for each value of categories but the reference.

    Values at which the column that they are times is 0 throughout have none, as in fixest.
    """
    found: list[str] = []
    for part in parts:
        if isinstance(part, str):
            found.append(part)
            continue
        by = f" * {part.by}" if part.by else ""
        values = set(_values(part, raw)) & _live(part, raw) - {part.reference}
        found += [f"{part.column}@{value:.0f}{by}" for value in sorted(values)]
    return tuple(found)


def _values(part: Categories, raw: Columns) -> FloatArray:
    """Values that the column takes, in ascending order.

    Raises
    ------
    InputError
        If they are no whole numbers, are too many or lack the reference.
    """
    column = pd.to_numeric(raw.frame[unquoted(part.column)], errors="coerce")
    values = np.unique(column.dropna().to_numpy(dtype=float))
    problem, value, remedy = "", "", ""
    if not len(values) or (values % 1 != 0).any() or not np.isfinite(values).all():
        problem = "i() takes a column of whole numbers"
        remedy = _numbered(part, raw.frame[unquoted(part.column)].dropna())
    elif part.reference is not None and part.reference not in values:
        problem, value = "the reference does not occur", str(part.reference)
        remedy = f"use one of {', '.join(f'{one:.0f}' for one in values[:12])}"
    elif len(values) > MOST:
        problem, value = "i() takes too many values", str(len(values))
        remedy = f"use at most {MOST}"
    if problem:
        raise InputError(
            problem, file=raw.source, column=part.column, value=value or None, remedy=remedy
        )
    return values


def _numbered(part: Categories, held: pd.Series) -> str:
    """How a column of text becomes one of whole numbers, and what i() then says."""
    name, levels = unquoted(part.column), sorted({*map(str, held)})
    if not 2 <= len(levels) <= MOST or pd.api.types.is_numeric_dtype(held):
        return "number its values, or make columns of 0 and 1"
    by = f", {part.by}" if part.by else ""
    shown = ", ".join(f"{k} is {level}" for k, level in enumerate(levels[:4]))
    more = " ..." if len(levels) > 4 else ""
    return (
        f'number its values, df["{name}_n"] = df["{name}"].astype("category").cat.codes, and write '
        f"i({quoted(f'{name}_n')}{by}, ref = 0): {shown}{more}"
    )


def _live(part: Categories, raw: Columns) -> set[float]:
    """Values of the column in rows where what it is times is not 0."""
    column = pd.to_numeric(raw.frame[unquoted(part.column)], errors="coerce")
    if (by := unquoted(part.by)) in raw.frame:
        column = column[pd.to_numeric(raw.frame[by], errors="coerce").fillna(0) != 0]
    return set(column.dropna().to_numpy(dtype=float))


def _refuse_codes(column: str, values: FloatArray, raw: Columns) -> None:
    """Refuse event times such as -1000 that stand for no event."""
    wide = np.flatnonzero(np.diff(values) >= MOST)
    if len(wide):
        code = values[0] if wide[0] + 1 <= len(values) / 2 else values[-1]
        raise InputError(
            "an event time that is far from all others",
            file=raw.source,
            column=column,
            value=f"{code:.0f}",
            remedy="leave the column empty in units that are never treated",
        )


def _key(part: Part) -> object:
    return frozenset(part.split(" * ")) if isinstance(part, str) else part


def _contains(part: Part, one: Part) -> bool:
    """Whether `part` is `one`, or a product with it."""
    if isinstance(part, str) and isinstance(one, str):
        return set(one.split(" * ")) <= set(part.split(" * "))
    return part == one
