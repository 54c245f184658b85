"""The effects that a pool is of: one of each study, in one unit and towards one side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bayesdid.estimands.names import contrasts_of
from bayesdid.exceptions import InputError, Note, ResultError
from bayesdid.pool.asked import INDIRECT, NAMES, Asked, asked_of, contrast_of
from bayesdid.pool.effect import Source, StudyEffect
from bayesdid.pool.panels import OwnPanel, outcome_moment, own_panel, panel_effect
from bayesdid.pool.printed import cell_effect, printed_effect
from bayesdid.study.load import Study
from bayesdid.study.printed import Printed

Scale = Literal["auto", "none", "sd", "mean"]
From = Literal["auto", "printed", "panel"]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Effects that can be pooled, and the studies that cannot.

    Attributes
    ----------
    effects
        In the order of their studies.
    left_out
        Study -> why it is not pooled with the others.
    asked
        What they are of, in words; empty where every study has a cell of its own.
    unit
        What the outcomes of the pooled studies are measured in, before they are divided.
    scale, better
        As decided: ``auto`` and None are settled.
    notes
        What was chosen where nothing was said, and what a study's effect rests on.
    """

    effects: tuple[StudyEffect, ...]
    left_out: dict[str, str]
    asked: str
    unit: str
    scale: Scale
    better: bool
    notes: tuple[Note, ...]


def study_effects(
    studies: Sequence[Study],
    cells: Mapping[str, str],
    contrast: str | None = None,
    scale: Scale = "auto",
    *,
    better: bool | None = None,
    source: From = "auto",
    draws: int = 500,
    seed: int = 0,
    done: Callable[[str], object] = lambda _: None,
) -> Gathered:
    """The effect of each study, and which studies have none that can be pooled with the others'.

    A study that lacks the contrast, or whose outcome is in another unit or better on another side
    than that of most of the others, is left out; where no side or unit is that of most, nothing is
    pooled. A cell that is named and is no such effect is an error.

    Parameters
    ----------
    cells
        Study id -> reference of a printed cell, ``table2.5:both``.
    contrast
        For studies without a cell: ``att``, ``synergy``, ``indirect``, or a contrast such as
        ``both - none``; default what most studies have
        (:func:`~bayesdid.pool.asked.asked_of`).
    scale
        ``none``: outcomes must have one unit; ``sd``: divided by the outcome's printed sd, or that
        in the study's panel; ``mean``: by its mean; ``auto``: ``none`` where more than half have
        one unit, else ``sd``.
    better
        Whether effects are counted towards the better side of their outcome: positive is better.
        None: if the outcomes have no one better side.
    source
        ``auto``: from the study's own panel, if it has one that is real, else from print;
        ``panel`` and ``printed``: from there alone. Indirect effects and cells are of print.
    draws, seed
        Of the fits of panels.
    done
        Called with a study's id when it was looked at.

    Raises
    ------
    InputError
        If no study has such an effect, a named cell is none, or as many studies have one unit
        under ``none``, or one better side if effects are not counted so, as another.
    """
    ids = [study.id for study in studies]
    if unknown := [name for name in cells if name not in ids]:
        raise InputError(
            "a cell of a study that is not pooled",
            value=unknown[0],
            remedy=f"use one of {', '.join(ids)}",
        )
    asked = _known(studies, asked_of(studies, contrast))
    if asked.name == INDIRECT and source == "panel":
        raise InputError(
            "indirect effects are taken from print", remedy="leave out --source, or say printed"
        )
    taking = _Taking(asked.name, source, draws, seed)
    found: dict[str, StudyEffect] = {}
    left: dict[str, str] = {}
    notes: list[Note] = []
    first: InputError | ResultError | None = None
    for study in studies:
        try:
            found[study.id], note = taking.of(study, cells.get(study.id))
            notes += note
        except (InputError, ResultError) as error:
            if study.id in cells:
                raise
            first = first or error
            left[study.id] = error.problem if isinstance(error, InputError) else str(error)
        done(study.id)
    if first is not None and not found:
        raise first
    kept = [study for study in studies if study.id in found]
    used, scaled = _scale(kept, scale)
    sizes: dict[str, float] = {}
    for study in kept:
        try:
            sizes[study.id] = _size(study, used, found[study.id].source)
        except InputError as error:
            first = first or error
            left[study.id] = error.problem
    if first is not None and not sizes:
        raise first
    kept = [study for study in kept if study.id in sizes]
    if used == "none":
        kept = _of_most(kept, _UNIT, left)
    sides = {_SIDE.of(study) for study in kept}
    towards = len(sides) > 1 if better is None else better
    if not towards:
        kept = _of_most(kept, _SIDE, left)
    if better is None and towards:
        text = (
            "some outcomes should rise and some fall: effects are counted towards the better side "
            "of each (--no-better: as they stand, those of most)"
        )
        notes.insert(0, Note("better", len(kept), text))
    if len(cells) < len(studies) and asked.why:
        scaled = [Note("asked", len(studies), f"{asked.words} is pooled, as {asked.why}"), *scaled]
    turn = {s.id: -1 if towards and s.file.outcome.better == "lower" else 1 for s in kept}
    return Gathered(
        tuple(
            replace(
                found[name],
                estimate=side * found[name].estimate / sizes[name],
                se=found[name].se / sizes[name],
            )
            for name, side in turn.items()
        ),
        {study.id: left[study.id] for study in studies if study.id in left},
        asked.words if len(cells) < len(studies) else "",
        kept[0].file.outcome.unit,
        used,
        towards,
        (*scaled, *notes),
    )


def _known(studies: Sequence[Study], asked: Asked) -> Asked:
    """The same, if it is a name or some study can have such a contrast."""
    if asked.name in NAMES or any(contrast_of(asked.name, study) for study in studies):
        return asked
    known = dict.fromkeys(one.name for study in studies for one in contrasts_of(study))
    raise InputError(
        "no study has this contrast",
        value=asked.name,
        remedy=f"use {', '.join(NAMES)}, or one of {', '.join(known) or '(none)'}",
    )


@dataclass(frozen=True, slots=True)
class _Taking:
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


@dataclass(frozen=True, slots=True)
class _Common:
    """A property of outcomes that pooled ones share: what is said where none is that of most."""

    of: Callable[[Study], str]
    problem: str
    remedy: str
    other: str


_UNIT = _Common(
    lambda study: study.file.outcome.unit,
    "outcomes in different units cannot be pooled as they stand",
    "divide by their spread (--scale sd) or mean (--scale mean), or write alike what is one unit",
    "its outcome is in {mine}, that of the others in {theirs} (--scale sd divides by its sd)",
)
_SIDE = _Common(
    lambda study: study.file.outcome.better,
    "outcomes of which some should rise and some fall have no common effect",
    "count effects towards the better side of each (--better)",
    "{mine} is better there, and {theirs} in the others (--better counts towards the better side)",
)


def _of_most(studies: Sequence[Study], common: _Common, left: dict[str, str]) -> list[Study]:
    """The studies of the property that most have; why the others are left out, in `left`."""
    counts = Counter(common.of(study) for study in studies).most_common(2)
    if len(counts) > 1 and counts[0][1] == counts[1][1]:
        raise InputError(
            common.problem,
            value="; ".join(f"{study.id}: {common.of(study)}" for study in studies),
            remedy=common.remedy,
        )
    theirs = counts[0][0]
    for study in studies:
        if common.of(study) != theirs:
            left[study.id] = common.other.format(mine=common.of(study), theirs=theirs)
    return [study for study in studies if common.of(study) == theirs]


def _scale(studies: Sequence[Study], scale: Scale) -> tuple[Scale, list[Note]]:
    """What effects are divided by, and why if that was not said."""
    units = Counter(_UNIT.of(study) for study in studies)
    if scale != "auto":
        return scale, []
    if 2 * max(units.values()) > len(studies):
        return "none", []
    text = (
        f"outcomes are in {len(units)} units, none of more than half: effects are divided by the "
        "sd of each outcome (--scale none, mean)"
    )
    return "sd", [Note("scale", len(studies), text)]


def _size(study: Study, scale: Scale, source: Source) -> float:
    """What a study's effect is divided by: of the panel that it is from, else as printed."""
    if scale == "none":
        return 1.0
    outcome = study.file.outcome.column
    if scale == "mean" and "log" in study.file.outcome.unit.lower():
        raise InputError(
            "the mean of an outcome in logarithms is no size",
            file=study.path,
            value=study.file.outcome.unit,
            remedy="divide by its sd (--scale sd)",
        )
    for table in study.tables.values() if source != "panel" else ():
        for row in table.moments:
            text = row.sd if scale == "sd" else row.mean
            if row.column == outcome and text is not None and float(Printed.parse(text)) > 0:
                return float(Printed.parse(text))
    panel = own_panel(study).panel
    if panel is not None and (value := outcome_moment(study, panel, scale)) > 0:
        return value
    raise InputError(
        f"no table prints the {scale} of {outcome}, by which its effect would be divided",
        file=study.path,
        remedy="add its moments to a descriptive table, or pool outcomes of one unit",
    )
