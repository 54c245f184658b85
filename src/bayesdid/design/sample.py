"""Which rows of a panel a spec is fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdid.design.chosen import in_window, units_left_in
from bayesdid.exceptions import InputError, Note, NotIdentifiedError
from bayesdid.notebook import left_out
from bayesdid.panel.adoption import require_states, reversing, unknown_start
from bayesdid.panel.membership import units_in_sample
from bayesdid.panel.panel import Panel
from bayesdid.study.schema import Sample
from bayesdid.study.terms import POLICY_KINDS, STAGGERED, parse_term


def sample_rows(sample: Sample, panel: Panel, notes: list[Note]) -> NDArray[np.bool_]:
    """Rows that satisfy every condition of `sample`, boolean, shape (n,).

    Units are kept or dropped whole, see :func:`bayesdid.panel.membership.units_in_sample`, but for
    the window of periods. `switchers` are looked for where rows are complete.

    Parameters
    ----------
    notes
        Is told what the window and `without` leave out.

    Raises
    ------
    NotIdentifiedError
        If no row is left.
    """
    if sample.arms or sample.only or sample.sequences:
        require_states(panel)
    start = panel.adoption.to_numpy(dtype=float, na_value=np.inf)
    keep = pd.Series(units_in_sample(sample, panel.policies, start), index=panel.adoption.index)
    rows = keep.reindex(panel.frame[panel.unit]).to_numpy(dtype=bool)
    for column, levels in sample.groups.items():
        if column not in panel.frame.columns:
            raise InputError(
                "the panel has no such group column",
                file=panel.source,
                column=column,
                remedy="add the grouping to the panel or skip the specs that use it",
            )
        rows = rows & panel.frame[column].astype(str).isin(levels).to_numpy(dtype=bool)
    rows = rows & in_window(sample, panel, notes) & units_left_in(sample, panel, notes)
    if not rows.any():
        raise NotIdentifiedError(
            f"no unit of the panel is in the sample {sample.model_dump(exclude_defaults=True)}",
            file=panel.source,
            remedy="check the adoption periods, the group levels and the window of periods",
        )
    return rows


def rows_in_event_time(
    rows: NDArray[np.bool_],
    panel: Panel,
    timed: tuple[str, ...],
    ordered: tuple[str, ...],
    notes: list[Note],
) -> NDArray[np.bool_]:
    """Rows without the units that have no event time, or no order of adoption.

    Parameters
    ----------
    timed
        Terms such as ``both`` or ``active:P`` whose event time is used: units of which adoption was
        not seen, and that reverse a policy, go.
    ordered
        Terms whose policies must stay on, such as ``first:P``: units that reverse one go.
    notes
        Is told how many units go, and some of their names.

    Raises
    ------
    NotIdentifiedError
        If no row is left, or after reversals no unit that adopts.
    """
    hidden = pd.Series(False, index=panel.adoption.index)
    back, adopts = hidden.copy(), hidden.copy()
    for text in (*timed, *ordered):
        for factor in parse_term(text).factors:
            if factor.kind not in POLICY_KINDS:
                continue
            of = list(factor.policies or panel.policies)
            if text in timed and factor.kind in STAGGERED:
                hidden |= unknown_start(panel, *of)
            whole = of if factor.kind in STAGGERED | {"order"} else list(panel.policies)
            back |= reversing(panel, *whole)
            adopts |= panel.adoption[whole].notna().all(axis=1)
    hidden &= ~back
    _say_unseen(hidden, rows, panel, notes)
    _say_reversed(back, rows, panel, notes)
    kept = rows & ~_of_units(hidden | back, panel)
    if kept.sum() < rows.sum() and not kept.any():
        _refuse_all(back, panel)
    if (rows & _of_units(back, panel)).any() and not (kept & _of_units(adopts, panel)).any():
        _refuse_all(back, panel)
    return kept


def _say_unseen(
    hidden: pd.Series, rows: NDArray[np.bool_], panel: Panel, notes: list[Note]
) -> None:
    out = _of_units(hidden, panel) & rows
    if out.any():
        count = int(panel.frame.loc[out, panel.unit].nunique())
        text = (
            f"{left_out(count, int(out.sum()))}: when they adopted was not seen, "
            "so that their event time is not known"
        )
        notes.append(Note("event_time_not_known", count, text))


def _say_reversed(
    back: pd.Series, rows: NDArray[np.bool_], panel: Panel, notes: list[Note]
) -> None:
    out = _of_units(back, panel) & rows
    if out.any():
        units = panel.frame.loc[out, panel.unit].unique()
        text = (
            f"{left_out(len(units), int(out.sum()))}: they switch a policy off "
            f"again and have no event time, cohort or order of adoption ({_some(units)})"
        )
        notes.append(Note("reversals_left_out", len(units), text))


def _refuse_all(back: pd.Series, panel: Panel) -> NoReturn:
    if not back.any():
        raise NotIdentifiedError(
            "no unit of the sample is seen to adopt or to stay without the policy",
            file=panel.source,
            remedy="take a longer panel, or give adoption periods instead of an indicator",
        )
    raise NotIdentifiedError(
        "every unit of the sample that adopts switches the policy off again, so that none has an "
        "event time, a cohort or an order of adoption",
        file=panel.source,
        value=_some(back.index[back]),
        remedy="use static terms such as active:P, or lags of the policy's column, l(NAME, 1)",
    )


def _of_units(which: pd.Series, panel: Panel) -> NDArray[np.bool_]:
    """Rows of these units, boolean, shape (n,)."""
    return which.reindex(panel.frame[panel.unit]).to_numpy(dtype=bool)


def _some(units: Sequence[object] | np.ndarray | pd.Index) -> str:
    return ", ".join(map(str, units[:5])) + (", ..." if len(units) > 5 else "")
