"""Leads of a joint state: before its last adoption most units are under a part of it already."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from bayesdid.panel.adoption import event_time
from bayesdid.panel.panel import Panel
from bayesdid.study.terms import parse_term


def under_a_part(panel: Panel, term: str, units: Iterable[object], time: int) -> tuple[float, int]:
    """Share of a state's units that are under one of its policies `time` periods after it begins.

    Parameters
    ----------
    term
        A state such as ``both`` or ``all:P:Q``; of one policy the share is zero.
    units
        Of the sample.
    time
        Negative: before the last of its policies is adopted.

    Returns
    -------
    share, count
        The share, and of how many units that come under the state and have a row at that time.
    """
    (factor,) = parse_term(term).factors
    policies = list(factor.policies or panel.policies)
    rows = pd.DataFrame(
        {
            "unit": panel.frame[panel.unit],
            "period": panel.frame[panel.period],
            "time": event_time(panel, *policies),
        }
    )
    at = rows[rows["time"].eq(time).fillna(False) & rows["unit"].isin(list(units))]
    first = panel.adoption[policies].min(axis=1).reindex(at["unit"]).to_numpy()
    return (float((first <= at["period"].to_numpy()).mean()) if len(at) else 0.0), len(at)


def leads_sentence(panel: Panel, term: str, units: Iterable[object], first: int) -> str:
    """That the leads of an event study are no untreated periods; empty where they are.

    Parameters
    ----------
    first
        First event time of the window.
    """
    (factor,) = parse_term(term).factors
    if factor.kind not in {"all", "both", "active"}:
        return ""  # event times of a column: of which policy is not known
    known = list(units)
    share, count = under_a_part(panel, term, known, -1)
    if not share:
        return ""
    said = f"{share:.0%} of the {count} units are under a policy already one period before"
    far, seen = under_a_part(panel, term, known, first)
    if first < -1 and seen:
        said += f", {far:.0%} of them {-first} periods before"
    return (
        f"{said}: its leads are not those of untreated units, and hold the effect of the first "
        "policy. What both do beyond their sum has a path of its own, whose leads are free of it."
    )
