"""What a fit is of: rows, units, periods, and everything that was left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bayesdid.design.design import Design
from bayesdid.exceptions import Note


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows, units and periods a fit is of, with a note of whatever was left out of it."""

    json_keys: ClassVar[tuple[str, ...]] = ("rows", "units", "periods", "text", "notes")

    rows: int
    units: int
    periods: int
    notes: tuple[Note, ...]

    @property
    def text(self) -> str:
        """For people."""
        return f"n = {self.rows}: {self.units} units, {self.periods} periods"


def counted(design: Design) -> Counted:
    """The counts of a design: its notes are those of the panel, then its own."""
    return Counted(design.n, len(design.units), len(design.periods), tuple(design.notes))
