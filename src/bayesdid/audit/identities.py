"""Identities of least squares between columns, and of spatial effects within one."""

from __future__ import annotations

from collections.abc import Iterator

from bayesdid.audit.bounds import Bounds
from bayesdid.audit.columns import (
    estimate,
    least_squares,
    rows_differ,
    same_model,
    same_rows,
    terms,
)
from bayesdid.audit.finding import Finding, Outcome, Severity, compare
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Cell

_FWL = (
    "all three columns are least squares on the same rows with the same effects and covariates",
    "the signs are printed as estimated",
)


def omitted_variable(study: Study) -> Outcome:
    """Short = long + coefficient of M x regression of M on the same regressors.

    The omitted-variable formula, exact for least squares on one sample: for every regressor that
    the three columns print, and for the constant.
    """
    for short, long, auxiliary, mediator in triples(study):
        effect = long.column.coefficients[mediator]
        rows = [
            (name, cell, long.column.coefficients[name], auxiliary.column.coefficients[name])
            for name, cell in short.column.coefficients.items()
            if name in long.column.coefficients and name in auxiliary.column.coefficients
        ]
        hint = _mended(rows, effect, mediator, long.id)
        for name, cell, beside, path in rows:
            right = estimate(beside) + estimate(effect) * estimate(path)
            yield compare(
                "omitted_variable",
                f"{short.id}, {long.id}, {auxiliary.id}: {name}",
                f"{name} without {mediator} = with it + ({mediator}) x ({name} on {mediator})",
                estimate(cell),
                right,
                severity="contradiction",
                assumptions=_FWL,
                text=f"{beside.estimate} + ({effect.estimate}) x ({path.estimate}) gives "
                f"{right.middle:.3f}, but {short.id} prints {cell.estimate}.{hint}",
            )


def _mended(
    rows: list[tuple[str, Cell, Cell, Cell]], effect: Cell, mediator: str, place: str
) -> str:
    """Whether one sign, changed, would make all rows hold: the likeliest misprint."""
    minus = Bounds.exactly(-1.0)
    flipped = [
        estimate(cell).distance(estimate(beside) + minus * estimate(effect) * estimate(path))
        for _, cell, beside, path in rows
    ]
    if rows and not any(flipped):
        return f" With the sign of {mediator} in {place} changed, all rows of the identity hold."
    return ""


def triples(study: Study) -> Iterator[tuple[Spec, Spec, Spec, str]]:
    """(without M, with M, M on the same regressors, M) on one sample."""
    specs = [s for s in study.specs.values() if least_squares(s)]
    own = {spec.id: terms(spec) for spec in specs}
    for short in specs:
        for long in specs:
            extra = own[long.id] - own[short.id]
            if len(extra) != 1 or own[short.id] - own[long.id] or not same_model(short, long):
                continue
            (mediator,) = extra
            if (
                short.column.outcome != long.column.outcome
                or mediator not in long.column.coefficients
                or not same_rows(study, short, long)
            ):
                continue
            for auxiliary in specs:
                if (
                    auxiliary.column.outcome == mediator
                    and own[auxiliary.id] == own[short.id]
                    and same_model(short, auxiliary)
                    and same_rows(study, short, auxiliary)
                ):
                    yield short, long, auxiliary, mediator


def repeated(study: Study) -> Outcome:
    """Columns declared alike on the same rows should print the same numbers.

    A warning: columns may differ in something that the declaration does not hold.
    """
    specs = [s for s in study.specs.values() if least_squares(s)]
    for i, first in enumerate(specs):
        for second in specs[i + 1 :]:
            alike = (
                first.column.outcome == second.column.outcome
                and terms(first) == terms(second)
                and first.column.sample == second.column.sample
                and first.column.n == second.column.n
                and first.column.n is not None
                and not rows_differ(first, second)
                and same_model(first, second)
            )
            if not alike:
                continue
            for name, cell in first.column.coefficients.items():
                twin = second.column.coefficients.get(name)
                if twin is not None:
                    yield compare(
                        "repeated",
                        f"{first.id}, {second.id}: {name}",
                        "one regression, printed twice",
                        estimate(cell),
                        estimate(twin),
                        severity="warning",
                        assumptions=("both columns are one regression",),
                        text=f"{first.id} prints {cell.estimate}, {second.id} {twin.estimate}.",
                    )


def spatial_effects(study: Study) -> Outcome:
    """Direct + indirect = total; and total = (beta + theta) / (1 - rho) if rows of W sum to 1.

    The second relation holds for a point estimate. Programs often print averages over draws,
    which differ by the curvature of 1 / (1 - rho) and by Monte Carlo error; an allowance is made
    for both. Without a statement about W a miss is a warning.
    """
    for spec in study.specs.values():
        column = spec.column
        rho = column.scalars.get("rho")
        for name, impacts in column.impacts.items():
            if impacts.direct and impacts.indirect and impacts.total:
                left = estimate(impacts.direct) + estimate(impacts.indirect)
                yield compare(
                    "spatial_effects",
                    f"{spec.id}:{name}",
                    "direct + indirect = total",
                    left,
                    estimate(impacts.total),
                    severity="contradiction",
                    assumptions=("the three are of one model and one set of draws",),
                    text=f"{impacts.direct.estimate} + {impacts.indirect.estimate} is not "
                    f"{impacts.total.estimate}.",
                )
            beta, theta = column.coefficients.get(name), column.spatial_lags.get(name)
            if rho is not None and impacts.total is not None and beta is not None:
                yield _multiplier(spec, name, rho, beta, theta, impacts.total)


def _multiplier(
    spec: Spec, name: str, rho: Cell, beta: Cell, theta: Cell | None, total: Cell
) -> Finding | None:
    numerator = estimate(beta) + (estimate(theta) if theta else Bounds.exactly(0.0))
    rest = Bounds.exactly(1.0) - estimate(rho)
    if rest.low <= 0:
        return None
    point = numerator / rest
    rho_se = float(Printed.parse(rho.se)) if rho.se else 0.0
    total_se = float(Printed.parse(total.se)) if total.se else 0.0
    bend = 3.0 * (rho_se / rest.middle) ** 2  # E[1/(1-rho)] is larger by (se / (1-rho))^2
    allowed = abs(point).high * bend + 3.0 * total_se / 100**0.5  # of at least 100 draws
    stated: Severity = "contradiction" if spec.column.row_normalised else "warning"
    if spec.column.row_normalised is False:
        return None
    return compare(
        "spatial_effects",
        f"{spec.id}:{name}",
        "total = (beta + theta) / (1 - rho)",
        estimate(total),
        point.widen(allowed),
        severity=stated,
        assumptions=("the rows of W sum to one", "the effects are those of this model"),
        text=f"(beta + theta) / (1 - rho) = {point.middle:.2f}, but the total effect is printed "
        f"as {total.estimate}: W is not row-normalised, or the effects are of another model.",
    )
