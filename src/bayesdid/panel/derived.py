"""Values of columns that are made from others, in every row of a panel's frame."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError, Note
from bayesdid.study.derived import Derived


def derived_values(
    frame: pd.DataFrame, unit: str, period: str, column: Derived, source: str, notes: list[Note]
) -> FloatArray:
    """Value of `column` in each row, shape (n,); NaN where it has none.

    Parameters
    ----------
    frame
        One row per `unit` and `period`, the columns that are needed numeric.
    source
        Of the frame, for messages.
    notes
        Gets a note of the rows in which a logarithm does not exist, and of values that are moved.

    Raises
    ------
    InputError
        If a lag or lead exists in no row.
    """
    if isinstance(column.of, str):
        values = frame[column.of].to_numpy(dtype=float, na_value=np.nan)
    else:
        values = derived_values(frame, unit, period, column.of, source, notes)
    if column.function == "log":
        positive = values > 0
        if lost := int((~positive & np.isfinite(values)).sum()):
            text = f"{column} does not exist in {lost} rows: {column.of} is not positive there"
            notes.append(Note("no_logarithm", lost, text))
        return np.log(values, out=np.full(len(values), np.nan), where=positive)
    if column.function == "winsor":
        return _winsorised(values, column, notes)
    steps = column.steps if column.function == "f" else -column.steps
    found = shifted(values, frame[unit], frame[period], steps)
    if column.function == "d":
        found = values - found
    if not np.isfinite(found).any():
        raise InputError(
            f"no unit is seen {abs(steps)} of {period} apart",
            file=source,
            column=str(column),
            remedy=f"take another step, or number the values of {period} 1, 2, 3",
        )
    return found


def _winsorised(values: FloatArray, column: Derived, notes: list[Note]) -> FloatArray:
    """Values within two of their quantiles, those of all rows; quantiles as Stata defines them."""
    known = np.isfinite(values)
    if not known.any():
        return values
    at = (column.share, 1 - column.share)
    low, high = np.quantile(values[known], at, method="averaged_inverted_cdf")
    below, above = int((values < low).sum()), int((values > high).sum())
    text = (
        f"{column}: {below} rows are moved up to {low:.6g} and {above} down to {high:.6g}, its "
        f"quantiles {at[0]:g} and {at[1]:g} over all rows of the panel"
    )
    notes.append(Note("winsorised", below + above, text))
    return np.clip(values, low, high)


def shifted(values: FloatArray, units: pd.Series, periods: pd.Series, steps: int) -> FloatArray:
    """Each row's unit's value `steps` periods later, shape (n,); NaN where it is not seen then.

    Raises
    ------
    InputError
        If rows of one unit and period have different values: of which one it would be is not said.
    """
    if steps == 0:
        return values
    keys = pd.MultiIndex.from_arrays([units, periods])
    later = pd.MultiIndex.from_arrays([units, periods + steps])
    series = pd.Series(values, index=keys)
    if not keys.is_unique:
        first = series.groupby(level=[0, 1], sort=False).transform("first")
        if not ((series == first) | (series.isna() & first.isna())).all():
            raise InputError(
                f"rows of one {units.name} and {periods.name} differ, so that none has a value in "
                "another period",
                remedy=f"take lags, leads and differences of what is the same in a {units.name} "
                f"and {periods.name}",
            )
        series = series[~keys.duplicated()]
    return np.asarray(series.reindex(later), dtype=np.float64)
