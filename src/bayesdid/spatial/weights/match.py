"""Match the ids of a file with the units of a panel: by value, or else by label, never by order."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bayesdid.exceptions import InputError
from bayesdid.panel.panel import Panel
from bayesdid.spatial.weights.weights import unit_key


def positions(
    ids: Iterable[object], panel: Panel, source: str | Path, *, extra: bool = False
) -> NDArray[np.intp]:
    """Where each unit of the panel stands among `ids`, shape (N,).

    The ids are read as unit values if every unit is among them, and else as unit labels.

    Parameters
    ----------
    extra
        Whether ids that the panel lacks are passed over.

    Raises
    ------
    InputError
        If an id occurs twice, or a unit is missing, or, unless `extra`, the panel lacks an id.
    """
    keys = [unit_key(name) for name in ids]
    unique("id", keys, source)
    place = {key: k for k, key in enumerate(keys)}
    values = [unit_key(unit) for unit in panel.units]
    labels = [unit_key(panel.unit_labels.get(str(unit), str(unit))) for unit in panel.units]
    named = {"values": values} | ({"labels": labels} if len(set(labels)) == len(labels) else {})
    missing = {how: [key for key in wanted if key not in place] for how, wanted in named.items()}
    how = min(missing, key=lambda name: len(missing[name]))  # values first where they tie
    column = panel.unit
    if missing[how]:
        raise InputError(
            f"{len(missing[how])} of the panel's {len(values)} units are missing. The ids agree "
            f"best with the unit {how}, where {some(missing[how])} lack; ids that no unit has: "
            f"{some(sorted(set(keys) - set(named[how]))) or 'none'}",
            file=source,
            column=column,
            remedy=f"name units as the panel does, by value ({some(values, 3)}) or by label "
            f"({some(labels, 3)}); positions are never taken for ids",
        )
    if not extra and (surplus := sorted(set(keys) - set(named[how]))):
        raise InputError(
            f"{len(surplus)} ids are no unit of the panel (matched by unit {how})",
            file=source,
            column=column,
            value=some(surplus),
            remedy="drop them from the file, so that what they did to the others is decided by you",
        )
    return np.array([place[key] for key in named[how]], dtype=np.intp)


def unique(what: str, keys: list[str], source: str | Path) -> None:
    """Refuse an id that occurs twice."""
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise InputError(
                f"an {what} occurs twice", file=source, value=key, remedy="give each unit once"
            )
        seen.add(key)


def some(names: Iterable[str], most: int = 5) -> str:
    """The first few of many names."""
    listed = list(names)
    return ", ".join(listed[:most]) + (", ..." if len(listed) > most else "")
