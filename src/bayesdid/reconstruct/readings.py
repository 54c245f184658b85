"""Printed cells that contradict each other, and the reading under which they do not.

A relation of least squares between four printed numbers (short = long + effect x path) that fails
is an irreducible conflicting set: drop any one of the four and the rest can hold. The audit finds
such sets, and the one changed sign that mends every row of the relation, if there is one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import estimate
from bayesdid.audit.identities import triples
from bayesdid.audit.spread import pooled
from bayesdid.reconstruct.targets import Target
from bayesdid.study.load import Study

Change = Literal["sign", "pooled", "none"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Printed cells that no panel can have together.

    Attributes
    ----------
    cells
        An irreducible set: any one of them left out, the others can hold.
    miss
        By how much the relation fails once rounding is allowed for.
    change, changed
        What would remove it, and the cell or column that is then read otherwise.
    text
        One sentence.
    """

    cells: tuple[str, ...]
    miss: float
    change: Change
    changed: str
    text: str


def conflicts(study: Study, places: Collection[str]) -> tuple[Conflict, ...]:
    """Conflicting sets among these columns."""
    return (*_signs(study, places), *_pooled(study, places))


def _signs(study: Study, places: Collection[str]) -> Iterator[Conflict]:
    for short, long, auxiliary, mediator in triples(study):
        if not {short.id, long.id, auxiliary.id} <= set(places):
            continue
        effect = estimate(long.column.coefficients[mediator])
        rows = [
            (
                name,
                estimate(cell),
                estimate(long.column.coefficients[name]),
                estimate(auxiliary.column.coefficients[name]),
            )
            for name, cell in short.column.coefficients.items()
            if name in long.column.coefficients and name in auxiliary.column.coefficients
        ]
        minus = Bounds.exactly(-1.0)
        mended = all(a.distance(b + minus * effect * c) == 0.0 for _, a, b, c in rows)
        for name, left, beside, path in rows:
            miss = left.distance(beside + effect * path)
            if miss == 0.0:
                continue
            cells = (
                f"{short.id}:{name}",
                f"{long.id}:{name}",
                f"{long.id}:{mediator}",
                f"{auxiliary.id}:{name}",
            )
            changed = f"{long.id}:{mediator}"
            remedy = (
                f"with the sign of {changed} changed all of its rows hold"
                if mended
                else "no changed sign mends all of its rows"
            )
            yield Conflict(
                cells,
                miss,
                "sign" if mended else "none",
                changed if mended else "",
                f"{cells[0]} = {cells[1]} + {cells[2]} x {cells[3]} fails by {miss:.3f}; {remedy}",
            )


def _pooled(study: Study, places: Collection[str]) -> Iterator[Conflict]:
    for finding in pooled(study):
        if finding is None:
            continue
        place = finding.place.partition(":")[0]
        if place in places:
            cells = (f"{finding.place}.se", f"{place}:r2")
            text = f"{finding.text} It is read as such."
            yield Conflict(cells, finding.miss, "pooled", place, text)


def mended(
    targets: tuple[Target, ...], found: Collection[Conflict]
) -> tuple[tuple[Target, ...], frozenset[str]]:
    """Targets under the changed signs, and the columns that are read as pooled."""
    signs = {conflict.changed for conflict in found if conflict.change == "sign"}
    read = tuple(
        dataclasses.replace(t, low=-t.high, high=-t.low) if t.cell in signs else t for t in targets
    )
    return read, frozenset(c.changed for c in found if c.change == "pooled")
