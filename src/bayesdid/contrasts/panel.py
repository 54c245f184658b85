"""Contrasts of policy states from a fitted panel."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from bayesdid.contrasts.evidence import BayesFactor, DesignErrors, design_errors, savage_dickey
from bayesdid.contrasts.names import MAX_SINGLE, RATIO, SUM
from bayesdid.contrasts.summary import Summary, summarise
from bayesdid.design.design import FloatArray
from bayesdid.errors import NotIdentifiedError
from bayesdid.study.terms import Factor, parse_term

_SHARE = {"sceptical": 0.25}


@dataclass(frozen=True, slots=True)
class PanelContrast:
    """One contrast of a fitted panel.

    Attributes
    ----------
    name
        As in :mod:`bayesdid.contrasts.names`.
    draws
        Posterior draws, shape (chain, draw).
    summary
        Their summary.
    p_claim
        Probability of the synergy claim's direction.
    factors, errors
        Savage-Dickey Bayes factors and type-S/M errors, from the normal approximation to the
        posterior; None for non-linear contrasts.
    """

    name: str
    draws: FloatArray
    summary: Summary
    p_claim: float
    factors: tuple[BayesFactor, ...]
    errors: DesignErrors | None

    def to_dict(self) -> dict[str, Any]:
        """For JSON, without the draws."""
        return {
            "name": self.name,
            "summary": self.summary.to_dict(),
            "p_claim": self.p_claim,
            "bayes_factors": [factor.to_dict() for factor in self.factors],
            "design_errors": None if self.errors is None else self.errors.to_dict(),
        }


def state_effects(tree: xr.DataTree) -> dict[str, FloatArray]:
    """Effect of each policy state against none: ``only:P``, ``both`` or ``both, first:P``.

    Parameters
    ----------
    tree
        A fit whose treatment terms give every state a value of its own, as the factorial DID does.

    Returns
    -------
    dict
        State -> draws, shape (chain, draw). ``both`` averages the orders of adoption by their
        rows when the terms tell them apart; then ``both, first:P`` are given as well.

    Raises
    ------
    NotIdentifiedError
        If two states share one value of the terms, or a state does not occur in the sample.
    """
    terms = [parse_term(text) for text in json.loads(tree.attrs["treatments"])]
    factors = [factor for term in terms for factor in term.factors]
    policies = list(dict.fromkeys(f.name for f in factors if f.kind in {"active", "only", "first"}))
    spec = tree.attrs["spec"]
    if any(factor.kind in {"column", "centred"} for factor in factors):
        raise NotIdentifiedError(f"{spec}: the effect of a state depends on a moderator",
                                 remedy="fit the factorial spec without moderators")  # fmt: skip
    if len(policies) < 2:
        raise _not_factorial(spec, "they do not name two policies")
    by_order = any(factor.kind in {"first", "simultaneous"} for factor in factors)
    states = {f"only:{p}": ({p}, "") for p in policies}
    orders = [*(f"first:{p}" for p in policies), "simultaneous"] if by_order else [""]
    states |= {f"both, {o}" if o else "both": (set(policies), o) for o in orders}
    rows = np.unique(tree["constant_data"]["D"].to_numpy(), axis=0, return_counts=True)
    tau = tree["posterior"]["tau"].to_numpy()
    effects: dict[str, FloatArray] = {}
    seen: dict[tuple[float, ...], str] = {tuple(np.zeros(len(terms))): "none"}
    weight: dict[str, int] = {}
    for state, (active, order) in states.items():
        vector = np.array(
            [np.prod([_factor(f, active, order, policies) for f in term.factors]) for term in terms]
        )
        count = int(rows[1][(rows[0] == vector).all(axis=1)].sum())
        if count == 0 and order:
            continue  # no unit adopted in this order
        if (twin := seen.get(tuple(vector))) is not None:
            raise _not_factorial(spec, f"'{state}' and '{twin}' share one value")
        if count == 0:
            raise _not_factorial(spec, f"no row of the sample is '{state}'")
        seen[tuple(vector)], weight[state], effects[state] = state, count, tau @ vector
    if by_order:
        parts = [state for state in effects if state.startswith("both, ")]
        total = sum(weight[part] for part in parts)
        effects["both"] = sum(
            (effects[part] * (weight[part] / total) for part in parts), np.zeros(tau.shape[:2])
        )
    return effects | {"single": _pooled(effects, weight, policies)}


def _not_factorial(spec: str, reason: str) -> NotIdentifiedError:
    return NotIdentifiedError(
        f"{spec}: its terms do not tell the policy states apart ({reason})",
        remedy="fit a factorial spec: active:A, active:B, active:A * active:B",
    )


def panel_contrasts(
    tree: xr.DataTree, *, scale: float, rope: float | None = None, better: str = "lower"
) -> dict[str, PanelContrast]:
    """All contrasts that a factorial fit identifies.

    Parameters
    ----------
    tree
        A fit of a factorial spec, by order of adoption or not.
    scale
        sd(y), for the priors of the Bayes factors.
    rope, better
        From the study.

    Raises
    ------
    NotIdentifiedError
        See :func:`state_effects`.
    """
    effects = state_effects(tree)
    singles = [state for state in effects if state.startswith("only:")]
    both = effects["both"]
    total = np.sum([effects[state] for state in singles], axis=0)
    best = (np.minimum if better == "lower" else np.maximum).reduce([effects[s] for s in singles])
    values = {"both - none": both}
    values |= {f"{state} - none": effects[state] for state in singles}
    values |= {f"both - {state}": both - effects[state] for state in singles}
    values["both - single"] = both - effects["single"]
    values[MAX_SINGLE] = both - best
    values[SUM] = both - total
    values[RATIO] = both / total
    orders = [f"first:{state[5:]}" for state in singles]
    if all(f"both, {order}" in effects for order in orders):
        gap = effects[f"both, {orders[0]}"] - effects[f"both, {orders[1]}"]
        for reference in ("none", "single"):
            values[f"{orders[0]} - {orders[1]} vs {reference}"] = gap
    return {
        name: _contrast(name, draws, scale, rope, 1.0 if better == "lower" else -1.0)
        for name, draws in values.items()
    }


def _contrast(
    name: str, draws: FloatArray, scale: float, rope: float | None, sign: float
) -> PanelContrast:
    linear = name not in {MAX_SINGLE, RATIO}
    mean, sd = float(draws.mean()), float(draws.std(ddof=1))
    claim = draws > 1 if name == RATIO else sign * draws < 0
    return PanelContrast(
        name, draws, summarise(draws, rope=None if name == RATIO else rope), float(claim.mean()),
        savage_dickey(mean, sd, scale) if linear else (),
        design_errors(mean, sd, _SHARE["sceptical"] * scale) if linear else None,
    )  # fmt: skip


def _factor(factor: Factor, active: set[str], order: str, policies: list[str]) -> float:
    both = active == set(policies)
    match factor.kind:
        case "active":
            return float(factor.name in active)
        case "only":
            return float(active == {factor.name})
        case "both":
            return float(both)
        case "any":
            return float(bool(active))
    return float(both and order == str(factor))


def _pooled(
    effects: dict[str, FloatArray], weight: dict[str, int], policies: list[str]
) -> FloatArray:
    """Average single policy, weighted by the rows under it."""
    names = [f"only:{p}" for p in policies]
    total = sum(weight[name] for name in names)
    return np.sum([effects[name] * (weight[name] / total) for name in names], axis=0)
