"""Names of units that differ in spaces, marks or the rank of a place alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from bayesdid.exceptions import Note
from bayesdid.panel.values import FOOTNOTES

_RANKS = ("特别行政区", "自治区", "自治州", "地区", "省", "市", "州", "盟", "县", "区")
_FOOTNOTE = re.compile(f"[{FOOTNOTES}]+$")
_SHOWN = 3


def alike_units(names: Iterable[object]) -> list[Note]:
    """Notes of units by their names, which stay as they were typed.

    Parameters
    ----------
    names
        Distinct keys of units.
    """
    texts = [name for name in names if isinstance(name, str)]
    notes = []
    alike: dict[str, list[str]] = {}
    for name in texts:
        alike.setdefault(plain_name(name), []).append(name)
    if doubled := [found for found in alike.values() if len(found) > 1]:
        some = "; ".join(" and ".join(map(repr, found)) for found in doubled[:_SHOWN])
        text = (
            "names of units differ in spaces, width, case or the mark of a footnote alone and "
            f"count as different units: {some}"
        )
        notes.append(Note("units_alike", len(doubled), text))
    known = {plain_name(name): name for name in texts}
    bare = {name: _without_rank(plain) for plain, name in known.items()}
    if ranked := [(known[short], name) for name, short in bare.items() if short in known]:
        some = "; ".join(f"{short!r} and {name!r}" for short, name in ranked[:_SHOWN])
        text = (
            "names of units differ in 市, 县 or the like at their end alone and count as different "
            f"units: {some}; write each in one way"
        )
        notes.append(Note("units_ranked", len(ranked), text))
    return notes


def _without_rank(name: str) -> str:
    """A name without the rank of the place at its end; empty if it has none."""
    rank = next((rank for rank in _RANKS if name.endswith(rank)), "")
    return name.removesuffix(rank) if rank else ""


def plain_name(name: str) -> str:
    """Without spaces and marks of footnotes, in one width and case."""
    wide = unicodedata.normalize("NFKC", _FOOTNOTE.sub("", name.strip()))
    return re.sub(r"\s+", "", wide).casefold()
