"""LOO-PIT and Pareto k: rows predicted without themselves, by ArviZ.

If the model is true, where each row falls in its prediction without it is uniform (Gneiting,
Balabdaoui & Raftery 2007, doi:10.1111/j.1467-9868.2007.00587.x). Rows share effects, so that their
values are a little more even than independent ones: the test is conservative.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import kstest, norm
from scipy.stats import t as student

from bayesdid.arrays import FloatArray
from bayesdid.checks.check import CheckResult, inapplicable
from bayesdid.checks.figure import Figure, Series, histogram
from bayesdid.checks.loo import Loo
from bayesdid.checks.predictive import FALSE_ALARM
from bayesdid.checks.rows import thinned
from bayesdid.checks.units import left_out_weights
from bayesdid.inference.equations import Draws
from bayesdid.inference.pointwise import equations_of, log_densities, pointwise
from bayesdid.model.bound import BoundModel
from bayesdid.model.mean import Instrument, Mediation
from bayesdid.model.resolve import base_of
from bayesdid.model.serial import serial_rows

_DRAWS = 1000
_ROWS = 1500  # that are looked at, evenly spread
_BINS = 20
_UNITS = 20


def loo_pit(tree: xr.DataTree, bound: BoundModel, *, seed: int = 0) -> CheckResult:
    """Whether rows fall evenly into their predictions without them, and in which way they do not.

    Rows with AR(1) errors are judged given the one before them in their unit.
    """
    name = "loo_pit"
    own = bound.model.likelihood.name
    if own == "normal" or (own == "student_t" and _single(bound)):
        values: FloatArray | None = _continuous(tree, bound)
    else:
        values = _by_arviz(tree, bound, seed)
    if values is None:
        return inapplicable(
            name, "rows of this model have an error of their own in the linear predictor"
        )
    p = float(kstest(values, "uniform").pvalue)
    passed = p >= FALSE_ALARM
    spread = float(values.std() * np.sqrt(12))
    text = f"LOO-PIT of {len(values)} rows: uniform with p = {p:.2g}"
    if passed:
        text += "; rows fall into their predictions as often as these say."
    elif spread > 1.05:
        text += "; too many rows lie in the tails of their predictions, which are too narrow."
    elif spread < 0.95:
        text += "; too many rows lie in the middle of their predictions, which are too wide."
    else:
        text += "; predictions are shifted or skewed."
    share = np.histogram(values, _BINS, (0, 1))[0] / len(values) * _BINS
    table = pd.DataFrame({"from": np.arange(_BINS) / _BINS, "density": share})
    figure = histogram(
        name,
        "LOO-PIT: level if predictions hold as often as they say; U if too narrow",
        "rows",
        values,
        "where rows fall in their predictions without them",
        digits=3,
    )
    return CheckResult(
        name,
        passed,
        table,
        text,
        figure,
        "predictive intervals of rows hold more or less often than they say",
        "a U calls for Student t errors or unit scales, a slope for logs or counts",
    )


def _by_arviz(tree: xr.DataTree, bound: BoundModel, seed: int) -> FloatArray | None:
    """Of independent rows under any likelihood, by ArviZ, which knows ties of counts."""
    import arviz_stats

    base = base_of(bound.design)
    some = thinned(tree, base, _DRAWS)
    if "error" in some:
        return None
    groups = pointwise(
        some, bound.model, bound.design, replications=True, rng=np.random.default_rng(seed)
    )
    whole = xr.DataTree.from_dict(
        {"posterior": some, "observed_data": xr.Dataset({"y": ("obs", base.y)})}
        | {key: group[["y"]] for key, group in groups.items()}
    )
    stats: Any = arviz_stats
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # large k are in the check of influence
        found = stats.loo_pit(whole, var_names="y", random_state=seed)
    return np.asarray(found["y"].to_numpy(), dtype=float).ravel()


def _single(bound: BoundModel) -> bool:
    return not isinstance(bound.model.mean, Mediation | Instrument)


def _continuous(tree: xr.DataTree, bound: BoundModel) -> FloatArray:
    """Of rows with normal or t errors: the cdf of each given what its density is given.

    ArviZ counts replications below each row; these are drawn without the row before it, on which
    an AR(1) density is conditional, so that the cdf itself is averaged here.
    """
    base = base_of(bound.design)
    some = thinned(tree, base, _DRAWS)
    rows = serial_rows(base) if bound.model.errors.serial == "ar1" else None
    draws = Draws(some, slice(None))
    equations, _ = equations_of(draws, bound.model, bound.design)
    densities = log_densities(draws, equations, bound.model, base, rows)
    before: list[FloatArray] = []
    for equation in equations:
        assert equation.scale is not None
        z = (equation.y - equation.mu) / equation.scale
        if rows is not None and equation.phi is not None:
            carry = rows.carry(equation.phi)
            z = (z - carry * z[:, rows.before]) / np.sqrt(1 - carry**2)
        if before and equation.loadings is not None:
            known = np.einsum("sk,ksn->sn", equation.loadings, np.stack(before))
            z = (z - known) / np.sqrt(1 - (equation.loadings**2).sum(axis=1))[:, None]
        before.append(z)
    heavy = bound.model.likelihood.name == "student_t"
    below = np.asarray(student.cdf(z, draws["nu"][:, None]) if heavy else norm.cdf(z))
    chosen = np.linspace(0, base.n - 1, min(base.n, _ROWS)).astype(int)
    below, density = below[:, chosen], np.asarray(densities["y"])[:, chosen]
    log_weight, _ = left_out_weights(density.T)
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return np.asarray((weight * below.T).sum(axis=1) / weight.sum(axis=1))


def influence(found: Loo) -> CheckResult:
    """Pareto k of rows, by named unit: where leave-one-out is rough, and which rows weigh most."""
    units = found.by_unit.sort_values("k", ascending=False).head(_UNITS)
    rows, many = int(found.by_unit["above"].sum()), int((found.by_unit["above"] > 0).sum())
    first = units.iloc[0]
    text = (
        f"Pareto k: largest {first['k']:.2f} in {first['label']} (limit {found.k_limit:.2f}); "
        f"above it {rows} row{'' if rows == 1 else 's'} of {many} unit{'' if many == 1 else 's'}. "
    )
    text += (
        "Leave-one-out of every row is reliable."
        if rows == 0
        else "There elpd is rough; it is no verdict on the model, whose effects see few rows each."
    )
    blank = [np.nan] * len(units)
    figure = Figure(
        "pareto_k",
        "forest",
        "Pareto k by unit, largest first: rows right of the line weigh much in the posterior",
        (Series("largest k", units["label"].tolist(), units["k"].tolist(), blank, blank),),
        "Pareto k",
        reference=found.k_limit,
    )
    table = units[["label", "k", "above", "elpd"]].rename(columns={"label": "unit"})
    return CheckResult(
        "pareto_k",
        None,
        table.reset_index(drop=True),
        text,
        figure,
        "single rows move the posterior so much that it cannot be reweighted without them",
        "units are left out one at a time in the check leave_one_unit_out",
    )
