"""Print a panel's tables as a paper would: least squares with dummies, rounded. Shares no code."""

import dataclasses

import numpy as np
import pandas as pd

from bayesdid.study.load import assemble_study
from bayesdid.study.schema import Cell, Moments, TableFile


def left(values, unit, period):
    """What unit and period effects leave of a balanced panel's column."""
    v = pd.Series(values)
    by_unit, by_period = v.groupby(unit).transform("mean"), v.groupby(period).transform("mean")
    return (v - by_unit - by_period + v.mean()).to_numpy()


def ols(y, Z, unit, period, pooled=False):
    """Coefficients, i.i.d. standard errors, constant at the means, and R2."""
    N, T = len(np.unique(unit)), len(np.unique(period))
    assert len(y) == N * T  # balanced
    if pooled:
        y0, Z0, df = y - y.mean(), Z - Z.mean(axis=0), len(y) - 1 - Z.shape[1]
    else:
        Z0 = np.column_stack([left(column, unit, period) for column in Z.T])
        y0, df = left(y, unit, period), len(y) - N - T + 1 - Z.shape[1]
    b = np.linalg.lstsq(Z0, y0, rcond=None)[0]
    e = y0 - Z0 @ b
    se = np.sqrt(e @ e / df * np.diag(np.linalg.inv(Z0.T @ Z0)))
    return b, se, y.mean() - Z.mean(axis=0) @ b, 1 - e @ e / ((y - y.mean()) ** 2).sum()


def state(frame, term, periods, starts):
    """0/1 of a policy term, written anew: starts is one array of first periods for each policy."""
    on = [periods >= start for start in starts.values()]
    kind, _, name = term.partition(":")
    if kind == "both":
        return np.logical_and(*on).astype(float)
    this = periods >= starts[name]
    if kind == "active":
        return this.astype(float)
    others = [periods >= start for key, start in starts.items() if key != name]
    assert kind == "only"
    return (this & ~np.any(others, axis=0)).astype(float)


def rows_of(sample, starts):
    number = sum(np.isfinite(start).astype(int) for start in starts.values())
    names = np.array(["none", "single", "dual"])[number]
    rows = np.isin(names, sample.arms) if sample.arms else np.ones(len(number), dtype=bool)
    if sample.only:
        alone = np.any([np.isfinite(starts[name]) for name in sample.only], axis=0)
        rows &= (number != 1) | alone
    if sample.sequences:
        first = sample.sequences[0].removeprefix("first:")
        others = np.min([start for key, start in starts.items() if key != first], axis=0)
        rows &= (number != 2) | (starts[first] < others)
    return rows


def refit(study, panel, spec, pooled=False):
    """What a column of a panel gives, by its name: estimate and standard error; r2."""
    frame, column = panel.frame, spec.column
    starts = {
        policy: panel.adoption[policy]
        .reindex(frame[panel.unit])
        .to_numpy(dtype=float, na_value=np.inf)
        for policy in panel.policies
    }
    periods = frame[panel.period].to_numpy(float)
    rows = rows_of(column.sample, starts)
    for name, levels in column.sample.groups.items():
        rows &= frame[name].isin(levels).to_numpy()

    def value(text):
        factors = [
            frame[f].to_numpy(float) if f in frame else state(frame, f, periods, starts)
            for f in text.split(" * ")
        ]
        return np.prod(factors, axis=0)

    y = frame.groupby(panel.unit)[column.outcome].shift(-column.outcome_lead).to_numpy(float)
    rows &= np.isfinite(y)
    names = (*column.treatments, *column.covariates)
    Z = np.column_stack([value(name) for name in names])
    unit, period = (frame[key].to_numpy()[rows] for key in (panel.unit, panel.period))
    b, se, constant, r2 = ols(y[rows], Z[rows], unit, period, pooled)
    found = {name: (b[k], se[k]) for k, name in enumerate(names)}
    return found | {"constant": (constant, np.nan), "r2": (r2, np.nan)}


def printed(study, panel, specs, digits=3):
    """The study with these columns as a paper would print them, and a table of its outcome."""
    columns = []
    for name in specs:
        spec = study[name]
        found = refit(study, panel, spec)
        cells = {
            key: Cell(
                estimate=f"{value:.{digits}f}", se=f"{se:.{digits}f}" if np.isfinite(se) else None
            )
            for key, (value, se) in found.items()
            if key != "r2"
        }
        update = {"coefficients": cells, "r2": f"{found['r2'][0]:.3f}", "se_kind": "iid"}
        columns.append(spec.column.model_copy(update=update))
    y = panel.frame[study.file.outcome.column]
    moments = Moments(
        column=str(y.name),
        mean=f"{y.mean():.3f}",
        sd=f"{y.std():.3f}",
        min=f"{y.min():.3f}",
        max=f"{y.max():.3f}",
    )
    described = TableFile(
        id="described", title="Descriptive statistics", kind="descriptive", moments=(moments,)
    )
    first = study[specs[0]].table
    table = first.model_copy(update={"id": "table", "column": tuple(columns)})
    told = assemble_study(study.path, study.file, {"described": described, "table": table})
    return dataclasses.replace(told, claims=())
