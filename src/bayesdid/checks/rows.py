"""What checks need to know of the rows, and the draws they look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from bayesdid.arrays import IntArray
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError, ResultError

DRAWS = 1500  # that are looked at


@dataclass(frozen=True, slots=True)
class Rows:
    """What the discrepancies need to know of the rows, all of shape (n,).

    Attributes
    ----------
    unit, period
        Positions.
    previous
        Position of the same unit's row one period earlier, or -1.
    before
        Rows in which the spec's treatments are zero.
    arm
        Name of the arm of each row's unit.
    """

    unit: IntArray
    period: IntArray
    previous: IntArray
    before: np.ndarray
    arm: np.ndarray


def check_rows(design: Design, arms: pd.Series) -> Rows:
    """Rows of a design by unit, period and arm.

    Raises
    ------
    InputError
        If a unit has no arm.
    """
    unit, labels = design.unit_index, design.periods[design.period_index].astype(int)
    position = {key: k for k, key in enumerate(zip(unit.tolist(), labels.tolist(), strict=True))}
    previous = np.array(
        [position.get((u, t - 1), -1) for u, t in zip(unit.tolist(), labels.tolist(), strict=True)]
    )
    treated = (design.D != 0).any(axis=1)
    by_unit = arms.rename(index=str).reindex(design.units.astype(str))
    if missing := design.units[by_unit.isna().to_numpy()].tolist():
        raise InputError(
            f"{len(missing)} units have no arm",
            column=design.unit_dim,
            value=missing[0],
            remedy="give the arms of all units",
        )
    return Rows(unit, design.period_index, previous, ~treated, by_unit.to_numpy(str)[unit])


def thinned(tree: xr.DataTree, design: Design, most: int = DRAWS) -> xr.Dataset:
    """At most `most` of :data:`DRAWS` draws of the posterior, equally spaced in each chain.

    Raises
    ------
    ResultError
        If the fit was stored without its unit and period effects.
    """
    posterior = tree["posterior"].to_dataset()
    for dim, kind in (
        (design.unit_dim, design.unit_effects),
        (design.period_dim, design.period_effects),
    ):
        if kind != "none" and f"{dim}_effect" not in posterior:
            raise ResultError(f"{design.spec_id}: the fit holds no {dim} effects to predict with")
    per_chain = max(1, min(DRAWS // posterior.sizes["chain"], posterior.sizes["draw"]))
    chosen = np.linspace(0, posterior.sizes["draw"] - 1, per_chain).astype(int)
    found = posterior.isel(draw=chosen)
    size = found.sizes["chain"] * found.sizes["draw"]
    return found if size <= most else found.isel(draw=slice(None, None, -(-size // most)))
