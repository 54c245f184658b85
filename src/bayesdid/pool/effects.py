"""The effects that a pool is of: one of each study, in one unit and towards one side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bayesdid.estimands.names import contrasts_of
from bayesdid.exceptions import InputError, Note
from bayesdid.pool.asked import ATT, INDIRECT, NAMES, SYNERGY, Asked, asked_of, contrast_of
from bayesdid.pool.effect import StudyEffect
from bayesdid.pool.taking import From, Taking, taken
from bayesdid.pool.units import SIDE, UNIT, Scale, of_most, settled, size_of
from bayesdid.study.load import Study


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
        ``none``: outcomes must have one unit; ``sd``: divided by the outcome's sd, of the panel
        that the effect is from, else as printed; ``mean``: by its mean; ``auto``: ``none`` where
        more than half have one unit, else ``sd``.
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
    got = taken(studies, cells, Taking(asked.name, source, draws, seed), done)
    if asked.why and asked.name == SYNERGY and len(got.found) < 2:
        asked = Asked(ATT, f"fewer than two studies give {NAMES[SYNERGY]}")
        got = taken(studies, cells, Taking(asked.name, source, draws, seed), lambda _: None)
    found, left, notes, first = got.found, got.left, got.notes, got.first
    if first is not None and not found:
        raise first
    kept = [study for study in studies if study.id in found]
    used, scaled = settled(kept, scale)
    sizes: dict[str, float] = {}
    for study in kept:
        try:
            sizes[study.id] = size_of(study, used, got.panels.get(study.id))
        except InputError as error:
            first = first or error
            left[study.id] = error.problem
    if first is not None and not sizes:
        raise first
    kept = [study for study in kept if study.id in sizes]
    if used == "none":
        kept = of_most(kept, UNIT, left)
    sides = {SIDE.of(study) for study in kept}
    towards = len(sides) > 1 if better is None else better
    if not towards:
        kept = of_most(kept, SIDE, left)
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
