"""What follows from adoption periods alone: arm, sequence, cohort, state, event time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bayesdid.exceptions import InputError
from bayesdid.panel.panel import Panel
from bayesdid.study.terms import Factor

_ARMS = ("none", "single", "dual", "triple")


def arm(adoption: pd.DataFrame) -> pd.Series:
    """By how many it ever adopts: ``none``, ``single``, ``dual``, ``triple``, ``4 policies``."""
    count = adoption.notna().sum(axis=1)
    return count.map({n: arm_name(n) for n in range(adoption.shape[1] + 1)})


def arm_name(count: int) -> str:
    """What units that ever adopt so many policies are called."""
    return _ARMS[count] if count < len(_ARMS) else f"{count} policies"


def only(adoption: pd.DataFrame) -> pd.Series:
    """The one policy of each single unit, and an empty string for the others."""
    adopted = adoption.notna()
    if adopted.empty:
        return pd.Series("", index=adoption.index)
    first = adopted.idxmax(axis=1)
    return first.where(adopted.sum(axis=1) == 1, "")


def sequence(adoption: pd.DataFrame) -> pd.Series:
    """The order in which units of two or more policies adopted them, empty for the others.

    As terms name it: ``first:<policy>`` or ``simultaneous`` in a study of two policies, else
    ``order:a>b=c`` (a first, then b and c in one period).
    """
    start = adoption.astype("Float64").to_numpy(dtype=float, na_value=np.inf)
    labels = [order_name(adoption.columns, row) for row in start]
    return pd.Series(labels, index=adoption.index, dtype="str")


def order_name(policies: Sequence[str], start: np.ndarray) -> str:
    """The order of one unit's adoptions, from the start of each policy, inf for never."""
    rounds = np.unique(start[np.isfinite(start)])
    if np.isfinite(start).sum() < 2:
        return ""
    groups = [
        [name for name, at in zip(policies, start, strict=True) if at == when] for when in rounds
    ]
    if len(policies) == 2:
        return f"first:{groups[0][0]}" if len(groups) > 1 else "simultaneous"
    return "order:" + ">".join("=".join(group) for group in groups)


def state_name(subset: Sequence[str], policies: Sequence[str]) -> str:
    """The state in which exactly these policies are active.

    ``none``, ``only:a``, ``only:a+b``; all of them are ``both`` of two, ``all`` of more.
    """
    if not subset:
        return "none"
    if len(subset) == len(policies) > 1:
        return "both" if len(policies) == 2 else "all"
    return "only:" + "+".join(subset)


def cohort(adoption: pd.DataFrame) -> pd.Series:
    """First period in which all policies are active, missing if never."""
    return adoption.max(axis=1).where(adoption.notna().all(axis=1)).astype("Int64")


def state(panel: Panel) -> pd.Series:
    """The policy state in each row of the panel, see :func:`state_name`."""
    return pd.Series(state_names(active(panel), panel.policies), index=panel.frame.index)


def state_names(on: np.ndarray, policies: Sequence[str]) -> np.ndarray:
    """States from whether each policy is active, shape (n, policies) -> (n,)."""
    code = on.astype(np.int64) @ 2 ** np.arange(len(policies))
    codes, index = np.unique(code, return_inverse=True)
    names = [
        state_name([p for k, p in enumerate(policies) if value >> k & 1], policies)
        for value in codes.tolist()
    ]
    return np.array(names or ["none"])[index]


def active(panel: Panel) -> np.ndarray:
    """Whether each policy is active in each row of the panel, shape (n, policies).

    From adoption on; in units that reverse the policy, where its indicator says so.
    """
    on = panel.frame[panel.period].to_numpy(dtype=float)[:, None] >= starts(panel)
    for policy, (column, cut) in panel.indicators.items():
        back = panel.reverses[policy].reindex(panel.frame[panel.unit]).to_numpy(dtype=bool)
        now = panel.frame[column].to_numpy(dtype=float) >= cut
        k = panel.policies.index(policy)
        on[:, k] = np.where(back, now, on[:, k])
    return np.asarray(on)


def require_states(panel: Panel, *policies: str) -> None:
    """Refuse what takes the state of policies, default all, that are fractions without a cut.

    Raises
    ------
    InputError
        With the column, and how many of its values lie between 0 and 1.
    """
    for policy in policies or panel.policies:
        if policy in panel.fractions:
            column, part = panel.fractions[policy]
            raise InputError(
                f"from which value on {policy} counts as adopted is not said: {part} rows of its "
                "indicator lie between 0 and 1",
                file=panel.source,
                column=column,
                remedy="say cut = 0.5 (or another) in its [[policy]], cut=0.5 in a call, or make a "
                f"0/1 column; a term that names {column} takes the values as they are",
            )


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
        Of a policy kind (:data:`bayesdid.study.terms.POLICY_KINDS`), without an event time.
    policies
        Ids, in the order of the last axis of `on` and `start`.
    on, start
        Whether each policy is active and when it began, shapes (..., policies), broadcastable.
    """
    at = [policies.index(name) for name in factor.policies]
    named = on[..., at[0]] if len(at) == 1 else on[..., at or slice(None)].all(axis=-1)
    match factor.kind:
        case "active" | "both" | "all":
            return np.asarray(named)
        case "only":
            return np.asarray(named & (on.sum(axis=-1) == len(at)))
        case "any":
            return np.asarray(on.any(axis=-1))
        case "first":
            others = np.delete(start, at, axis=-1).min(axis=-1)
            return np.asarray(on.all(axis=-1) & (start[..., at[0]] < others))
        case "simultaneous":
            return np.asarray(named & (start.min(axis=-1) == start.max(axis=-1)))
        case "order":
            follows = np.ones(named.shape, dtype=bool)
            for one, other, sign in zip(at, at[1:], factor.signs, strict=False):
                before, after = start[..., one], start[..., other]
                follows = follows & (before < after if sign == ">" else before == after)
            return np.asarray(named & follows)
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


def event_time(panel: Panel, *policies: str) -> pd.Series:
    """Periods since all of these policies are active in a unit; default all of the panel's.

    Missing for units that never adopt, for those whose adoption was not seen, and for those that
    reverse one of the policies.
    """
    start = cohort(panel.adoption[list(policies or panel.policies)])
    start = start.mask(unknown_start(panel, *policies) | reversing(panel, *policies))
    per_row = start.reindex(panel.frame[panel.unit]).reset_index(drop=True)
    return panel.frame[panel.period].astype("Int64") - per_row


def unknown_start(panel: Panel, *policies: str) -> pd.Series:
    """Units of which the period since all of these are active was not seen; boolean by unit."""
    starts = panel.adoption[list(policies or panel.policies)]
    if not panel.censored.to_numpy(dtype=bool).any():
        return pd.Series(False, index=starts.index)
    hidden = panel.censored.reindex(index=starts.index, columns=starts.columns, fill_value=False)
    last = starts.eq(cohort(starts), axis=0).fillna(False).astype(bool)
    return (hidden.astype(bool) & last).any(axis=1)


def reversing(panel: Panel, *policies: str) -> pd.Series:
    """Units that adopt all of these policies and reverse one of them; boolean by unit.

    They have a state in each row, but no event time, cohort or order of adoption.
    """
    starts = panel.adoption[list(policies or panel.policies)]
    if not panel.reverses.to_numpy(dtype=bool).any():
        return pd.Series(False, index=starts.index)
    back = panel.reverses.reindex(index=starts.index, columns=starts.columns, fill_value=False)
    return back.astype(bool).any(axis=1) & starts.notna().all(axis=1)


def adopted_orders(panel: Panel) -> pd.Series:
    """As :func:`sequence`, of units that reverse none of their policies; empty for the others."""
    orders = sequence(panel.adoption)
    back = panel.reverses.reindex(index=orders.index, columns=panel.adoption.columns)
    return orders.mask(back.eq(True).any(axis=1), "")


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
    """First period under the policy of each unit, from a 0/1 (or fractional) column.

    Parameters
    ----------
    frame
        Long panel sorted by unit and period.
    cut
        Values of at least `cut` mean active.

    Raises
    ------
    InputError
        If a value is not between 0 and 1.
    """
    if bad := frame.index[~frame[column].between(0, 1)].tolist():
        raise InputError(
            "a policy indicator must lie between 0 and 1",
            file=file,
            column=column,
            row=_where(frame, unit, period, bad[0]),
            value=frame.loc[bad[0], column],
            remedy="code the policy as 0 before and 1 from adoption on",
        )
    on = frame[column] >= cut
    start = frame.loc[on].groupby(unit)[period].min()
    return start.reindex(frame[unit].unique()).astype("Int64")


def switched_off(frame: pd.DataFrame, unit: str, column: str, cut: float) -> pd.Series:
    """Whether each unit has a row without the policy after one with it.

    Parameters
    ----------
    frame
        Long panel sorted by unit and period.
    """
    on = frame[column] >= cut
    before = on.groupby(frame[unit]).shift(fill_value=False)
    return (before & ~on).groupby(frame[unit], sort=False).any()


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
            value=f"{frame[column][bad[0]]:.15g}",
            remedy="repeat one adoption period in all rows of the unit (empty for never)",
        )
    return spread.min().reindex(frame[unit].unique()).astype("Int64")


def _where(frame: pd.DataFrame, unit: str, period: str, index: int) -> str:
    row, key, when = (frame[name][index] for name in ("__row__", unit, period))
    return f"{int(row)} ({unit} {key}, {period} {when})"
