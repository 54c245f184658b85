"""Placebo assignments: the treatment given to units at random, each with its full posterior.

With flat priors the posterior of a treatment's coefficient under fixed effects, further ones too,
is a Student t around (weighted) least squares, in closed form: a thousand assignments take a
fraction of a second. Weights stay with their rows: units are dealt adoption periods, not outcomes.

Two schemes: ``permuted`` keeps the adoption periods as they are and deals them to other units, so
that arms and timing are preserved; ``random`` chooses as many units as were treated and lets each
adopt in a random period.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.stats import t as student

from bayesdid.arrays import FloatArray
from bayesdid.design.build import as_two_way, build_design
from bayesdid.design.collinear import effects_text
from bayesdid.design.design import Design
from bayesdid.design.span import rank_of, within
from bayesdid.design.within import varies
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec
from bayesdid.study.terms import STAGGERED, parse_term

Scheme = Literal["permuted", "random"]
_TRIES = 50  # times that assignments are drawn anew of which the effects leave nothing
SCHEMES: tuple[Scheme, ...] = ("permuted", "random")


@dataclass(frozen=True, slots=True)
class Placebo:
    """Posteriors under placebo assignments.

    Attributes
    ----------
    spec_id, scheme
        What was assigned, and how.
    mean, sd
        Posterior mean and sd of each assignment, shape (B,).
    p_value
        Two-sided p-value of each assignment's least-squares estimate, shape (B,).
    actual_mean, actual_sd
        Under the actual assignment.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "spec_id",
        "scheme",
        "assignments",
        "means",
        "spread",
        "typical_sd",
        "above_ten_percent",
        "rejection",
        "actual_mean",
        "actual_sd",
        "tail",
    )

    spec_id: str
    scheme: Scheme
    mean: FloatArray
    sd: FloatArray
    p_value: FloatArray
    actual_mean: float
    actual_sd: float

    @property
    def as_large(self) -> int:
        """Assignments whose estimate is at least as large in size as the actual one."""
        return int((np.abs(self.mean) >= abs(self.actual_mean)).sum())

    @property
    def tail(self) -> float:
        """Share of such assignments; with none of them a bound.

        The actual assignment counts as one of them (Phipson & Smyth 2010,
        doi:10.2202/1544-6115.1585).
        """
        return (self.as_large + 1) / (len(self.mean) + 1)

    @property
    def assignments(self) -> int:
        """How many there are."""
        return len(self.mean)

    @property
    def means(self) -> list[float]:
        """Posterior mean of each assignment, rounded: a histogram is made of them."""
        return [round(float(value), 5) for value in self.mean]

    @property
    def spread(self) -> float:
        """Standard deviation of the means over assignments."""
        return float(self.mean.std(ddof=1))

    @property
    def typical_sd(self) -> float:
        """Median posterior sd."""
        return float(np.median(self.sd))

    @property
    def above_ten_percent(self) -> float:
        """Share of assignments with p above 0.1."""
        return float((self.p_value > 0.1).mean())

    @property
    def rejection(self) -> float:
        """Share of assignments with p below 0.05: 0.05 if the i.i.d. errors are right."""
        return float((self.p_value < 0.05).mean())


def placebo(
    spec: Spec, panel: Panel, *, scheme: Scheme, assignments: int = 1000, seed: int = 0
) -> Placebo:
    """Posteriors of one treatment under placebo assignments.

    Parameters
    ----------
    spec
        With one treatment, ``both`` or ``active:P``.
    assignments
        How many.

    Raises
    ------
    InputError
        If the spec has another treatment, nobody is treated, or effects leave nothing of
        assignments.
    """
    treatments = spec.column.treatments
    factors = parse_term(treatments[0]).factors if treatments else ()
    if len(treatments) != 1 or len(factors) != 1 or factors[0].kind not in STAGGERED:
        raise InputError(
            f"{spec.id}: a placebo test has one treatment: both, all, both:P+Q or active:P",
            value=", ".join(treatments),
            remedy="declare such a spec",
        )
    design = build_design(as_two_way(spec, with_rows=True), panel, absorbing=treatments)
    adoption = panel.adoption.reindex(design.units)
    policies = list(factors[0].policies or panel.policies)
    start = adoption[policies].to_numpy(dtype=float, na_value=np.inf)
    rng = np.random.default_rng(seed)
    D = np.column_stack([_assigned(start, design, scheme, rng) for _ in range(assignments)])
    for _ in range(_TRIES):
        lost = ~varies(within(design, D, flat_only=False, weights=design.weights), D)
        if not lost.any():
            break
        D[:, lost] = np.column_stack([_assigned(start, design, scheme, rng) for _ in lost[lost]])
    else:
        raise NotIdentifiedError(
            f"{spec.id}: {effects_text(design)} leave nothing of an assignment of the treatment to "
            "units at random",
            value=f"{int(lost.sum())} of {assignments} drawn {_TRIES} times, {scheme}",
            remedy="leave an effect out",
        )
    mean, sd, p = _posteriors(design, D)
    actual, spread, _ = _posteriors(design, design.D)
    return Placebo(spec.id, scheme, mean, sd, p, float(actual[0]), float(spread[0]))


def _assigned(
    start: FloatArray, design: Design, scheme: Scheme, rng: np.random.Generator
) -> FloatArray:
    """One placebo treatment in every row, shape (n,); drawn again if it is constant."""
    periods = design.periods[design.period_index].astype(float)
    while True:
        if scheme == "permuted":
            first = rng.permutation(start.max(axis=1))
        else:
            first = np.full(len(start), np.inf)
            treated = rng.choice(len(start), np.isfinite(start.max(axis=1)).sum(), replace=False)
            first[treated] = rng.choice(design.periods[1:], len(treated))
        column = (periods >= first[design.unit_index]).astype(float)
        if 0 < column.sum() < len(column):
            return column


def _posteriors(design: Design, D: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Posterior mean and sd under flat priors, and p-value, of each column of D alone."""
    both = np.column_stack([design.y, design.X, D])
    Z = within(design, both, flat_only=False, weights=design.weights)
    Q = design.X.shape[1]
    if Q:
        basis = np.linalg.qr(Z[:, 1 : 1 + Q])[0]
        Z = Z - basis @ (basis.T @ Z)
    y, W = Z[:, 0], Z[:, 1 + Q :]
    dof = design.n - rank_of(design) - Q - 1
    size = (W**2).sum(axis=0)
    b = W.T @ y / size
    scale = np.sqrt((y @ y - b**2 * size) / dof / size)
    p = 2 * student.sf(np.abs(b) / scale, dof)
    return b, scale * np.sqrt(dof / (dof - 2)), np.asarray(p)
