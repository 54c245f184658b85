"""One member of an ensemble: drawn, moved onto the printed numbers, rounded, checked."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.inference.executor import item_seed
from bayesdid.panel.panel import Panel
from bayesdid.panel.validate import STAMP, validate_panel
from bayesdid.reconstruct.compile import columns_named, errors_left_out, held_columns, regression_of
from bayesdid.reconstruct.durbin import Durbin
from bayesdid.reconstruct.evidence import in_turn, log_evidence
from bayesdid.reconstruct.fewer import column_of, draw_rows
from bayesdid.reconstruct.latent import Latent
from bayesdid.reconstruct.logs import as_in_a_panel, inside_log, sought_in
from bayesdid.reconstruct.matched import draw_matched
from bayesdid.reconstruct.prior import Habits, draw_column, draw_habits, effect_paths, neighbours
from bayesdid.reconstruct.readings import Conflict, conflicts, mended
from bayesdid.reconstruct.regression import Regression
from bayesdid.reconstruct.shape import Shape
from bayesdid.reconstruct.shapes import shapes_of
from bayesdid.reconstruct.skeleton import drawn_skeleton
from bayesdid.reconstruct.solve import Problem, Solution
from bayesdid.reconstruct.spatial import durbin_of
from bayesdid.reconstruct.targets import Target, printed_targets, relative_miss
from bayesdid.reconstruct.way import exact_of, far, missed, moved_onto
from bayesdid.study.derived import source_column
from bayesdid.study.load import Spec, Study
from bayesdid.study.terms import parse_term

CANDIDATES = 20  # draws of the prior that a member's is chosen from, by their evidence
_TRIED = 3  # of them that are moved, if the first cannot be brought to the printed numbers
_REFUSED = 20  # designs that tell no effect or leave no unit to a known adoption, before it ends
_DESIGNS = 3  # drawn beside, if no draw on the first can give the estimates and moments
_NEAR = 0.35  # relative miss of nine in ten standard errors and R2 up to which it was


@dataclass(frozen=True, slots=True)
class Task:
    """What a member is made from.

    Attributes
    ----------
    study
        As published.
    seed, index
        Of the ensemble, and which member.
    hold_out
        Tables and columns that the member is not held to.
    reading
        ``mended``: contradictory cells are read so that they agree; ``printed``: as printed, the
        contradictions relaxed.
    known
        A real panel of which all but the outcomes is kept, or None.
    """

    study: Study
    seed: int
    index: int
    hold_out: tuple[str, ...]
    reading: str
    known: Panel | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One printed number beside what a member gives.

    Attributes
    ----------
    cell, kind
        Which.
    low, high
        The numbers that round to it, under the reading.
    value
        The member's.
    misses
        Distance from the interval in half widths; 0 inside.
    held
        Whether the member was held to it.
    se
        Printed standard error of an estimate, which misses may be compared with; NaN without.
    """

    cell: str
    kind: str
    low: float
    high: float
    value: float
    misses: float
    held: bool
    se: float

    @property
    def beyond(self) -> float:
        """How far the value lies beyond what rounds to the printed number, relative to it."""
        return relative_miss(self.misses, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Member:
    """A synthetic panel and how it meets what is printed.

    Attributes
    ----------
    index, seed
        Which member, and the seed of its draws.
    frame
        Columns as a user's file would hold them, stamped.
    checks
        Every printed number of the columns that can be refitted.
    habits
        What was drawn of the outcome beside what is printed.
    rounds, whole
        See :class:`bayesdid.reconstruct.solve.Solution`.
    """

    index: int
    seed: int
    frame: pd.DataFrame
    checks: tuple[Check, ...]
    habits: Habits
    rounds: int
    whole: bool


def is_held_out(place: str, hold_out: tuple[str, ...]) -> bool:
    """Whether a column or table is among those that are held out."""
    return place in hold_out or place.partition(".")[0] in hold_out


def make_member(task: Task) -> Member:
    """Draw one member. The same task gives the same bytes."""
    relaxed = task.reading == "printed"
    tried: list[tuple[tuple[float, float], Start, Solution]] = []
    for start in _in_turn(task, tried):
        solution = moved_onto(start.problem, start.white, task.study, start.rng, relaxed)
        exact = exact_of(start.problem)
        off = (missed(exact, solution.columns), far(start.problem, solution.columns))
        tried.append((off, start, solution))
        if off <= (0.0, _NEAR):
            break
    _, start, solution = min(tried, key=lambda one: (one[0][0] > 0, one[0][1]))
    columns = as_in_a_panel(solution.columns)
    made = {name for name in start.bare if source_column(str(name)) != name}
    stale = [name for name in made if source_column(str(name)) in columns]
    frame = start.bare.drop(columns=stale).assign(**columns, **start.which)
    frame[STAMP] = _stamp(task)
    return Member(
        task.index,
        start.seed,
        frame,
        _checks(start.problem, start.every, solution.columns, task.hold_out),
        start.habits,
        solution.rounds,
        solution.whole,
    )


def _in_turn(
    task: Task, tried: Sequence[tuple[tuple[float, float], Start, Solution]]
) -> Iterator[Start]:
    """Prior draws on one design, whose covariances differ, then on other designs.

    The latter only where no draw gave the estimates and moments, and these do not contradict each
    other: who adopts when decides what columns can hold together.
    """
    again, first = 0, None
    while first is None:
        try:
            first = starts(task, again)
        except NotIdentifiedError:  # another design may tell them apart
            if again == _REFUSED or task.known is not None:
                raise
        again += 1
    yield from first
    if task.reading == "printed" or any(c.change == "none" for c in conflicts_of(task.study)):
        return
    for other in range(again, again + _DESIGNS):
        if min(off for (off, _), _, _ in tried) > 0.0:
            with suppress(NotIdentifiedError):
                drawn = starts(task, other)
                yield drawn[0]


@dataclass(frozen=True, slots=True)
class Start:
    """A member before it knows the printed numbers.

    Attributes
    ----------
    seed, rng
        Of its draws, and what they left.
    bare
        Design and rows, without the sought columns.
    which
        Columns that say which rows a column is fitted on, of those with fewer than their sample.
    every
        All printed numbers, held out or not.
    problem, white
        What is sought, and the standard normal numbers of the prior draw.
    habits
        Of the outcome.
    """

    seed: int
    rng: np.random.Generator
    bare: pd.DataFrame
    which: dict[str, IntArray]
    every: tuple[Target, ...]
    problem: Problem
    white: dict[str, FloatArray]
    habits: Habits

    @property
    def frame(self) -> pd.DataFrame:
        """The panel of the prior draw."""
        return self.bare.assign(**as_in_a_panel(self.problem.columns(self.white)))


def begin(task: Task) -> Start:
    """The prior draw of a member, and what it is to be held to."""
    return starts(task)[0]


def starts(task: Task, again: int = 0) -> list[Start]:
    """Prior draws of a member, the first to be moved first, and what it is to be held to.

    Parameters
    ----------
    again
        Which design is drawn for the member: 0 for its own.
    """
    study = task.study
    seed = item_seed(task.seed, "member", task.index, *([again] if again else []))
    rng = np.random.default_rng(seed)
    held, _ = held_columns(study, task.known)
    bare, panel = _skeleton(task, seed)
    sought = _sought(study, held, bare, known=task.known is not None)
    found = conflicts(study, held)
    if task.reading == "printed":
        found = ()
    free = errors_left_out(study, held, task.known)
    every, pooled = mended(printed_targets(study, {*held, *study.tables}, free), found)
    matched = {
        spec.id: draw_matched(study, spec, panel, rng)
        for spec in held.values()
        if spec.column.family == "psm_did"
    }
    fewer = {
        name: rows
        for name, spec in held.items()
        if name not in matched and (rows := draw_rows(spec, panel, seed)) is not None
    }
    kept = matched | fewer
    regressions = {
        name: regression_of(spec, panel, sought, name in pooled, kept.get(name))
        for name, spec in held.items()
    }
    every = tuple(t for t in every if t.place in regressions or sought_in(t.name, sought) in sought)
    met = tuple(t for t in every if t.kind != "n")
    targets = tuple(t for t in met if not is_held_out(t.place, task.hold_out))
    used = [spec for spec in held.values() if not is_held_out(spec.id, task.hold_out)]
    spatial = {name for name, spec in held.items() if spec.column.family == "sdm"}
    plain = [spec for spec in used if spec.id not in spatial]  # whose scales are printed
    shapes = shapes_of(study, plain, regressions, sought, task.hold_out)
    others = _concurrent(bare, list(held.values()), sought)
    drawn = [
        _draw(panel, shapes, study, plain, others, rng)
        for _ in range(1 if task.reading == "printed" else CANDIDATES)  # a contradiction has none
    ]
    columns: dict[str, Regression | Durbin] = {
        name: durbin_of(study, held[name], panel, one, sought) if name in spatial else one
        for name, one in regressions.items()
    }
    problems = [Problem(columns, targets, latents, {}) for latents, _, _ in drawn]
    pairs = zip(problems, drawn, strict=True)
    evidence = [log_evidence(problem, white) for problem, (_, white, _) in pairs]
    order = in_turn(np.array(evidence), rng)[:_TRIED]
    which = {column_of(held[name]): rows.astype(int) for name, rows in kept.items()}
    return [Start(seed, rng, bare, which, every, problems[k], *drawn[k][1:]) for k in order]


def _skeleton(task: Task, seed: int) -> tuple[pd.DataFrame, Panel]:
    study = task.study
    if task.known is None:
        bare = drawn_skeleton(study, seed, task.hold_out)
        panel = validate_panel(bare.copy(), study, source="a drawn design", first_row=1)
        keys = [panel.unit, panel.period]
        bare = panel.frame[keys].merge(bare, on=keys, how="left", validate="one_to_one")
        return bare, panel
    return task.known.frame.copy(), task.known


def _sought(
    study: Study, held: dict[str, Spec], bare: pd.DataFrame, *, known: bool
) -> tuple[str, ...]:
    """Columns to be found: outcomes, and covariates that the skeleton lacks."""
    main = study.file.outcome.column
    outcomes = dict.fromkeys(
        spec.column.outcome
        for spec in held.values()
        if parse_term(spec.column.outcome).factors[0].kind == "column"
    )
    if known:
        names = [name for name in outcomes if name in bare]
        return tuple(dict.fromkeys(_once(name, names) for name in names))
    named = {name: None for spec in held.values() for name in columns_named(spec)}
    given = set(bare.columns) - {source_column(main)}
    given -= {str(spec.column.instrument) for spec in held.values()}
    meant = {source_column(variable.column) for variable in study.file.variable}
    described = [
        row.column
        for table in study.tables.values()
        for row in table.moments
        if source_column(row.column) in meant
    ]
    wanted = [main, *outcomes, *named, *described]
    levels = {name for name in wanted if inside_log(name) is None}
    found = dict.fromkeys(_once(name, levels) for name in wanted)
    return tuple(name for name in found if name not in given)


def _once(name: str, levels: Collection[str]) -> str:
    """A logarithm gives way to its column where that is printed too."""
    inside = inside_log(name)
    return inside if inside is not None and inside in levels else name


def _concurrent(bare: pd.DataFrame, specs: list[Spec], sought: tuple[str, ...]) -> list[str]:
    """Regressors that are given and 0/1 are policies beside the study's own."""
    named = dict.fromkeys(name for spec in specs for name in columns_named(spec))
    given = [name for name in named if name in bare and name not in sought]
    return [name for name in given if set(bare[name].unique()) == {0, 1}]


def _draw(
    panel: Panel,
    shapes: dict[str, Shape],
    study: Study,
    specs: list[Spec],
    others: list[str],
    rng: np.random.Generator,
) -> tuple[dict[str, Latent], dict[str, FloatArray], Habits]:
    """A prior draw of every sought column, and the habits of the outcome."""
    N, T = len(panel.units), len(panel.periods)
    near = None
    if {"lon", "lat"} <= set(panel.frame.columns):
        near = neighbours(panel.frame[["lon", "lat"]].to_numpy(float)[::T])
    groups = [group.column for group in study.file.group if group.column in panel.frame]
    latents: dict[str, Latent] = {}
    white: dict[str, FloatArray] = {}
    columns: dict[str, FloatArray] = {}
    of_outcome, main = None, sought_in(study.file.outcome.column, shapes)
    for name, before in _order(shapes, specs, main).items():
        habits = draw_habits(near is not None, rng)
        paths = np.zeros((0, N * T))
        if any(sought_in(spec.column.outcome, shapes) == name for spec in specs):
            paths = effect_paths(panel, habits, groups, others)
        drivers = {other: shapes[other].within for other in before}
        latents[name], white[name] = draw_column(
            shapes[name], habits, (N, T), near, paths, drivers, columns, rng
        )
        columns[name] = latents[name].value(white[name], columns)
        if name == main:
            of_outcome = habits
    if of_outcome is None:
        of_outcome = draw_habits(False, rng)
    return latents, white, of_outcome


def _order(shapes: dict[str, Shape], specs: list[Spec], outcome: str) -> dict[str, tuple[str, ...]]:
    """Sought columns, and for each those that it may depend on, which stand before it.

    A column may depend on the regressors of the printed columns that explain it.
    """
    explained = {sought_in(spec.column.outcome, shapes) for spec in specs}
    order = sorted(shapes, key=lambda name: (name in explained) + (name == outcome))
    found: dict[str, tuple[str, ...]] = {}
    for name in order:
        of = [spec for spec in specs if sought_in(spec.column.outcome, shapes) == name]
        named = dict.fromkeys(sought_in(n, shapes) for spec in of for n in columns_named(spec))
        found[name] = tuple(other for other in named if other in found)
    return found


def _checks(
    problem: Problem,
    every: tuple[Target, ...],
    columns: dict[str, FloatArray],
    hold_out: tuple[str, ...],
) -> tuple[Check, ...]:
    values = dataclasses.replace(problem, targets=every).values(columns)
    errors = {
        target.cell.removesuffix(".se"): target.middle for target in every if target.kind == "se"
    }
    return tuple(
        Check(
            target.cell,
            target.kind,
            target.low,
            target.high,
            float(value),
            target.misses(float(value)),
            not is_held_out(target.place, hold_out),
            errors.get(target.cell, float("nan")) if target.kind == "estimate" else float("nan"),
        )
        for target, value in zip(every, values, strict=True)
    )


def _stamp(task: Task) -> str:
    held = f", held out {', '.join(task.hold_out)}" if task.hold_out else ""
    named = task.known is None and bool(task.study.file.design.timing.sourced)
    real = "; the places are real, their numbers are not" * named
    return (
        "reconstructed by bayesdid so that it gives the study's printed numbers; not the study's "
        f"data{real} (seed {task.seed}, member {task.index}, reading {task.reading}{held})"
    )


def conflicts_of(study: Study) -> tuple[Conflict, ...]:
    """Printed cells that contradict each other among the columns that panels are held to."""
    held, _ = held_columns(study)
    return conflicts(study, held)
