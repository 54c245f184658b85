"""What several rules ask of a study: its columns, cells and samples."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

from bayesdid.audit.bounds import Bounds
from bayesdid.study.cells import LAG
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Cell, Statistic

LEAST_SQUARES = frozenset({"twfe", "pooled"})


def cells(spec: Spec) -> Iterator[tuple[str, Cell]]:
    """Name and cell of every printed estimate of a column."""
    column = spec.column
    yield from column.coefficients.items()
    yield from column.scalars.items()
    yield from ((f"{LAG}{name}", cell) for name, cell in column.spatial_lags.items())
    for name, impacts in column.impacts.items():
        for field in ("direct", "indirect", "total"):
            if (cell := getattr(impacts, field)) is not None:
                yield f"{name}.{field}", cell


def least_squares(spec: Spec) -> bool:
    """Whether its cells are least-squares coefficients, which identities are about."""
    return spec.column.family in LEAST_SQUARES and spec.column.printed_as != "ratio"


def estimate(cell: Cell) -> Bounds:
    """The numbers that round to the printed estimate."""
    return Bounds.of(cell.estimate)


def size_of_t(cell: Cell) -> Bounds | None:
    """|estimate / se| over the rounding intervals, or |t| as printed; None without either.

    Of a coefficient. What else stands below an estimate: :func:`bayesdid.audit.below.p_of`.
    """
    if cell.t is not None:
        return abs(Bounds.of(cell.t))
    se = standard_error(cell)
    return None if se is None else abs(estimate(cell)) / se


def standard_error(cell: Cell) -> Bounds | None:
    """The standard errors that round to the printed one; None without one, or of one below zero."""
    if cell.se is None or (se := Bounds.of(cell.se)).high <= 0.0:
        return None
    return Bounds(max(se.low, 0.0), se.high)


_STATISTICS = {
    "adjusted": ("r2_adjusted", "adjusted_r2", "r2_adj", "adj_r2", "adjusted_r_squared"),
    "within": ("r2_within", "within_r2", "within_r_squared"),
    "residual": ("rmse", "root_mse", "residual_std_error", "residual_se", "residual_sd"),
}


def is_statistic(statistic: Statistic, kind: str) -> bool:
    """Whether a number below a column is its adjusted or within R2 or its residual sd, by name."""
    return statistic.name.lower() in _STATISTICS[kind]


def count(text: str | None) -> int | None:
    """A printed whole number."""
    return None if text is None else int(Printed.parse(text).value)


def same_rows(study: Study, left: Spec, right: Spec) -> bool:
    """Whether two columns are declared to be fitted on the same rows."""
    if left.id == right.id:
        return True
    if left.column.n != right.column.n or rows_differ(left, right):
        return False
    if right.id in left.column.same_sample_as or left.id in right.column.same_sample_as:
        return True
    said = {spec.id: spec.column.same_sample_as for spec in study.specs.values()}
    groups = _linked(tuple((name, others) for name, others in said.items() if others))
    return left.id in groups and groups[left.id] == groups.get(right.id)


@lru_cache(maxsize=8)  # of a study, whose rules ask of every pair of columns
def _linked(said: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, int]:
    """Number of the group of columns that declarations link; they need not name every pair."""
    groups: list[set[str]] = []
    for name, others in said:
        one = {name, *others}
        touching = [group for group in groups if group & one]
        groups = [group for group in groups if not group & one] + [one.union(*touching)]
    return {name: k for k, group in enumerate(groups) for name in group}


def same_model(left: Spec, right: Spec) -> bool:
    """Whether two columns have the same kind of model: family, effects, lead, options, labels."""
    keys = (
        "family",
        "unit_effects",
        "period_effects",
        "outcome_lead",
        "weights",
        "instrument",
        "options",
        "effects",
        "row_weights",
        "row_weights_kind",
        "printed_as",
        "labels",
    )
    return all(getattr(left.column, key) == getattr(right.column, key) for key in keys)


def rows_differ(left: Spec, right: Spec) -> bool:
    """Whether one of two columns says that its rows are those of no other."""
    return "differ" in {left.column.rows, right.column.rows}


def terms(spec: Spec) -> frozenset[str]:
    """Treatments and covariates of a column."""
    return frozenset((*spec.column.treatments, *spec.column.covariates))


def most_coefficients(study: Study, spec: Spec) -> float:
    """The most coefficients that a column may have; infinite where it has labels or effects."""
    column, panel = spec.column, study.file.panel
    if column.effects or column.labels or column.row_weights:
        return math.inf
    found = len(terms(spec)) + 1
    if "fixed" in {column.unit_effects, column.period_effects}:
        first, last = panel.first_period, panel.last_period
        if panel.units is None or first is None or last is None:
            return math.inf
        found += panel.units + last - first + 1
    return found
