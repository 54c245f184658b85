"""Contrasts of policy states from a fitted panel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import numpy as np
import pandas as pd
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.estimands.evidence import (
    PRIOR_SHARES,
    BayesFactor,
    DesignErrors,
    design_errors,
    evidence_word,
    savage_dickey,
)
from bayesdid.estimands.names import RATIO, SUM, contrasts_between
from bayesdid.estimands.nonlinear import NONLINEAR, claim_holds, of_singles, side
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.inference.result import Fit
from bayesdid.panel.adoption import policy_value, state_name
from bayesdid.study.terms import Factor, Term, parse_term
from bayesdid.summary import Summary, summarise

_SIDES = tuple(side(SUM, below) for below in (True, False))


@dataclass(frozen=True, slots=True)
class PanelContrast:
    """One contrast of a fitted panel.

    Attributes
    ----------
    name
        As in :mod:`bayesdid.estimands.names`.
    weights
        Weights of the treatment terms, shape (P,); None for non-linear contrasts.
    summary
        Of its posterior.
    claim
        The side that is claimed: ``< 0``, ``> 0``; of the ratio ``> 1``.
    p_claim
        Probability of that side.
    bayes_factors, design_errors
        Savage-Dickey Bayes factors and type-S/M errors, from the normal approximation to the
        posterior; empty and None for non-linear contrasts.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "name",
        "summary",
        "claim",
        "p_claim",
        "bayes_factors",
        "evidence",
        "design_errors",
    )

    name: str
    weights: FloatArray | None
    summary: Summary
    claim: str
    p_claim: float
    bayes_factors: tuple[BayesFactor, ...]
    design_errors: DesignErrors | None

    @property
    def evidence(self) -> str:
        """What the Bayes factors say together; empty without any."""
        factors = [item.bf10 for item in self.bayes_factors]
        return evidence_word(factors) if factors else ""


def state_vectors(
    tree: xr.DataTree, *, policies: int = 2, order: tuple[str, ...] = ()
) -> dict[str, FloatArray]:
    """Value of the treatment terms in each policy state, so that ``tau @ vector`` is its effect.

    Parameters
    ----------
    tree
        A fit whose terms give every state a value of its own, as the factorial DID does.
    policies
        How many policies the study has.
    order
        The study's policies, in whose order names of states put them; default that of the terms.

    Returns
    -------
    dict
        ``only:P``, ``single`` (averaged over the rows under one policy) and ``both`` -> vector,
        shape (P,). If the terms tell orders of adoption apart, ``both`` averages over their rows
        and ``both, first:P`` are given as well.

    Raises
    ------
    NotIdentifiedError
        If two states share one value of the terms, or a state does not occur in the sample.
    """
    spec = tree.attrs["spec"]
    terms = _terms(tree)
    factors = [factor for term in terms for factor in term.factors]
    names = list(policies_named(tree, order))
    if any(factor.kind in {"column", "centred"} for factor in factors):
        raise NotIdentifiedError(
            f"{spec}: the effect of a state depends on a moderator",
            remedy="fit the factorial spec without moderators",
        )
    if any(factor.event for factor in factors):
        raise _not_factorial(spec, "they are event times")
    if len(names) < policies:
        raise _not_factorial(spec, f"they do not name {policies} policies")
    by_order = any(factor.kind in {"first", "simultaneous", "order"} for factor in factors)
    if len(names) > 2:
        if by_order:
            raise _not_factorial(spec, "orders of three and more policies are not averaged here")
        return _subset_vectors(tree, names)
    orders = [*(f"first:{p}" for p in names), "simultaneous"] if by_order else [""]
    states = {f"only:{p}": ({p}, "") for p in names}
    if policies > 1:
        states |= {f"both, {o}" if o else "both": (set(names), o) for o in orders}
    values, counts = np.unique(tree["constant_data"]["D"].to_numpy(), axis=0, return_counts=True)
    vectors: dict[str, FloatArray] = {}
    rows: dict[str, int] = {}
    seen: dict[tuple[float, ...], str] = {(0.0,) * len(terms): "none"}
    for state, (active, which) in states.items():
        vector = np.array(
            [np.prod([_factor(f, active, which, names) for f in term.factors]) for term in terms]
        )
        count = int(counts[(values == vector).all(axis=1)].sum())
        if count == 0 and which:
            continue  # no unit adopted in this order
        if (twin := seen.get(tuple(vector))) is not None:
            raise _not_factorial(spec, f"'{state}' and '{twin}' share one value")
        if count == 0:
            raise _not_factorial(spec, f"no row of the sample is '{state}'")
        seen[tuple(vector)], rows[state], vectors[state] = state, count, vector
    if by_order:
        vectors["both"] = _average(vectors, rows, "both, ")
    return vectors | {"single": _average(vectors, rows, "only:")}


def policies_named(tree: xr.DataTree, order: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Policies that the terms of a fit name, in the study's order or in theirs."""
    factors = [factor for term in _terms(tree) for factor in term.factors]
    found = tuple(dict.fromkeys(name for factor in factors for name in factor.policies))
    return tuple(sorted(found, key=order.index)) if set(found) <= set(order) else found


def _terms(tree: xr.DataTree) -> list[Term]:
    return [parse_term(text) for text in json.loads(tree.attrs["treatments"])]


def _subset_vectors(tree: xr.DataTree, names: list[str]) -> dict[str, FloatArray]:
    """The same for states of three and more policies: those that rows of the sample are in."""
    terms, spec = _terms(tree), tree.attrs["spec"]
    rows = {tuple(row) for row in tree["constant_data"]["D"].to_numpy().tolist()}
    seen: dict[tuple[float, ...], str] = {(0.0,) * len(terms): "none"}
    vectors: dict[str, FloatArray] = {}
    subsets = [some for size in range(1, len(names) + 1) for some in combinations(names, size)]
    for subset in subsets:
        vector = np.array(
            [np.prod([_factor(f, set(subset), "", names) for f in term.factors]) for term in terms]
        )
        state, key = state_name(subset, names), tuple(vector.tolist())
        if key not in rows:
            continue
        if key in seen:
            raise _not_factorial(spec, f"'{state}' and '{seen[key]}' share one value")
        seen[key], vectors[state] = state, vector
    return vectors


def panel_contrasts(
    tree: xr.DataTree,
    *,
    scale: float,
    rope: float | None = None,
    better: str = "lower",
    claimed: Mapping[str, str] | None = None,
    policies: int = 2,
    order: tuple[str, ...] = (),
) -> dict[str, PanelContrast]:
    """All contrasts that a factorial fit identifies.

    Parameters
    ----------
    tree
        A fit of a factorial spec, by order of adoption or not.
    scale
        sd(y), for the priors of the Bayes factors.
    rope, better, policies
        From the study; `policies` is their number.
    claimed
        Contrast -> ``< 0`` or ``> 0``, the side whose probability is given; default for each the
        side on which the outcome is better. Of the ratio it is always ``> 1``.
    order
        As of :func:`state_vectors`.

    Raises
    ------
    InputError
        If a side is something else.
    NotIdentifiedError
        See :func:`state_vectors`.
    """
    below = {name: _below(name, claim) for name, claim in (claimed or {}).items()}
    state = state_vectors(tree, policies=policies, order=order)
    named = policies_named(tree, order)
    values = contrast_values(state, tree["posterior"]["tau"].to_numpy(), better, named)
    weights = _linear_weights(state, named)
    return {
        name: _contrast(
            name, weights.get(name), draws, scale, rope, below.get(name, better == "lower")
        )
        for name, draws in values.items()
    }


def _below(name: str, claim: str) -> bool:
    """Whether a side is that below zero."""
    if name != RATIO and claim in _SIDES:
        return claim == _SIDES[0]
    if name == RATIO and claim == side(RATIO, below=False):
        return False
    known = side(RATIO, below=False) if name == RATIO else " or ".join(_SIDES)
    raise InputError(
        f"'{name}' cannot be claimed to be '{claim}'", remedy=f"say {known}, or leave it out"
    )


def contrast_table(
    fit: Fit,
    *,
    rope: float | None = None,
    better: str = "lower",
    claimed: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Tidy table of the contrasts of a factorial fit, one row each.

    Parameters
    ----------
    fit
        Of a factorial spec.
    rope
        Half width of the region of practical equivalence, in the outcome's units.
    better
        Whether a ``lower`` or a ``higher`` outcome is the better one.
    claimed
        Contrast -> ``< 0`` or ``> 0``: the side that ``claim`` names and ``p_claim`` is the
        probability of; default for each the side on which the outcome is better.

    Raises
    ------
    InputError
        If a side is something else.
    NotIdentifiedError
        See :func:`state_vectors`.
    ResultError
        If the fit did not converge.
    """
    tree = fit.require().tree
    scale = float(tree["observed_data"]["y"].std())
    rows = []
    found = panel_contrasts(tree, scale=scale, rope=rope, better=better, claimed=claimed)
    for item in found.values():
        main = item.summary.interval
        rows.append(
            {
                "contrast": item.name,
                "mean": item.summary.mean,
                "sd": item.summary.sd,
                f"hdi{100 * main.level:g}_low": main.low,
                f"hdi{100 * main.level:g}_high": main.high,
                "p_negative": item.summary.p_negative,
                "p_rope": item.summary.p_rope,
                "claim": item.claim,
                "p_claim": item.p_claim,
                "synthetic": tree.attrs["synthetic"],
            }
        )
    return pd.DataFrame(rows).set_index("contrast")


def contrast_values(
    state: dict[str, FloatArray], tau: FloatArray, better: str, policies: tuple[str, ...] = ()
) -> dict[str, FloatArray]:
    """Every contrast of the states, at draws of the treatment coefficients.

    Parameters
    ----------
    state
        From :func:`state_vectors`.
    tau
        Draws, shape (..., P).
    better
        ``lower`` or ``higher``: which single policy is the better one.
    policies
        Those of the states, where there are three and more.
    """
    found = {name: tau @ vector for name, vector in _linear_weights(state, policies).items()}
    if "both" not in state:
        return found
    effects = np.array([tau @ state[name] for name in state if name.startswith("only:")])
    both, lower = tau @ state["both"], better == "lower"
    return found | {name: of_singles(name, both, effects, lower) for name in NONLINEAR}


def claim_probability(name: str, draws: FloatArray, below: bool) -> float:
    """Share of draws on the claimed side: `below` zero, or above it; of the ratio above one."""
    return float(claim_holds(name, draws, below).mean())


def _linear_weights(
    state: dict[str, FloatArray], policies: tuple[str, ...]
) -> dict[str, FloatArray]:
    if len(policies) > 2:
        return {
            one.name: np.sum([share * state[key] for key, share in one.states.items()], axis=0)
            for one in contrasts_between({policy: policy for policy in policies})
            if one.states is not None and set(one.states) <= set(state)
        }
    singles = [name for name in state if name.startswith("only:")]
    if "both" not in state:
        return {f"{name} - none": state[name] for name in singles}
    weights: dict[str, FloatArray] = {"both - none": state["both"]}
    weights |= {f"{name} - none": state[name] for name in singles}
    weights |= {f"both - {name}": state["both"] - state[name] for name in singles}
    weights["both - single"] = state["both"] - state["single"]
    weights[SUM] = state["both"] - np.sum([state[name] for name in singles], axis=0)
    orders = [f"first:{name[5:]}" for name in singles]
    if all(f"both, {order}" in state for order in orders):
        gap = state[f"both, {orders[0]}"] - state[f"both, {orders[1]}"]
        weights |= {f"{orders[0]} - {orders[1]} vs {base}": gap for base in ("none", "single")}
    return weights


def _contrast(
    name: str,
    weights: FloatArray | None,
    draws: FloatArray,
    scale: float,
    rope: float | None,
    below: bool,
) -> PanelContrast:
    mean, sd = float(draws.mean()), float(draws.std(ddof=1))
    linear = weights is not None
    return PanelContrast(
        name,
        weights,
        summarise(draws, rope=None if name == RATIO else rope),
        side(name, below),
        claim_probability(name, draws, below),
        savage_dickey(mean, sd, scale) if linear else (),
        design_errors(mean, sd, PRIOR_SHARES["sceptical"] * scale) if linear else None,
    )


def _factor(factor: Factor, active: set[str], order: str, policies: list[str]) -> float:
    """Value of a factor in a state: some policies active, adopted in some order."""
    on = np.array([policy in active for policy in policies])
    first = order.removeprefix("first:")
    start = np.array([0.0 if order == "simultaneous" or p == first else 1.0 for p in policies])
    return float(policy_value(factor, policies, on, start))


def _average(vectors: dict[str, FloatArray], rows: dict[str, int], prefix: str) -> FloatArray:
    """Vectors of the states that begin with `prefix`, weighted by their rows."""
    names = [name for name in rows if name.startswith(prefix)]
    return np.average([vectors[name] for name in names], axis=0, weights=[rows[n] for n in names])


def _not_factorial(spec: str, reason: str) -> NotIdentifiedError:
    return NotIdentifiedError(
        f"{spec}: its terms do not tell the policy states apart ({reason})",
        remedy="fit a factorial spec: active:A, active:B, active:A * active:B",
    )
