"""Contrasts from a panel's static factorial fits: what papers do, beside the headline."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from bayesdid.estimands.contrasts import (
    PanelContrast,
    claim_probability,
    contrast_values,
    panel_contrasts,
    state_vectors,
)
from bayesdid.estimands.names import contrasts_of
from bayesdid.estimands.nonlinear import side
from bayesdid.estimands.question import claimed_below
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.inference.plan import MAIN
from bayesdid.model.errors import DEFAULT_ERRORS
from bayesdid.panel.panel import Panel
from bayesdid.peers.fixest import Estimates
from bayesdid.study.load import Study

_DRAWS, _SEED = 20_000, 20_140_702
_LABELS = {
    MAIN: str(DEFAULT_ERRORS),
    "iid": "i.i.d. errors",
    "random": "random effects",
    "mundlak": "Mundlak effects",
    "sceptical": "sceptical prior",
    "clustered": "clustered standard errors",
}
_KINDS = (MAIN, "iid", "random", "mundlak", "sceptical")


def panel_section(
    study: Study,
    panel: Panel,
    trees: dict[str, dict[str, xr.DataTree]],
    estimates: dict[str, Estimates],
) -> dict[str, Any] | None:
    """Contrasts of every factorial spec under every kind of fit.

    The main model of a contrast is the first spec, in the order of the study, that identifies
    it, with the effects it declares, the study's priors and the default errors; its probabilities
    span the other kinds of fit of that spec, clustered errors, and the same contrast from
    the other specs.
    """
    scale = float(panel.frame[study.file.outcome.column].std())
    rope, better = study.file.synergy.rope, study.file.outcome.better
    policies = tuple(policy.id for policy in study.policies)
    claimed = {
        one.name: side(one.name, claimed_below(study, one.name)) for one in contrasts_of(study)
    }
    found: dict[str, dict[str, dict[str, PanelContrast]]] = {}
    for spec, kinds in trees.items():
        if study[spec].column.outcome != study.file.outcome.column:
            continue
        for kind in _KINDS:
            if kind not in kinds or not kinds[kind].attrs["converged"]:
                continue  # a fit that did not converge is never a result
            try:
                contrasts = panel_contrasts(
                    kinds[kind],
                    scale=scale,
                    rope=rope,
                    better=better,
                    claimed=claimed,
                    policies=len(policies),
                    order=policies,
                )
            except NotIdentifiedError:
                break
            found.setdefault(spec, {})[kind] = contrasts
    if not found:
        return None
    rows = []
    for contrast in contrasts_of(study):
        specs = [s for s in found if contrast.name in found[s].get(MAIN, {})]
        if not specs:
            continue
        main = found[specs[0]][MAIN][contrast.name]
        clustered = _clustered(study, contrast.name, trees[specs[0]][MAIN], estimates[specs[0]])
        by_kind = {k: found[specs[0]][k][contrast.name] for k in found[specs[0]]}
        probabilities = {_LABELS[kind]: item.p_claim for kind, item in by_kind.items()}
        probabilities[_LABELS["clustered"]] = clustered["p_claim"]
        for other in specs[1:]:
            probabilities[f"spec {other}"] = found[other][MAIN][contrast.name].p_claim
        rows.append(
            {
                "name": contrast.name,
                "label": contrast.label,
                "spec": specs[0],
                "main": main,
                "kinds": by_kind,
                "clustered": clustered,
                "specs": {s: found[s][MAIN][contrast.name] for s in specs},
                "probabilities": probabilities,
            }
        )
    return {"rows": rows, "scale": scale}


def _clustered(
    study: Study, name: str, tree: xr.DataTree, estimates: Estimates
) -> dict[str, float]:
    """The contrast under least squares with errors clustered by unit, taken as normal."""
    policies = tuple(policy.id for policy in study.policies)
    state = state_vectors(tree, policies=len(policies), order=policies)
    P = len(json.loads(tree.attrs["treatments"]))
    tau = np.random.default_rng(_SEED).multivariate_normal(
        estimates.table["estimate"].to_numpy()[:P], estimates.cluster_covariance[:P, :P], _DRAWS
    )
    draws = contrast_values(state, tau, study.file.outcome.better, policies)[name]
    return {
        "estimate": float(np.median(draws)),
        "se": float(draws.std()),
        "p_claim": claim_probability(name, draws, claimed_below(study, name)),
    }
