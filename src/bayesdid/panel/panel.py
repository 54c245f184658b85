"""The validated long panel that every later stage works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bayesdid.exceptions import Note
from bayesdid.notebook import html, lines
from bayesdid.panel.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Panel:
    """A validated panel in long form. Nothing in bayesdid ever changes the frame.

    Attributes
    ----------
    frame
        One row per unit-period, sorted by unit and period, index ``0..n-1``. Holds the key
        columns, the numeric columns, and the group columns.
    unit, period
        Names of the key columns; also the names of the dimensions of every result.
    policies
        Ids of the policies, in the study's order.
    adoption
        Adoption period of each policy: rows are units (in order of appearance in `frame`),
        columns are `policies`, dtype ``Int64``; missing means never. Of a policy that a unit
        reverses, the first period under it.
    unit_labels
        Unit -> label for people.
    synthetic
        Why the panel is synthetic (stamped on every result), or None for real data.
    sha256
        Hash of the contents, independent of row order and file format.
    notes
        Named warnings with counts, from reading and validation.
    source
        Where it came from, for provenance.
    censored
        Whether the period in `adoption` is only when a unit is first seen with the policy, not when
        it adopted; shaped like `adoption`; empty for nowhere.
    reverses
        Whether the unit is seen without the policy after it was with it, so that it has a state in
        each row but no event time, cohort or order; shaped like `adoption`; empty for nowhere.
    indicators
        Policy that some unit reverses -> column of its state, and the value from which it is on.
    fractions
        Policy whose indicator has values between 0 and 1 and no declared cut -> its column and how
        many rows; its state is refused until a cut is said, and described from one half on.
    timeline
        How the steps in the period column follow from what the file holds.
    repeated
        Whether rows are individuals, several of a unit in one period.
    totals
        Units of the file that are left out because they are totals or means of others.
    """

    frame: pd.DataFrame
    unit: str
    period: str
    policies: tuple[str, ...]
    adoption: pd.DataFrame
    unit_labels: dict[str, str]
    synthetic: str | None
    sha256: str
    notes: tuple[Note, ...]
    source: str
    censored: pd.DataFrame = field(default_factory=pd.DataFrame)
    reverses: pd.DataFrame = field(default_factory=pd.DataFrame)
    indicators: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    fractions: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    timeline: Timeline = field(default_factory=Timeline)
    repeated: bool = False
    totals: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        T = self.periods
        first, last = (self.timeline.label(step) for step in (T[0], T[-1]))
        shape = "balanced" if self.is_balanced else "unbalanced"
        adopted = self.adoption.notna().sum()
        return lines(
            f"Panel of {len(self.units)} {self.unit} x {len(T)} {self.period} ({first} to {last})",
            [
                f"{len(self.frame)} rows, {shape}; {self.source}",
                *(f"{name}: {adopted[name]} units adopt" for name in self.policies),
                *(f"note: {note.text}" for note in self.notes),
                f"SYNTHETIC PANEL: {self.synthetic}" if self.synthetic else "",
            ],
        )

    def _repr_html_(self) -> str:
        return html(repr(self), self.frame.head())

    @property
    def units(self) -> np.ndarray:
        """The units, in frame order, shape (N,)."""
        return self.adoption.index.to_numpy()

    @property
    def periods(self) -> np.ndarray:
        """The periods in ascending order, shape (T,)."""
        return np.sort(self.frame[self.period].unique())

    @property
    def is_balanced(self) -> bool:
        """Whether every unit is seen in every period, once if rows are not individuals."""
        cells = len(self.units) * len(self.periods)
        if self.repeated:
            return len(self.frame[[self.unit, self.period]].drop_duplicates()) == cells
        return len(self.frame) == cells
