"""What stands below an estimate, and the p-values that it allows."""

from __future__ import annotations

import math

from scipy.stats import norm, t

from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import count, estimate, most_coefficients, size_of_t, standard_error
from bayesdid.audit.reference import p_interval
from bayesdid.study.fields import ends
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Cell

FEWEST = 5  # six clusters: what a paper that does not say how it clusters may have


def smallest_dof(study: Study, spec: Spec) -> int:
    """The fewest degrees of freedom a reader would use for a column.

    Clusters minus one where their number is declared; units minus one, or rows minus coefficients
    where these are known and fewer (at least five), where the errors are declared independent or
    robust; else five or units minus one, whichever is less.
    """
    column, units = spec.column, study.file.panel.units
    rows, coefficients = count(column.n), most_coefficients(study, spec)
    if column.clusters is not None:
        return column.clusters - 1
    if column.se_kind in {"iid", "robust"}:
        left = units - 1 if units else 30
        if rows is not None and math.isfinite(coefficients):
            left = min(left, int(rows - coefficients))
        return max(left, FEWEST)
    return max(min(units - 1, FEWEST), 1) if units else FEWEST


def measure(cell: Cell) -> str:
    """What stands below an estimate, as it would be read; the standard error without a name."""
    for name, text in (("t", cell.t), ("p", cell.p), ("interval", cell.interval)):
        if text is not None:
            return f"{name} = {text}"
    return str(cell.se)


def mark(cell: Cell) -> str:
    """The mark of significance: behind the estimate, or behind its standard error."""
    own = Printed.parse(cell.estimate).mark
    return own or (Printed.parse(cell.se).mark if cell.se is not None else "")


def p_of(study: Study, spec: Spec, cell: Cell) -> Bounds | None:
    """Two-sided p-values that a cell allows; None if nothing stands below its estimate.

    Between the normal and the t distribution with :func:`smallest_dof`, over all numbers that
    round to the printed ones. A ratio is tested against 1 on the log scale; its standard error may
    be that of the ratio or of its logarithm. An interval is that of the column's level, estimate
    plus and minus a quantile.
    """
    dof = smallest_dof(study, spec)
    if cell.p is not None:
        p = Bounds.of(cell.p)
        return Bounds(max(p.low, 0.0), min(p.high, 1.0))
    ratio = spec.column.printed_as == "ratio"
    if cell.interval is not None:
        low, high = (Bounds.of(end) for end in ends(cell.interval))
        centre = estimate(cell)
        if ratio:
            low, high, centre = (_log(item) for item in (low, high, centre))
        half = (high - low) * Bounds.exactly(0.5)
        if not 0.0 < half.high < math.inf:
            return Bounds(0.0, 1.0)
        of_halves = abs(centre) / Bounds(max(half.low, 0.0), half.high)
        tail = (1 - (spec.column.interval_level or 0.95)) / 2
        normal = of_halves * Bounds.exactly(float(norm.isf(tail)))
        student = of_halves * Bounds.exactly(float(t.isf(tail, dof)))
        each = (*p_interval(normal, None).pair, *(float(2 * t.sf(x, dof)) for x in student.pair))
        return Bounds(min(each), max(each))
    if ratio and (se := standard_error(cell)) is not None:
        value = estimate(cell)
        if value.low <= 0.0:
            return Bounds(0.0, 1.0)
        of_ratio = abs(_log(value)) * value / se
        of_log = abs(_log(value)) / se
        size = Bounds(min(of_ratio.low, of_log.low), max(of_ratio.high, of_log.high))
        return p_interval(size, dof)
    size_ = size_of_t(cell)
    return None if size_ is None else p_interval(size_, dof)


def sizes(spec: Spec, cell: Cell) -> str:
    """The range of |t| in words, where it follows from the print without further assumptions."""
    size = None if spec.column.printed_as == "ratio" and cell.t is None else size_of_t(cell)
    return "" if size is None else f"|t| between {size.low:.2f} and {size.high:.2f}, "


def _log(value: Bounds) -> Bounds:
    """Logarithms of its positive numbers."""
    low = math.log(value.low) if value.low > 0.0 else -math.inf
    return Bounds(low, math.log(value.high) if value.high > 0.0 else -math.inf)
