"""What follows from adoption periods alone: arm, sequence, cohort, state, event time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bayesdid.exceptions import InputError
from bayesdid.panel.panel import Panel
from bayesdid.study.terms import Factor


def arm(adoption: pd.DataFrame) -> pd.Series:
    """``none``, ``single`` or ``dual`` for each unit, by how many policies it ever adopts."""
    count = adoption.notna().sum(axis=1)
    if adoption.shape[1] == 1:
        return count.map({0: "none", 1: "single"})
    return count.map({0: "none", 1: "single", 2: "dual"})


def only(adoption: pd.DataFrame) -> pd.Series:
    """The one policy of each single unit, and an empty string for the others."""
    adopted = adoption.notna()
    if adopted.empty:
        return pd.Series("", index=adoption.index)
    first = adopted.idxmax(axis=1)
    return first.where(adopted.sum(axis=1) == 1, "")


def sequence(adoption: pd.DataFrame) -> pd.Series:
    """``first:<policy>`` or ``simultaneous`` for dual units, and an empty string for others."""
    if adoption.empty:
        return pd.Series("", index=adoption.index)
    start = adoption.astype("Float64").to_numpy(dtype=float, na_value=np.inf)
    dual = np.isfinite(start).all(axis=1) & (adoption.shape[1] > 1)
    earliest = start.argmin(axis=1)
    tie = start.min(axis=1) == start.max(axis=1)
    labels = np.where(tie, "simultaneous", "first:" + adoption.columns.to_numpy(str)[earliest])
    return pd.Series(np.where(dual, labels, ""), index=adoption.index)


def cohort(adoption: pd.DataFrame) -> pd.Series:
    """First period in which all policies are active, missing if never."""
    return adoption.max(axis=1).where(adoption.notna().all(axis=1)).astype("Int64")


def state(panel: Panel) -> pd.Series:
    """``none``, ``only:<policy>`` or ``both`` in each row of the panel."""
    if not panel.policies:
        return pd.Series("none", index=panel.frame.index)
    on = active(panel)
    count = on.sum(axis=1)
    single = "only:" + np.array(panel.policies)[on.argmax(axis=1)].astype(object)
    values = np.select([count == 0, (count > 1)], ["none", "both"], default=single)
    return pd.Series(values, index=panel.frame.index)


def active(panel: Panel) -> np.ndarray:
    """Whether each policy is active in each row of the panel, shape (n, policies)."""
    return panel.frame[panel.period].to_numpy(dtype=float)[:, None] >= starts(panel)


def starts(panel: Panel) -> np.ndarray:
    """Adoption period of each policy in each row's unit, inf for never, shape (n, policies)."""
    per_row = panel.adoption.reindex(panel.frame[panel.unit])
    return per_row.to_numpy(dtype=float, na_value=np.inf)


def policy_value(
    factor: Factor, policies: Sequence[str], on: np.ndarray, start: np.ndarray
) -> np.ndarray:
    """Whether a policy factor of the study vocabulary holds: its one definition.

    Parameters
    ----------
    factor
        Of kind active, only, any, both, first or simultaneous, without an event time.
    policies
        Ids, in the order of the last axis of `on` and `start`.
    on, start
        Whether each policy is active and when it began, shapes (..., policies), broadcastable.
    """
    both = on.all(axis=-1)
    k = policies.index(factor.name) if factor.name else -1
    match factor.kind:
        case "active":
            return np.asarray(on[..., k])
        case "only":
            return np.asarray(on[..., k] & (on.sum(axis=-1) == 1))
        case "any":
            return np.asarray(on.any(axis=-1))
        case "both":
            return np.asarray(both)
        case "first":
            return np.asarray(both & (start[..., k] < np.delete(start, k, axis=-1).min(axis=-1)))
        case "simultaneous":
            return np.asarray(both & (start.min(axis=-1) == start.max(axis=-1)))
    raise ValueError(f"'{factor}' is not a policy term")


def event_value(factor: Factor, time: np.ndarray) -> np.ndarray:
    """Whether rows are in the event time, or the bin, that a factor names.

    Parameters
    ----------
    factor
        Such as ``both@-3`` or ``active:P@>=5``.
    time
        Periods since adoption, NaN for units that never adopt: they are in no event time.
    """
    at = factor.event_time
    if factor.event.startswith("<="):
        return np.asarray(time <= at)
    return np.asarray(time >= at if factor.event.startswith(">=") else time == at)


def event_time(panel: Panel, policy: str | None = None) -> pd.Series:
    """Periods since adoption of `policy`, or since all are active.

    Missing for units that never adopt, and for those whose adoption was not seen.
    """
    start = cohort(panel.adoption) if policy is None else panel.adoption[policy]
    start = start.mask(unknown_start(panel, policy))
    per_row = start.reindex(panel.frame[panel.unit]).reset_index(drop=True)
    return panel.frame[panel.period].astype("Int64") - per_row


def unknown_start(panel: Panel, policy: str | None = None) -> pd.Series:
    """Units whose adoption of `policy`, or of the last of all, was not seen; boolean by unit."""
    starts = panel.adoption
    hidden = panel.censored.reindex(index=starts.index, columns=starts.columns, fill_value=False)
    if policy is not None:
        return hidden[policy].astype(bool)
    last = starts.eq(cohort(starts), axis=0).fillna(False).astype(bool)
    return (hidden.astype(bool) & last).any(axis=1)


def not_seen_off(frame: pd.DataFrame, unit: str, period: str, start: pd.Series) -> pd.Series:
    """Whether no row without the policy stands in the period before a unit's first with it.

    Such a unit entered the panel already treated, or adopted in a gap: its adoption is censored.

    Parameters
    ----------
    frame
        Long panel.
    start
        First period with the policy, missing for never, by unit.
    """
    adopters = start.dropna()
    seen = pd.MultiIndex.from_frame(frame[[unit, period]])
    before = pd.MultiIndex.from_arrays([adopters.index, adopters.astype(np.int64) - 1])
    hidden = pd.Series(False, index=start.index)
    hidden[adopters.index] = ~before.isin(seen)
    return hidden


def from_indicator(
    frame: pd.DataFrame, unit: str, period: str, column: str, cut: float, file: str
) -> pd.Series:
    """Adoption period of each unit from a 0/1 (or fractional) policy column.

    Parameters
    ----------
    frame
        Long panel sorted by unit and period.
    cut
        Values of at least `cut` mean active.

    Raises
    ------
    InputError
        If the policy is switched off again: bayesdid models absorbing treatments.
    """
    on = frame[column] >= cut
    if bad := frame.index[~frame[column].between(0, 1)].tolist():
        raise InputError(
            "a policy indicator must lie between 0 and 1",
            file=file,
            column=column,
            row=_where(frame, unit, period, bad[0]),
            value=frame.loc[bad[0], column],
            remedy="code the policy as 0 before and 1 from adoption on",
        )
    previous = on.groupby(frame[unit]).shift(fill_value=False)
    if off := frame.index[previous & ~on].tolist():
        raise InputError(
            "the policy is switched off again, but adoption must be absorbing",
            file=file,
            column=column,
            row=_where(frame, unit, period, off[0]),
            value=frame.loc[off[0], column],
            remedy="drop the unit, or redefine the policy so that it stays on once adopted",
        )
    start = frame.loc[on].groupby(unit)[period].min()
    return start.reindex(frame[unit].unique()).astype("Int64")


def from_years(frame: pd.DataFrame, unit: str, period: str, column: str, file: str) -> pd.Series:
    """Adoption period of each unit from a column that repeats it in every row.

    A missing value means that the unit never adopts.
    """
    years = frame[column]
    spread = years.groupby(frame[unit])
    filled = spread.transform("min")
    differs = (years != filled) & ~(years.isna() & filled.isna())
    if bad := frame.index[differs].tolist():
        raise InputError(
            "the adoption period is not constant within the unit",
            file=file,
            column=column,
            row=_where(frame, unit, period, bad[0]),
            value=frame.loc[bad[0], column],
            remedy="repeat one adoption period in all rows of the unit (empty for never)",
        )
    return spread.min().reindex(frame[unit].unique()).astype("Int64")


def _where(frame: pd.DataFrame, unit: str, period: str, index: int) -> str:
    row = frame.loc[index]
    return f"{int(row['__row__'])} ({unit} {row[unit]}, {period} {row[period]})"
