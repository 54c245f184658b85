"""Printed effects of a study that names no contrast of policies: one column, one effect, each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Literal

from bayesdid.estimands.distribution import Distribution
from bayesdid.estimands.judgement import Answer, Estimate, estimate, judge
from bayesdid.estimands.question import Asked, Cell, question
from bayesdid.exceptions import InputError, Note
from bayesdid.published.claim import printed, same_effect
from bayesdid.study.load import Spec, Study
from bayesdid.summary import percent

DOCUMENT = "docs/calibration-published.md"
# what it says of single printed effects: lowest and highest coverage of clustered errors of any
# design, and of errors that suppose independence the lowest at phi 0 and at PHI
PHI = 0.6
CLUSTERED, INDEPENDENT = (0.789, 0.881), (0.884, 0.605)


@dataclass(frozen=True, slots=True)
class PrintedEffect:
    """One effect of the study's outcome, and every column that prints it.

    Attributes
    ----------
    term
        The treatment.
    cells
        Where it is printed, the first column first; columns with the same outcome and sample, and
        this treatment alone, are models of one effect.
    below
        Whether the claim is that it is negative: as the text claims, else where the outcome is
        better.
    estimates
        One for each cell: its estimate and standard error as a normal posterior.
    answer
        Word and probability of the first, with the range over all.
    doubted
        Cells among them that the audit doubts.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "term",
        "cells",
        "below",
        "estimates",
        "answer",
        "doubted",
    )

    term: str
    cells: tuple[str, ...]
    below: bool
    estimates: tuple[Estimate, ...]
    answer: Answer
    doubted: tuple[str, ...]


def printed_effects(study: Study, doubted: Collection[str] = ()) -> tuple[PrintedEffect, ...]:
    """Every effect on the study's outcome that a column prints with a standard error.

    Parameters
    ----------
    doubted
        Cells that the audit doubts, ``table1.2:law``.

    Raises
    ------
    InputError
        If no column prints one.
    """
    taken: set[str] = set()
    found: list[PrintedEffect] = []
    for spec in study.specs.values():
        for name in spec.column.treatments if _tells(study, spec) else ():
            group = [
                (cell, there)
                for cell in same_effect(study, Cell(spec, name))
                if _tells(study, cell.spec) and (there := printed(study, cell)) is not None
            ]
            if not group or group[0][0].ref in taken or group[0][0].spec.id != spec.id:
                continue
            taken |= {cell.ref for cell, _ in group}
            found.append(_effect(study, name, group, doubted))
    if not found:
        raise InputError(
            "no column prints an effect on the outcome with a standard error",
            file=study.path / "study.toml",
            column=study.file.outcome.column,
            remedy="pass a panel with --panel FILE; 'bayesdid audit' says what the tables hold",
        )
    return tuple(found)


def _tells(study: Study, spec: Spec) -> bool:
    """Whether a column is about the study's outcome, in its unit."""
    column = spec.column
    return column.outcome == study.file.outcome.column and column.printed_as == "coefficient"


def _effect(
    study: Study, name: str, group: list[tuple[Cell, Distribution]], doubted: Collection[str]
) -> PrintedEffect:
    refs = tuple(cell.ref for cell, _ in group)
    asks = Asked(_claimed(study, refs))
    why = "the printed standard error is right"
    estimates = tuple(
        estimate(asks, there, f"printed, {cell.spec.id}", "published", why, main=k == 0)
        for k, (cell, there) in enumerate(group)
    )
    answer = judge(estimates, "published")
    assert answer is not None  # every estimate of print may answer
    suspect = tuple(ref for ref in refs if ref in doubted)
    return PrintedEffect(name, refs, asks.sign < 0, estimates, answer, suspect)


def _claimed(study: Study, refs: tuple[str, ...]) -> Literal[-1, 1]:
    """The side that the first claim about these cells says, else the better one."""
    for claim in study.claims:
        asked = question(study, claim)
        if asked is None or asked.weaker is not None or asked.cell is None or not asked.asks.sign:
            continue
        if asked.cell.ref in refs:
            return -1 if asked.asks.sign < 0 else 1
    return -1 if study.file.outcome.better == "lower" else 1


def _held(study: Study, effects: Collection[PrintedEffect]) -> str:
    """How often intervals with errors as these columns print them held the truth."""
    cells = [ref for effect in effects for ref in effect.cells]
    kinds = {study[ref.partition(":")[0]].column.se_kind for ref in cells}
    said = []
    if kinds & {"clustered", "unknown"}:
        low, high = CLUSTERED
        said.append(f"in {low:.0%} to {high:.0%} of panels where errors are clustered by unit")
    if kinds != {"clustered"}:
        low, high = INDEPENDENT
        said.append(
            f"where errors take rows to be independent in {low:.0%} of panels whose rows are, and "
            f"in as few as {high:.0%} under an autocorrelation of {PHI:g}"
        )
    return (
        f"{percent()} intervals of one column of simulated panels held the truth "
        f"{', and '.join(said)}"
    )


def effect_notes(study: Study, effects: Collection[PrintedEffect]) -> tuple[Note, ...]:
    """What is supposed, and what printed effects do not answer."""
    several = max(len(effect.cells) for effect in effects)
    notes = [
        Note(
            "normal",
            len(effects),
            "an estimate and its printed standard error are read as a normal posterior under a "
            f"flat prior; {_held(study, effects)} ({DOCUMENT})",
        )
    ]
    if several > 1:
        notes.append(
            Note(
                "columns",
                several,
                "columns of one effect are fitted on the same units: they are models beside each "
                "other and no evidence to be added up",
            )
        )
    if len(study.policies) > 1:
        notes.append(
            Note(
                "cells",
                len(study.policies),
                "contrasts of several policies (is 1 + 1 > 2?) are answered once [synergy] of "
                "study.toml names their printed cells",
            )
        )
    return tuple(notes)
