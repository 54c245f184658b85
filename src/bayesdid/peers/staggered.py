"""Estimators for staggered adoption through the package diff-diff, and the anatomy of TWFE.

Peers: Callaway & Sant'Anna (2021), Borusyak, Jaravel & Spiess (2024); decompositions: Goodman-Bacon
(2021, doi:10.1016/j.jeconom.2021.03.014), de Chaisemartin & D'Haultfoeuille (2020,
doi:10.1257/aer.20181169; 2023, doi:10.1093/ectj/utac017).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.design.cohort import CohortDesign
from bayesdid.design.design import Design
from bayesdid.design.span import within
from bayesdid.extras import extra


@dataclass(frozen=True, slots=True)
class StaggeredEstimates:
    """ATTs of one estimator: overall, by cohort and by event time, as ``(estimate, se)``."""

    name: str
    overall: tuple[float, float]
    by_cohort: dict[int, tuple[float, float]]
    by_event: dict[int, tuple[float, float]]


def callaway_santanna(cells: CohortDesign) -> StaggeredEstimates:
    """Group-time ATTs against never-treated units, without covariates, errors clustered by unit."""
    with extra("peers"):
        import diff_diff

    estimator = diff_diff.CallawaySantAnna(
        control_group="never_treated", estimation_method="reg", base_period="universal"
    )
    result = _run(estimator, cells, aggregate="all")
    return _collect("Callaway & Sant'Anna (diff-diff)", result)


def imputation(cells: CohortDesign) -> StaggeredEstimates:
    """Imputation from all untreated rows, without covariates, errors clustered by unit."""
    with extra("peers"):
        import diff_diff

    result = _run(diff_diff.ImputationDiD(), cells, aggregate="all")
    return _collect("imputation, Borusyak et al. (diff-diff)", result)


@dataclass(frozen=True, slots=True)
class Bacon:
    """Goodman-Bacon decomposition of a TWFE coefficient without covariates.

    Attributes
    ----------
    estimate
        The coefficient, the weighted sum of the 2 x 2 comparisons.
    weight, average
        By kind of comparison: ``never``, ``earlier`` (against later treated), ``forbidden``
        (later against earlier treated, whose effects may still be growing).
    """

    estimate: float
    weight: dict[str, float]
    average: dict[str, float]


def bacon(cells: CohortDesign) -> Bacon | None:
    """The decomposition, or None for an unbalanced panel."""
    with extra("peers"):
        import diff_diff

    if not cells.design.is_balanced:
        return None
    result = _run(diff_diff.BaconDecomposition(), cells)
    kinds = {
        "treated_vs_never": "never",
        "earlier_vs_later": "earlier",
        "later_vs_earlier": "forbidden",
    }
    weight, total = dict.fromkeys(kinds.values(), 0.0), dict.fromkeys(kinds.values(), 0.0)
    for item in result.comparisons:
        kind = kinds[item.comparison_type]
        weight[kind] += float(item.weight)
        total[kind] += float(item.weight * item.estimate)
    average = {k: total[k] / weight[k] if weight[k] else float("nan") for k in weight}
    return Bacon(float(result.twfe_estimate), weight, average)


@dataclass(frozen=True, slots=True)
class TermWeights:
    """What a TWFE coefficient averages, if effects differ between rows.

    Attributes
    ----------
    term
        The treatment.
    estimate
        Its least-squares coefficient.
    weight
        Of each row's effect in the coefficient's expectation, shape (n,).
    own, negative, negative_rows
        Sum of the weights on rows where the term is on (one by construction), the negative part
        of that sum, and how many such rows have a negative weight.
    other
        State or term -> sum of the weights on rows where this term is off and that one is on:
        the contamination. ``other_size`` is the sum of their absolute values.
    zero_sd
        Smallest standard deviation of effects over treated rows at which their average could be
        zero: ``|estimate| / sd(own weights, scaled to a mean of one)`` (de Chaisemartin &
        D'Haultfoeuille 2020, cor. 1, first part). Infinite if all weights are alike.
    """

    term: str
    estimate: float
    weight: FloatArray
    own: float
    negative: float
    negative_rows: int
    other: dict[str, float]
    other_size: dict[str, float]
    zero_sd: float


def term_weights(design: Design, states: np.ndarray | None = None) -> tuple[TermWeights, ...]:
    """Weights of every binary treatment term of a design.

    Parameters
    ----------
    design
        Any two-way design; all its effects are taken as fixed.
    states
        Label of each row's policy state, shape (n,), for the contamination; default none.
    """
    both = np.column_stack([design.regressors, design.y])
    residual = within(design, both, flat_only=False, weights=design.weights)
    root = 1.0 if design.weights is None else np.sqrt(design.weights)
    W, y = residual[:, :-1], residual[:, -1]
    found = []
    for k, term in enumerate(design.treatments):
        column = design.D[:, k]
        if not np.isin(column, (0.0, 1.0)).all():
            continue
        rest = np.delete(W, k, axis=1)
        left = W[:, k]
        if rest.shape[1]:
            left = left - rest @ np.linalg.lstsq(rest, left, rcond=None)[0]
        estimate = float(left @ y / (left @ W[:, k]))
        weight = left * root / (left @ W[:, k])
        on = column == 1
        own = weight[on]
        other, other_size = {}, {}
        for state in [] if states is None else np.unique(states[~on]):
            rows = ~on & (states == state)
            if state != "none":
                other[str(state)] = float(weight[rows].sum())
                other_size[str(state)] = float(np.abs(weight[rows]).sum())
        spread = float((own * len(own)).std())
        found.append(
            TermWeights(
                term,
                estimate,
                weight,
                float(own.sum()),
                float(own[own < 0].sum()),
                int((own < 0).sum()),
                other,
                other_size,
                abs(estimate) / spread if spread > 1e-12 else float("inf"),
            )
        )
    return tuple(found)


def _run(estimator: Any, cells: CohortDesign, **options: Any) -> Any:
    design = cells.design
    start = np.where(np.isfinite(cells.start), cells.start, 0).astype(int)
    frame = pd.DataFrame(
        {
            "y": design.y,
            "unit": design.unit_index,
            "period": design.periods[design.period_index].astype(int),
            "first": start[design.unit_index],
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the package would say, our notes say
        return estimator.fit(
            frame, outcome="y", unit="unit", time="period", first_treat="first", **options
        )


def _collect(name: str, result: Any) -> StaggeredEstimates:
    def pairs(effects: dict[Any, dict[str, Any]] | None) -> dict[int, tuple[float, float]]:
        return {
            int(key): (float(item["effect"]), float(item["se"]))
            for key, item in (effects or {}).items()
            if item["se"] is not None and np.isfinite(item["effect"])
        }

    return StaggeredEstimates(
        name,
        (float(result.overall_att), float(result.overall_se)),
        pairs(result.group_effects),
        pairs(result.event_study_effects),
    )
