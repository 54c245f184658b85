"""Cohort x event-time cells of one staggered policy: the extended TWFE design (Wooldridge 2021).

doi:10.2139/ssrn.3906345. Two control groups: ``not_yet`` has one cell for every cohort and period
from adoption on, so that all untreated rows are controls (the imputation estimator of Borusyak,
Jaravel & Spiess 2024); ``never`` adds the cells before adoption except the last seen, so that only
never-treated units are (Sun & Abraham 2021; Callaway & Sant'Anna 2021 with a universal base).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray, IntArray
from bayesdid.design.build import as_two_way, build_design, refuse_frequencies, with_effects
from bayesdid.design.design import Design
from bayesdid.design.span import within, without_spanned
from bayesdid.design.told import told_by, untold_note_text
from bayesdid.exceptions import InputError, Note, NotIdentifiedError
from bayesdid.panel.adoption import cohort as both_cohort
from bayesdid.panel.adoption import require_states
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec
from bayesdid.study.terms import STAGGERED, parse_term


@dataclass(frozen=True, slots=True)
class CohortDesign:
    """A design with one treatment column per cell, and what each cell is.

    Attributes
    ----------
    design
        ``D`` holds the cells' indicators.
    cohort, event_time, rows
        Of each cell, shape (P,): adoption period, periods since, rows in the sample.
    start
        Adoption period of each unit of the design, inf for never, shape (N,).
    bases
        Event times that some cohort is compared with: -1, or earlier where that was not seen.
    """

    design: Design
    cohort: IntArray
    event_time: IntArray
    rows: IntArray
    start: FloatArray
    bases: frozenset[int] = frozenset({-1})

    @property
    def post(self) -> np.ndarray:
        """Which cells lie at or after adoption."""
        return self.event_time >= 0

    def label(self, cohort: int | str) -> str:
        """A cohort's adoption period as it was typed."""
        return self.design.timeline.label(int(cohort))

    def weights(self) -> dict[str, dict[int | str, FloatArray]]:
        """Weights on the cells, by kind of average: overall, cohort, event time, calendar.

        ``overall`` has ``ATT`` (cells by their rows), ``cohorts`` (cohorts' averages by their
        units) and ``dynamic`` (event times alike), the three summaries of Callaway & Sant'Anna
        (2021, doi:10.1016/j.jeconom.2020.12.001, sec. 3).
        """
        post, period = self.post, self.cohort + self.event_time

        def average(where: np.ndarray) -> FloatArray:
            weight = np.where(where, self.rows, 0).astype(float)
            return np.asarray(weight / weight.sum())

        event: dict[int | str, FloatArray] = {
            int(e): average(self.event_time == e) for e in np.unique(self.event_time)
        }
        cohorts: dict[int | str, FloatArray] = {
            int(g): average(post & (self.cohort == g)) for g in np.unique(self.cohort[post])
        }
        units = np.array([(self.start == g).sum() for g in cohorts], dtype=float)
        return {
            "overall": {
                "ATT": average(post),
                "cohorts": np.average(list(cohorts.values()), axis=0, weights=units),
                "dynamic": np.mean([w for e, w in event.items() if int(e) >= 0], axis=0),
            },
            "cohort": cohorts,
            "event time": event,
            "calendar": {int(t): average(post & (period == t)) for t in np.unique(period[post])},
        }


def unit_start(spec: Spec, panel: Panel) -> tuple[str, np.ndarray]:
    """Base term of a spec's one treatment and each unit's first treated period, inf for never.

    Raises
    ------
    InputError
        If the spec has another treatment than ``both``, ``all``, ``both:P+Q`` or ``active:POLICY``.
    """
    treatments = spec.column.treatments
    factors = parse_term(treatments[0]).factors if treatments else ()
    if len(treatments) != 1 or len(factors) != 1 or factors[0].kind not in STAGGERED:
        raise InputError(
            f"{spec.id}: a staggered design has one treatment: both, all, both:P+Q or active:P",
            value=", ".join(treatments),
            remedy="declare one such treatment",
        )
    of = list(factors[0].policies or panel.policies)
    require_states(panel, *of)
    start = both_cohort(panel.adoption[of])
    return treatments[0], start.to_numpy(dtype=float, na_value=np.inf)


def cohort_design(spec: Spec, panel: Panel, *, controls: str = "not_yet") -> CohortDesign:
    """Cells of a spec with one absorbing treatment.

    Parameters
    ----------
    controls
        ``not_yet`` or ``never``.

    Raises
    ------
    NotIdentifiedError
        If no cell has a control.
    InputError
        For frequency weights, or another treatment than :func:`unit_start` takes.
    """
    if controls not in {"not_yet", "never"}:
        raise InputError("unknown control group", value=controls, remedy="use not_yet or never")
    term, all_starts = unit_start(spec, panel)
    refuse_frequencies(spec)
    base = build_design(as_two_way(spec, with_rows=True), panel, timed=(term,))
    position = {unit: k for k, unit in enumerate(panel.units)}
    start = all_starts[[position[unit] for unit in base.units]]
    start = np.where(start > base.periods.max(), np.inf, start)
    base, start, notes = _usable_rows(base, start, controls)
    g = start[base.unit_index]
    period = base.periods[base.period_index].astype(float)
    lag = np.where(np.isfinite(g), period - g, -np.inf)
    base_lag = _base_lags(g, lag, base, notes) if controls == "never" else np.full(base.n, -1.0)
    wanted = lag >= 0 if controls == "not_yet" else np.isfinite(g) & (lag != base_lag)
    if base.further:
        told = told_by(base, ~wanted)
        if lost := int((~told).sum()):
            notes.append(Note("rows_without_control", lost, untold_note_text(base, lost)))
        base, start, _ = _rows(base, start, base.D, told)
        base = without_spanned(base)
        g, lag, base_lag, wanted = (values[told] for values in (g, lag, base_lag, wanted))
    pairs = sorted({(int(a), int(b)) for a, b in zip(g[wanted], lag[wanted], strict=True)})
    if not pairs:
        raise NotIdentifiedError(
            f"{spec.id}: no treated unit has a period before adoption", remedy="take a longer panel"
        )
    D = np.column_stack([(g == a) & (lag == b) for a, b in pairs]).astype(float)
    kept = _identified(D, base)
    if lost := len(pairs) - len(kept):
        text = f"{lost} cohort-periods have no control and are left out, with their rows"
        notes.append(Note("cells_without_control", lost, text))
        rows = D[:, [k for k in range(len(pairs)) if k not in set(kept)]].sum(axis=1) == 0
        base, start, D = _rows(base, start, D, rows)
        base, D = without_spanned(base), D[:, kept]
    pairs = [pairs[k] for k in kept]
    design = dataclasses.replace(
        base,
        D=D,
        treatments=tuple(f"cohort {base.timeline.label(a)}, {b:+d}" for a, b in pairs),
        unit_effects=spec.column.unit_effects,
        period_effects=spec.column.period_effects,
        notes=(*base.notes, *notes),
    )
    return CohortDesign(
        design,
        np.array([a for a, _ in pairs]),
        np.array([b for _, b in pairs]),
        D.sum(axis=0).astype(np.int64),
        start,
        frozenset(int(lag) for lag in np.unique(base_lag)),
    )


def _base_lags(g: FloatArray, lag: FloatArray, base: Design, notes: list[Note]) -> FloatArray:
    """Event time that each row's cohort is compared with: of its last period before adoption."""
    found = np.full(len(g), -1.0)
    for cohort in np.unique(g[np.isfinite(g)]):
        mine = g == cohort
        found[mine] = lag[mine & (lag < 0)].max()
        if (last := int(found[mine][0])) < -1:
            text = (
                f"cohort {base.timeline.label(cohort)} is not seen in the period before adoption; "
                f"its base is {base.timeline.label(cohort + last)}, event time {last}"
            )
            notes.append(Note("base_period", 1, text))
    return found


def _usable_rows(
    base: Design, start: FloatArray, controls: str
) -> tuple[Design, FloatArray, list[Note]]:
    """Leave out units treated from their first row on, and periods without any control."""
    notes = []
    period = base.periods[base.period_index].astype(float)
    treated = period >= start[base.unit_index]
    seen_before = np.zeros(len(base.units), dtype=bool)
    np.logical_or.at(seen_before, base.unit_index, ~treated)
    if always := int((~seen_before).sum()):
        text = f"{always} units are treated in all their rows and left out: no period before"
        notes.append(Note("always_treated", always, text))
    rows = seen_before[base.unit_index]
    control = ~treated if controls == "not_yet" else ~np.isfinite(start[base.unit_index])
    has = np.zeros(len(base.periods), dtype=bool)
    np.logical_or.at(has, base.period_index[rows], control[rows])
    if bare := int((~has).sum()):
        text = f"{bare} periods have no control row and are left out"
        notes.append(Note("periods_without_control", bare, text))
    rows &= has[base.period_index]
    if not (rows & control).any():
        raise NotIdentifiedError(
            f"{base.spec_id}: no {controls.replace('_', '-')}-treated control",
            remedy='use controls = "not_yet"',
        )
    base, start, _ = _rows(base, start, np.empty((base.n, 0)), rows)
    return base, start, notes


def _rows(
    base: Design, start: FloatArray, D: FloatArray, rows: np.ndarray
) -> tuple[Design, FloatArray, FloatArray]:
    """The design restricted to some rows, levels renumbered."""
    if rows.all():
        return base, start, D
    return base.take(rows), start[np.unique(base.unit_index[rows])], D[rows]


def _identified(D: FloatArray, base: Design) -> list[int]:
    """Cells that the effects and the cells before them do not explain."""
    left = within(with_effects(base, "fixed", "fixed"), D)
    kept: list[int] = []
    basis = np.empty((base.n, 0))
    for k in range(D.shape[1]):
        rest = left[:, k] - basis @ (basis.T @ left[:, k])
        rest = rest - basis @ (basis.T @ rest)
        size = np.linalg.norm(rest)
        if size > 1e-6 * np.linalg.norm(D[:, k]):
            kept.append(k)
            basis = np.column_stack([basis, rest / size])
    return kept
