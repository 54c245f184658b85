"""The way from a prior draw onto the printed numbers: in what order which of them are sought.

Estimates and moments must hold, standard errors and R2 are aimed at; on the way onto the former
the latter are kept in view, and in the end the outcome is put on its grid.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.reconstruct.solve import Problem, Solution, solve
from bayesdid.reconstruct.targets import relative_miss
from bayesdid.reconstruct.whole import onto_grid
from bayesdid.study.load import Study
from bayesdid.study.printed import Printed

_FIRST, _THEN, _LAST = 20, 50, 30  # rounds: all numbers, the exact ones, those after rounding
_ORDERS = 4  # in which cells become whole, if a number is lost
_SOFT = 1e-3  # smallest damping while standard errors and R2 are aimed at
_KEPT = 1e-3  # weight of these on the way onto the exact numbers
_TURNS = 2  # how often it is gone
_LOST = 0.5  # relative miss of standard errors and R2 from which another way is tried
_GIVEN_UP = 6  # rounds that may bring numbers as printed, contradictions included, little nearer
_PATIENCE = 3  # rounds that may bring standard errors and R2 little nearer


def moved_onto(
    problem: Problem,
    drawn: dict[str, FloatArray],
    study: Study,
    rng: np.random.Generator,
    relaxed: bool,
) -> Solution:
    """The nearest panel that rounds lead to, its outcome on its grid if that loses no number.

    Parameters
    ----------
    relaxed
        Whether the exact numbers may contradict each other: then no other way onto them is tried,
        and few rounds that bring little.
    """
    patience = _GIVEN_UP if relaxed else _THEN
    exact = exact_of(problem)
    first = solve(problem, drawn, _FIRST, _PATIENCE, _SOFT)
    near = solve(exact, first.white, _THEN, patience)
    back = solve(problem, near.white, _FIRST, _PATIENCE, _SOFT)
    rounds, then = first.rounds + near.rounds + back.rounds, back
    for _ in range(_TURNS):  # on the exact numbers alone, the others would be left far behind
        kept = solve(problem, then.white, _THEN, _GIVEN_UP, close=_KEPT)
        then = solve(exact, kept.white, _THEN, patience)
        rounds += kept.rounds + then.rounds
    if not relaxed and far(problem, then.columns) > _LOST:  # the way left the others behind
        stiff = solve(problem, back.white, _THEN)
        other = solve(exact, stiff.white, _THEN, patience)
        rounds += stiff.rounds + other.rounds
        if missed(exact, other.columns) <= missed(exact, then.columns):
            then = min((then, other), key=lambda one: far(problem, one.columns))
    # standard errors may lead to where the exact numbers cannot be met
    if not relaxed and missed(exact, then.columns):
        again = solve(exact, drawn, _THEN, patience)
        rounds += again.rounds
        then = min((then, near, again), key=lambda one: missed(exact, one.columns))
    name, columns = study.file.outcome.column, then.columns
    per = _whole_in_a_unit(study)
    if per is not None and name in columns:
        step = 1 / per
        latents = {other: latent for other, latent in problem.latents.items() if other != name}
        tried: list[tuple[float, dict[str, FloatArray]]] = []
        orders = 1 if relaxed else _ORDERS  # what contradicts itself is lost in any order
        while len(tried) < orders and not any(lost == 0 for lost, _ in tried):
            whole = onto_grid(exact, then.columns, name, step, rng)
            fixed = dataclasses.replace(exact, latents=latents, fixed={name: whole})
            found = {**then.columns, name: np.round(whole / step) / per}
            if latents:
                last = solve(fixed, then.white, _LAST, patience)
                found, rounds = {**last.columns, name: found[name]}, rounds + last.rounds
            tried.append((missed(exact, found), found))
        least, columns = min(tried, key=lambda one: one[0])
        if not relaxed and least > 0 == missed(exact, then.columns):
            return dataclasses.replace(then, rounds=rounds, whole=False)
    return Solution(columns, then.white, rounds)


def _whole_in_a_unit(study: Study) -> float | None:
    """How many of what the outcome counts its unit has; None if it is no count.

    As the descriptive table states its step, else natural units of an outcome in many of them.
    """
    outcome = study.file.outcome
    rows = [row for table in study.tables.values() for row in table.moments]
    steps = [row.step for row in rows if row.column == outcome.column and row.step is not None]
    if steps:
        return 1 / float(Printed.parse(steps[0]))
    return outcome.natural_per_unit if outcome.minimum == 0 < 1 < outcome.natural_per_unit else None


def exact_of(problem: Problem) -> Problem:
    """Of estimates and moments alone."""
    return dataclasses.replace(problem, targets=tuple(t for t in problem.targets if t.exact))


def far(problem: Problem, columns: dict[str, FloatArray]) -> float:
    """Relative miss, beyond rounding, that nine in ten standard errors and R2 keep within.

    0 without any.
    """
    pairs = zip(problem.targets, problem.values(columns), strict=True)
    close = [(t, t.misses(float(value))) for t, value in pairs if not t.exact and t.middle]
    off = [relative_miss(misses, t.low, t.high) for t, misses in close]
    return float(np.quantile(off, 0.9)) if off else 0.0


def missed(problem: Problem, columns: dict[str, FloatArray]) -> float:
    """Sum of the misses, in half widths."""
    found = problem.values(columns)
    return sum(t.misses(float(v)) for t, v in zip(problem.targets, found, strict=True))
