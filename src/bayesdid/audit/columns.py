"""What several rules ask of a study: its columns, cells, samples and moments."""

from __future__ import annotations

from collections.abc import Iterator

from bayesdid.audit.bounds import Bounds
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Cell, Moments

LEAST_SQUARES = frozenset({"twfe", "pooled"})


def cells(spec: Spec) -> Iterator[tuple[str, Cell]]:
    """Name and cell of every printed estimate of a column."""
    column = spec.column
    yield from column.coefficients.items()
    yield from column.scalars.items()
    yield from ((f"W:{name}", cell) for name, cell in column.spatial_lags.items())
    for name, impacts in column.impacts.items():
        for field in ("direct", "indirect", "total"):
            if (cell := getattr(impacts, field)) is not None:
                yield f"{name}.{field}", cell


def estimate(cell: Cell) -> Bounds:
    """The numbers that round to the printed estimate."""
    return Bounds.of(cell.estimate)


def size_of_t(cell: Cell) -> Bounds | None:
    """|estimate / se| over the rounding intervals, or |t| as printed; None without either."""
    if cell.t is not None:
        return abs(Bounds.of(cell.t))
    if cell.se is None:
        return None
    se = Bounds.of(cell.se)
    return abs(estimate(cell)) / Bounds(max(se.low, 0.0), se.high)


def measure(cell: Cell) -> str:
    """What stands under an estimate, as it would be read: a standard error, or t = a statistic."""
    return f"t = {cell.t}" if cell.t is not None else str(cell.se)


def count(text: str | None) -> int | None:
    """A printed whole number."""
    return None if text is None else int(Printed.parse(text).value)


def smallest_dof(study: Study) -> int:
    """The fewest degrees of freedom a reader would use: units minus one, or thirty."""
    units = study.file.panel.units
    return max(units - 1, 5) if units else 30


def same_rows(study: Study, left: Spec, right: Spec) -> bool:
    """Whether two columns are declared to be fitted on the same rows."""
    if left.id == right.id:
        return True
    if left.column.n != right.column.n:
        return False
    linked, frontier = {left.id}, [left.id]
    while frontier:  # the declarations need not name every pair
        here = frontier.pop()
        for spec in study.specs.values():
            related = (
                here in spec.column.same_sample_as or spec.id in study[here].column.same_sample_as
            )
            if related and spec.id not in linked:
                linked.add(spec.id)
                frontier.append(spec.id)
    return right.id in linked


def same_model(left: Spec, right: Spec) -> bool:
    """Whether two columns have the same kind of model: family, effects, lead, options."""
    keys = (
        "family",
        "unit_effects",
        "period_effects",
        "outcome_lead",
        "weights",
        "instrument",
        "options",
    )
    return all(getattr(left.column, key) == getattr(right.column, key) for key in keys)


def terms(spec: Spec) -> frozenset[str]:
    """Treatments and covariates of a column."""
    return frozenset((*spec.column.treatments, *spec.column.covariates))


def moments_for(study: Study, spec: Spec) -> dict[str, Moments]:
    """Rows of a descriptive table that describes exactly as many rows as the column has."""
    for table in study.tables.values():
        described = table.kind == "descriptive" and table.n is not None
        if described and count(table.n) == count(spec.column.n) and spec.column.outcome_lead == 0:
            return {row.column: row for row in table.moments}
    return {}
