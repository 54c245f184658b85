"""What a study prints and a panel can be held to: cells with their rounding intervals."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from bayesdid.arrays import FloatArray
from bayesdid.reconstruct.durbin import Fitted
from bayesdid.reconstruct.logs import column_value
from bayesdid.reconstruct.regression import Estimates
from bayesdid.reconstruct.uncertainty import kind_of, standard_error
from bayesdid.study.cells import LAG
from bayesdid.study.effects import parse_effect
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Moments, TableFile

FITTED = frozenset({"twfe", "pooled", "event_study", "iv_first", "iv_second", "psm_did", "sdm"})
R2 = {"overall": "r2", "unknown": "r2", "adjusted": "r2_adjusted", "within": "r2_within"}
EXACT = frozenset({"estimate", "mean", "sd"})  # kinds of numbers that must hold
CLOSE = frozenset({"se", "r2", "rho", "sigma2"})  # and that are aimed at
Kind = Literal["estimate", "se", "r2", "rho", "sigma2", "mean", "sd", "n"]


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
        What of it: a term and ``estimate`` or ``se``; which R2 and ``r2``; ``n``; a column and
        ``mean`` or ``sd``; ``rho`` or ``sigma2`` of a spatial column, at both.
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
    def middle(self) -> float:
        """The printed number, or the middle of what rounds to it."""
        return (self.low + self.high) / 2

    @property
    def half(self) -> float:
        """Half the width of the interval, which is the unit that misses are counted in."""
        return (self.high - self.low) / 2

    @property
    def exact(self) -> bool:
        """Whether a panel must give it within rounding: estimates and moments."""
        return self.kind in EXACT

    def misses(self, value: float) -> float:
        """How far outside of the interval a value is, in half widths; 0 inside."""
        return max(self.low - value, value - self.high, 0.0) / self.half


def relative_miss(misses: float, low: float, high: float) -> float:
    """How far a value lies beyond an interval that it misses by so many half widths.

    Relative to the middle of the interval; 0 if that is 0.
    """
    size = abs(low + high) / 2
    return misses * (high - low) / 2 / size if size else 0.0


def reason_against(spec: Spec) -> str:
    """Why a column is not held to what it prints; empty if it is."""
    column = spec.column
    if column.family not in FITTED:
        return f"a column of the family '{column.family}' is not least squares"
    if column.printed_as == "ratio":
        return "ratios are not least-squares coefficients"
    if column.family == "psm_did" and column.n is None:
        return "how many rows were matched is not printed"
    if any(parse_effect(text).kind == "random" for text in column.effects):
        return "which estimator of random further effects it is from is not printed"
    if column.family == "psm_did" and (column.effects or column.row_weights):
        return "a matched column with further effects or weights is not handled"
    kinds = {column.unit_effects, column.period_effects}
    if not kinds <= {"fixed", "none"}:
        return "which estimator of random or Mundlak effects it is from is not printed"
    return ""


def printed_targets(
    study: Study, specs: Collection[str], without_errors: Collection[str] = ()
) -> tuple[Target, ...]:
    """Every printed number of these columns and of the descriptive tables among them.

    Parameters
    ----------
    without_errors
        Columns whose standard errors are left out.
    """
    found: list[Target] = []
    for table in study.tables.values():
        if table.kind == "descriptive" and table.id in specs:
            found += moment_targets(table)
    for spec in study.specs.values():
        if spec.id in specs:
            found += column_targets(study, spec, spec.id not in without_errors)
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


def column_targets(study: Study, spec: Spec, errors: bool = True) -> list[Target]:
    """Coefficients, standard errors, R2 and number of rows of a column.

    Parameters
    ----------
    errors
        Whether standard errors are among them.
    """
    column, found = spec.column, []
    if column.family == "sdm":
        return _spatial_targets(spec)
    for name, cell in column.coefficients.items():
        ref = f"{spec.id}:{name}"
        found.append(_target(ref, spec.id, name, "estimate", cell.estimate))
        plain = kind_of(spec) in {"iid", "unknown"} or name != "constant"
        se = standard_error(study, spec, cell) if errors and plain else None
        if se is not None and se.low < se.high < float("inf"):
            found.append(Target(f"{ref}.se", spec.id, name, "se", se.low, se.high))
    if column.r2 is not None:
        kind = R2[column.r2_kind or "unknown"]
        found.append(_target(f"{spec.id}:r2", spec.id, kind, "r2", column.r2))
    if column.n is not None:
        found.append(_target(f"{spec.id}:n", spec.id, "n", "n", column.n))
    return found


def _spatial_targets(spec: Spec) -> list[Target]:
    """Of a spatial column: coefficients, lags, rho, sigma2 and n.

    Its impacts follow from them. What its R2 is a share of is not printed, and standard errors are
    of maximum likelihood.
    """
    column, found = spec.column, []
    lags = {f"{LAG}{name}": cell for name, cell in column.spatial_lags.items()}
    for name, cell in (column.coefficients | lags).items():
        found.append(_target(f"{spec.id}:{name}", spec.id, name, "estimate", cell.estimate))
    of_errors: tuple[Kind, ...] = ("rho", "sigma2")
    for kind in of_errors:
        if kind in column.scalars:
            text = column.scalars[kind].estimate
            found.append(_target(f"{spec.id}:{kind}", spec.id, kind, kind, text))
    if column.n is not None:
        found.append(_target(f"{spec.id}:n", spec.id, "n", "n", column.n))
    return found


def _target(cell: str, place: str, name: str, kind: Kind, text: str) -> Target:
    low, high = Printed.parse(text).interval
    return Target(cell, place, name, kind, low, high)


def value_of(
    target: Target, fits: Mapping[str, Estimates | Fitted], columns: Mapping[str, FloatArray]
) -> float:
    """What a panel gives for a printed number."""
    if target.kind == "mean":
        return float(column_value(target.name, columns).mean())
    if target.kind == "sd":
        return float(column_value(target.name, columns).std(ddof=1))
    if target.kind == "n":
        return fits[target.place].of.size
    return fits[target.place].value(target.name, target.kind)


def bounds_of(row: Moments) -> tuple[float, float]:
    """Printed minimum and maximum, infinite where there is none."""
    low = -float("inf") if row.min is None else float(Printed.parse(row.min))
    high = float("inf") if row.max is None else float(Printed.parse(row.max))
    return low, high
