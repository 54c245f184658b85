"""Units that are hardly units: totals of all others, and names that differ in spaces or marks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from bayesdid.exceptions import Note
from bayesdid.notebook import many
from bayesdid.panel.values import FOOTNOTES

_TOTALS = frozenset(
    {"全国", "全国总计", "全国合计", "合计", "总计", "共计", "全省", "全市", "全国平均", "平均"}
    | {"total", "totals", "grandtotal", "all", "nationwide", "national", "average", "sum"}
)
_RANKS = ("特别行政区", "自治区", "自治州", "地区", "省", "市", "州", "盟", "县", "区")
_FOOTNOTE = re.compile(f"[{FOOTNOTES}]+$")
_SHOWN = 3
_MUNICIPALITIES = 4  # cities with the rank of a province


def odd_units(names: Iterable[object]) -> list[Note]:
    """Notes of units by their names, which stay as they were typed.

    Parameters
    ----------
    names
        Distinct keys of units.
    """
    texts = [name for name in names if isinstance(name, str)]
    notes = []
    if totals := [name for name in texts if _plain(name) in _TOTALS]:
        text = (
            f"a unit called {', '.join(map(repr, totals[:_SHOWN]))} seems to be the total or mean "
            "of the others, and counts as one of them: leave it out (sample: without)"
        )
        notes.append(Note("total_unit", len(totals), text))
    alike: dict[str, list[str]] = {}
    for name in texts:
        alike.setdefault(_plain(name), []).append(name)
    if doubled := [found for found in alike.values() if len(found) > 1]:
        some = "; ".join(" and ".join(map(repr, found)) for found in doubled[:_SHOWN])
        text = (
            "names of units differ in spaces, width, case or the mark of a footnote alone and "
            f"count as different units: {some}"
        )
        notes.append(Note("units_alike", len(doubled), text))
    known = {_plain(name): name for name in texts}
    bare = {name: _without_rank(plain) for plain, name in known.items()}
    if ranked := [(known[short], name) for name, short in bare.items() if short in known]:
        some = "; ".join(f"{short!r} and {name!r}" for short, name in ranked[:_SHOWN])
        text = (
            "names of units differ in 市, 县 or the like at their end alone and count as different "
            f"units: {some}; write each in one way"
        )
        notes.append(Note("units_ranked", len(ranked), text))
    provinces = [name for name in texts if name.strip().endswith(("省", "自治区"))]
    cities = [name for name in texts if name.strip().endswith(("市", "地区", "自治州", "盟"))]
    if provinces and len(cities) > max(len(provinces), _MUNICIPALITIES):
        text = (
            f"{many(len(provinces), 'unit')} called {', '.join(map(repr, provinces[:_SHOWN]))} "
            f"{'stands' if len(provinces) == 1 else 'stand'} among {len(cities)} cities and may be "
            "totals of some, which count as units: leave them out (sample: without)"
        )
        notes.append(Note("total_unit", len(provinces), text))
    return notes


def _without_rank(name: str) -> str:
    """A name without the rank of the place at its end; empty if it has none."""
    rank = next((rank for rank in _RANKS if name.endswith(rank)), "")
    return name.removesuffix(rank) if rank else ""


def _plain(name: str) -> str:
    """Without spaces and marks of footnotes, in one width and case."""
    wide = unicodedata.normalize("NFKC", _FOOTNOTE.sub("", name.strip()))
    return re.sub(r"\s+", "", wide).casefold()
