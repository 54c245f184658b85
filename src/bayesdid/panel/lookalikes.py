"""Units that are hardly units: totals of all others, and names that differ in spaces or marks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from bayesdid.exceptions import Note
from bayesdid.panel.values import FOOTNOTES

_TOTALS = frozenset(
    {"全国", "全国总计", "全国合计", "合计", "总计", "共计", "全省", "全市", "全国平均", "平均"}
    | {"total", "totals", "grandtotal", "all", "nationwide", "national", "average", "sum"}
)
_FOOTNOTE = re.compile(f"[{FOOTNOTES}]+$")
_SHOWN = 3


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
    return notes


def _plain(name: str) -> str:
    """Without spaces and marks of footnotes, in one width and case."""
    wide = unicodedata.normalize("NFKC", _FOOTNOTE.sub("", name.strip()))
    return re.sub(r"\s+", "", wide).casefold()
