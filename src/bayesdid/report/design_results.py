"""The design of a panel: who is treated when, outcome paths of the arms, descriptives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bayesdid.panel.adoption import arm, only
from bayesdid.panel.panel import Panel
from bayesdid.report.panelview import adoption_order, state_matrix
from bayesdid.study.derived import source_column
from bayesdid.study.load import Study
from bayesdid.study.terms import parse_term

_TREND_PERIODS = 3  # before the first adoption from which a trend is a trend


def design_section(study: Study, panel: Panel) -> dict[str, Any]:
    """States of units and periods, mean outcome by arm and period, cohorts, descriptives."""
    column = study.file.outcome.column
    outcome = panel.frame[column].astype(float)
    labels = {policy.id: policy.label for policy in study.policies}
    arms = _named(panel, labels)
    state, names = state_matrix(panel)
    order = adoption_order(panel)
    start = panel.adoption.astype("Float64").to_numpy(dtype=float, na_value=np.inf)
    first = start.min(axis=1) if start.size else np.full(len(panel.units), np.inf)
    starts = sorted({float(v) for v in first[np.isfinite(first)] if v > panel.periods[0]})
    paths = [_path(panel, outcome, arms, name) for name in dict.fromkeys(arms)]
    return {
        "states": [_state_label(name, labels) for name in names],
        "matrix": ["".join("-" if v < 0 else chr(48 + v) for v in row) for row in state],
        "units": [_label(panel, str(panel.units[k])) for k in order],
        "periods": [panel.timeline.label(period) for period in panel.periods],
        "adopters": int(np.isfinite(first).sum()),
        "early": int((first <= panel.periods[0]).sum()),
        "first_adoption": panel.timeline.label(int(starts[0])) if starts else None,
        "last_adoption": panel.timeline.label(int(starts[-1])) if starts else None,
        "paths": paths,
        "trends": _trends(panel, outcome, arms, starts),
        "descriptives": _descriptives(study, panel),
    }


def no_design() -> dict[str, Any]:
    """The section where there is no panel."""
    lists: dict[str, Any] = {
        key: [] for key in ("states", "matrix", "units", "periods", "paths", "descriptives")
    }
    none = dict.fromkeys(("adopters", "early", "first_adoption", "last_adoption", "trends"))
    return lists | none


def _label(panel: Panel, unit: str) -> str:
    return panel.unit_labels.get(unit, unit)


def _state_label(name: str, labels: dict[str, str]) -> str:
    return " and ".join(labels.get(part, part) for part in name.split(" and "))


def _named(panel: Panel, labels: dict[str, str]) -> pd.Series:
    """The arm of each unit: the one policy by its label, else how many, else never."""
    alone = only(panel.adoption).map(lambda policy: labels.get(policy, ""))
    two = "both policies" if len(labels) == 2 else "two policies"
    count = arm(panel.adoption).map({"none": "never treated", "dual": two})
    return alone.where(alone != "", count.fillna("several policies"))


def _path(panel: Panel, outcome: pd.Series, arms: pd.Series, name: str) -> dict[str, Any]:
    members = set(arms.index[arms == name])
    rows = panel.frame[panel.unit].isin(members)
    by = outcome[rows].groupby(panel.frame.loc[rows, panel.period]).mean()
    return {
        "arm": name,
        "units": len(members),
        "mean": [float(by.get(period, np.nan)) for period in panel.periods],
    }


def _trends(
    panel: Panel, outcome: pd.Series, arms: pd.Series, starts: list[float]
) -> dict[str, Any] | None:
    """Slopes of units that adopt and that never do, before the first adoption, and their gap.

    Each unit's slope counts once; the gap has the standard error of a difference of means. None
    with too few periods; without a gap and its error where either arm has fewer than two units.
    """
    before = panel.frame[panel.period] < (starts[0] if starts else -np.inf)
    if before.sum() == 0 or panel.frame.loc[before, panel.period].nunique() < _TREND_PERIODS:
        return None
    rows = pd.DataFrame(
        {
            "unit": panel.frame.loc[before, panel.unit],
            "t": panel.frame.loc[before, panel.period].astype(float),
            "y": outcome[before],
        }
    ).dropna()
    centred = rows.assign(t=rows["t"] - rows.groupby("unit")["t"].transform("mean"))
    moment = (centred["t"] * centred["y"]).groupby(centred["unit"]).sum()
    spread = (centred["t"] ** 2).groupby(centred["unit"]).sum()
    slope = (moment / spread).replace([np.inf, -np.inf], np.nan).dropna()
    never = arms.reindex(slope.index) == "never treated"
    groups = slope[~never], slope[never]
    found: dict[str, Any] = {
        "periods": int(rows["t"].nunique()),
        "units": [len(group) for group in groups],
    }
    if min(found["units"]) < 2:
        return found | dict.fromkeys(("adopting", "never", "gap", "se"))
    means = [float(group.mean()) for group in groups]
    se = float(np.sqrt(sum(g.var(ddof=1) / len(g) for g in groups)))
    ends = {"adopting": means[0], "never": means[1], "gap": means[0] - means[1], "se": se}
    return found | ends


def _used(study: Study) -> dict[str, None]:
    """Columns of the panel that a spec has as a treatment, a covariate or an exposure."""
    found: dict[str, None] = {}
    for spec in study.specs.values():
        exposure = spec.column.options.get("exposure")
        for text in (
            *spec.column.treatments,
            *spec.column.covariates,
            *([exposure] * bool(exposure)),
        ):
            try:
                factors = parse_term(str(text)).factors
            except ValueError:
                continue  # what a printed table has that is no term
            names = [source_column(f.name) for f in factors if f.kind in {"column", "centred"}]
            found |= dict.fromkeys(names)
    return found


def _descriptives(study: Study, panel: Panel) -> list[dict[str, Any]]:
    outcome = study.file.outcome
    named = {outcome.column: (outcome.label, outcome.unit)}
    named |= {v.column: (v.label, v.unit) for v in study.file.variable}
    for column in _used(study):
        named.setdefault(column, (column, ""))
    found = []
    for column, (label, unit) in named.items():
        if column not in panel.frame or not pd.api.types.is_numeric_dtype(panel.frame[column]):
            continue
        values = panel.frame[column].astype(float).dropna()
        found.append(
            {
                "column": column,
                "label": label,
                "unit": unit,
                "n": len(values),
                "mean": float(values.mean()),
                "sd": float(values.std()),
                "min": float(values.min()),
                "max": float(values.max()),
            }
        )
    return found
