"""The scale of every sought column, from what is printed: moments, standard errors, R2."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np

from bayesdid.reconstruct.regression import Regression
from bayesdid.reconstruct.shape import Shape
from bayesdid.reconstruct.targets import bounds_of
from bayesdid.reconstruct.uncertainty import kind_of, standard_error
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Moments

_ROOM = 3.0  # standard deviations from its smallest value to a mean that is not printed
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
    logged = {f.column for r in regressions.values() for f in r.factors if f.log}
    for name in sought:
        own = [spec for spec in specs if regressions[spec.id].outcome.column == name]
        beside = [spec for spec in specs if name in spec.column.coefficients and spec not in own]
        within = _residual(study, own, regressions, rows.get(name)) if own else None
        if within is None:
            within = _from_errors(study, name, beside, regressions, rows)
        shape = _shape(study, rows.get(name), within, own, regressions)
        least = study.file.outcome.minimum_of(name)
        if name in logged:
            least = max(least or 0.0, _least(study, name))
        printed = name in rows and rows[name].min is not None
        if least is not None and not printed:
            shape = dataclasses.replace(shape, low=max(shape.low, least), never_low=True)
        if name not in rows and own and np.isfinite(shape.low):
            shape = _above(study, shape, own, regressions)
        found[name] = shape
    return found


def _above(
    study: Study, shape: Shape, own: list[Spec], regressions: Mapping[str, Regression]
) -> Shape:
    """An outcome whose level is not printed, at one that leaves its smallest value room.

    Where its logarithm is in a table too, the level is what both scales imply.
    """
    mean = max(shape.mean, shape.low + _ROOM * shape.sd)
    logs = [spec for spec in own if regressions[spec.id].outcome.log]
    if logs:
        sigma, share = _or_one(study, logs[0], regressions[logs[0].id])
        of_log = min(max(sigma / np.sqrt(1 - share), 1e-3), 1.0)
        if len(logs) == len(own):  # its own scale is told by nothing
            within = min(sigma, 0.97 * of_log)
            return dataclasses.replace(shape, mean=1.0, sd=of_log, within=within)
        mean = shape.sd / of_log
    return dataclasses.replace(shape, mean=mean)


def _least(study: Study, name: str) -> float:
    """The smallest value of a column that has a logarithm: one, where it counts."""
    outcome = study.file.outcome
    counts = outcome.column == name and outcome.natural_per_unit > 1
    return 1 / outcome.natural_per_unit if counts else 0.0


def _shape(
    study: Study,
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
        own = sorted(own, key=lambda spec: regressions[spec.id].outcome.log)
        sigma, share = _or_one(study, own[0], regressions[own[0].id])
        cell = own[0].column.coefficients.get("constant")
        if row is None and cell is not None:
            mean = float(Printed.parse(cell.estimate))
        return Shape(mean, sigma / np.sqrt(1 - share), low, high, sigma)
    within = 1.0 if within is None else within
    if row is None:  # a level is not printed: any will do, and counts are above zero
        return Shape(2 * within / _WITHIN, within / _WITHIN, 0.0, high, within)
    return Shape(mean, within / _WITHIN, low, high, within)


def _residual(
    study: Study, own: list[Spec], regressions: Mapping[str, Regression], row: Moments | None
) -> float | None:
    """Standard deviation that the effects and regressors of a column leave of its outcome.

    By R2, else by the i.i.d. standard error of a treatment.
    """
    if row is None or row.sd is None:
        return None
    shares = [
        (float(Printed.parse(spec.column.n or "0")), _explained(spec) or 0.0)
        for spec in own
        if _explained(spec) is not None and spec.column.unit_effects == "fixed"
    ]
    if not shares:
        plain = (spec for spec in own if kind_of(spec) in {"iid", "unknown"})
        told = (_from_treatment(study, spec, regressions[spec.id]) for spec in plain)
        return next((sigma for sigma in told if sigma is not None), None)
    _, high = max(shares)  # the best fit on the most rows: the others are fits of parts
    return float(Printed.parse(row.sd)) * np.sqrt(max(1 - high, 1e-4))


def _from_errors(
    study: Study,
    name: str,
    specs: list[Spec],
    regressions: Mapping[str, Regression],
    rows: Mapping[str, Moments],
) -> float | None:
    """The within sd nearest to the intervals that the printed standard errors imply."""
    low, high = [], []
    for spec in specs:
        column, cell = spec.column, spec.column.coefficients[name]
        outcome, regression = rows.get(column.outcome), regressions[spec.id]
        n = len(regression.unit_index)
        se, share = standard_error(study, spec, cell), _explained(spec)
        if se is None or not 0.0 < se.high < np.inf or regression.instrument is not None:
            continue
        if regression.outcome.column is None:  # it is given: a treatment, in a first stage
            sigma = float(np.sqrt((regression.within(regression.outcome.fixed) ** 2).sum() / n))
        elif outcome is None or outcome.sd is None or share is None:
            told = _from_treatment(study, spec, regression)
            if told is None:
                continue
            sigma = told * float(np.sqrt(regression.df / n))
        else:
            sigma = float(Printed.parse(outcome.sd)) * np.sqrt(max(1 - share, 1e-4))
        sigma *= np.sqrt(n / regression.df)
        small, large = se.pair
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


def _or_one(study: Study, spec: Spec, regression: Regression) -> tuple[float, float]:
    """Residual sd and R2 of an outcome without moments; 1 and a half where nothing tells."""
    explained = _explained(spec)
    share = 0.5 if explained is None else min(explained, 0.99)
    sigma = _from_treatment(study, spec, regression)
    return (1.0, share) if sigma is None else (sigma, share)


def _from_treatment(study: Study, spec: Spec, regression: Regression) -> float | None:
    """Residual sd of an outcome, from the standard error of a regressor that the design gives."""
    for name, factor in zip(regression.names, regression.regressors, strict=True):
        cell = spec.column.coefficients.get(name)
        se = None if cell is None else standard_error(study, spec, cell)
        if factor.column is None and se is not None and 0.0 < se.middle < np.inf:
            left = regression.within(factor.fixed)
            return se.middle * float(np.sqrt((left**2).sum()))
    return None


def _explained(spec: Spec) -> float | None:
    """The printed R2, of all of the outcome's variance; None if it is not printed."""
    column = spec.column
    if column.r2 is None or column.r2_kind == "within":
        return None
    return min(float(Printed.parse(column.r2)), 1.0)
