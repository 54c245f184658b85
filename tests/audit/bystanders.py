"""Whom findings accuse when one number of a correct table is wrong: it, what is tied to it, others.

Every finding that a planted error adds follows from it, for nothing else was changed. It names the
number; or names only what the number enters (the constant of its column, a claim about its cell, a
column that is compared with its own); or points at a bystander.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bayesdid.audit.finding import Finding

WHO = ("it", "tied", "bystander")
Ref = tuple[str, str]  # table.column and what of it, or a table and a row of moments


@dataclass
class Planted:
    """What differs between a correct table and one with an error.

    Attributes
    ----------
    cells
        Column and term, or column and ``r2``, ``n``, the name of a statistic.
    moments
        Variables whose moments differ.
    claims
        Ids of claims that do.
    """

    cells: set[Ref] = field(default_factory=set)
    moments: set[str] = field(default_factory=set)
    claims: set[str] = field(default_factory=set)


def planted(raw: dict, damaged: dict) -> Planted:
    found = Planted()
    for table, other in zip(raw["tables"], damaged["tables"], strict=True):
        rows = zip(table.get("moments", ()), other.get("moments", ()), strict=True)
        found.moments |= {new["column"] for old, new in rows if old != new}
        columns = zip(table.get("column", ()), other.get("column", ()), strict=True)
        for old, new in columns:
            place = f"{other['id']}.{new['id']}"
            found.cells |= {(place, name) for name in _differing(old, new)}
    claims = zip(raw["claims"], damaged["claims"], strict=True)
    found.claims = {new["id"] for old, new in claims if old != new}
    return found


def _differing(old: dict, new: dict) -> Iterator[str]:
    for name, cell in new["coefficients"].items():
        if cell != old["coefficients"].get(name):
            yield name
    yield from (key for key in ("r2", "n") if old.get(key) != new.get(key))
    for one, two in zip(old.get("statistic", ()), new.get("statistic", ()), strict=True):
        if one != two:
            yield two["name"]


def accused(finding: Finding, wrong: Planted, claims: dict[str, dict]) -> str:
    """``it``, ``tied`` to it, or a ``bystander``.

    Parameters
    ----------
    claims
        Of the table's text, by id.
    """
    if finding.place.startswith("claim "):
        name = finding.place.removeprefix("claim ")
        told = str(claims[name])
        about = any(f"{place}:{term}" in told for place, term in wrong.cells)
        return "it" if name in wrong.claims else "tied" if about else "bystander"
    columns, _, item = finding.place.partition(":")
    named = {column.strip() for column in columns.split(",")}
    item = item.strip()
    if any(place in named and item in {"", name} for place, name in wrong.cells):
        return "it"
    if item in wrong.moments:
        return "it" if all("." not in column for column in named) else "bystander"
    return "tied" if named & {place for place, _ in wrong.cells} else "bystander"
