"""One staggered policy or two overlapping ones: states, cohorts, and what identifies what.

A unit-period is in one of the states none, only A, only B, both after A, both after B, both at
once. Its effect is modelled as

    [A on] f_A(time since A, cohort of A) + [B on] f_B(time since B, cohort of B)
    + [both on] delta(time since the second adoption, order),

so that delta, the synergy, is what both policies do beyond the sum of what each does alone at the
same age. f_A is seen where A is on alone, f_B where B is; delta at a row of state both is
identified without extrapolation if A has been seen alone at that row's age of A, and B at its age
of B.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.build import as_two_way, build_design
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError, Note, NotIdentifiedError
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec


@dataclass(frozen=True, slots=True)
class OverlapDesign:
    """Rows of a panel with two policies, each with its state and ages.

    Attributes
    ----------
    design
        Outcome, covariates and effects; its `D` holds A, or A, B and A x B.
    policies
        Ids of A, or of A and B.
    state
        ``none``, ``only:A``, ``only:B``, ``both, first:A``, ``both, first:B`` or
        ``both, simultaneous`` of each row, shape (n,).
    start
        Adoption periods of each row's unit, inf for never, shape (n, 2).
    age
        Periods since each adoption, negative before, shape (n, 2); -1 for never.
    since
        Periods since the second adoption, -1 where not both are on, shape (n,).
    """

    design: Design
    policies: tuple[str, ...]
    state: np.ndarray
    start: FloatArray
    age: IntArray
    since: IntArray

    @property
    def both(self) -> np.ndarray:
        """Rows under both policies."""
        return self.since >= 0

    def supported(self) -> np.ndarray:
        """Rows under both whose two ages are each seen in some row under that policy alone."""
        return np.logical_and.reduce([self.seen_alone(policy) for policy in self.policies])

    def seen_alone(self, policy: str) -> np.ndarray:
        """Rows under both at whose age of a policy some unit was under that policy alone."""
        k = self.policies.index(policy)
        ages = np.unique(self.age[self.state == f"only:{policy}", k])
        return self.both & np.isin(self.age[:, k], ages)

    def cells(self) -> tuple[IntArray, int]:
        """Saturated cells (both adoption periods, period) of treated rows; -1 for untreated."""
        key = np.column_stack(
            [np.where(np.isfinite(self.start), self.start, 0), self.design.period_index]
        )
        treated = self.state != "none"
        _, index = np.unique(key[treated], axis=0, return_inverse=True)
        cell = np.full(self.design.n, -1, dtype=np.int64)
        cell[treated] = index.ravel()
        return cell, int(cell.max()) + 1


def overlap_design(spec: Spec, panel: Panel) -> OverlapDesign:
    """States and ages of every usable row.

    Units treated in all their rows are left out (they have no period before), as are periods in
    which every remaining unit is treated.

    Raises
    ------
    InputError
        If the study has no policy, or more than two.
    NotIdentifiedError
        If no unit is ever under both, or no untreated row is left.
    """
    if not panel.policies:
        raise InputError(
            f"{spec.id}: the study declares no policy whose states could be contrasted",
            file=panel.source,
            remedy="name each policy with its period of adoption, or a 0/1 column that stays on",
        )
    if len(panel.policies) > 2:
        raise InputError(
            f"{spec.id}: effects of states are modelled for one policy or two",
            value=", ".join(panel.policies),
            remedy="make a study of two of them",
        )
    dual = len(panel.policies) == 2
    timed = tuple(f"active:{policy}" for policy in panel.policies)
    design = build_design(as_two_way(spec, treatments=("any",)), panel, timed=timed)
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
    both = on.all(axis=1) & dual
    first = np.array([f"first:{policy}" for policy in panel.policies])[start.argmin(axis=1)]
    order = np.where(start.min(axis=1) == start.max(axis=1), "simultaneous", first)
    alone = np.array([f"only:{policy}" for policy in panel.policies])[on.argmax(axis=1)]
    state = np.select([both, on.any(axis=1)], [np.char.add("both, ", order), alone], default="none")
    if dual and not both.any():
        raise NotIdentifiedError(
            f"{spec.id}: no row of the sample is under both policies",
            remedy="take a sample with dual units",
        )
    since = np.where(both, age.min(axis=1), -1)
    D = np.column_stack([on, both] if dual else [on]).astype(float)
    names = (*panel.policies, "synergy") if dual else panel.policies
    design = dataclasses.replace(design, D=D, treatments=names)
    return OverlapDesign(design, panel.policies, state, start, age, since)


def _usable(design: Design, starts: FloatArray) -> tuple[Design, np.ndarray]:
    """Rows of units with an untreated row, in periods with an untreated row."""
    period = design.periods[design.period_index].astype(float)
    notes = []
    rows = np.ones(design.n, dtype=bool)
    while True:  # leaving out a period may leave a unit without an untreated row
        free = rows & (period < starts.min(axis=1)[design.unit_index])
        unit_ok = np.bincount(design.unit_index[free], minlength=len(design.units)) > 0
        period_ok = np.bincount(design.period_index[free], minlength=len(design.periods)) > 0
        smaller = rows & unit_ok[design.unit_index] & period_ok[design.period_index]
        if (smaller == rows).all():
            break
        rows = smaller
    if not rows.any():
        raise NotIdentifiedError(
            f"{design.spec_id}: no untreated row is left", remedy="take a longer panel"
        )
    units, unit_index = np.unique(design.unit_index[rows], return_inverse=True)
    periods, period_index = np.unique(design.period_index[rows], return_inverse=True)
    if lost := len(design.units) - len(units):
        text = f"{lost} units are treated in all their rows and left out: no period before"
        notes.append(Note("always_treated", lost, text))
    if lost := len(design.periods) - len(periods):
        text = f"{lost} periods have no untreated row and are left out"
        notes.append(Note("periods_without_control", lost, text))
    smaller_design = dataclasses.replace(
        design,
        y=design.y[rows],
        D=design.D[rows],
        X=design.X[rows],
        unit_index=unit_index.astype(np.int64),
        period_index=period_index.astype(np.int64),
        units=design.units[units],
        periods=design.periods[periods],
        notes=(*design.notes, *notes),
    )
    return smaller_design, units
