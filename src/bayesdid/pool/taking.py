"""The effect of every study: a named cell, its own real panel, or else what it prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bayesdid.exceptions import InputError, Note, ResultError
from bayesdid.pool.asked import INDIRECT
from bayesdid.pool.effect import StudyEffect
from bayesdid.pool.panels import OwnPanel, own_panel, panel_effect
from bayesdid.pool.printed import cell_effect, printed_effect
from bayesdid.study.load import Study

From = Literal["auto", "printed", "panel"]


@dataclass(frozen=True, slots=True)
class Taken:
    """Effects by study, why others have none (the first of them as it was raised), and notes."""

    found: dict[str, StudyEffect]
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
    left: dict[str, str] = {}
    notes: list[Note] = []
    first: InputError | ResultError | None = None
    for study in studies:
        try:
            found[study.id], more = taking.of(study, cells.get(study.id))
            notes += more
        except (InputError, ResultError) as error:
            if study.id in cells:
                raise
            first = first or error
            left[study.id] = error.problem if isinstance(error, InputError) else str(error)
        done(study.id)
    return Taken(found, left, notes, first)


@dataclass(frozen=True, slots=True)
class Taking:
    """Where the effect of a study is taken from."""

    asked: str
    source: From
    draws: int
    seed: int

    def of(self, study: Study, cell: str | None) -> tuple[StudyEffect, list[Note]]:
        """The effect of a study, and what is to be said of it."""
        if cell is not None:
            return cell_effect(study, cell), []
        own = OwnPanel() if self._of_print else own_panel(study)
        if own.panel is not None:
            got = panel_effect(study, own.panel, self.asked, draws=self.draws, seed=self.seed)
            return got.effect, [Note("few-units", 1, got.few)] if got.few else []
        if self.source == "panel":
            raise InputError(
                "its panel is synthetic, which is no evidence"
                if own.synthetic
                else "it has no panel of its own"
            )
        text = f"{study.id} gives its printed effect: its panel is synthetic, which is no evidence"
        return printed_effect(study, self.asked), [
            Note("synthetic", 1, text) for _ in range(own.synthetic)
        ]

    @property
    def _of_print(self) -> bool:
        return self.source == "printed" or (self.asked == INDIRECT and self.source == "auto")
