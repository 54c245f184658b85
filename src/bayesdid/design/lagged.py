"""The outcome's own past as a regressor beside fixed unit effects, which short panels bias."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from bayesdid.design.design import Design
from bayesdid.exceptions import Note

SHORT = 30.0
"""Rows of a unit from which on the bias, 1.5 / 30 at a persistence of 0.5, is not noted."""
_LAGS = (1, 2)
_SAME = 1e-9
_FEWEST = 10  # rows whose value before is known


def with_lag_note(design: Design) -> Design:
    """The design with a note if the outcome one or two periods before is among its regressors.

    Under fixed unit effects the coefficient of the last period's outcome is too small by about
    ``(1 + rho) / T``, rho being its value (Nickell 1981, Econometrica 49, 1417-1426), whatever the
    number of units, and effects beside it move along. The column is known by its values, so that
    one made beforehand is found too.
    """
    rows = design.n / len(design.units)
    if design.unit_effects not in {"fixed", "mundlak"} or rows >= SHORT:
        return design
    steps = design.periods[design.period_index]
    keys = pd.MultiIndex.from_arrays([design.unit_index, steps])
    if not keys.is_unique:
        return design
    y = pd.Series(design.y, index=keys)
    names = (*design.treatments, *design.covariates)
    values = np.column_stack([design.D, design.X])
    for lag in _LAGS:
        before = pd.MultiIndex.from_arrays([design.unit_index, steps - lag])
        past = y.reindex(before).to_numpy()
        known = np.isfinite(past)
        if known.sum() < _FEWEST or np.ptp(past[known]) == 0:
            continue
        near = _SAME * np.abs(past[known]).max()
        off = np.abs(values[known] - past[known, None]) > near
        for name in [name for name, moved in zip(names, off.T, strict=True) if not moved.any()]:
            text = (
                f"{name} is {design.outcome} {lag} {design.period_dim} before, beside fixed "
                f"effects of {design.unit_dim} with {rows:.3g} rows each: its coefficient rho is "
                f"too small by about (1 + rho) / {rows:.3g} (Nickell 1981), {1.5 / rows:.2g} where "
                "it is 0.5, however many units there are, and effects beside it move along: leave "
                "it out: errors may be AR(1) instead"
            )
            return replace(design, notes=(*design.notes, Note("nickell", 1, text)))
    return design
