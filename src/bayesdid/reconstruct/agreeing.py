"""Adoption periods under which columns of policies alone can hold together.

A column with one policy more than another on the same rows differs from it by that policy's effect
times its regression on the others, whatever the outcome is. Without covariates that regression
follows from who adopted when: most drawn timings contradict such columns. A search over the rounds
of units, which keeps arms, orders and the mean of the state both, finds one that does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from bayesdid.arrays import FloatArray
from bayesdid.design.within import absorb
from bayesdid.panel.adoption import policy_value
from bayesdid.panel.membership import units_in_sample
from bayesdid.published.timing import Timing, rounds_of, years_under_all
from bayesdid.reconstruct.solve import MARGIN
from bayesdid.reconstruct.targets import reason_against
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.terms import POLICY_KINDS, parse_term

_NULL = 1e-9  # of the largest pivot, below which a printed number follows from others
_MOVES = 6000


@dataclass(frozen=True, slots=True)
class Relations:
    """Printed numbers of one outcome that are linear in it with weights that adoption decides.

    Attributes
    ----------
    specs
        Columns whose regressors are policies.
    middle, half
        Of the rounding intervals: the coefficients and the constant of each column, then the
        mean of the outcome, shape (m,).
    mean
        Whether the last number is the outcome's mean.
    """

    specs: tuple[Spec, ...]
    middle: FloatArray
    half: FloatArray
    mean: bool

    def weights(self, timing: Timing) -> FloatArray:
        """What the outcome's cells are multiplied by to give each number, shape (m, N T)."""
        N, T = len(timing.start), len(timing.periods)
        found = []
        for spec in self.specs:
            column = spec.column
            units = units_in_sample(column.sample, timing.policies, timing.start)
            at = np.flatnonzero(np.repeat(units, T))
            start = np.broadcast_to(timing.start[:, None, :], timing.on.shape)
            values = [_value(text, timing, start).reshape(-1)[at] for text in column.treatments]
            Z = np.column_stack(values)
            within = absorb(
                Z,
                at // T,
                at % T,
                unit=column.unit_effects == "fixed",
                period=column.period_effects == "fixed",
            )
            H = np.linalg.pinv(within)
            rows = {name: H[k] for k, name in enumerate(column.treatments)}
            rows["constant"] = 1 / len(at) - Z.mean(axis=0) @ H
            for name in column.coefficients:
                found.append(np.zeros(N * T))
                found[-1][at] = rows[name]
        if self.mean:
            found.append(np.full(N * T, 1 / (N * T)))
        return np.array(found)

    def excess(self, timing: Timing) -> float:
        """By how much the numbers contradict each other once rounding is allowed for; 0 if not."""
        H = self.weights(timing)
        R, order = scipy.linalg.qr(H.T, mode="r", pivoting=True, check_finite=False)
        size = np.abs(np.diag(R))
        rank = int((size > _NULL * size[0]).sum())
        if rank == len(H):
            return 0.0
        follow = np.linalg.solve(R[:rank, :rank], R[:rank, rank:]).T
        relation = np.zeros((len(H) - rank, len(H)))
        relation[:, order] = np.column_stack([follow, -np.eye(len(follow))])
        room = MARGIN * np.abs(relation) @ self.half
        return float((np.maximum(np.abs(relation @ self.middle) / room - 1.0, 0.0) ** 2).sum())


def _value(text: str, timing: Timing, start: FloatArray) -> FloatArray:
    factors = parse_term(text).factors
    on = [policy_value(f, timing.policies, timing.on, start) for f in factors]
    return np.prod(np.array(on, dtype=float), axis=0)


def relations_of(study: Study, outcome: str, hold_out: Sequence[str] = ()) -> Relations | None:
    """What columns of policies alone print of an outcome; None where no two are of one sample."""
    specs = [
        spec
        for spec in study.specs.values()
        if spec.column.outcome == outcome
        and spec.id not in hold_out
        and spec.table.id not in hold_out
        and not reason_against(spec)
        and _of_policies_alone(spec)
    ]
    if not specs:
        return None
    texts = [cell.estimate for spec in specs for cell in spec.column.coefficients.values()]
    rows = [
        row
        for table in study.tables.values()
        if table.id not in hold_out
        for row in table.moments
        if row.column == outcome
    ]
    texts += [row.mean for row in rows[:1]]
    ends = np.array([Printed.parse(text).interval for text in texts])
    return Relations(tuple(specs), ends.mean(axis=1), np.ptp(ends, axis=1) / 2, bool(rows))


def _of_policies_alone(spec: Spec) -> bool:
    column = spec.column
    factors = [f for text in column.treatments for f in parse_term(text).factors]
    known = {*column.treatments, "constant"}
    plain = not (
        column.covariates
        or column.effects
        or column.row_weights
        or column.instrument
        or column.outcome_lead
        or column.sample.groups
        or column.sample.has_chosen_rows
        or column.family == "psm_did"
    )
    return (
        plain
        and bool(factors)
        and all(f.kind in POLICY_KINDS and not f.event for f in factors)
        and set(column.coefficients) <= known
    )


def agreeing(
    study: Study, timing: Timing, hold_out: Sequence[str], rng: np.random.Generator
) -> Timing:
    """The timing, moved until columns of policies alone can hold together, or as near as it gets.

    A timing that is stated as known, or kept to a file of known adoptions, stays as it is.
    """
    section = study.file.design.timing
    names = dict.fromkeys(spec.column.outcome for spec in study.specs.values())
    found = [one for name in names if (one := relations_of(study, name, hold_out)) is not None]
    if section.known or section.sourced or not found:
        return timing
    least = sum(one.excess(timing) for one in found)
    rounds = rounds_of(study, timing.policies, timing.periods)
    share = None if section.both_share is None else Printed.parse(section.both_share).interval
    start, cells = timing.start, len(timing.start) * len(timing.periods)
    adopters = np.flatnonzero(np.isfinite(start).any(axis=1))
    for _ in range(_MOVES):
        if least == 0.0:
            break
        trial = start.copy()
        for unit in rng.choice(adopters, min(int(rng.integers(1, 4)), len(adopters)), False):
            trial[unit] = _moved(start[unit], rounds, rng)
        years = years_under_all(trial, timing.periods)
        if share is not None and not share[0] <= years / cells <= share[1]:
            continue
        moved = Timing(timing.policies, trial, timing.periods)
        excess = sum(one.excess(moved) for one in found)
        if excess <= least:
            start, timing, least = trial, moved, excess
    return timing


def _moved(start: FloatArray, rounds: Sequence[FloatArray], rng: np.random.Generator) -> FloatArray:
    """Other rounds for a unit, in the same order; the same if none is found in a few tries."""
    on = np.flatnonzero(np.isfinite(start))
    for _ in range(20):
        trial = start.copy()
        trial[on] = [rng.choice(rounds[int(k)]) for k in on]
        before = np.sign(start[on][:, None] - start[on])
        if (np.sign(trial[on][:, None] - trial[on]) == before).all():
            return trial
    return start
