"""Moments that columns are compared with: those of the same rows, unless no data can have them."""

from __future__ import annotations

from functools import lru_cache

from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import count
from bayesdid.audit.descriptives import of_row
from bayesdid.audit.whole import of_steps
from bayesdid.study.load import Spec, Study
from bayesdid.study.schema import Moments, TableFile


def moments_for(study: Study, spec: Spec) -> dict[str, Moments]:
    """Rows of a descriptive table that describes exactly as many rows as the column has."""
    if spec.column.rows == "differ" or spec.column.labels or spec.column.row_weights:
        return {}  # weights or windows, for all that is known
    for table in study.tables.values():
        described = table.kind == "descriptive" and table.n is not None
        if described and count(table.n) == count(spec.column.n) and spec.column.outcome_lead == 0:
            return {row.column: row for row in table.moments if possible(table, row)}
    return {}


def possible(table: TableFile, row: Moments) -> bool:
    """Whether some data have these moments.

    What is a contradiction in itself says nothing of other numbers: without this a mean misprinted
    in a table of moments accuses the constant of every column.
    """
    texts = (row.mean, row.sd, row.min, row.max, row.step)
    # other numbers round to the mean if digits may have been cut off: part of what is asked
    return _possible(Bounds.of(row.mean), texts, row.column, count(table.n))


@lru_cache(maxsize=256)  # every column asks for the same rows
def _possible(_: Bounds, texts: tuple[str | None, ...], column: str, n: int | None) -> bool:
    mean, sd, low, high, step = texts
    row = Moments(column=column, mean=str(mean), sd=sd, min=low, max=high, step=step)
    found = [*of_row(column, row, n), *of_steps(column, row, n)]
    return not any(outcome is not None for outcome in found)


def is_possible(study: Study, ref: str) -> bool:
    """Whether the row of moments that a reference such as ``table1:safety.mean`` is of is possible.

    True of references to anything else.
    """
    table_id, _, place = ref.partition(":")
    table = study.tables.get(table_id)
    if table is None:
        return True
    return all(possible(table, row) for row in table.moments if row.column == place.split(".")[0])
