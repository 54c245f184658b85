"""Contrasts as functions of the average effects that printed coefficients are inverted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.estimands.distribution import Distribution, distribution_of
from bayesdid.estimands.evidence import PRIOR_SHARES, DesignErrors, design_errors
from bayesdid.estimands.names import RATIO, SUM, Contrast, contrasts_of
from bayesdid.estimands.nonlinear import NONLINEAR, claim_holds, of_singles, side
from bayesdid.estimands.question import claimed_below
from bayesdid.published.columns import PrintedColumns
from bayesdid.study.load import Study
from bayesdid.summary import Summary, summarise

MAIN = "averaged"  # over timings, paths and autocorrelation
INTERACTION = "interaction"  # both minus the sum of singles, printed as one coefficient


@dataclass(frozen=True, slots=True)
class PublishedContrast:
    """One contrast from printed coefficients.

    Attributes
    ----------
    contrast
        What it is.
    cells
        The printed cells that the paper's own comparison subtracts.
    naive, naive_se
        Their difference and its standard error under the weights' correlation; NaN if the
        contrast is not linear, or its cells are not printed.
    posteriors
        Assumption -> summary: ``averaged``, and a path and a phi such as ``growing, phi 0.3``.
    claim
        The side that is claimed, without a claim that on which the outcome is better: ``< 0`` or
        ``> 0``; of the ratio ``> 1``.
    p_claim
        The same keys as `posteriors` -> probability of that side.
    design_errors
        Type-S and type-M errors under the sceptical prior, of an estimate this precise.
    distributions
        The same keys as `posteriors` -> how much lies below what.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "name",
        "label",
        "cells",
        "naive",
        "naive_se",
        "posteriors",
        "claim",
        "p_claim",
        "range",
        "design_errors",
    )

    contrast: Contrast
    cells: tuple[str, ...]
    naive: float
    naive_se: float
    posteriors: dict[str, Summary]
    claim: str
    p_claim: dict[str, float]
    design_errors: DesignErrors | None
    distributions: dict[str, Distribution]

    @property
    def name(self) -> str:
        """Of the contrast."""
        return self.contrast.name

    @property
    def label(self) -> str:
        """Of the contrast, for people."""
        return self.contrast.label

    @property
    def main(self) -> Summary:
        """Averaged over timings, paths and autocorrelation."""
        return self.posteriors[MAIN]

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest probability of the claim over all assumptions."""
        return min(self.p_claim.values()), max(self.p_claim.values())


def published_contrasts(
    study: Study,
    refs: Mapping[str, str],
    columns: PrintedColumns,
    V: FloatArray,
    sets: Mapping[str, Mapping[str, FloatArray]],
    scale: float,
) -> dict[str, PublishedContrast]:
    """Every contrast of a study under every assumption.

    Parameters
    ----------
    refs
        Estimand -> cell that the paper reads it from.
    V
        Covariance of the columns under independent errors, shape (C, C).
    sets
        Assumption -> quantity -> draws; see :func:`bayesdid.published.inversion.quantities`.
    scale
        sd(y).
    """
    lower = study.file.outcome.better == "lower"
    rope = study.file.synergy.rope
    policies = tuple(policy.id for policy in study.policies)
    found = {}
    for contrast in contrasts_of(study):
        below = claimed_below(study, contrast.name)
        posteriors: dict[str, Summary] = {}
        p_claim: dict[str, float] = {}
        whole: dict[str, Distribution] = {}
        for name, quantities in sets.items():
            values = contrast_draws(contrast.name, quantities, policies, lower)
            if values is None:
                break
            linear = contrast.name != RATIO
            posteriors[name] = summarise(values, rope=rope if linear else None)
            whole[name] = distribution_of(values)
            p_claim[name] = float(claim_holds(contrast.name, values, below).mean())
        if not posteriors:
            continue
        cells, naive, se = _as_read(contrast, refs, columns, V)
        main = posteriors[MAIN]
        errors = None
        if contrast.weights is not None:
            errors = design_errors(main.mean, main.sd, PRIOR_SHARES["sceptical"] * scale)
        found[contrast.name] = PublishedContrast(
            contrast,
            cells,
            naive,
            se,
            posteriors,
            side(contrast.name, below),
            p_claim,
            errors,
            whole,
        )
    return found


def contrast_draws(
    name: str, q: Mapping[str, FloatArray], policies: tuple[str, ...], lower: bool
) -> FloatArray | None:
    """Draws of one contrast; None if its rows are empty under every timing.

    What is subtracted from both is what the singles do at the ages that they have in rows under
    both; ``only:P - none`` averages over the rows under P alone.
    """
    if len(policies) > 2:
        return q[name] if np.any(q[name]) else None
    if name.startswith("only:"):
        return q[name.removesuffix(" - none")]
    at_both = np.stack([q[f"{policy} at both"] for policy in policies])
    first = [f"first:{policy}" for policy in policies]
    match name:
        case "both - none":
            return q["both"]
        case "both - single":
            return np.asarray(q["both"] - at_both.mean(axis=0))
        case _ if name == SUM:
            return q["joint"]
        case _ if name in NONLINEAR:
            return of_singles(name, q["both"], at_both, lower)
        case _ if name.startswith("both - only:"):
            return np.asarray(q["both"] - q[f"{name.removeprefix('both - only:')} at both"])
    gap = [q[order] for order in first]
    if name.endswith("vs single"):
        gap = [q[order] - q[f"{order}, singles"] for order in first]
    return None if not any(np.any(values) for values in gap) else np.asarray(gap[0] - gap[1])


def _as_read(
    contrast: Contrast, refs: Mapping[str, str], columns: PrintedColumns, V: FloatArray
) -> tuple[tuple[str, ...], float, float]:
    """The difference of the printed cells and its standard error: what the paper compares.

    Where a paper prints an interaction instead, that is its comparison.
    """
    if contrast.name == SUM and INTERACTION in refs:
        ref = refs[INTERACTION]
        if ref not in columns.names:
            return (ref,), float("nan"), float("nan")
        k = columns.names.index(ref)
        return (ref,), float(columns.estimates[k]), float(np.sqrt(V[k, k]))
    if contrast.weights is None or not set(contrast.weights) <= set(refs):
        return (), float("nan"), float("nan")
    cells = tuple(refs[key] for key in contrast.weights)
    if not set(cells) <= set(columns.names):
        return cells, float("nan"), float("nan")
    at = [columns.names.index(cell) for cell in cells]
    w = np.array(list(contrast.weights.values()))
    return cells, float(w @ columns.estimates[at]), float(np.sqrt(w @ V[np.ix_(at, at)] @ w))
