"""Policies by the columns that say when they apply: a period of adoption, or a 0/1 column."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from bayesdid.exceptions import InputError
from bayesdid.panel.frames import Columns
from bayesdid.study.derived import NAME
from bayesdid.study.schema import Policy

Products = tuple[str, ...]
PoliciesLike = str | Sequence[str] | Mapping[str, str]


def policies_of(given: PoliciesLike, raw: Columns, unit: str) -> tuple[Policy, ...]:
    """Policies from ``{id: column}``, or from columns that are ids themselves.

    A column with values from 0 to 1 is the policy's state in each row, any other the period of
    adoption, repeated in every row of a unit.

    Raises
    ------
    InputError
        For ids that no term can name, and a 0/1 column that changes in no unit: it says who is
        treated, not when.
    """
    names = [given] if isinstance(given, str) else given
    columns = dict(names) if isinstance(names, Mapping) else {name: name for name in names}
    raw.require(columns.values())
    return tuple(_policy(name, column, raw, unit) for name, column in columns.items())


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


def _policy(name: str, column: str, raw: Columns, unit: str) -> Policy:
    if not re.fullmatch(NAME, name) or not re.match(r"[A-Za-z0-9_][\w-]*$", name):
        raise InputError(
            "a policy's id has letters, digits and _ only",
            value=name,
            remedy=f'give policies={{"{re.sub(r"[^A-Za-z0-9_]", "_", name)}": "{column}"}}',
        )
    values = pd.to_numeric(raw.frame[column], errors="coerce")
    if not values.notna().any() or not values.dropna().between(0, 1).all():
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
