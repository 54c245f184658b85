"""Posterior predictive pictures: density or rootogram, and residuals by lag, unit, arm, neighbour.

Each replicates the outcome as :mod:`bayesdid.checks.predictive` does and compares a whole curve
instead of one number. Three of them picture a check of that module; two have a verdict of their
own: the distance between the distributions of observed and replicated outcomes (Kolmogorov's), and
Moran's I of the residuals across neighbours, averaged over periods.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.checks.check import CheckResult, inapplicable
from bayesdid.checks.figure import Figure, Series, histogram
from bayesdid.checks.predictive import FALSE_ALARM, drawn_anew
from bayesdid.checks.rows import Rows, check_rows, thinned
from bayesdid.model.bound import BoundModel
from bayesdid.model.resolve import base_of
from bayesdid.spatial.design import SpatialDesign
from bayesdid.spatial.weights.weights import Weights
from bayesdid.summary import p_words, percent, tails

_DRAWS = 1000  # replications, of the last equation
_CHUNK = 250
_LAGS = 5
_GRID = 60  # points of a density
_MOST = 30  # counts that a rootogram shows; the last is what lies beyond
_UNITS = 20  # whose variance is shown, most deviant first
REMEDIES = {
    "autocorrelation": "ar1 errors (the default of two-way models) have it in the model",
    "unit_variance": "ar1_unit or iid_unit errors give each unit a scale of its own",
    "pre_trends": "an event study shows the path; robust sets say what a trend does to the effect",
    "dispersion": "a negative binomial, or errors in the linear predictor (ar1)",
    "maximum": "Student t errors give outlying rows less weight; leave-one-out names the units",
    "skewness": "take logs, or a likelihood for counts",
    "negative_share": "a likelihood for counts, or logs",
    "loo": "the fit without each of these units is in the check leave_one_unit_out",
}


@dataclass(frozen=True, slots=True)
class Replicated:
    """Observed and new outcomes of one equation, and their residuals, shape (S, n) each."""

    y: FloatArray
    new: FloatArray
    residual: FloatArray
    error: FloatArray
    rows: Rows
    units: np.ndarray
    periods: np.ndarray


def replicated(tree: xr.DataTree, bound: BoundModel, arms: pd.Series, seed: int = 0) -> Replicated:
    """Outcomes drawn anew, of the outcome's own equation."""
    base = base_of(bound.design)
    posterior, rows = thinned(tree, base), check_rows(base, arms)
    size = posterior.sizes["chain"] * posterior.sizes["draw"]
    step = max(1, size // _DRAWS)
    posterior = posterior.isel(draw=slice(None, None, step))
    rng = np.random.default_rng(seed)
    parts: list[tuple[FloatArray, FloatArray, FloatArray]] = []
    total = posterior.sizes["chain"] * posterior.sizes["draw"]
    for _, again in drawn_anew(posterior, bound, range(0, total, _CHUNK), _CHUNK, rng):
        last = again[-1]
        parts.append((last.outcome, last.residual, last.error))
    new, residual, error = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Replicated(base.y, new, residual, error, rows, base.units, base.periods)


def with_pictures(
    results: tuple[CheckResult, ...], found: Replicated, labels: dict[str, str] | None = None
) -> tuple[CheckResult, ...]:
    """Predictive checks with the curve behind their number, and what to do about a failure."""
    pictures: dict[str, Callable[[], Figure]] = {
        "autocorrelation": lambda: _by_lag(found),
        "unit_variance": lambda: _by_unit(found, labels or {}),
        "pre_trends": lambda: _by_arm(found),
    }
    return tuple(
        dataclasses.replace(
            result,
            figure=pictures[result.name]() if result.name in pictures else result.figure,
            done=REMEDIES.get(result.name.rpartition(": ")[2], ""),
        )
        for result in results
    )


def distribution(found: Replicated, is_count: bool) -> CheckResult:
    """Density or rootogram of the outcome, observed over replicated, with Kolmogorov's distance."""
    name = "rootogram" if is_count else "overlay"
    edges = np.unique(np.quantile(np.append(found.y, found.new[::20].ravel()), _STEPS))
    middle = _share(found.new, edges).mean(axis=0)
    observed = float(abs(_share(found.y[None], edges)[0] - middle).max())
    distance = abs(_share(found.new, edges) - middle).max(axis=1)
    smallest = 1 / (len(distance) + 1)
    p = float(max(smallest, (distance >= observed).mean()))
    passed = p >= FALSE_ALARM
    table, figure = (_rootogram if is_count else _density)(found, name)
    usual = float(np.quantile(distance, 1 - FALSE_ALARM))
    text = (
        f"Distribution of the outcome: {100 * observed:.2g} % of rows lie where the model has none "
        f"(up to {100 * usual:.2g} % by chance), {p_words(p, smallest)}; "
        f"the model {'reproduces' if passed else 'does not reproduce'} it."
    )
    return CheckResult(
        name,
        passed,
        table,
        text,
        figure,
        "outcomes are distributed otherwise than the model has it: predictions are off, the mean "
        "effect may not be",
        "another likelihood (Student t, counts), or the outcome in logs",
    )


_STEPS = np.linspace(0, 1, 101)


def _share(y: FloatArray, edges: FloatArray) -> FloatArray:
    """Share of each row of `y`, (S, n), up to each edge, (S, E)."""
    ordered = np.sort(y, axis=1)
    return np.stack([np.searchsorted(row, edges, side="right") for row in ordered]) / y.shape[1]


def _density(found: Replicated, name: str) -> tuple[pd.DataFrame, Figure]:
    from arviz_stats.base.array import array_stats

    stats: Any = array_stats  # untyped
    low, high = np.quantile(np.append(found.y, found.new[::50].ravel()), [0.001, 0.999])
    grid = np.linspace(low, high, _GRID)

    def curve(values: FloatArray) -> FloatArray:
        points, density, _ = stats.kde(values)
        return np.asarray(np.interp(grid, points, density, left=0.0, right=0.0))

    some = found.new[:: max(1, len(found.new) // 100)]
    again = np.stack([curve(row) for row in some])
    return _table_and_figure(
        grid,
        curve(found.y),
        again,
        Figure(
            name,
            "curve",
            "Posterior predictive: the observed density should lie in the band of replications",
            (),
            "outcome",
            "density",
            None,
        ),
        "outcome",
    )


def _rootogram(found: Replicated, name: str) -> tuple[pd.DataFrame, Figure]:
    """Square roots of counts, which all vary by about one half (Kleiber & Zeileis 2016)."""
    most = int(min(_MOST, max(found.y.max(), np.quantile(found.new, 0.99))))
    values = np.arange(most + 1)

    def roots(y: FloatArray) -> FloatArray:
        at = np.minimum(y, most).astype(np.int64)
        return np.asarray(np.sqrt(np.stack([np.bincount(r, minlength=most + 1) for r in at])))

    return _table_and_figure(
        values.astype(float),
        roots(found.y[None])[0],
        roots(found.new),
        Figure(
            name,
            "points",
            "Rootogram: observed frequencies should lie within the replicated ones",
            (),
            f"count (the last: {most} and more)",
            "square root of the frequency",
            None,
        ),
        "count",
    )


def _by_lag(found: Replicated) -> Figure:
    """Correlation of residuals of a unit by the time between them."""
    rows = found.rows
    labels = found.periods[rows.period].astype(int)
    keys = zip(rows.unit.tolist(), labels.tolist(), strict=True)
    at = {key: k for k, key in enumerate(keys)}

    def at_lag(e: FloatArray, lag: int) -> FloatArray:
        pairs = [(k, at[(u, t - lag)]) for (u, t), k in at.items() if (u, t - lag) in at]
        if not pairs:
            return np.full(len(e), np.nan)
        now, then = np.array(pairs).T
        return np.asarray((e[:, now] * e[:, then]).mean(axis=1) / (e**2).mean(axis=1))

    lags = np.arange(1, min(_LAGS, len(found.periods) - 1) + 1)
    curves = [np.column_stack([at_lag(e, int(lag)) for lag in lags]) for e in _pair(found)]
    return _table_and_figure(
        lags.astype(float),
        curves[0].mean(axis=0),
        curves[1],
        Figure(
            "autocorrelation",
            "points",
            "Correlation of a unit's residuals by lag: observed should lie in the replicated bars",
            (),
            "periods apart",
            "correlation",
        ),
        "lag",
    )[1]


def _by_unit(found: Replicated, labels: dict[str, str]) -> Figure:
    """Standard deviation of residuals by unit, the most deviant first."""
    unit = found.rows.unit
    member = (unit[:, None] == np.arange(unit.max() + 1)) / 1.0
    size = member.sum(axis=0)
    seen, again = (np.sqrt((e**2) @ member / size) for e in _pair(found))
    mean, ends = seen.mean(axis=0), np.quantile(again, tails(), axis=0)
    order = np.argsort(-abs(np.log(np.maximum(mean, 1e-12) / again.mean(axis=0))))[:_UNITS]
    named = [labels.get(str(found.units[k]), str(found.units[k])) for k in order]
    blank = [np.nan] * len(order)
    return Figure(
        "unit_variance",
        "forest",
        "Residual sd by unit, most deviant first: observed should lie in the replicated bars",
        (
            Series(
                "replicated",
                named,
                again.mean(axis=0)[order].tolist(),
                ends[0, order].tolist(),
                ends[1, order].tolist(),
            ),
            Series("observed", named, mean[order].tolist(), blank, blank),
        ),
        "sd of residuals, in those of the model",
        reference=1.0,
    )


def _by_arm(found: Replicated) -> Figure:
    """Mean residual before treatment by arm and period."""
    rows, series = found.rows, []
    for arm in np.unique(rows.arm[rows.before]):
        seen, low, high, at = [], [], [], []
        for t in np.unique(rows.period[rows.before]):
            use = rows.before & (rows.arm == arm) & (rows.period == t)
            if not use.any():
                continue
            at.append(float(found.periods[t]))
            seen.append(float(found.residual[:, use].mean()))
            ends = np.quantile(found.error[:, use].mean(axis=1), tails())
            low.append(float(ends[0]))
            high.append(float(ends[1]))
        series.append(Series(str(arm), at, seen, low, high))
    return Figure(
        "pre_trends",
        "curve",
        "Residuals before treatment by arm: lines should stay in the band of their colour",
        tuple(series),
        "period",
        "mean residual, in sds",
    )


def spatial_dependence(
    found: Replicated, bound: BoundModel, weights: Weights | None = None
) -> CheckResult:
    """Moran's I of the residuals, averaged over periods, against the model's own replications."""
    name = "spatial_dependence"
    if isinstance(bound.design, SpatialDesign):
        weights = weights or bound.design.weights
    if weights is None:
        return inapplicable(
            name, "no spatial weights were given, and without them nobody is a neighbour"
        )
    order = {str(unit): k for k, unit in enumerate(weights.units)}
    at = np.array([order.get(str(unit), -1) for unit in found.units])
    if (at < 0).any():
        return inapplicable(name, f"the weights do not know {found.units[at < 0][0]}")
    W = weights.matrix[at][:, at]
    seen, again = (_moran(e, found.rows, W) for e in _pair(found))
    above = float((again > seen).mean())
    smallest = 2 / (len(seen) + 1)
    p = min(1.0, max(smallest, 2 * min(above, 1 - above)))
    passed = p >= FALSE_ALARM
    text = (
        f"Residuals of neighbours ({weights.name}): Moran's I {seen.mean():.3g}, replicated "
        f"{again.mean():.3g} ({percent()} {np.quantile(again, tails()[0]):.3g} to "
        f"{np.quantile(again, tails()[1]):.3g}), {p_words(p, smallest)}; "
    )
    text += (
        "no dependence that the model lacks."
        if passed
        else f"neighbours are {'more' if above < 0.5 else 'less'} alike than the model has it."
    )
    table = pd.DataFrame(
        [
            {
                "statistic": "Moran's I",
                "observed": float(seen.mean()),
                "replicated": float(again.mean()),
                "p": p,
                "limit": FALSE_ALARM,
            }
        ]
    )
    figure = histogram(
        name,
        "Moran's I of the residuals: replicated, and as observed (dashed)",
        "replicated",
        again,
        "Moran's I",
        verticals=(float(seen.mean()),),
    )
    return CheckResult(
        name,
        passed,
        table,
        text,
        figure,
        "units are not independent pieces of evidence, so intervals are too narrow, and a "
        "treatment may reach neighbours, which no control is then free of",
        "fit a spatial model (bayesdid spatial), or cluster by region",
    )


def _moran(e: FloatArray, rows: Rows, W: object) -> FloatArray:
    """Average over periods, shape (S,)."""
    total, weight = np.zeros(len(e)), 0.0
    N = int(rows.unit.max()) + 1
    for t in np.unique(rows.period):
        use = np.flatnonzero(rows.period == t)
        grid = np.zeros((N, len(e)))
        z = e[:, use] - e[:, use].mean(axis=1, keepdims=True)
        grid[rows.unit[use]] = z.T
        there = np.zeros(N)
        there[rows.unit[use]] = 1.0
        pairs = float(there @ (W @ there))  # type: ignore[operator]
        if pairs <= 0:
            continue
        cross = (grid * (W @ grid)).sum(axis=0)  # type: ignore[operator]
        total += cross / pairs / np.maximum((z**2).mean(axis=1), 1e-300)
        weight += 1.0
    return total / max(weight, 1.0)


def _pair(found: Replicated) -> tuple[FloatArray, FloatArray]:
    return found.residual, found.error


def _table_and_figure(
    x: FloatArray, observed: FloatArray, again: FloatArray, figure: Figure, what: str
) -> tuple[pd.DataFrame, Figure]:
    low, high = np.quantile(again, tails(), axis=0)
    middle = again.mean(axis=0)
    table = pd.DataFrame(
        {what: x, "observed": observed, "replicated": middle, "low": low, "high": high}
    )
    series = (
        Series("replicated", x.tolist(), middle.tolist(), low.tolist(), high.tolist()),
        Series("observed", x.tolist(), observed.tolist(), observed.tolist(), observed.tolist()),
    )
    return table, dataclasses.replace(figure, series=series)
