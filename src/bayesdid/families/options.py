"""Checks of ``[column.options]`` that families share."""

from __future__ import annotations

from collections.abc import Iterable

from bayesdid.exceptions import InputError
from bayesdid.study.load import Spec


def refuse_unknown(spec: Spec, known: Iterable[str], what: str) -> None:
    """Refuse options that `what` does not have."""
    names = sorted(known)
    if unknown := sorted(set(spec.column.options) - set(names)):
        raise InputError(
            f"{spec.id}: no such option of {what}",
            value=unknown[0],
            remedy=f"use {', '.join(names)}",
        )


def positive_number(spec: Spec, name: str, default: float) -> float:
    """An option that is a number above zero."""
    value = spec.column.options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise InputError(
            f"{spec.id}: option {name} is no number above zero",
            value=str(value),
            remedy=f"e.g. {name} = {default:g}",
        )
    return float(value)
