"""R2, t and standard errors of independent errors: what least squares makes of one another.

All of these are exact for least squares with the classical covariance. Of a column with effects the
number of coefficients k is known up to the effects, so that relations hold between bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import (
    count,
    is_statistic,
    least_squares,
    most_coefficients,
    same_model,
    same_rows,
    size_of_t,
    terms,
)
from bayesdid.audit.finding import Finding, Outcome, Severity, compare
from bayesdid.audit.spread import doubtful_r_squared
from bayesdid.study.load import Spec, Study

_IID = "errors are independent and the standard errors classical"
_ROWS = "both columns are fitted on the same rows"
_KIND = "R2 is the overall or the within one"
_ONE = Bounds.exactly(1.0)


def _classical(study: Study) -> list[Spec]:
    """Columns with classical errors and an R2 that nothing speaks against."""
    found = [
        spec
        for spec in study.specs.values()
        if least_squares(spec)
        and spec.column.se_kind == "iid"
        and spec.column.r2 is not None
        and count(spec.column.n) is not None
    ]
    doubtful = doubtful_r_squared(study) if found else frozenset()
    return [spec for spec in found if spec.id not in doubtful]


def _declared(spec: Spec) -> Severity:
    return "contradiction" if spec.column.r2_kind in {"overall", "within"} else "warning"


def t_and_r_squared(study: Study) -> Outcome:
    """t^2 of any regressor is at most (n - k) R2 / (1 - R2).

    Leaving it out lowers R2 by t^2 (1 - R2) / (n - k), and to no less than zero. Of an adjusted R2
    the same is at most (n - 1) / (1 - R2) - (n - k).
    """
    for spec in _classical(study):
        column, n = spec.column, count(spec.column.n) or 0
        r2 = min(Bounds.of(str(column.r2)).high, 1.0)
        fewest = len(terms(spec)) + 1
        most = (n - fewest) * r2 / (1 - r2) if r2 < 1 else math.inf
        if column.r2_kind not in {"overall", "within"}:
            k = most_coefficients(study, spec)
            most = max(most, (n - 1) / (1 - r2) - n + k if r2 < 1 else math.inf)
        for name, cell in column.coefficients.items():
            size = size_of_t(cell)
            if size is None or name == "constant" or name not in terms(spec):
                continue
            yield compare(
                "t_and_r_squared",
                f"{spec.id}:{name}",
                "t squared at most (n - k) R2 / (1 - R2)",
                size.square(),
                Bounds(0.0, most),
                severity=_declared(spec),
                assumptions=(_IID, _KIND),
                text=f"t of {name} is at least {size.low:.2f}, but an R2 of {column.r2} with "
                f"{n} rows allows {math.sqrt(max(most, 0.0)):.2f} at most.",
            )


def added_regressor(study: Study) -> Outcome:
    """The t^2 of a regressor that one column adds to another is (n - k) times dR2 / (1 - R2)."""
    for small, large in _nested(study):
        added = terms(large) - terms(small)
        if len(added) != 1:
            continue
        (name,) = added
        cell = large.column.coefficients.get(name)
        size = size_of_t(cell) if cell is not None else None
        if cell is None or size is None:
            continue
        n, low, high = count(large.column.n) or 0, _r2(small), _r2(large)
        dof = Bounds(max(n - most_coefficients(study, large), 0.0), n - len(terms(large)) - 1)
        if low.low >= 1 or high.high >= 1 or dof.high <= 0:
            continue
        gain = Bounds(
            (high.low - low.high) / (1 - high.low), (high.high - low.low) / (1 - high.high)
        )
        right = dof * Bounds(max(gain.low, 0.0), max(gain.high, 0.0))
        if large.column.r2_kind not in {"overall", "within"}:
            right = _union(right, _adjusted(low, high, dof))
        yield compare(
            "added_regressor",
            f"{small.id}, {large.id}: {name}",
            "t squared = (n - k) x gain of R2 / (1 - R2)",
            size.square(),
            right,
            severity=_declared(large),
            assumptions=(_ROWS, _IID, _KIND),
            text=f"{large.id} adds {name} to {small.id} and R2 goes from {small.column.r2} to "
            f"{large.column.r2}: |t| lies between {math.sqrt(right.low):.2f} and "
            f"{math.sqrt(right.high):.2f}, printed are {cell.estimate} ({cell.se or cell.t}).",
        )


def _adjusted(low: Bounds, high: Bounds, dof: Bounds) -> Bounds:
    """Of adjusted R2: t^2 = (dof + 1) (1 - low) / (1 - high) - dof."""
    ratio = Bounds((1 - low.high) / (1 - high.low), (1 - low.low) / (1 - high.high))
    values = [(d + 1) * r - d for d in dof.pair for r in ratio.pair]
    return Bounds(max(min(values), 0.0), max(*values, 0.0))


def _union(left: Bounds, right: Bounds) -> Bounds:
    return Bounds(min(left.low, right.low), max(left.high, right.high))


def nested_errors(study: Study) -> Outcome:
    """(se of the longer / se of the shorter)^2 is at least (1 - R2) / (1 - R2 of the shorter).

    More regressors leave less variation of each, and standard errors are residual variance over it.
    Holds of any one kind of R2.
    """
    for small, large in _nested(study):
        low, high = _r2(small), _r2(large)
        if low.low >= 1 or high.low >= 1:
            continue
        least = (_ONE - high) / (_ONE - low)
        for name, cell in small.column.coefficients.items():
            other = large.column.coefficients.get(name)
            if other is None or cell.se is None or other.se is None or name not in terms(small):
                continue
            before, after = Bounds.of(cell.se), Bounds.of(other.se)
            if before.low <= 0 or after.low <= 0:
                continue
            ratio = (after / before).square()
            yield compare(
                "nested_errors",
                f"{small.id}, {large.id}: {name}",
                "ratio of squared standard errors at least that of 1 - R2",
                ratio,
                Bounds(max(least.low, 0.0), math.inf),
                severity=_declared(large),
                assumptions=(_ROWS, _IID, "both R2 are of one kind"),
                text=f"the standard error of {name} goes from {cell.se} to {other.se} as "
                f"regressors are added, but R2 of {small.column.r2} and {large.column.r2} let it "
                f"be {math.sqrt(max(least.low, 0.0)):.2f} times the first at the least.",
            )


def _r2(spec: Spec) -> Bounds:
    return Bounds.of(str(spec.column.r2))


def _nested(study: Study) -> Iterator[tuple[Spec, Spec]]:
    """Pairs of classical columns on the same rows, the first with fewer of the same regressors."""
    found = _classical(study)
    for small in found:
        for large in found:
            if (
                small.column.outcome == large.column.outcome
                and terms(small) < terms(large)
                and small.column.r2_kind == large.column.r2_kind
                and same_model(small, large)
                and same_rows(study, small, large)
            ):
                yield small, large


def kinds_of_r_squared(study: Study) -> Outcome:
    """Of one column: adjusted R2 = 1 - (1 - R2)(n - 1)/(n - k); the within one is not larger.

    `k` is at least the regressors and a constant. A within R2 above the overall one is a warning:
    some programs call the squared correlation without the effects overall.
    """
    for spec in study.specs.values():
        column, n = spec.column, count(spec.column.n)
        if column.r2 is None or n is None or column.r2_kind != "overall":
            continue
        r2, k = Bounds.of(column.r2), len(terms(spec)) + 1
        for statistic in column.statistic:
            other = Bounds.of(statistic.value)
            place = f"{spec.id}:{statistic.name}"
            if is_statistic(statistic, "adjusted") and n > k:
                most = 1 - (1 - r2.high) * (n - 1) / (n - k)
                yield _kinds(place, "adjusted", other, most, "contradiction", column.r2)
            elif is_statistic(statistic, "within"):
                yield _kinds(place, "within", other, r2.high, "warning", column.r2)


def _kinds(
    place: str, word: str, other: Bounds, most: float, severity: Severity, r2: str
) -> Finding | None:
    return compare(
        "kinds_of_r_squared",
        place,
        f"{word} R2 at most what the overall one allows",
        other,
        Bounds(-math.inf, most),
        severity=severity,
        assumptions=("both are of one regression", "the overall R2 counts the effects"),
        text=f"an overall R2 of {r2} allows {'an' if word[0] == 'a' else 'a'} {word} one of "
        f"{most:.4f} at most, printed is {other.middle:g}.",
    )
