"""Which rows a matched column was fitted on: drawn, with the printed number of rows.

All treated rows are matched, and rows of units that are never treated. The printed standard error
says how much the treatment varies within matched units: rows of treated units from before their
treatment are added until it varies as much.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from bayesdid.arrays import BoolArray, FloatArray, IntArray
from bayesdid.panel.panel import Panel
from bayesdid.reconstruct.compile import regression_of
from bayesdid.reconstruct.uncertainty import standard_error
from bayesdid.study.load import Spec, Study
from bayesdid.study.printed import Printed
from bayesdid.study.schema import Moments


def draw_matched(study: Study, spec: Spec, panel: Panel, rng: np.random.Generator) -> BoolArray:
    """Rows of the panel that the column is fitted on, shape (n,)."""
    bare = dataclasses.replace(
        spec, column=spec.column.model_copy(update={"covariates": (), "outcome_lead": 0})
    )
    treated = _treated(bare, panel)
    unit = np.unique(panel.frame[panel.unit].to_numpy(), return_inverse=True)[1]
    ever = np.bincount(unit, treated)[unit] > 0
    size = min(round(float(Printed.parse(spec.column.n or "0"))), len(treated))
    on = rng.permutation(np.flatnonzero(treated))[: size // 2]
    before = rng.permutation(np.flatnonzero(ever & ~treated))
    never = rng.permutation(np.flatnonzero(~ever))
    wanted = _variation(study, spec)
    count = 1
    while True:
        rest = max(size - len(on) - count, 0)
        rows = np.zeros(len(treated), dtype=bool)
        rows[np.concatenate([on, before[:count], never[:rest]])] = True
        rows = none_alone(rows, unit, never[rest:])
        if count >= len(before) or _left(bare, panel, rows) >= wanted:
            return rows
        count += 1


def none_alone(rows: BoolArray, unit: IntArray, spare: IntArray) -> BoolArray:
    """As many rows, none of them the only one of its unit, if there are enough others.

    Some programmes leave such a row out, others count it: only without any do all print the same n.

    Parameters
    ----------
    rows
        Rows that are taken, shape (n,).
    unit
        Of each row.
    spare
        Positions of rows that may take the place of others, in order.
    """
    alone = rows & (np.bincount(unit, rows)[unit] == 1)
    left = rows & ~alone
    others = spare[np.bincount(unit, left)[unit[spare]] > 0][: np.count_nonzero(alone)]
    if len(others) < np.count_nonzero(alone):
        return rows
    left[others] = True
    return left


def _treated(spec: Spec, panel: Panel) -> BoolArray:
    """Where the column's first treatment is on, in every row of the panel."""
    whole = dataclasses.replace(
        spec, column=spec.column.model_copy(update={"sample": type(spec.column.sample)()})
    )
    return np.asarray(regression_of(whole, panel, (), False).regressors[0].fixed > 0)


def _left(spec: Spec, panel: Panel, rows: BoolArray) -> float:
    """Sum of squares of the treatment that unit and period effects leave."""
    regression = regression_of(spec, panel, (), False, rows)
    left: FloatArray = regression.within(regression.regressors[0].fixed)
    return float((left**2).sum())


def _variation(study: Study, spec: Spec) -> float:
    """The sum of squares that the printed standard error and R2 imply: (sigma / se) squared."""
    column = spec.column
    cell = column.coefficients.get(column.treatments[0])
    row = _described(study, column.outcome)
    se = None if cell is None else standard_error(study, spec, cell)
    if se is None or column.r2 is None or row is None or row.sd is None or not se.middle > 0.0:
        return 1.0
    sigma = float(Printed.parse(row.sd)) * np.sqrt(1 - float(Printed.parse(column.r2)))
    return float(sigma / se.middle) ** 2


def _described(study: Study, name: str) -> Moments | None:
    rows = [row for table in study.tables.values() for row in table.moments]
    return next((row for row in rows if row.column == name), None)
