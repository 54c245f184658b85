"""The effect of every study: a named cell, its own real panel, or else what it prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bayesdid.estimands.names import RATIO
from bayesdid.exceptions import InputError, Note, ResultError
from bayesdid.panel.panel import Panel
from bayesdid.pool.asked import INDIRECT
from bayesdid.pool.effect import StudyEffect
from bayesdid.pool.panels import OwnPanel, own_panel, panel_effect
from bayesdid.pool.printed import cell_effect, printed_effect
from bayesdid.study.load import Study

From = Literal["auto", "printed", "panel"]


@dataclass(frozen=True, slots=True)
class Taken:
    """Effects by study, the panels of those that are from one, why others have none, and notes.

    The first reason stands as it was raised, too.
    """

    found: dict[str, StudyEffect]
    panels: dict[str, Panel]
    left: dict[str, str]
    notes: list[Note]
    first: InputError | ResultError | None


def taken(
    studies: Sequence[Study],
    cells: Mapping[str, str],
    taking: Taking,
    done: Callable[[str], object],
) -> Taken:
    """The effect of every study that has one; a cell that is named and is none is an error."""
    found: dict[str, StudyEffect] = {}
    panels: dict[str, Panel] = {}
    left: dict[str, str] = {}
    notes: list[Note] = []
    first: InputError | ResultError | None = None
    for study in studies:
        try:
            found[study.id], panel, more = taking.of(study, cells.get(study.id))
            panels |= {} if panel is None else {study.id: panel}
            notes += more
        except (InputError, ResultError) as error:
            if study.id in cells:
                raise
            first = first or error
            left[study.id] = error.problem if isinstance(error, InputError) else str(error)
        done(study.id)
    return Taken(found, panels, left, notes, first)


@dataclass(frozen=True, slots=True)
class Taking:
    """Where the effect of a study is taken from."""

    asked: str
    source: From
    draws: int
    seed: int

    def of(self, study: Study, cell: str | None) -> tuple[StudyEffect, Panel | None, list[Note]]:
        """The effect of a study, the panel that it is from, and what is to be said of it."""
        if cell is not None:
            return cell_effect(study, cell), None, []
        if self.asked == RATIO:
            raise InputError(
                "a ratio is no difference, and is not pooled with one", value=self.asked
            )
        own = OwnPanel() if self._of_print else own_panel(study)
        if own.panel is not None:
            got = panel_effect(study, own.panel, self.asked, draws=self.draws, seed=self.seed)
            return got.effect, own.panel, [Note("few-units", 1, got.few)] if got.few else []
        if self.source == "panel":
            raise InputError(
                "its panel is synthetic, which is no evidence"
                if own.synthetic
                else "it has no panel of its own"
            )
        text = f"{study.id} gives its printed effect: its panel is synthetic, which is no evidence"
        notes = [Note("synthetic", 1, text)] if own.synthetic else []
        return printed_effect(study, self.asked), None, notes

    @property
    def _of_print(self) -> bool:
        return self.source == "printed" or (self.asked == INDIRECT and self.source == "auto")
