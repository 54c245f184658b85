"""Which spatial model, with which weights: marginal likelihoods and effects averaged over them.

LeSage (2014, doi:10.52324/001c.8144): the evidence of each model integrates its spatial coefficient
and all others out, so that models and weights can be compared without being nested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import get_args

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.families.analysis import Table, summary_frame
from bayesdid.inference.executor import map_fits
from bayesdid.inference.fit import fit
from bayesdid.inference.impacts import PARTS
from bayesdid.inference.quantities import stacked
from bayesdid.model.priors import PriorChoice
from bayesdid.model.spatial_priors import unit_information
from bayesdid.spatial.design import Kind, SpatialDesign, spatial_design
from bayesdid.spatial.operators.impacts import Effects
from bayesdid.spatial.operators.logdet import LogDeterminant
from bayesdid.spatial.weights.weights import Weights

KINDS: tuple[Kind, ...] = get_args(Kind)
_MAIN = "unit information"
PRIORS = (_MAIN, "weak", "flat (LeSage 2014)")
_EVIDENCE_DRAWS = 25  # of each chain where only the evidence is wanted


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
    items = [
        (kind, W, logdet)
        for k, (W, logdet) in enumerate(weights)
        for kind in KINDS
        if kind != "none" or not k
    ]
    one = partial(_compared, base=base, durbin=durbin, draws=size // 4, seed=seed)
    found = map_fits(one, items)
    rows = [row for row, _ in found]
    table = pd.DataFrame(rows)
    for label in PRIORS:
        log = table[label].to_numpy(dtype=float)
        share = np.exp(log - log.max())
        table[f"P({label})"] = share / share.sum()
        table[label] = log - log.max()
    share = table["P(unit information)"].to_numpy()
    chosen = rng.choice(len(found), size, p=share / share.sum())
    averaged = {}
    for k, term in enumerate(base.treatments):
        all_fits = np.stack([effects[:, k] for _, effects in found])  # (fits, S, 3)
        averaged[term] = Effects(*all_fits[chosen, np.arange(size)].T)
    return Comparison(table, averaged)


def _compared(
    item: tuple[Kind, Weights, LogDeterminant],
    base: Design,
    durbin: tuple[str, ...] | None,
    draws: int,
    seed: int,
) -> tuple[dict[str, object], FloatArray]:
    """A row of the table, and effects of the treatments, shape (S, treatments, 3)."""
    kind, W, logdet = item
    design = spatial_design(base, W, kind, durbin, logdet=logdet)
    row: dict[str, object] = {"model": kind, "weights": "–" if kind == "none" else W.name}
    effects = np.empty((0, 0, 3))
    for label in PRIORS:
        found = fit(
            design,
            priors=_choice(label, design),
            engine="exact",
            draws=draws if label == _MAIN else _EVIDENCE_DRAWS,
            seed=seed,
            keep_effects=False,
        )
        row[label] = found.tree.attrs["log_evidence"]
        if label == _MAIN:
            effects = stacked(found.tree, "effects", effect=list(PARTS))
    return row, effects[:, : len(base.treatments)]


def _choice(label: str, design: SpatialDesign) -> PriorChoice:
    if label == _MAIN:
        return unit_information(design)
    return PriorChoice("weak" if label == "weak" else "flat")


def comparison_tables(found: Comparison) -> tuple[Table, Table]:
    """Probabilities of the models, and the averaged effects."""
    draws: dict[str, FloatArray] = {
        f"{term}: {part}": getattr(effects, part)
        for term, effects in found.averaged.items()
        for part in ("direct", "indirect", "total")
    }
    shown = ["model", "weights", "unit information", *(f"P({label})" for label in PRIORS)]
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
