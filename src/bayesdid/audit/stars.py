"""Stars against |estimate / standard error|, and test statistics against their stars."""

from __future__ import annotations

from bayesdid.audit.below import mark, measure, p_of, sizes
from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import cells
from bayesdid.audit.finding import Finding, Outcome, Severity
from bayesdid.audit.reference import p_value
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed

_ASSUMPTIONS = (
    "the printed standard error is the one behind the stars",
    "the test is two-sided",
    "the table follows its star legend",
)


def stars(study: Study) -> Outcome:
    """Stars claim p < level: compared with the p-values that rounding allows.

    Too many stars are a contradiction if even the normal distribution and the most favourable
    rounding give p above the level. Too few are a warning, judged by the t distribution with the
    fewest degrees of freedom that the column may have and the least favourable rounding. A table
    without a mark says nothing about significance, one that marks no constant nothing about those.
    """
    for spec in study.specs.values():
        if spec.table.kind != "regression" or not spec.table.stars:
            continue
        for name, cell in cells(spec):
            if name == "constant" and not mark(cell) and not _stars_constants(spec):
                continue
            p = p_of(study, spec, cell)
            if p is None:
                continue
            what = f"{cell.estimate} ({measure(cell)}): {sizes(spec, cell)}"
            yield _judge(spec, "stars", f"{spec.id}:{name}", mark(cell), p, what)


def _stars_constants(spec: Spec) -> bool:
    """Whether a table marks any constant; many mark none, whatever their size."""
    constants = [column.coefficients.get("constant") for column in spec.table.column]
    return any(cell is not None and mark(cell) for cell in constants)


def statistics(study: Study) -> Outcome:
    """Stars of test statistics against their reference distribution."""
    for spec in study.specs.values():
        for statistic in spec.column.statistic:
            printed = Printed.parse(statistic.value)
            if statistic.reference is None or not printed.mark:
                continue
            low, high = printed.interval
            ends = (p_value(high, statistic.reference), p_value(low, statistic.reference))
            if ends[0] is None or ends[1] is None:
                continue
            yield _judge(
                spec,
                "statistics",
                f"{spec.id}:{statistic.name}",
                printed.mark,
                Bounds(min(ends[0], ends[1]), max(ends[0], ends[1])),
                f"{statistic.label or statistic.name} {statistic.value} under "
                f"{statistic.reference}, ",
            )


def _judge(spec: Spec, rule: str, place: str, printed: str, p: Bounds, what: str) -> Finding | None:
    legend = spec.table.stars or {}
    level = legend.get(printed, 1.0)
    levels = sorted(legend.values())
    deserved = [value for value in levels if p.high < value]
    severity: Severity
    if printed and p.low > level:
        severity, side = "contradiction", "more"
        limit = Bounds(0.0, level)
    elif deserved and deserved[0] < level:
        severity, side = "warning", "fewer"
        limit = Bounds(deserved[0], level)
    else:
        return None
    shown = printed or "no stars"
    return Finding(
        rule,
        severity,
        place,
        "p-value of the printed numbers against the level of the stars",
        p.middle,
        p.pair,
        limit.middle,
        limit.pair,
        p.distance(limit) or abs(p.high - limit.low),
        _ASSUMPTIONS,
        f"{what}p between {p.low:.2g} and {p.high:.2g}, but {shown}: {side} than the numbers "
        "deserve.",
    )
