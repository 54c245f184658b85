"""Standard errors, R2 and constants against what least squares allows."""

from __future__ import annotations

import math

from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import (
    count,
    estimate,
    least_squares,
    rows_differ,
    same_model,
    same_rows,
    size_of_t,
    terms,
)
from bayesdid.audit.described import moments_for
from bayesdid.audit.finding import Finding, Outcome, compare
from bayesdid.study.load import Spec, Study
from bayesdid.study.schema import Moments


def constants(study: Study) -> Outcome:
    """A within regression passes through the grand means: constant = mean(y) - sum b mean(x)."""
    for spec in study.specs.values():
        column, moments = spec.column, moments_for(study, spec)
        constant, regressors = column.coefficients.get("constant"), terms(spec)
        if constant is None or not least_squares(spec) or column.outcome not in moments:
            continue
        if not regressors <= set(moments) or not regressors <= set(column.coefficients):
            continue
        right = Bounds.of(moments[column.outcome].mean)
        for name in regressors:
            right = right - estimate(column.coefficients[name]) * Bounds.of(moments[name].mean)
        yield compare(
            "constants",
            f"{spec.id}:constant",
            "constant = mean(y) - sum of b x mean(x)",
            estimate(constant),
            right,
            severity="warning",
            assumptions=(
                "the constant is that of a within regression (xtreg, areg), not of a "
                "reference unit and period",
                "the means are of these rows",
            ),
            text=f"the means imply a constant between {right.low:.3f} and {right.high:.3f}, "
            f"printed is {constant.estimate}.",
        )


def r_squared(study: Study) -> Outcome:
    """0 <= R2 <= 1 (an adjusted one may be negative); more regressors cannot lower it.

    On the same rows, and of one kind. Of a column and the next one with one n, where nothing says
    whether their rows are the same: a warning.
    """
    specs = [s for s in study.specs.values() if s.column.r2 is not None]
    for spec in specs:
        r2, column = Bounds.of(str(spec.column.r2)), spec.column
        # an adjusted R2, and that of an instrumented regression, may be below zero
        may = column.r2_kind in {"unknown", "adjusted"} or not least_squares(spec)
        yield compare(
            "r_squared",
            f"{spec.id}:r2",
            "R2 lies between 0 and 1",
            r2,
            Bounds(-math.inf if may else 0.0, 1.0),
            severity="contradiction",
            assumptions=() if may else ("it is not an adjusted one",),
            text=f"R2 = {spec.column.r2}.",
        )
    specs = [s for s in specs if Bounds.of(str(s.column.r2)).low <= 1.0]  # others are wrong by now
    own = {spec.id: terms(spec) for spec in specs}
    for small in specs:
        for large in specs:
            nested = (
                small.column.outcome == large.column.outcome
                and own[small.id] < own[large.id]
                and least_squares(small)
                and small.column.r2_kind == large.column.r2_kind
                and same_model(small, large)
            )
            declared = nested and same_rows(study, small, large)
            if not nested or not (declared or _as_many_rows(small, large)):
                continue
            low, high = Bounds.of(str(small.column.r2)), Bounds.of(str(large.column.r2))
            added = len(own[large.id]) - len(own[small.id])
            n = count(large.column.n) or 1_000
            dummies = (study.file.panel.units or 0) + 50
            # an adjusted R2 may fall by at most this much
            allowed = added * (1 - low.low) / max(n - dummies, 10)
            falls = Bounds(low.low - allowed, 1.0)
            yield compare(
                "r_squared",
                f"{small.id}, {large.id}: r2",
                "R2 does not fall as regressors are added",
                high,
                falls,
                severity="contradiction" if declared else "warning",
                assumptions=(
                    "both columns are fitted on the same rows",
                    "both R2 are of one kind (overall or within)",
                ),
                text=f"{large.id} adds regressors to {small.id}, but R2 falls from "
                f"{small.column.r2} to {large.column.r2}.",
            )


def doubtful_r_squared(study: Study) -> frozenset[str]:
    """Columns whose R2 is impossible, or does not go with another column's: one of both is wrong.

    What R2 says of their other numbers is then no evidence against these.
    """
    named = (item.place.rpartition(":")[0] for item in r_squared(study) if item is not None)
    return frozenset(name.strip() for place in named for name in place.split(","))


def _as_many_rows(left: Spec, right: Spec) -> bool:
    """Whether a column and the next one print one n, one heading and one sample."""
    places = [column.id for column in left.table.column]
    return (
        left.table.id == right.table.id
        and places.index(right.column.id) == places.index(left.column.id) + 1
        and left.column.n is not None
        and left.column.n == right.column.n
        and (left.column.label, left.column.sample) == (right.column.label, right.column.sample)
        and not rows_differ(left, right)
    )


def standard_errors(study: Study) -> Outcome:
    """The i.i.d. standard error is at least sd(y) sqrt(1 - R2) / (sd(x) sqrt(n)).

    Taking out effects and other regressors can only lower the variance of x that is left. Only of
    errors that are declared independent, for others can be lower. A within R2 is another number,
    and with effects R2 may be one unless it is declared. Of an adjusted R2 the relation holds too.
    """
    doubtful = doubtful_r_squared(study)
    for spec in study.specs.values():
        column, moments = spec.column, moments_for(study, spec)
        n, y = count(column.n), moments.get(column.outcome)
        effects = "fixed" in {column.unit_effects, column.period_effects}
        unclear = column.r2_kind == "within" or (column.r2_kind == "unknown" and effects)
        other = not least_squares(spec) or column.se_kind != "iid" or unclear
        if other or column.r2 is None or n is None or y is None or spec.id in doubtful:
            continue
        for name, cell in column.coefficients.items():
            x = moments.get(name)
            if cell.se is None or x is None or x.sd is None or y.sd is None:
                continue
            bound = _pooled_se(y, x, Bounds.of(column.r2), n)
            se = Bounds.of(cell.se)
            if se.high >= bound.low:
                yield None
                continue
            yield Finding(
                "standard_errors",
                "warning" if column.r2_kind == "unknown" else "contradiction",
                f"{spec.id}:{name}",
                "standard error at least sd(y) sqrt(1 - R2) / (sd(x) sqrt(n))",
                se.middle,
                se.pair,
                bound.middle,
                (bound.low, math.inf),
                bound.low - se.high,
                (
                    "errors are i.i.d.",
                    "R2 is the overall one",
                    "the descriptive table describes these rows",
                ),
                f"the standard error of {name} is {cell.se}, below {bound.low:.4f}, the least that "
                "the residual variance allows.",
            )


def pooled(study: Study) -> Outcome:
    """A column declared with fixed effects whose numbers are those of pooled least squares.

    With one regressor and no effects, R2 = t2 / (t2 + n - 2) and the standard error follows from
    the two standard deviations. With fixed effects neither holds but by coincidence.
    """
    for spec in study.specs.values():
        column, moments = spec.column, moments_for(study, spec)
        n, regressors = count(column.n), terms(spec)
        fixed = column.family == "twfe" and "fixed" in {column.unit_effects, column.period_effects}
        if not fixed or len(regressors) != 1 or n is None or column.r2 is None:
            continue
        (name,) = regressors
        cell, x, y = column.coefficients.get(name), moments.get(name), moments.get(column.outcome)
        size = size_of_t(cell) if cell is not None else None
        if cell is None or size is None or x is None or y is None or x.sd is None or y.sd is None:
            continue
        if cell.se is None:  # a t statistic alone does not tell the scale
            continue
        r2 = Bounds.of(column.r2)
        square = size.square()
        implied = Bounds(square.low / (square.low + n - 2), square.high / (square.high + n - 2))
        se = _pooled_se(y, x, r2, n - 2)
        matches = r2.distance(implied) == 0.0 and Bounds.of(cell.se).distance(se) == 0.0
        yield (
            None
            if not matches
            else Finding(
                "pooled",
                "warning",
                f"{spec.id}:{name}",
                "R2 and standard error of pooled least squares under fixed effects",
                r2.middle,
                r2.pair,
                implied.middle,
                implied.pair,
                0.0,
                ("the column has the fixed effects it is said to have",),
                f"R2 = {column.r2} and the standard error {cell.se} of {name} are exactly those of "
                "a pooled regression without unit and period effects "
                f"(R2 {implied.middle:.4f}, standard error {se.middle:.4f}).",
            )
        )


def _pooled_se(y: Moments, x: Moments, r2: Bounds, n: int) -> Bounds:
    """sd(y) sqrt(1 - R2) / (sd(x) sqrt(n)); exact for one regressor with n - 2 for n."""
    left = (Bounds.exactly(1.0) - r2).sqrt() * Bounds.of(str(y.sd))
    return left / (Bounds.of(str(x.sd)) * Bounds.exactly(math.sqrt(n)))
