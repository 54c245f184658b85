"""Effects beside those of unit and period: which row belongs to which level, and slopes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.exceptions import InputError
from bayesdid.panel.panel import Panel
from bayesdid.panel.values import levels as texts
from bayesdid.study.effects import EffectTerm, FurtherKind, parse_effect


@dataclass(frozen=True, slots=True)
class Further:
    """One coefficient for each level, times a slope if there is one.

    Attributes
    ----------
    text
        The effect as written but for ``random(...)``; this may be a part of it.
    name
        Of its coefficients in every result, ``region_x_year_effect``, ``state_slope_year``.
    dim, levels
        Their dimension and its labels, shape (L,).
    index
        Position of each row's level, shape (n,).
    slope
        What the level's coefficient multiplies, shape (n,), or None for one.
    kind
        ``fixed`` (flat) or ``random`` (normal, with a scale of its own).
    of
        ``unit`` or ``period`` where the levels are those, else empty.
    """

    text: str
    name: str
    dim: str
    levels: np.ndarray
    index: IntArray
    slope: FloatArray | None
    kind: FurtherKind
    of: str = ""

    @property
    def times(self) -> FloatArray:
        """What each row's level is multiplied by, shape (n,)."""
        return np.ones(len(self.index)) if self.slope is None else self.slope

    @property
    def is_unit_slope(self) -> bool:
        """Whether it is a fixed slope of each unit's own: eliminated unit by unit."""
        return self.of == "unit" and self.kind == "fixed"

    def take(self, rows: np.ndarray) -> Further:
        """On some of the rows; levels without rows go."""
        kept, index = np.unique(self.index[rows], return_inverse=True)
        slope = None if self.slope is None else self.slope[rows]
        return replace(self, levels=self.levels[kept], index=index, slope=slope)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Clusters of the rows: column, labels, shape (G,), and position of each row's, (n,)."""

    name: str
    levels: np.ndarray
    index: IntArray

    def take(self, rows: np.ndarray) -> Cluster:
        """On some of the rows; clusters without rows go."""
        kept, index = np.unique(self.index[rows], return_inverse=True)
        return replace(self, levels=self.levels[kept], index=index)


def clusters_of(column: str, panel: Panel, frame: pd.DataFrame) -> Cluster:
    """Clusters of the rows of a frame, from the panel's.

    Raises
    ------
    InputError
        If a unit is in two clusters, by its name.
    """
    own = texts(frame[column]) if column != panel.unit else frame[column].astype(str)
    several = own.groupby(frame[panel.unit].to_numpy()).nunique()
    if (several > 1).any():
        unit = several.index[several > 1][0]
        raise InputError(
            f"{int((several > 1).sum())} units are in more than one cluster",
            file=panel.source,
            column=column,
            value=unit,
            remedy="clusters hold whole units: name a column that is constant within each unit",
        )
    index, labels = pd.factorize(own, sort=True)
    return Cluster(column, np.asarray(labels, dtype=object), index.astype(np.int64))


def further_columns(effects: Iterable[str], panel: Panel) -> list[str]:
    """Columns that a row must have a value of, keys aside."""
    keys = {panel.unit, panel.period}
    names = [name for text in effects for name in parse_effect(text).columns]
    return [name for name in dict.fromkeys(names) if name not in keys]


def has_values(panel: Panel, column: str) -> np.ndarray:
    """Which rows have a level, or a number, shape (rows,)."""
    if column not in panel.frame.columns:
        raise InputError(
            "the panel has no such column",
            file=panel.source,
            column=column,
            remedy="name a column of the panel, one alone for clusters (two-way clusters are not "
            "computed), or leave it out",
        )
    values = panel.frame[column]
    return np.asarray(values.notna() & (values.astype(str) != ""))


def further_effects(
    effects: Iterable[str],
    panel: Panel,
    frame: pd.DataFrame,
    *,
    has_unit_levels: bool,
    dims: dict[str, str],
) -> tuple[Further, ...]:
    """The further effects of the rows of a frame.

    Parameters
    ----------
    effects
        As :func:`bayesdid.study.effects.parse_effect` reads them.
    frame
        The rows of the design, from the panel's.
    has_unit_levels
        Whether unit effects are there, so that levels that are the unit's are not added again.
    dims
        Column of a key -> its dimension in results.

    Raises
    ------
    InputError
        If an effect is said as two kinds, a power stands without the lower ones, or a slope is no
        number.
    """
    found: list[Further] = []
    for text in dict.fromkeys(effects):
        term = parse_effect(text)
        own = str(replace(term, kind="fixed"))
        _whole_powers(term)
        index, labels = _levels(term.factors, panel, frame)
        of = {panel.unit: "unit", panel.period: "period"}.get("^".join(term.factors), "")
        dim = dims.get(term.factors[0], term.factors[0]) if len(term.factors) == 1 else ""
        dim = dim or "_x_".join(term.factors)
        if term.has_levels and not (of == "unit" and has_unit_levels):
            found.append(Further(own, f"{dim}_effect", dim, labels, index, None, term.kind, of))
        for slope in term.slopes:
            x = frame[slope.column].to_numpy(dtype=float)
            values = (x - x.mean()) ** slope.power
            power = "" if slope.power == 1 else str(slope.power)
            name = f"{dim}_slope_{slope.column}{power}"
            found.append(Further(own, name, dim, labels, index, values, term.kind, of))
    once: dict[str, Further] = {}
    for one in found:  # g + g[x] says the levels of g twice
        if once.setdefault(one.name, one).kind != one.kind:
            raise InputError(
                "an effect that is both fixed and random", value=one.text, remedy="say one"
            )
    return tuple(once.values())


def _whole_powers(term: EffectTerm) -> None:
    powers: dict[str, set[int]] = {}
    for slope in term.slopes:
        powers.setdefault(slope.column, set()).add(slope.power)
    for column, own in powers.items():
        if own != set(range(1, max(own) + 1)):
            raise InputError(
                "a power of a slope without the lower ones depends on where the column is zero",
                value=str(term),
                remedy=f"write {column}, {column}^2 ... up to the highest",
            )


def _levels(
    factors: tuple[str, ...], panel: Panel, frame: pd.DataFrame
) -> tuple[IntArray, np.ndarray]:
    """Position of each row's combination, (n,), and what the combinations are called."""
    index = np.zeros(len(frame), dtype=np.int64)
    parts: list[np.ndarray] = []
    for name in factors:
        if name in {panel.unit, panel.period}:
            own, values = pd.factorize(frame[name], sort=name == panel.period)
            labels = np.asarray(values)
            if len(factors) > 1:
                shown = map(panel.timeline.label, values) if name == panel.period else values
                labels = np.array([str(v) for v in shown], dtype=object)
        else:
            own, values = pd.factorize(texts(frame[name]), sort=True)
            labels = np.asarray(values, dtype=object)
        index = index * len(labels) + own
        parts.append(labels)
    seen, index = np.unique(index, return_inverse=True)
    if len(factors) == 1:
        return index.astype(np.int64), parts[0][seen]
    at = np.unravel_index(seen, [len(labels) for labels in parts])
    columns = [labels[k] for labels, k in zip(parts, at, strict=True)]
    joined = [", ".join(map(str, combination)) for combination in zip(*columns, strict=True)]
    return index.astype(np.int64), np.array(joined, dtype=object)
