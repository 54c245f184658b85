"""What every TWFE coefficient of a study averages: negative weights, contamination, Bacon."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from bayesdid.design.cohort import cohort_design
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError
from bayesdid.panel.adoption import state
from bayesdid.panel.panel import Panel
from bayesdid.peers.staggered import bacon, term_weights
from bayesdid.study.load import Study

_NAMED = 6  # specs that a sentence names
_MATTERS = 0.1  # share of negative or forbidden weight from which the page warns


def weights_section(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows of all specs, and sentences on whether their weights matter."""
    return {"rows": rows, "sentences": _sentences(rows)}


def weight_rows(study: Study, panel: Panel, design: Design) -> list[dict[str, Any]]:
    """A row for each binary treatment of a two-way spec.

    Goodman-Bacon decompositions (without covariates) where the spec has one absorbing treatment
    and its sample is balanced.
    """
    if study[design.spec_id].column.family not in {"twfe", "pooled"}:
        return []
    shares = _bacon(study, design.spec_id, panel)
    return [
        {
            "spec": design.spec_id,
            "term": item.term,
            "estimate": item.estimate,
            "negative": item.negative,
            "negative_rows": item.negative_rows,
            "zero_sd": item.zero_sd,
            "contamination": item.other_size,
            "forbidden": shares.get("forbidden") if shares else None,
        }
        for item in term_weights(design, row_states(design, panel))
    ]


def row_states(design: Design, panel: Panel) -> np.ndarray:
    """The policy state in each row of a design, see :func:`bayesdid.panel.adoption.state_name`."""
    if not panel.policies:
        return np.full(design.n, "none")
    keys = panel.frame[[panel.unit, panel.period]]
    states = state(panel).set_axis(pd.MultiIndex.from_frame(keys))
    states = states[~states.index.duplicated()]
    rows = [design.units[design.unit_index], design.periods[design.period_index]]
    return states.reindex(pd.MultiIndex.from_arrays(rows)).to_numpy(dtype=str)


def _bacon(study: Study, spec_id: str, panel: Panel) -> dict[str, float] | None:
    spec = study[spec_id]
    bare = dataclasses.replace(spec, column=spec.column.model_copy(update={"covariates": ()}))
    if panel.indicators:
        return None  # a policy that is reversed is not absorbing
    if spec.column.outcome_lead or "none" in {spec.column.unit_effects, spec.column.period_effects}:
        return None
    if spec.column.effects or spec.column.row_weights:
        return None  # a decomposition of the regression on units and periods alone
    try:
        parts = bacon(cohort_design(bare, panel))
    except InputError:
        return None  # not one absorbing treatment, or nothing to compare with
    return None if parts is None else parts.weight


def _sentences(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    negative = [row for row in rows if row["negative"] < -_MATTERS]
    decomposed = [row for row in rows if row["forbidden"] is not None]
    forbidden = [row for row in decomposed if row["forbidden"] > _MATTERS]
    dirty = [row for row in rows if max(row["contamination"].values(), default=0.0) > _MATTERS]

    def share(found: list[dict[str, Any]], among: list[dict[str, Any]] = rows) -> str:
        names = list(dict.fromkeys(row["spec"] for row in found))
        some = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
        return f"{len(found)} of {len(among)}" + (f" ({some})" if found else "")

    words = "coefficient" if len(rows) == 1 else "coefficients"
    none = f"none of {len(rows)} {words}" if len(rows) > 1 else "no coefficient"
    said = [
        f"Negative weights on treated rows sum to more than {_MATTERS} in {share(negative)} "
        f"{words}: there, effects that differ between rows can pull the coefficient outside their "
        "range."
        if negative
        else f"Negative weights on treated rows sum to more than {_MATTERS} in {none}: no material "
        "negative weights. A TWFE coefficient still need not equal the "
        "average effect on the treated, since its weights differ between rows."
    ]
    if decomposed:  # none is where policies are reversed or several
        said.append(
            f"Forbidden comparisons (later against earlier treated) have more than {_MATTERS:.0%} "
            f"of the weight in {share(forbidden, decomposed)}."
        )
    if any(row["contamination"] for row in rows):  # of one policy there is no other state
        said.append(
            f"Rows under another policy state than the coefficient's own have more than {_MATTERS} "
            f"of absolute weight in {share(dirty)}: such a coefficient mixes in what the other "
            "policy does."
        )
    return said
