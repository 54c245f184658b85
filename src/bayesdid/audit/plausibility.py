"""Effects that are possible but hard to believe. Never a contradiction."""

from __future__ import annotations

from collections.abc import Iterator

from bayesdid.audit.columns import estimate, least_squares, terms
from bayesdid.audit.described import possible
from bayesdid.audit.finding import Finding, Outcome
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import number
from bayesdid.study.schema import Cell
from bayesdid.study.terms import POLICY_KINDS, parse_term

_RATIO = 5.0  # instrumented over least squares


def magnitudes(study: Study) -> Outcome:
    """A 0/1 treatment's effect beyond the outcome's mean plus two standard deviations."""
    outcome = study.file.outcome.column
    rows = {
        row.column: row
        for table in study.tables.values()
        for row in table.moments
        if row.column == outcome and row.sd is not None and possible(table, row)
    }
    if outcome not in rows:
        return
    mean, sd = number(rows[outcome].mean), number(rows[outcome].sd)
    limit = abs(mean) + 2 * sd
    for spec in study.specs.values():
        if spec.column.outcome != outcome or spec.column.printed_as == "ratio":
            continue
        for name, cell in _effects(spec):
            size = abs(estimate(cell))
            yield (
                None
                if size.low <= limit
                else Finding(
                    "magnitudes",
                    "warning",
                    f"{spec.id}:{name}",
                    "effect at most mean plus two standard deviations of the outcome",
                    size.middle,
                    size.pair,
                    limit,
                    (0.0, limit),
                    size.low - limit,
                    ("the effect is in the outcome's units",),
                    f"an effect of {cell.estimate} on an outcome with mean {mean:g} and sd {sd:g}.",
                )
            )


def _effects(spec: Spec) -> Iterator[tuple[str, Cell]]:
    """Cells that are the effect of having a policy: of a spatial model its effects, not beta."""
    column = spec.column
    for name in column.treatments:
        factors = parse_term(name).factors
        if len(factors) > 1 or factors[0].kind not in POLICY_KINDS:
            continue
        cell, impacts = column.coefficients.get(name), column.impacts.get(name)
        if column.family != "sdm" and cell is not None:
            yield name, cell
        for part in ("direct", "indirect", "total") if impacts is not None else ():
            if (found := getattr(impacts, part)) is not None:
                yield f"{name}.{part}", found


def instrumented(study: Study) -> Outcome:
    """An instrumented effect many times the least-squares one: suspect the instrument."""
    for spec in study.specs.values():
        if spec.column.family != "iv_second":
            continue
        for twin in study.specs.values():
            alike = (
                least_squares(twin)
                and twin.column.outcome == spec.column.outcome
                and terms(twin) == terms(spec)
                and twin.column.n == spec.column.n
                and twin.column.labels == spec.column.labels
                and twin.column.outcome_lead == spec.column.outcome_lead
            )
            if not alike:
                continue
            for name in spec.column.treatments:
                both = (spec.column.coefficients.get(name), twin.column.coefficients.get(name))
                if both[0] is None or both[1] is None:
                    continue
                ratio = abs(estimate(both[0])) / abs(estimate(both[1]))
                yield (
                    None
                    if ratio.low <= _RATIO
                    else Finding(
                        "instrumented",
                        "warning",
                        f"{spec.id}, {twin.id}: {name}",
                        f"instrumented effect at most {_RATIO:g} times least squares",
                        ratio.middle,
                        ratio.pair,
                        _RATIO,
                        (0.0, _RATIO),
                        ratio.low - _RATIO,
                        ("the instrument moves the outcome through the treatment alone",),
                        f"{both[0].estimate} is {ratio.middle:.1f} times "
                        f"{both[1].estimate}: omitted variables would have to hide "
                        "most of the effect, or the instrument is not excludable.",
                    )
                )
