"""Correlation between published columns, from the units that they share.

A column's estimate is close to a difference between the average change of its treated units and
that of its controls. Two columns that share units are therefore correlated, by an amount that
the counts alone determine if units are alike:

    cov(k, l) = sum over types of  c_k(type) c_l(type) / count(type) ,

with ``c_k(type)`` the weight of a type of unit in column k: its share of the treated, minus its
share of the controls. Nothing else about the microdata is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import Note
from bayesdid.study.load import Spec, Study
from bayesdid.study.terms import parse_term


@dataclass(frozen=True, slots=True)
class SharedUnits:
    """Correlation implied by shared units.

    Attributes
    ----------
    correlation
        Shape (K, K); the identity where the counts do not say.
    known
        Whether the counts determined it.
    notes
        What was assumed.
    """

    correlation: FloatArray
    known: bool
    notes: tuple[Note, ...]


def shared_units(study: Study, specs: list[Spec]) -> SharedUnits:
    """Correlation between the estimates of `specs`, in their order."""
    counts, notes = type_counts(study)
    if counts is None:
        text = "the study states no counts of units: the columns are taken as independent"
        note = Note("correlation_unknown", len(specs), text)
        return SharedUnits(np.eye(len(specs)), False, (*notes, note))
    weights = np.array([_weights(spec, counts) for spec in specs])
    variance = 1.0 / np.array([max(count, 1e-9) for count in counts.values()])
    covariance = (weights * variance) @ weights.T
    sd = np.sqrt(np.diag(covariance))
    if (sd == 0).any():
        return SharedUnits(np.eye(len(specs)), False, notes)
    return SharedUnits(covariance / np.outer(sd, sd), True, notes)


def type_counts(study: Study) -> tuple[dict[str, float] | None, tuple[Note, ...]]:
    """Units of each type: ``none``, ``only:P``, ``first:P``, ``simultaneous``."""
    design = study.file.design
    policies = [policy.id for policy in study.policies]
    if design.none is None or design.single is None or design.dual is None:
        return None, ()
    notes: list[Note] = []
    only = {p: float(count) for p, count in design.only.items()}
    if not only:
        only = dict.fromkeys(policies, design.single / len(policies))
    if not design.only and len(policies) > 1:
        notes.append(
            Note(
                "split_of_singles",
                design.single,
                f"how the {design.single} single units divide among the policies is not "
                "published: equal shares are assumed",
            )
        )
    first = {p: float(design.first.get(p, 0)) for p in policies}
    rest = design.dual - sum(first.values()) if not design.simultaneous else design.simultaneous
    if not design.first:
        first, rest = dict.fromkeys(policies, design.dual / len(policies)), 0.0
    return {
        "none": float(design.none),
        **{f"only:{p}": only.get(p, 0.0) for p in policies},
        **{f"first:{p}": first[p] for p in policies},
        "simultaneous": float(rest),
    }, tuple(notes)


def _weights(spec: Spec, counts: dict[str, float]) -> FloatArray:
    """Share of each type among the treated minus its share among the controls, shape (types,)."""
    sample = spec.column.sample
    arm = {
        key: "none" if key == "none" else "single" if key.startswith("only:") else "dual"
        for key in counts
    }
    treated, control = np.zeros(len(counts)), np.zeros(len(counts))
    for k, (key, count) in enumerate(counts.items()):
        if sample.arms is not None and arm[key] not in sample.arms:
            continue
        if sample.only is not None and arm[key] == "single" and key[5:] not in sample.only:
            continue
        if sample.sequences is not None and arm[key] == "dual" and key not in sample.sequences:
            continue
        (treated if _is_treated(spec, key, arm[key]) else control)[k] = count
    treated_share = treated / treated.sum() if treated.sum() else treated
    control_share = control / control.sum() if control.sum() else control
    return np.asarray(treated_share - control_share)


def _is_treated(spec: Spec, key: str, arm: str) -> bool:
    """Whether units of this type are ever treated by the column's first term."""
    factor = parse_term(spec.column.treatments[0]).factors[0]
    match factor.kind:
        case "both":
            return arm == "dual"
        case "any":
            return arm != "none"
        case "only":
            return key == f"only:{factor.name}"
        case "active":
            return arm == "dual" or key == f"only:{factor.name}"
        case "first":
            return key == f"first:{factor.name}"
        case "simultaneous":
            return key == "simultaneous"
    return False
