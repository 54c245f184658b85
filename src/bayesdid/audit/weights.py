"""Weighted columns that print what unweighted ones do."""

from __future__ import annotations

from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import rows_differ, terms
from bayesdid.audit.finding import Finding, Outcome
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Cell, Column

_DIGITS = 3  # significant, of a number whose coincidence says something
_KEYS = (
    "family",
    "outcome",
    "sample",
    "unit_effects",
    "period_effects",
    "outcome_lead",
    "effects",
    "options",
    "n",
)


def weights(study: Study) -> Outcome:
    """Weights move an estimate or its error, unless they are alike for all rows.

    Columns that differ in weights alone, declared or as a label of the table, and print the same
    numbers in every cell are one regression printed twice.
    """
    specs = [spec for spec in study.specs.values() if spec.column.coefficients]
    for k, first in enumerate(specs):
        for second in specs[k + 1 :]:
            if not _by_weights_alone(first, second):
                continue
            cells = [
                (cell, second.column.coefficients[name])
                for name, cell in first.column.coefficients.items()
                if name in second.column.coefficients
            ]
            telling = [pair for pair in cells if _digits(pair[0].estimate) >= _DIGITS]
            if not telling:
                continue
            alike = all(_numbers(a) == _numbers(b) for a, b in cells)
            value = Bounds.of(telling[0][0].estimate)
            yield (
                None
                if not alike
                else Finding(
                    "weights",
                    "warning",
                    f"{first.id}, {second.id}",
                    "weights change an estimate",
                    value.middle,
                    value.pair,
                    value.middle,
                    value.pair,
                    0.0,
                    ("weights differ between rows",),
                    f"{first.id} and {second.id} differ in weights alone and print the same "
                    f"numbers, {telling[0][0].estimate} among them.",
                )
            )


def _by_weights_alone(first: Spec, second: Spec) -> bool:
    a, b = first.column, second.column
    if _weight(a) == _weight(b):
        return False
    alike = all(getattr(a, key) == getattr(b, key) for key in _KEYS)
    other = {k: v for k, v in a.labels.items() if not _is_weight(k)} == {
        k: v for k, v in b.labels.items() if not _is_weight(k)
    }
    return alike and other and terms(first) == terms(second) and not rows_differ(first, second)


def _is_weight(label: str) -> bool:
    return "weight" in label.lower()


def _weight(column: Column) -> tuple[str, ...]:
    said = [v.lower() for k, v in column.labels.items() if _is_weight(k)]
    return tuple(sorted({column.row_weights or "", *said} - {"", "no", "none"}))


def _digits(text: str) -> int:
    """Significant digits of a printed number."""
    return len(str(abs(Printed.parse(text).value)).replace(".", "").lstrip("0").split("E")[0])


def _numbers(cell: Cell) -> tuple[str | None, ...]:
    """What a cell prints, without marks and brackets."""
    value = str(Printed.parse(cell.estimate).value)
    se = None if cell.se is None else str(Printed.parse(cell.se).value)
    return value, se, cell.t, cell.p, cell.interval
