"""Averages of effects from cells without pooling, in closed form, under any errors.

Every treated (adoption periods, period) has an effect of its own under a flat prior.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.overlap import OverlapDesign
from bayesdid.estimands.gls import Scalars, gls
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.inference.exact.sandwich import sandwich_moments
from bayesdid.model.pooling import Pooling


def saturated_moments(
    rows: OverlapDesign, weights: Mapping[str, FloatArray]
) -> dict[str, tuple[float, float, float]]:
    """Mean, sd under i.i.d. errors and clustered sd of weighted sums of the effects of rows.

    Empty where the cells are not identified, e.g. if a covariate is constant in untreated rows.

    Parameters
    ----------
    weights
        Of rows by name, shape (n,) each, see :mod:`bayesdid.estimands.row_weights`.
    """
    design = cell_design(rows)
    try:
        found = sandwich_moments(design)
    except NotIdentifiedError:
        return {}
    count = len(design.treatments)
    result = {}
    for name, weight in weights.items():
        w = weight @ design.D
        mean = float(w @ found.location[:count])
        pair = (found.iid, found.cluster)
        sds = [float(np.sqrt(max(float(w @ V[:count, :count] @ w), 0.0))) for V in pair]
        result[name] = (mean, sds[0], sds[1])
    return result


def cell_moments(
    rows: OverlapDesign, weights: Mapping[str, FloatArray], scalars: Scalars
) -> dict[str, tuple[float, float]]:
    """Mean and sd of the same sums by generalised least squares; empty as above."""
    design = cell_design(rows)
    try:
        found = gls(Pooling(design), scalars, flat=design.treatments)
    except NotIdentifiedError:
        return {}
    result = {}
    for name, weight in weights.items():
        w = weight @ design.D
        result[name] = (float(w @ found.mean), float(np.sqrt(w @ found.covariance @ w)))
    return result


def cell_design(rows: OverlapDesign) -> Design:
    """One treatment for each cell."""
    cell, count = rows.cells()
    treated = cell >= 0
    D = np.zeros((rows.design.n, count))
    D[treated, cell[treated]] = 1.0
    names = tuple(f"cell {k}" for k in range(count))
    return dataclasses.replace(rows.design, D=D, treatments=names, part=())
