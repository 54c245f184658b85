"""Real places for the units of a drawn design, and adoption that is known from elsewhere.

Which places are in a study's sample may not be published: they are drawn so that groups have the
published sizes. A place whose adoption is known gets a unit of the design that adopted as it did;
where the design has none left, another place of the same groups takes its stead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.panel.read import read_frame
from bayesdid.study.load import Study

_SWAPS = 50_000


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of a place's adoption of one policy.

    Attributes
    ----------
    place, policy
        Row of the file of places, and the policy's position.
    period
        When; NaN if it is known that, but not when.
    """

    place: int
    policy: int
    period: float

    def allows(self, start: FloatArray) -> np.ndarray:
        """Which units may stand for the place, from their starts, shape (N, P) -> (N,)."""
        own = start[:, self.policy]
        return np.isfinite(own) if np.isnan(self.period) else own == self.period


def settle(frame: pd.DataFrame, study: Study, rng: np.random.Generator) -> pd.DataFrame:
    """The frame of a drawn design with its units at real places, as far as the study names them.

    A study without a file of places that has a column named as its units is returned unchanged.
    """
    section = study.file.panel
    name = None if section.simulate is None else section.simulate.places
    if name is None:
        return frame
    places = read_frame(study.inside(name))
    if section.unit not in places or not places[section.unit].is_unique:
        return frame
    units = pd.factorize(frame[section.unit])[0].astype(np.int64)
    first = frame.groupby(units).first()
    groups = _groups(study, frame, places)
    facts = known_adoptions(study, places)
    wanted = {
        key: {str(level): int(n) for level, n in first[key].value_counts().items()}
        for key in groups
    }
    chosen = _sample(places, wanted, len(first), rng)
    columns = [str(policy.adoption) for policy in study.policies if policy.adoption]
    start = first[columns].to_numpy(dtype=float)
    start = np.where(np.isfinite(start), start, np.inf)
    at = _assigned(start, chosen, facts, places[groups].astype(str).agg("|".join, axis=1), rng)
    found = frame.copy()
    taken = places.iloc[at[units]].reset_index(drop=True)
    for key in (section.unit, *groups):
        found[key] = taken[key].to_numpy()
    found[str(section.longitude)] = taken["lon"].to_numpy()
    found[str(section.latitude)] = taken["lat"].to_numpy()
    for key in ("adcode", "name", "province"):
        if key in taken and key not in found:
            found[key] = taken[key].to_numpy()
    return found.sort_values([section.unit, section.period], ignore_index=True)


def known_adoptions(study: Study, places: pd.DataFrame) -> tuple[Fact, ...]:
    """Adoptions that ``[design.timing] sourced`` lists.

    Raises
    ------
    InputError
        If the file lacks a column, or names a place or policy that is not known.
    """
    name = study.file.design.timing.sourced
    if name is None:
        return ()
    path, unit = study.inside(name), study.file.panel.unit
    listed = read_frame(path)
    if missing := [key for key in (unit, "policy", "year") if key not in listed]:
        raise InputError(
            "the file of known adoptions lacks a column",
            file=path,
            column=missing[0],
            remedy=f"give the columns {unit}, policy and year; an empty year is not known",
        )
    where = {str(place): k for k, place in enumerate(places[unit])}
    policies = [policy.id for policy in study.policies]
    found = []
    for row, (place, policy, year) in enumerate(
        listed[[unit, "policy", "year"]].itertuples(index=False, name=None), start=2
    ):
        for value, known in ((place, where), (policy, policies)):
            if str(value) not in known:
                _unknown(path, str(value), row)
        found.append(Fact(where[str(place)], policies.index(str(policy)), float(year)))
    return tuple(found)


def kept_facts(frame: pd.DataFrame, study: Study) -> int:
    """How many known adoptions are those of a unit of the panel, year and all."""
    section = study.file.panel
    if section.simulate is None or section.simulate.places is None:
        return 0
    places = read_frame(study.inside(section.simulate.places))
    if section.unit not in places:
        return 0
    first = frame.groupby(section.unit).first()
    count = 0
    for fact in known_adoptions(study, places):
        unit = places[section.unit].iloc[fact.place]
        if unit in first.index:
            own = float(first.loc[unit, str(study.policies[fact.policy].adoption)])
            count += own == fact.period or (np.isnan(fact.period) and np.isfinite(own))
    return count


def _unknown(path: Path, value: str, row: int) -> None:
    raise InputError(
        "no such place or policy",
        file=path,
        row=row,
        value=value,
        remedy="use names of the file of places and ids of the study's policies",
    )


def _groups(study: Study, frame: pd.DataFrame, places: pd.DataFrame) -> list[str]:
    """Groups of the study whose level the file of places gives."""
    return [
        group.column
        for group in study.file.group
        if group.column in frame
        and group.column in places
        and set(places[group.column]) == set(group.levels)
    ]


def _sample(
    places: pd.DataFrame, wanted: dict[str, dict[str, int]], size: int, rng: np.random.Generator
) -> IntArray:
    """`size` places with the wanted number in each level: random ones, swapped until it is so."""
    order = rng.permutation(len(places))
    inside, outside = list(order[:size]), list(order[size:])
    levels = {key: places[key].astype(str).to_numpy() for key in wanted}
    excess = {
        key: {level: int((levels[key][inside] == level).sum()) - n for level, n in of.items()}
        for key, of in wanted.items()
    }
    for _ in range(_SWAPS):
        if not any(any(of.values()) for of in excess.values()):
            return np.array(inside, dtype=np.int64)
        i, j = int(rng.integers(len(inside))), int(rng.integers(len(outside)))
        change = 0
        for key, of in excess.items():
            out, come = levels[key][inside[i]], levels[key][outside[j]]
            if out != come:
                change += abs(of[out] - 1) - abs(of[out]) + abs(of[come] + 1) - abs(of[come])
        if change <= 0:
            for key, of in excess.items():
                of[levels[key][inside[i]]] -= 1
                of[levels[key][outside[j]]] += 1
            inside[i], outside[j] = outside[j], inside[i]
    raise InputError(
        "no sample of the places has the published numbers of units in each group",
        remedy="leave the groups out of the file of places",
    )


def _assigned(
    start: FloatArray,
    chosen: IntArray,
    facts: Iterable[Fact],
    alike: pd.Series,
    rng: np.random.Generator,
) -> IntArray:
    """The place of each unit, shape (N,): known adoptions first, years before mere membership.

    Raises
    ------
    NotIdentifiedError
        If a place's adoption is that of no unit left, and no place could take its stead.
    """
    of: dict[int, list[Fact]] = {}
    for fact in facts:
        of.setdefault(fact.place, []).append(fact)
    inside = set(chosen.tolist())
    spare = [k for k in rng.permutation(len(alike)).tolist() if k not in inside and k not in of]
    place = np.full(len(start), -1, dtype=np.int64)
    order = rng.permutation(sorted(inside & of.keys())).tolist()
    order.sort(key=lambda k: -sum(1 + np.isfinite(fact.period) for fact in of[k]))
    left: list[int] = [k for k in chosen.tolist() if k not in of]
    for k in order:
        fits = place < 0
        for fact in of[k]:
            fits &= fact.allows(start)
        if fits.any():
            place[rng.choice(np.flatnonzero(fits))] = k
            continue
        other = next((s for s in spare if alike.iloc[s] == alike.iloc[k]), None)
        if other is None:
            raise NotIdentifiedError(
                "no unit of the drawn design adopted as a place is known to have, and no other "
                "place of its groups is left",
                value=alike.index[k],
                remedy="check the file of known adoptions against the rounds under [design.timing]",
            )
        spare.remove(other)
        left.append(other)
    place[place < 0] = rng.permutation(left)
    return place
