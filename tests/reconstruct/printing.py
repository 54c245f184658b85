"""Print a panel's tables as a paper would: least squares with dummies, rounded. Shares no code."""

import dataclasses

import numpy as np
import pandas as pd

from bayesdid.study.load import assemble_study
from bayesdid.study.schema import Cell, Moments, TableFile


def dummies(values):
    return pd.get_dummies(pd.Series(values), drop_first=True).to_numpy(float)


def ols(y, Z, unit=None, period=None):
    """Coefficients, i.i.d. standard errors and constant at the means, residual variance, R2."""
    parts = [Z] + [dummies(one) for one in (unit, period) if one is not None]
    levels = np.column_stack(parts)
    W = np.column_stack([levels - levels.mean(axis=0), np.ones(len(y))])
    b, _, rank, _ = np.linalg.lstsq(W, y, rcond=None)
    e = y - W @ b
    inverse = np.linalg.pinv(W.T @ W)
    s2 = e @ e / (len(y) - rank)
    k = Z.shape[1]
    se = np.sqrt(s2 * np.diag(inverse)[:k])
    constant = y.mean() - Z.mean(axis=0) @ b[:k]
    r2 = 1 - e @ e / ((y - y.mean()) ** 2).sum()
    return b[:k], se, constant, r2


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
    return np.isin(names, sample.arms) if sample.arms else np.ones(len(number), dtype=bool)


def refit(study, panel, spec):
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
    names = (*column.treatments, *column.covariates)
    Z = np.column_stack(
        [
            frame[n].to_numpy(float) if n in frame else state(frame, n, periods, starts)
            for n in names
        ]
    )
    keys = [frame[key].to_numpy()[rows] for key in (panel.unit, panel.period)]
    b, se, constant, r2 = ols(frame[column.outcome].to_numpy(float)[rows], Z[rows], *keys)
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
        update = {"coefficients": cells, "r2": f"{found['r2'][0]:.3f}"}
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
