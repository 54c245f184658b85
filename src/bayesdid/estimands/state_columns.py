"""Two-way regressions of one state each, and differences of their coefficients, as papers print.

``both`` is estimated among units that never adopt or adopt both, ``only:P`` among units that never
adopt or adopt P alone: one column of a table each. Each coefficient is a functional of the outcome,
and so is their difference; where effects change with time, or where units under both were under one
policy before, that difference is not the contrast, by an amount that follows from the effects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.overlap import OverlapDesign
from bayesdid.design.span import within
from bayesdid.panel.adoption import state_name


@dataclass(frozen=True, slots=True)
class Columns:
    """Coefficients of states, each from a regression of its own.

    Attributes
    ----------
    estimate
        State -> coefficient.
    weights
        State -> weights of all outcomes in it, shape (n,), zero outside the column's sample.
    score
        State -> what each unit, or cluster, adds to its error, shape (N,) or (G,).
    """

    estimate: dict[str, float]
    weights: dict[str, FloatArray]
    score: dict[str, FloatArray]

    def contrast(self, shares: dict[str, float]) -> tuple[float, float, FloatArray]:
        """Mean, sd clustered by unit over all columns at once, and weights of the outcomes."""
        mean = sum(share * self.estimate[state] for state, share in shares.items())
        score = np.sum([share * self.score[state] for state, share in shares.items()], axis=0)
        weights = np.sum([share * self.weights[state] for state, share in shares.items()], axis=0)
        return float(mean), float(np.sqrt(score @ score)), weights


def state_columns(rows: OverlapDesign) -> Columns:
    """The regressions of every state whose sample has units of the state and others."""
    design = rows.design
    adopts = np.isfinite(rows.start)
    found = Columns({}, {}, {})
    alone = [(policy,) for policy in rows.policies]
    for of in (*(s for s in rows.sets if len(s) in {2, len(rows.policies)}), *alone):
        state = state_name(of, rows.policies)
        arm = (adopts == np.isin(rows.policies, of)).all(axis=1)
        sample = np.flatnonzero(arm | ~adopts.any(axis=1))
        on = rows.just(of)
        if not on[sample].any():
            continue
        part = design.take(sample)
        both = np.column_stack([on, design.X, design.y])[sample].astype(float)
        residuals = within(part, both, flat_only=False, weights=part.weights)
        root = np.ones(part.n) if part.weights is None else np.sqrt(part.weights)
        left = residuals[:, 0].copy()
        if residuals.shape[1] > 2:
            rest = residuals[:, 1:-1]
            left -= rest @ np.linalg.lstsq(rest, left, rcond=None)[0]
        size = left @ left
        if size < 1e-9 * len(sample):
            continue
        slope = np.linalg.lstsq(residuals[:, :-1], residuals[:, -1], rcond=None)[0]
        residual = residuals[:, -1] - residuals[:, :-1] @ slope
        own, weight = left / size, np.zeros(design.n)
        weight[sample] = own * root
        found.estimate[state] = float(own @ residuals[:, -1])
        found.weights[state] = weight
        found.score[state] = np.bincount(
            design.cluster_index[sample], own * residual, minlength=design.clusters
        )
    return found
