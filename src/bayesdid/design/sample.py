"""Which rows of a panel a spec is fitted on."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesdid.exceptions import InputError, Note, NotIdentifiedError
from bayesdid.panel.adoption import unknown_start
from bayesdid.panel.membership import units_in_sample
from bayesdid.panel.panel import Panel
from bayesdid.study.schema import Sample
from bayesdid.study.terms import STAGGERED, parse_term


def sample_rows(sample: Sample, panel: Panel) -> NDArray[np.bool_]:
    """Rows that satisfy every condition of `sample`, boolean, shape (n,).

    Units are kept or dropped whole, see :func:`bayesdid.panel.membership.units_in_sample`.

    Raises
    ------
    NotIdentifiedError
        If no row is left.
    """
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
    if not rows.any():
        raise NotIdentifiedError(
            f"no unit of the panel is in the sample {sample.model_dump(exclude_none=True)}",
            file=panel.source,
            remedy="check the adoption periods and the group levels",
        )
    return rows


def rows_in_event_time(
    rows: NDArray[np.bool_], panel: Panel, timed: tuple[str, ...], notes: list[Note]
) -> NDArray[np.bool_]:
    """Rows without the units whose adoption of a policy was not seen.

    Parameters
    ----------
    timed
        Terms such as ``both`` or ``active:P`` whose event time is used.
    notes
        Is told how many units go.

    Raises
    ------
    NotIdentifiedError
        If no row is left.
    """
    hidden = pd.Series(False, index=panel.adoption.index)
    for text in timed:
        for factor in parse_term(text).factors:
            if factor.kind in STAGGERED:
                hidden |= unknown_start(panel, *factor.policies)
    out = hidden.reindex(panel.frame[panel.unit]).to_numpy(dtype=bool) & rows
    if not out.any():
        return rows
    count = int(panel.frame.loc[out, panel.unit].nunique())
    text = (
        f"{count} units ({int(out.sum())} rows) are left out: when they adopted was not seen, so "
        "that their event time is not known"
    )
    notes.append(Note("event_time_not_known", count, text))
    if out.sum() == rows.sum():
        raise NotIdentifiedError(
            "no unit of the sample is seen to adopt or to stay without the policy",
            file=panel.source,
            remedy="take a longer panel, or give adoption periods instead of an indicator",
        )
    return rows & ~out
