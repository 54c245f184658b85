"""A design by least squares, through pyfixest: three kinds of standard errors."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesdid.design.design import Design, FloatArray


@dataclass(frozen=True, slots=True)
class Estimates:
    """Least-squares estimates of one design.

    Attributes
    ----------
    table
        One row per regressor (index: its name): ``estimate``, ``se_iid``, ``se_hetero`` (HC1)
        and ``se_cluster`` (CRV1 by unit).
    dof
        Residual degrees of freedom, all dummies counted.
    n, clusters
        Rows and units.
    r2, r2_within
        Coefficient of determination, overall and after the effects are taken out.
    cluster_covariance
        Of the estimates, clustered by unit, shape (K, K).
    """

    table: pd.DataFrame
    dof: int
    n: int
    clusters: int
    r2: float
    r2_within: float
    cluster_covariance: FloatArray


def least_squares(design: Design) -> Estimates:
    """Two-way within regression of a design; random effects are taken as fixed.

    Small-sample corrections are pyfixest's: ``(n - 1) / dof`` with all dummies counted unless
    they are nested in the clusters, and ``G / (G - 1)`` for clustered errors.
    """
    import pyfixest

    names = [f"z{k}" for k in range(len(design.names))]
    frame = pd.DataFrame(design.regressors, columns=names)
    frame["y"], frame["unit"], frame["period"] = design.y, design.unit_index, design.period_index
    absorbed = [
        name
        for name, kind in (("unit", design.unit_effects), ("period", design.period_effects))
        if kind != "none"
    ]
    formula = f"y ~ {' + '.join(names)}" + (f" | {' + '.join(absorbed)}" if absorbed else "")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numba announces its compilation
        model: Any = pyfixest.feols(formula, frame, vcov="iid")
        columns = {"estimate": model.coef()[names], "se_iid": model.se()[names]}
        columns["se_hetero"] = model.vcov("hetero").se()[names]
        columns["se_cluster"] = model.vcov({"CRV1": "unit"}).se()[names]
        order = [list(model.coef().index).index(name) for name in names]
        covariance = np.asarray(model._vcov)[np.ix_(order, order)]
    table = pd.DataFrame({key: value.to_numpy() for key, value in columns.items()})
    table.index = pd.Index(design.names, name="parameter")
    within = model._r2_within  # the package has no public names for these
    return Estimates(
        table, dof=_dof(design), n=design.n, clusters=len(design.units), r2=float(model._r2),
        r2_within=float(within) if within is not None else float("nan"),
        cluster_covariance=covariance,
    )  # fmt: skip


def _dof(design: Design) -> int:
    """Rows minus regressors, intercept and dummies."""
    used = len(design.names) + 1
    used += (len(design.units) - 1) * (design.unit_effects != "none")
    used += (len(design.periods) - 1) * (design.period_effects != "none")
    return int(np.int64(design.n) - used)
