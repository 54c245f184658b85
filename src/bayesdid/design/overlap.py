"""Staggered policies that overlap: states, cohorts, and what identifies what.

A unit-period is in the state of the policies that are on. Its effect is modelled as

    sum over P of [P on] f_P(time since P, cohort of P)
    + sum over sets S of two or more [all of S on] delta_S(time since the last of S, order),

so that delta_S of a pair is what its two policies do beyond the sum of what each does alone at the
same age, whatever other policies add, and delta_S of three what they do beyond that sum and the
departures of their pairs. f_P is seen where P is on alone. The departure of a set at a row is
identified without extrapolation if each of its policies has been seen alone at that row's age of
it, and if the set alone has been seen at that row's time since its last adoption: a row under
another policy too tells nothing of the set's own departure.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.build import as_two_way, build_design, refuse_frequencies
from bayesdid.design.design import Design
from bayesdid.design.span import without_spanned
from bayesdid.design.told import told_by, untold_note_text
from bayesdid.exceptions import InputError, Note, NotIdentifiedError
from bayesdid.panel.adoption import order_name, state_names
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec

Set = tuple[str, ...]
"""Policies, in the study's order."""


@dataclass(frozen=True, slots=True)
class OverlapDesign:
    """Rows of a panel with one or more policies, each with its state and ages.

    Attributes
    ----------
    design
        Outcome, covariates and effects; its `D` holds each policy, and each product that some row
        is under.
    policies
        Their ids.
    state
        ``none``, ``only:A``, ``only:A+B`` or ``all`` of each row, shape (n,); of two policies
        ``both, first:A``, ``both, first:B`` or ``both, simultaneous``.
    start
        Adoption periods of each row's unit, inf for never, shape (n, P).
    age
        Periods since each adoption, negative before, shape (n, P); -1 for never.
    sets
        Two or more policies that are on together in some row, small sets first.
    """

    design: Design
    policies: tuple[str, ...]
    state: np.ndarray
    start: FloatArray
    age: IntArray
    sets: tuple[Set, ...]

    def at(self, of: Set) -> list[int]:
        """Positions of policies."""
        return [self.policies.index(policy) for policy in of]

    def on(self, of: Set) -> np.ndarray:
        """Rows under all of these policies, whatever the others do, shape (n,)."""
        return np.asarray((self.age[:, self.at(of)] >= 0).all(axis=1))

    def just(self, of: Set) -> np.ndarray:
        """Rows under these policies and no other."""
        return np.asarray(self.on(of) & ((self.age >= 0).sum(axis=1) == len(of)))

    def since(self, of: Set) -> IntArray:
        """Periods since the last of these was adopted, -1 where not all are on, shape (n,)."""
        return np.where(self.on(of), self.age[:, self.at(of)].min(axis=1), -1)

    @property
    def both(self) -> np.ndarray:
        """Rows under every policy, of two or more."""
        joint = len(self.policies) > 1
        return self.on(self.policies) & joint

    @property
    def latest(self) -> IntArray:
        """Periods since the last adoption of those that are on, -1 where none is, shape (n,)."""
        last = np.where(self.age >= 0, self.age, np.iinfo(np.int64).max).min(axis=1)
        return np.where((self.age >= 0).any(axis=1), last, -1)

    def order(self, pair: Set) -> np.ndarray:
        """Which of a pair came first, ``first:A`` or ``simultaneous``, where both are on."""
        start = self.start[:, self.at(pair)]
        names = np.array([order_name(pair, np.array(two)) for two in ((0, 1), (1, 0), (0, 0))])
        which = np.select([start[:, 0] < start[:, 1], start[:, 0] > start[:, 1]], [0, 1], default=2)
        return np.where(self.on(pair), names[which], "")

    def supported(self, of: Set | None = None) -> np.ndarray:
        """Rows under these policies at whose age of each some row was under that one alone.

        Parameters
        ----------
        of
            Default all of two or more.
        """
        of = of or self.policies
        return np.logical_and.reduce([self.seen_alone(policy, of) for policy in of])

    def seen_alone(self, policy: str, of: Set | None = None) -> np.ndarray:
        """Rows under `of` at whose age of a policy some unit was under that policy alone."""
        of = of or self.policies
        k = self.policies.index(policy)
        ages = np.unique(self.age[self.just((policy,)), k])
        return self.on(of) & np.isin(self.age[:, k], ages)

    def told(self, pair: Set) -> np.ndarray:
        """Rows under a pair whose departure is told from all else.

        Each policy was seen alone at the row's age of it; and a row under these two alone, of which
        the same holds, was as long after the second adoption, in the same order.
        """
        found = self.supported(pair)
        return found & np.isin(self.moment(pair), self.moment(pair)[found & self.just(pair)])

    def moment(self, pair: Set) -> IntArray:
        """A number for each time since the second adoption and order; -1 where not both are on."""
        _, order = np.unique(self.order(pair), return_inverse=True)
        return np.where(self.on(pair), self.since(pair) * 4 + order, -1)

    def cells(self) -> tuple[IntArray, int]:
        """Saturated cells (all adoption periods, period) of treated rows; -1 for untreated."""
        key = np.column_stack(
            [np.where(np.isfinite(self.start), self.start, 0), self.design.period_index]
        )
        treated = self.state != "none"
        _, index = np.unique(key[treated], axis=0, return_inverse=True)
        cell = np.full(self.design.n, -1, dtype=np.int64)
        cell[treated] = index.ravel()
        return cell, int(cell.max()) + 1


def pairs_of(policies: Set) -> list[Set]:
    """Every two of them, in the study's order."""
    return list(combinations(policies, 2))


def overlap_design(spec: Spec, panel: Panel) -> OverlapDesign:
    """States and ages of every usable row.

    Units treated in all their rows are left out (they have no period before), as are periods in
    which every remaining unit is treated.

    Raises
    ------
    InputError
        If the study has no policy, rows are individuals, or have frequency weights.
    NotIdentifiedError
        If no unit is ever under two policies of several, no row under one of them is left, or no
        untreated row.
    """
    if not panel.policies:
        raise InputError(
            f"{spec.id}: the study declares no policy whose states could be contrasted",
            file=panel.source,
            remedy="name each policy with its period of adoption, or a 0/1 column that stays on",
        )
    if panel.repeated:
        raise InputError(
            f"{spec.id}: states of policies are contrasted with one row of each unit and period",
            file=panel.source,
            column="panel.repeated",
            remedy="average individuals by unit and period, and weigh the cells",
        )
    refuse_frequencies(spec)
    policies = panel.policies
    timed = tuple(f"active:{policy}" for policy in policies)
    design = build_design(as_two_way(spec, with_rows=True, treatments=("any",)), panel, timed=timed)
    position = {unit: k for k, unit in enumerate(panel.units)}
    adoption = panel.adoption.to_numpy(dtype=float, na_value=np.inf)
    starts = adoption[[position[unit] for unit in design.units]]
    starts = np.where(starts > design.periods.max(), np.inf, starts)
    design, keep = _usable(design, starts)
    start = starts[keep][design.unit_index]
    period = design.periods[design.period_index].astype(float)
    lag = period[:, None] - start
    age = np.where(lag >= 0, lag, -1).astype(np.int64)
    on = age >= 0
    sets = tuple(
        tuple(policies[k] for k in at)
        for size in range(2, len(policies) + 1)
        for at in combinations(range(len(policies)), size)
        if on[:, at].all(axis=1).any()
    )
    if len(policies) > 1 and not sets:
        two = "both policies" if len(policies) == 2 else f"two of {', '.join(policies)}"
        raise NotIdentifiedError(
            f"{spec.id}: no row of the sample is under {two}",
            remedy="name units that keep both: those that reverse a policy are left out"
            if panel.indicators
            else "take a sample with dual units",
        )
    if never := [policy for k, policy in enumerate(policies) if not on[:, k].any()]:
        raise NotIdentifiedError(
            f"{spec.id}: no row under {', '.join(never)} is left: the sample has none, or its "
            "units have no untreated period before",
            file=panel.source,
            column=", ".join(never),
            remedy="take a longer panel or a larger sample, or leave the policy out of the study",
        )
    rows = OverlapDesign(design, policies, state_names(on, policies), start, age, sets)
    return dataclasses.replace(rows, design=_with_products(rows), state=_states(rows))


def _states(rows: OverlapDesign) -> np.ndarray:
    """States; of two policies with the order of adoption."""
    if len(rows.policies) != 2:
        return rows.state
    return np.where(
        rows.both, np.char.add("both, ", rows.order(rows.policies)), rows.state.astype(str)
    )


def _with_products(rows: OverlapDesign) -> Design:
    """A treatment for each policy and each set."""
    columns = [rows.on((policy,)) for policy in rows.policies]
    columns += [rows.on(of) for of in rows.sets]
    names = [set_name(of, rows.policies, "synergy") for of in rows.sets]
    D = np.column_stack(columns).astype(float)
    return dataclasses.replace(rows.design, D=D, treatments=(*rows.policies, *names))


def set_name(of: Set, policies: Set, name: str) -> str:
    """`name` in a study of two policies; of more, `name` and the policies of the set."""
    return name if len(policies) == 2 else f"{name} {'+'.join(of)}"


def _usable(design: Design, starts: FloatArray) -> tuple[Design, np.ndarray]:
    """Rows of units with an untreated row, in periods with an untreated row."""
    period = design.periods[design.period_index].astype(float)
    notes = []
    rows = np.ones(design.n, dtype=bool)
    while True:  # leaving out a period may leave a unit without an untreated row
        free = rows & (period < starts.min(axis=1)[design.unit_index])
        unit_ok = np.bincount(design.unit_index[free], minlength=len(design.units)) > 0
        period_ok = np.bincount(design.period_index[free], minlength=len(design.periods)) > 0
        fewer = rows & unit_ok[design.unit_index] & period_ok[design.period_index]
        if (fewer == rows).all():
            break
        rows = fewer
    if not rows.any():
        raise NotIdentifiedError(
            f"{design.spec_id}: no untreated row is left", remedy="take a longer panel"
        )
    units, periods = (len(np.unique(k[rows])) for k in (design.unit_index, design.period_index))
    if lost := len(design.units) - units:
        text = f"{lost} units are treated in all their rows and left out: no period before"
        notes.append(Note("always_treated", lost, text))
    if lost := len(design.periods) - periods:
        text = f"{lost} periods have no untreated row and are left out"
        notes.append(Note("periods_without_control", lost, text))
    if design.further:
        told = told_by(design.take(rows), free[rows])
        if lost := int((~told).sum()):
            notes.append(Note("rows_without_control", lost, untold_note_text(design, lost)))
        rows[rows] = told
    kept = np.unique(design.unit_index[rows])
    smaller = dataclasses.replace(design.take(rows), notes=(*design.notes, *notes))
    return without_spanned(smaller), kept
