"""The scale of every sought column, from what is printed: moments, standard errors, R2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from bayesdid.reconstruct.regression import Regression
from bayesdid.reconstruct.shape import Shape
from bayesdid.reconstruct.targets import bounds_of
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Moments

_WITHIN = 0.4  # of a standard deviation, where nothing is printed that tells


def shapes_of(
    study: Study,
    specs: Iterable[Spec],
    regressions: Mapping[str, Regression],
    sought: Iterable[str],
    left_out: Iterable[str] = (),
) -> dict[str, Shape]:
    """Shape of each sought column.

    How much of a regressor lies within units follows from its standard errors: se = sigma /
    (within sd x root n). Of an outcome it is what R2 leaves.

    Parameters
    ----------
    specs
        Columns that may be used.
    left_out
        Descriptive tables that may not.
    """
    specs, unused = list(specs), set(left_out)
    rows = {
        row.column: row
        for table in study.tables.values()
        if table.id not in unused
        for row in table.moments
    }
    found: dict[str, Shape] = {}
    for name in sought:
        own = [spec for spec in specs if spec.column.outcome == name]
        beside = [spec for spec in specs if name in spec.column.coefficients and spec not in own]
        within = _residual(own, rows.get(name)) if own else None
        if within is None:
            within = _from_errors(name, beside, regressions, rows)
        found[name] = _shape(rows.get(name), within, own, regressions)
    return found


def _shape(
    row: Moments | None,
    within: float | None,
    own: list[Spec],
    regressions: Mapping[str, Regression],
) -> Shape:
    if row is not None and row.sd is not None:
        mean, sd = float(Printed.parse(row.mean)), float(Printed.parse(row.sd))
        low, high = bounds_of(row)
        within = _WITHIN * sd if within is None else min(within, 0.97 * sd)
        return Shape(mean, sd, low, high, within)
    mean = 0.0 if row is None else float(Printed.parse(row.mean))
    low, high = (-np.inf, np.inf) if row is None else bounds_of(row)
    if own:
        sigma, share = _from_treatment(own[0], regressions[own[0].id])
        cell = own[0].column.coefficients.get("constant")
        if row is None and cell is not None:
            mean = float(Printed.parse(cell.estimate))
        return Shape(mean, sigma / np.sqrt(1 - share), low, high, sigma)
    within = 1.0 if within is None else within
    if row is None:  # a level is not printed: any will do, and counts are above zero
        return Shape(2 * within / _WITHIN, within / _WITHIN, 0.0, high, within)
    return Shape(mean, within / _WITHIN, low, high, within)


def _residual(own: list[Spec], row: Moments | None) -> float | None:
    """Standard deviation that the effects and regressors of a column leave of its outcome."""
    if row is None or row.sd is None:
        return None
    shares = [
        (float(Printed.parse(spec.column.n or "0")), float(Printed.parse(spec.column.r2)))
        for spec in own
        if spec.column.r2 is not None and spec.column.unit_effects == "fixed"
    ]
    if not shares:
        return None
    _, high = max(shares)  # the best fit on the most rows: the others are fits of parts
    return float(Printed.parse(row.sd)) * np.sqrt(max(1 - high, 1e-4))


def _from_errors(
    name: str, specs: list[Spec], regressions: Mapping[str, Regression], rows: Mapping[str, Moments]
) -> float | None:
    """The within sd nearest to the intervals that the printed standard errors imply."""
    low, high = [], []
    for spec in specs:
        column, cell = spec.column, spec.column.coefficients[name]
        outcome, regression = rows.get(column.outcome), regressions[spec.id]
        n = len(regression.unit_index)
        if cell.se is None or regression.instrument is not None:
            continue
        if regression.outcome.column is None:  # it is given: a treatment, in a first stage
            sigma = float(np.sqrt((regression.within(regression.outcome.fixed) ** 2).sum() / n))
        elif outcome is None or outcome.sd is None or column.r2 is None:
            continue
        else:
            sigma = float(Printed.parse(outcome.sd)) * np.sqrt(1 - float(Printed.parse(column.r2)))
        sigma *= np.sqrt(n / regression.df)
        small, large = Printed.parse(cell.se).interval
        low.append(sigma / (large * np.sqrt(n)))
        high.append(sigma / (max(small, 0.05 * large) * np.sqrt(n)))
    if not low:
        return None
    grid = np.geomspace(min(low), max(high), 400)
    excess = sum(
        np.maximum(np.log(a / grid), 0) ** 2 + np.maximum(np.log(grid / b), 0) ** 2
        for a, b in zip(low, high, strict=True)
    )
    best = np.flatnonzero(excess <= np.min(excess) + 1e-12)
    return float(np.exp(np.log(grid[best]).mean()))


def _from_treatment(spec: Spec, regression: Regression) -> tuple[float, float]:
    """Residual sd and R2 of an outcome without moments, from the standard error of a treatment."""
    share = 0.5 if spec.column.r2 is None else min(float(Printed.parse(spec.column.r2)), 0.99)
    for name, factor in zip(regression.names, regression.regressors, strict=True):
        cell = spec.column.coefficients.get(name)
        if factor.column is None and cell is not None and cell.se is not None:
            left = regression.within(factor.fixed)
            return float(Printed.parse(cell.se)) * float(np.sqrt((left**2).sum())), share
    return 1.0, share
