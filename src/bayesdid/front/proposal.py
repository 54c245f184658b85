"""What a panel file seems to be about, before it is written as a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bayesdid.front.guess import GroupGuess, Guess, Keys
from bayesdid.front.guess_policies import PolicyGuess


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a panel file seems to be about.

    Attributes
    ----------
    doses
        Treatments that are columns of numbers, each as high as a unit has it in a period.
    counts, exposure
        Whether the outcome holds counts, and the column of what they are out of.
    labels
        Column -> its label in the file.
    left
        Columns that are nothing of these, with the reason.
    missing_marks
        Cells that mean not known, as the user says.
    sheet
        Of a workbook, if it was named.
    """

    keys: Keys
    outcome: Guess
    policies: tuple[PolicyGuess, ...]
    doses: tuple[Guess, ...]
    covariates: tuple[Guess, ...]
    groups: tuple[GroupGuess, ...]
    coordinates: tuple[str, str] | None
    labels: Mapping[str, str]
    left: tuple[Guess, ...]
    counts: bool = False
    exposure: str | None = None
    missing_marks: tuple[str, ...] = ()
    sheet: str | None = None

    def rows(self) -> list[tuple[str, str, str]]:
        """Role, column and reason of every column, for a table."""
        found = [
            ("unit", self.keys.unit.name, self.keys.unit.reason),
            ("period", self.keys.period.name, self.keys.period.reason),
            ("outcome", self.outcome.name, self.outcome.reason),
            *(("policy", p.column, p.reason) for p in self.policies),
            *(("dose", g.name, g.reason) for g in self.doses),
            *([("exposure", self.exposure, "named")] if self.exposure else []),
            *(("covariate", g.name, g.reason) for g in self.covariates),
            *(("group", g.name, g.reason) for g in self.groups),
        ]
        if self.coordinates:
            found += [("coordinate", name, "by its name") for name in self.coordinates]
        return found + [("left out", g.name, g.reason) for g in self.left]
