"""Leads of a joint state: before its last adoption most units are under a part of it already."""

from __future__ import annotations

from collections.abc import Iterable

from bayesdid.panel.adoption import reversing, unknown_start
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
        The share, and of how many units that come under the state.
    """
    (factor,) = parse_term(term).factors
    policies = factor.policies or panel.policies
    starts = panel.adoption[list(policies)]
    known = ~(unknown_start(panel, *policies) | reversing(panel, *policies))
    starts = starts[known & starts.notna().all(axis=1) & starts.index.isin(list(units))]
    already = starts.min(axis=1) <= starts.max(axis=1) + time
    return (float(already.mean()) if len(starts) else 0.0), len(starts)


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
    if first < -1:
        said += f", {under_a_part(panel, term, known, first)[0]:.0%} {-first} periods before"
    return (
        f"{said}: its leads are not those of untreated units, and hold the effect of the first "
        "policy. What both do beyond their sum has a path of its own, whose leads are free of it."
    )
