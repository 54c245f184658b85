"""Adoption periods under which columns of several policies can hold together.

A column with one policy more than another on the same rows differs from it by that policy's effect
times its regression on the others, whatever the outcome is. Without covariates that regression
follows from who adopted when: most drawn timings contradict such columns. With the same covariates
x in both, of coefficients g, the policies alone would have b + B g, where B, what the policies
alone give for x, follows the same relation: it adds only what g differs by between the columns,
which is taken to be nothing here. A search over the rounds of units, which keeps arms, the mean of
the state both, and what else is printed, finds a timing that contradicts nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import scipy.linalg

from bayesdid.arrays import FloatArray
from bayesdid.design.window import beyond, event_labels, event_window
from bayesdid.design.within import absorb
from bayesdid.panel.adoption import event_value, policy_value
from bayesdid.panel.membership import units_in_sample
from bayesdid.published.timing import Timing, rounds_of, years_under_all
from bayesdid.reconstruct.search import searched
from bayesdid.reconstruct.solve import MARGIN
from bayesdid.reconstruct.targets import reason_against
from bayesdid.reconstruct.uncertainty import standard_error
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.terms import POLICY_KINDS, parse_term

_NULL = 1e-9  # of the largest pivot, below which a printed number follows from others
_MOVES = 6000
_OTHER = 0.2  # of the moves of units under one policy, to the other one where that may be
_SLACK = 0.005  # of a printed standard error, that a column's covariates may add
NONE: Mapping[str, FloatArray] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Relations:
    """Printed numbers of one outcome that are linear in it with weights that adoption decides.

    Attributes
    ----------
    specs
        Columns whose treatments are policies, and whose covariates are the same.
    names
        Of each column, the coefficients that are meant: of policies, and the constant where there
        are no covariates.
    middle, half
        Of these numbers' intervals, column by column, then of the mean of the outcome, shape (m,).
    mean
        Whether the last number is the outcome's mean.
    explained
        Whether its columns have covariates that are no policies.
    given
        Columns of the panel that count as policies.
    """

    specs: tuple[Spec, ...]
    names: tuple[tuple[str, ...], ...]
    middle: FloatArray
    half: FloatArray
    mean: bool
    explained: bool
    given: frozenset[str]

    @property
    def named(self) -> set[str]:
        """Columns of the panel that count as policies and are among the regressors."""
        texts = [text for spec in self.specs for text in _policies(spec, given=self.given)]
        return {f.name for text in texts for f in parse_term(text).factors} & self.given

    def weights(self, timing: Timing, given: Mapping[str, FloatArray] = NONE) -> FloatArray:
        """What the outcome's cells are multiplied by to give each number, shape (m, N T).

        Parameters
        ----------
        given
            Values of the columns that count as policies, each of shape (N, T).
        """
        N, T = len(timing.start), len(timing.periods)
        found = []
        for spec, names in zip(self.specs, self.names, strict=True):
            column, policies = spec.column, _policies(spec, T, self.given)
            units = units_in_sample(column.sample, timing.policies, timing.start)
            at = np.flatnonzero(np.repeat(units, T))
            start = np.broadcast_to(timing.start[:, None, :], timing.on.shape)
            values = [_value(text, timing, start, given).reshape(-1)[at] for text in policies]
            Z = np.column_stack(values)
            within = absorb(
                Z,
                at // T,
                at % T,
                unit=column.unit_effects == "fixed",
                period=column.period_effects == "fixed",
            )
            H = np.linalg.pinv(within)
            rows = {name: H[k] for k, name in enumerate(policies)}
            rows["constant"] = 1 / len(at) - Z.mean(axis=0) @ H
            for name in names:
                found.append(np.zeros(N * T))
                found[-1][at] = rows[name]
        if self.mean:
            found.append(np.full(N * T, 1 / (N * T)))
        return np.array(found)

    def excess(self, timing: Timing, given: Mapping[str, FloatArray] = NONE) -> float:
        """By how much the numbers contradict each other once rounding is allowed for; 0 if not."""
        H = self.weights(timing, given)
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


def _value(
    text: str, timing: Timing, start: FloatArray, given: Mapping[str, FloatArray]
) -> FloatArray:
    on = np.ones(timing.on.shape[:2])
    for f in parse_term(text).factors:
        if f.kind == "column":
            on = on * given[f.name]
        elif f.event:
            which = [timing.policies.index(name) for name in f.policies or timing.policies]
            began = timing.start[:, which].max(axis=1)
            own = np.where(np.isfinite(began)[:, None], timing.periods - began[:, None], np.nan)
            on = on * event_value(f, own)
        else:
            on = on * policy_value(f, timing.policies, timing.on, start)
    return on


def relations_of(
    study: Study, hold_out: Sequence[str] = (), given: Collection[str] = ()
) -> list[Relations]:
    """What columns of policies print, by their outcome and covariates.

    Parameters
    ----------
    given
        Columns of the panel that count as policies.
    """
    counted = frozenset(given)
    groups: dict[tuple[str, frozenset[str]], list[Spec]] = {}
    for spec in study.specs.values():
        held = spec.id not in hold_out and spec.table.id not in hold_out
        if held and not reason_against(spec) and _of_policies(spec, counted):
            key = spec.column.outcome, frozenset(_beside(spec, counted))
            groups.setdefault(key, []).append(spec)
    return [
        _relations(study, specs, outcome, bool(covariates), hold_out, counted)
        for (outcome, covariates), specs in groups.items()
    ]


def _relations(
    study: Study,
    specs: list[Spec],
    outcome: str,
    explained: bool,
    hold_out: Sequence[str],
    given: frozenset[str],
) -> Relations:
    """Of one outcome and set of covariates, `explained` if there are any."""
    names = tuple(tuple(_meant(spec, given)) for spec in specs)
    pairs = [(spec, name) for spec, meant in zip(specs, names, strict=True) for name in meant]
    texts = [spec.column.coefficients[name].estimate for spec, name in pairs]
    least = [_slack(study, spec, name) if explained else 0.0 for spec, name in pairs]
    rows = [
        row
        for table in study.tables.values()
        if table.id not in hold_out
        for row in table.moments
        if row.column == outcome and not explained
    ]
    texts += [row.mean for row in rows[:1]]
    least += [0.0] * bool(rows)
    ends = np.array([Printed.parse(text).interval for text in texts]).reshape(-1, 2)
    half = np.maximum(np.ptp(ends, axis=1) / 2, least)
    return Relations(tuple(specs), names, ends.mean(axis=1), half, bool(rows), explained, given)


def _slack(study: Study, spec: Spec, name: str) -> float:
    """Half width that covariates leave a coefficient: a share of its error, 0 if nothing tells."""
    found = standard_error(study, spec, spec.column.coefficients[name])
    return _SLACK * found.middle if found is not None and found.high < np.inf else 0.0


def _of_policies(spec: Spec, given: frozenset[str]) -> bool:
    """Whether its treatments are policies, and nothing else but covariates decides them."""
    column = spec.column
    known = {*_policies(spec, given=given), *column.covariates, "constant"}
    plain = not (
        column.effects
        or column.row_weights
        or column.instrument
        or column.outcome_lead
        or column.sample.groups
        or column.sample.has_chosen_rows
        or column.family == "psm_did"
    )
    return (
        plain
        and bool(column.treatments)
        and all(_is_policy(text, given) for text in column.treatments)
        and set(column.coefficients) <= known
    )


def _is_policy(text: str, given: frozenset[str]) -> bool:
    factors = parse_term(text).factors
    return all(
        f.kind in POLICY_KINDS or (f.kind == "column" and f.name in given and not f.event)
        for f in factors
    )


def _policies(spec: Spec, span: int = 0, given: frozenset[str] = frozenset()) -> list[str]:
    """Its regressors that are policies; of an event study those of its event times.

    Parameters
    ----------
    span
        How far event times lie from adoption, where those beyond the window have terms too.
    """
    column = spec.column
    treatments = column.treatments
    if column.family == "event_study":
        window = event_window(spec)
        far = range(-span, span + 1) if window.ends == "own" else ()
        labels = event_labels(window) | {k: str(k) for k in beyond(window, far)}
        used = [label for k, label in labels.items() if k != window.reference]
        treatments = tuple(f"{treatments[0]}@{label}" for label in used)
    return [text for text in (*treatments, *column.covariates) if _is_policy(text, given)]


def _beside(spec: Spec, given: frozenset[str]) -> list[str]:
    """Its covariates that are no policies."""
    return [text for text in spec.column.covariates if not _is_policy(text, given)]


def _meant(spec: Spec, given: frozenset[str]) -> list[str]:
    """Printed coefficients that policies decide: the constant is none where there are others."""
    known = {*_policies(spec, given=given)}
    if not _beside(spec, given):
        known.add("constant")
    return [name for name in spec.column.coefficients if name in known]


def agreeing(
    study: Study,
    timing: Timing,
    hold_out: Sequence[str],
    rng: np.random.Generator,
    share: tuple[float, float] | None = None,
) -> Timing:
    """The timing, moved until columns of policies can hold together, or as near as it gets.

    How many units have which policy alone, and which of two first, stays as the study states it; if
    it does not, that moves too. A timing that is stated as known, or kept to a file of known
    adoptions, stays as it is.

    Parameters
    ----------
    share
        Interval of the mean of the state both, None if anything will do.
    """
    design, section = study.file.design, study.file.design.timing
    found = relations_of(study, hold_out)
    if section.known or section.sourced or not found:
        return timing
    rounds = rounds_of(study, timing.policies, timing.periods)
    cells = len(timing.start) * len(timing.periods)
    adopters = np.flatnonzero(np.isfinite(timing.start).any(axis=1))

    def moved(timing: Timing) -> Timing | None:
        trial = timing.start.copy()
        for unit in rng.choice(adopters, min(int(rng.integers(1, 4)), len(adopters)), False):
            own = timing.start[unit]
            if not design.only and np.isfinite(own).sum() == 1 and rng.random() < _OTHER:
                own = own[::-1]
            trial[unit] = _moved(own, rounds, bool(design.first), rng)
        years = years_under_all(trial, timing.periods)
        if share is not None and not share[0] <= years / cells <= share[1]:
            return None
        return Timing(timing.policies, trial, timing.periods)

    def excess(timing: Timing) -> float:
        return sum(one.excess(timing) for one in found)

    return searched(timing, excess, moved, _MOVES)


def _moved(
    start: FloatArray, rounds: Sequence[FloatArray], ordered: bool, rng: np.random.Generator
) -> FloatArray:
    """Other rounds for a unit; the same if none is found in a few tries.

    Parameters
    ----------
    ordered
        Whether they are in the same order as before; else that of two policies may be the other.
    """
    on = np.flatnonzero(np.isfinite(start))
    for _ in range(20):
        trial = start.copy()
        trial[on] = [rng.choice(rounds[int(k)]) for k in on]
        after, before = (np.sign(s[on][:, None] - s[on]) for s in (trial, start))
        if (after == before).all() or (not ordered and (after == -before).all()):
            return trial
    return start
