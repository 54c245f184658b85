"""What a study prints and a panel can be held to: cells with their rounding intervals."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from bayesdid.arrays import FloatArray
from bayesdid.reconstruct.regression import Estimates
from bayesdid.study.effects import parse_effect
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Moments, TableFile

FITTED = frozenset({"twfe", "pooled", "iv_first", "iv_second", "psm_did"})
Kind = Literal["estimate", "se", "r2", "mean", "sd"]


@dataclass(frozen=True, slots=True)
class Target:
    """One printed number.

    Attributes
    ----------
    cell
        Reference, ``table2.5:both`` or ``table1:safety.mean``.
    place
        The column's id, or the descriptive table's.
    name, kind
        What of it: a term and ``estimate`` or ``se``; ``r2``; a column and ``mean`` or ``sd``.
    low, high
        The numbers that round to it.
    """

    cell: str
    place: str
    name: str
    kind: Kind
    low: float
    high: float

    @property
    def half(self) -> float:
        """Half the width of the interval, which is the unit that misses are counted in."""
        return (self.high - self.low) / 2

    @property
    def exact(self) -> bool:
        """Whether a panel must give it within rounding: estimates and moments."""
        return self.kind in {"estimate", "mean", "sd"}

    def misses(self, value: float) -> float:
        """How far outside of the interval a value is, in half widths; 0 inside."""
        return max(self.low - value, value - self.high, 0.0) / self.half


def reason_against(spec: Spec) -> str:
    """Why a column is not held to what it prints; empty if it is."""
    column = spec.column
    if column.family not in FITTED:
        return f"a column of the family '{column.family}' is not least squares"
    if column.printed_as == "ratio":
        return "ratios are not least-squares coefficients"
    if column.family == "psm_did" and column.n is None:
        return "how many rows were matched is not printed"
    if column.sample.has_chosen_rows:
        return "chosen rows are not handled"
    if column.row_weights and column.row_weights_kind == "frequency":
        return "frequency weights are not handled"
    if any(parse_effect(text).kind == "random" for text in column.effects):
        return "random further effects are not handled"
    if column.family == "psm_did" and (column.effects or column.row_weights):
        return "a matched column with further effects or weights is not handled"
    kinds = {column.unit_effects, column.period_effects}
    if not kinds <= {"fixed", "none"}:
        return "random and Mundlak effects are not handled"
    return ""


def printed_targets(study: Study, specs: Collection[str]) -> tuple[Target, ...]:
    """Every printed number of these columns and of the descriptive tables among them."""
    found: list[Target] = []
    for table in study.tables.values():
        if table.kind == "descriptive" and table.id in specs:
            found += moment_targets(table)
    for spec in study.specs.values():
        if spec.id in specs:
            found += column_targets(spec)
    return tuple(found)


def moment_targets(table: TableFile) -> list[Target]:
    """Means and standard deviations; minimum and maximum are bounds of the draw."""
    found = []
    for row in table.moments:
        ref = f"{table.id}:{row.column}"
        found.append(_target(f"{ref}.mean", table.id, row.column, "mean", row.mean))
        if row.sd is not None:
            found.append(_target(f"{ref}.sd", table.id, row.column, "sd", row.sd))
    return found


def column_targets(spec: Spec) -> list[Target]:
    """Coefficients, i.i.d. standard errors and R2 of a column."""
    column = spec.column
    se_kind = column.se_kind if column.se_kind is not None else spec.table.se_kind
    r2_kind = column.r2_kind if column.r2_kind is not None else spec.table.r2_kind
    found = []
    for name, cell in column.coefficients.items():
        ref = f"{spec.id}:{name}"
        found.append(_target(ref, spec.id, name, "estimate", cell.estimate))
        if cell.se is not None and se_kind in {"iid", "unknown"}:
            found.append(_target(f"{ref}.se", spec.id, name, "se", cell.se))
    if column.r2 is not None and r2_kind in {"overall", "unknown"}:
        found.append(_target(f"{spec.id}:r2", spec.id, "r2", "r2", column.r2))
    return found


def _target(cell: str, place: str, name: str, kind: Kind, text: str) -> Target:
    low, high = Printed.parse(text).interval
    return Target(cell, place, name, kind, max(low, 0.0) if kind == "se" else low, high)


def value_of(
    target: Target, fits: Mapping[str, Estimates], columns: Mapping[str, FloatArray]
) -> float:
    """What a panel gives for a printed number."""
    if target.kind == "mean":
        return float(columns[target.name].mean())
    if target.kind == "sd":
        return float(columns[target.name].std(ddof=1))
    return fits[target.place].value(target.name, target.kind)


def bounds_of(row: Moments) -> tuple[float, float]:
    """Printed minimum and maximum, infinite where there is none."""
    low = -float("inf") if row.min is None else float(Printed.parse(row.min))
    high = float("inf") if row.max is None else float(Printed.parse(row.max))
    return low, high
