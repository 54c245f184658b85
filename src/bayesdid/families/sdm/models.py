"""Which spatial model, with which weights: marginal likelihoods and effects averaged over them.

LeSage (2014, doi:10.52324/001c.8144): the evidence of each model integrates its spatial coefficient
and all others out, so that models and weights can be compared without being nested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.families.analysis import Table, summary_frame
from bayesdid.inference.exact.durbin_fit import SpatialFit, fit_spatial
from bayesdid.model.spatial_priors import SpatialPrior
from bayesdid.spatial.design import LAG_OF_ERROR, LAG_OF_Y, Kind, spatial_design
from bayesdid.spatial.operators.impacts import Effects
from bayesdid.spatial.operators.logdet import LogDeterminant
from bayesdid.spatial.weights.weights import Weights

KINDS: tuple[Kind, ...] = get_args(Kind)
_PRIORS: dict[str, SpatialPrior] = {
    "unit information": "unit_information",
    "weak": "weak",
    "flat (LeSage 2014)": "flat",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Posterior probabilities of models under equal prior ones, and averaged effects.

    Attributes
    ----------
    table
        One row per model and weights: log evidence and probability under each kind of prior.
    averaged
        Effects of each treatment under unit-information priors, averaged over all rows.
    """

    table: pd.DataFrame
    averaged: dict[str, Effects]

    def probability(self, kinds: Sequence[str], prior: str = "unit information") -> float:
        """Of a set of models, over all weights."""
        rows = self.table[self.table["model"].isin(kinds)]
        return float(rows[f"P({prior})"].sum())


def compare_models(
    base: Design,
    weights: Sequence[tuple[Weights, LogDeterminant]],
    durbin: tuple[str, ...] | None,
    *,
    size: int,
    seed: int,
) -> Comparison:
    """Fit every model with every W under every prior; models without W are fitted once.

    Parameters
    ----------
    weights
        Each with its log-determinant.
    durbin
        Regressors whose spatial lag enters; all by default.
    """
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    fits: list[SpatialFit] = []
    for k, (W, logdet) in enumerate(weights):
        for kind in KINDS:
            if kind == "none" and k:
                continue
            design = spatial_design(base, W, kind, durbin)
            row: dict[str, object] = {"model": kind, "weights": "–" if kind == "none" else W.name}
            for label, prior in _PRIORS.items():
                main = prior == "unit_information"
                fit = fit_spatial(
                    design,
                    priors=prior,
                    size=size if main else 100,
                    seed=seed,
                    logdet=logdet if kind in LAG_OF_Y | LAG_OF_ERROR else None,
                )
                row[label] = fit.draws.log_evidence
                if main:
                    fits.append(fit)
            rows.append(row)
    table = pd.DataFrame(rows)
    for label in _PRIORS:
        log = table[label].to_numpy(dtype=float)
        share = np.exp(log - log.max())
        table[f"P({label})"] = share / share.sum()
        table[label] = log - log.max()
    share = table["P(unit information)"].to_numpy()
    chosen = rng.choice(len(fits), size, p=share / share.sum())
    averaged = {}
    for term in base.treatments:
        parts = [
            np.stack([getattr(fit.effects[term], part) for fit in fits])[chosen, np.arange(size)]
            for part in ("direct", "indirect", "total")
        ]
        averaged[term] = Effects(*parts)
    return Comparison(table, averaged)


def comparison_tables(found: Comparison) -> tuple[Table, Table]:
    """Probabilities of the models, and the averaged effects."""
    draws: dict[str, FloatArray] = {
        f"{term}: {part}": getattr(effects, part)
        for term, effects in found.averaged.items()
        for part in ("direct", "indirect", "total")
    }
    shown = ["model", "weights", "unit information", *(f"P({label})" for label in _PRIORS)]
    frame = found.table[shown].rename(columns={"unit information": "log evidence"})
    return (
        Table(
            "models",
            "Models and weights: log evidence below the best (unit-information priors) "
            "and posterior probability under equal prior ones, by prior of the coefficients. "
            "Wide priors favour small models; the constants of flat ones are arbitrary between "
            "models of different size",
            frame,
        ),
        Table(
            "averaged",
            "Effects averaged over all models and weights, unit-information priors",
            summary_frame(draws),
        ),
    )
