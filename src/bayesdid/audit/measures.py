"""Standard error, t, p-value and interval of one cell, where more than one is printed."""

from __future__ import annotations

import math
from collections.abc import Iterator

from scipy.stats import norm, t

from bayesdid.audit.below import FEWEST
from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import (
    cells,
    count,
    estimate,
    most_coefficients,
    size_of_t,
    standard_error,
)
from bayesdid.audit.finding import Finding, Outcome, Severity, compare
from bayesdid.audit.reference import p_interval
from bayesdid.study.fields import ends
from bayesdid.study.load import Spec, Study
from bayesdid.study.schema import Cell

_TWO_SIDED = "the test is two-sided"
_ANALYTIC = "p-values and intervals are those of t, not of a bootstrap or of permutations"
_ONE = "both numbers are of this estimate"


def measures(study: Study) -> Outcome:
    """T = estimate / se; p that of t; the interval estimate plus and minus a quantile of se.

    Between the normal and the t distribution with the fewest degrees of freedom there may be. What
    rests on a distribution is a contradiction only of errors that are declared independent or
    robust: beside clustered ones papers print p-values of a wild bootstrap. An interval that is too
    wide is a warning: it may belong to a band for several estimates. No error is below zero. A
    ratio is near the middle of its interval in logarithms, and intervals of one column are about as
    many standard errors wide.
    """
    signed = {
        spec.table.id
        for spec in study.specs.values()
        for _, cell in cells(spec)
        if cell.t is not None and _is_negative(cell.t)
    }
    for spec in study.specs.values():
        if spec.table.kind != "regression":
            continue
        dof = _fewest(study, spec)
        sure: Severity = "contradiction" if spec.column.se_kind in {"iid", "robust"} else "warning"
        for name, cell in cells(spec):
            place = f"{spec.id}:{name}"
            ratio = spec.column.printed_as == "ratio"
            if cell.se is not None and _is_negative(cell.se):
                yield _below_zero(place, cell.se)
            if cell.t is not None and not ratio:
                if cell.se is not None:
                    yield _t_of_se(place, cell)
                elif spec.table.id in signed:
                    yield _sign_of_t(place, cell)
            size = None if ratio and cell.t is None else size_of_t(cell)
            if cell.p is not None and size is not None:
                yield _p_of_t(place, cell, size, dof, sure)
            if cell.interval is not None:
                yield from _interval(spec, place, cell, size, dof, sure)
        yield from _multiples(spec)


def _fewest(study: Study, spec: Spec) -> int:
    """Degrees of freedom: one, where errors may be clustered in as few as two.

    Of independent and robust errors rows less the most coefficients there may be, at least five.
    """
    n = count(spec.column.n)
    if spec.column.clusters is not None:
        return spec.column.clusters - 1
    if spec.column.se_kind not in {"iid", "robust"}:
        return 1
    return FEWEST if n is None else int(max(n - most_coefficients(study, spec), FEWEST))


def _below_zero(place: str, se: str) -> Finding | None:
    return compare(
        "measures",
        place,
        "a standard error is not below zero",
        Bounds.of(se),
        Bounds(0.0, math.inf),
        severity="contradiction",
        assumptions=("the number is a standard error",),
        text=f'the standard error is printed as {se}; if it is t, say in_parentheses = "t".',
    )


def _t_of_se(place: str, cell: Cell) -> Finding | None:
    se = standard_error(cell)
    if se is None:
        return None
    implied = estimate(cell) / se
    return compare(
        "measures",
        place,
        "t = estimate / standard error",
        Bounds.of(str(cell.t)),
        implied,
        severity="contradiction",
        assumptions=(_ONE, "t tests that the coefficient is zero"),
        text=f"{cell.estimate} / {cell.se} lies between {implied.low:.3g} and {implied.high:.3g}, "
        f"but t is printed as {cell.t}.",
    )


def _is_negative(text: str) -> bool:
    return Bounds.of(text).high < 0.0


def _sign_of_t(place: str, cell: Cell) -> Finding | None:
    """T has the estimate's sign, unless a table prints absolute values alone."""
    t, value = Bounds.of(str(cell.t)), estimate(cell)
    side = Bounds(0.0, math.inf) if value.low >= 0.0 else Bounds(-math.inf, 0.0)
    if value.low < 0.0 < value.high:
        return None
    return compare(
        "measures",
        place,
        "t has the sign of the estimate",
        t,
        side,
        severity="contradiction",
        assumptions=(_ONE, "t tests that the coefficient is zero"),
        text=f"t is printed as {cell.t} below an estimate of {cell.estimate}.",
    )


def _p_of_t(place: str, cell: Cell, size: Bounds, dof: int, sure: Severity) -> Finding | None:
    allowed = p_interval(size, dof)
    p = Bounds.of(str(cell.p))
    return compare(
        "measures",
        place,
        "p-value = that of t",
        Bounds(max(p.low, 0.0), min(p.high, 1.0)),
        allowed,
        severity=sure,
        assumptions=(_ONE, _TWO_SIDED, _ANALYTIC),
        text=f"|t| between {size.low:.2f} and {size.high:.2f} has p between {allowed.low:.2g} and "
        f"{allowed.high:.2g}, but p is printed as {cell.p}.",
    )


def _interval(
    spec: Spec, place: str, cell: Cell, size: Bounds | None, dof: int, sure: Severity
) -> Iterator[Finding | None]:
    low, high = (Bounds.of(end) for end in ends(str(cell.interval)))
    centre = estimate(cell)
    yield compare(
        "measures",
        place,
        "the interval contains its estimate",
        centre,
        Bounds(low.low, high.high),
        severity="contradiction",
        assumptions=(_ONE,),
        text=f"the estimate {cell.estimate} lies outside of its interval {cell.interval}.",
    )
    ratio, level = spec.column.printed_as == "ratio", spec.column.interval_level or 0.95
    if not ratio:
        middle = (low + high) * Bounds.exactly(0.5)
        yield compare(
            "measures",
            place,
            "the estimate is the middle of its interval",
            centre,
            middle,
            severity="warning",
            assumptions=(_ANALYTIC,),
            text=f"the middle of {cell.interval} lies between {middle.low:.4g} and "
            f"{middle.high:.4g}, but the estimate is {cell.estimate}.",
        )
    elif min(low.low, centre.low) > 0.0:
        yield _middle_of_ratio(place, cell, low, high)
    if size is not None and not ratio and (cell.se is not None or size.low > 0.0):
        tail = (1 - level) / 2
        se = Bounds.of(cell.se) if cell.se is not None else abs(centre) / size
        se = Bounds(max(se.low, 0.0), se.high)
        most = se * Bounds(float(norm.isf(tail)), float(t.isf(tail, dof)))
        half = (high - low) * Bounds.exactly(0.5)
        yield compare(
            "measures",
            place,
            "half of the interval = quantile x standard error",
            half,
            most,
            severity=sure if half.high < most.low else "warning",  # a wider one may be a band
            assumptions=(_ONE, _ANALYTIC, f"the interval is one of {level:.0%}, for it alone"),
            text=f"the standard error makes half of a {level:.0%} interval {most.low:.3g} to "
            f"{most.high:.3g}, but {cell.interval} has {half.middle:.3g} to either side.",
        )
    if cell.p is not None:
        yield _p_of_interval(place, cell, low, high, 1.0 if ratio else 0.0, level, sure)


_OFF = 0.25  # of half an interval: profile likelihood and exact ones are not quite symmetric


def _middle_of_ratio(place: str, cell: Cell, low: Bounds, high: Bounds) -> Finding | None:
    """A ratio is near the middle of its interval in logarithms, whatever made the interval."""
    ends_of = Bounds(math.log(low.low), math.log(high.high))
    middle = (_log(low) + _log(high)) * Bounds.exactly(0.5)
    slack = _OFF * (ends_of.high - ends_of.low) / 2
    near = Bounds(math.exp(middle.low - slack), math.exp(middle.high + slack))
    return compare(
        "measures",
        place,
        "a ratio is near the middle of its interval in logarithms",
        estimate(cell),
        near,
        severity="warning",
        assumptions=(_ONE, "the interval is about as wide to either side in logarithms"),
        text=f"the middle of {cell.interval} in logarithms is {math.exp(middle.middle):.3g}, but "
        f"the ratio is {cell.estimate}.",
    )


def _log(value: Bounds) -> Bounds:
    return Bounds(math.log(value.low), math.log(value.high))


_USUAL = Bounds(1.5, 2.9)  # standard errors in half a 95 % interval, of four degrees of freedom on
_FEW = 3  # cells of a column whose intervals are of a usual width


def _multiples(spec: Spec) -> Iterator[Finding | None]:
    """Intervals of one column are about as many standard errors wide: of the same distribution.

    Degrees of freedom may differ between coefficients, but where those of most are usual an
    interval of half or twice that width has another error, or another end.
    """
    if spec.column.printed_as == "ratio":
        return
    found: dict[str, tuple[Cell, Bounds]] = {}
    for name, cell in cells(spec):
        se = None if cell.interval is None else standard_error(cell)
        if se is not None and se.low > 0.0:
            low, high = (Bounds.of(end) for end in ends(str(cell.interval)))
            found[name] = (cell, (high - low) * Bounds.exactly(0.5) / se)
    usual = [name for name, (_, many) in found.items() if not many.distance(_USUAL)]
    if len(usual) < _FEW or 2 * len(usual) <= len(found):
        return
    for name, (cell, many) in found.items():
        yield compare(
            "measures",
            f"{spec.id}:{name}",
            "intervals of a column are about as many standard errors wide",
            many,
            Bounds(_USUAL.low / 2, _USUAL.high * 1.5),
            severity="warning",
            assumptions=(_ONE, "errors and intervals of a column are made in one way"),
            text=f"{cell.interval} is {many.middle:.2g} standard errors ({cell.se}) to either "
            "side, those of the other estimates of this column about two.",
        )


def _p_of_interval(
    place: str, cell: Cell, low: Bounds, high: Bounds, null: float, level: float, sure: Severity
) -> Finding | None:
    """The interval leaves the null value out if and only if p is below one minus its level."""
    outside = low.low > null or high.high < null
    inside = low.high < null < high.low
    p = Bounds.of(str(cell.p))
    limit = Bounds(0.0, 1 - level) if outside else Bounds(1 - level, 1.0)
    if not (outside or inside):
        return None
    return compare(
        "measures",
        place,
        "p-value below one minus the level where the interval leaves the null value out",
        p,
        limit,
        severity=sure if outside else "warning",
        assumptions=(_ONE, _TWO_SIDED, _ANALYTIC, f"the interval is one of {level:.0%}"),
        text=f"the interval {cell.interval} {'leaves out' if outside else 'holds'} {null:g}, but "
        f"p is printed as {cell.p}.",
    )
