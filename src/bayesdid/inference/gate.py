"""The convergence gate: a fit that fails it is marked and never reported as a result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

RHAT_LIMIT = 1.01
ESS_LIMIT = 400.0
BFMI_LIMIT = 0.3
QUADRATURE_LIMIT = 0.01
ACCEPTANCE_LIMIT = 0.2
EDGE_LIMIT = 1e-4


@dataclass(frozen=True, slots=True)
class GateItem:
    """One criterion: what was measured, against which limit, and whether it passed."""

    name: str
    value: float
    limit: float
    passed: bool


def chain_gate(tree: xr.DataTree) -> list[GateItem]:
    """R-hat, bulk and tail ESS (Vehtari et al. 2021), divergences and E-BFMI of a chain.

    The limit on ESS is 400 or a tenth of the draws, whichever is less, so that short runs are
    judged by what they can reach; the limit on R-hat never moves. One chain fails it.
    """
    import arviz_stats as az

    posterior = tree["posterior"].to_dataset()
    draws = posterior.sizes["chain"] * posterior.sizes["draw"]
    ess_limit = min(ESS_LIMIT, draws / 10)
    alone = posterior.sizes["chain"] < 2  # nothing that R-hat could compare
    rhat = np.nan if alone else _extreme(az.rhat(posterior), np.nanmax)
    items = [
        _at_most("rhat", rhat, RHAT_LIMIT),
        _at_least("ess_bulk", _extreme(az.ess(posterior, method="bulk"), np.nanmin), ess_limit),
        _at_least("ess_tail", _extreme(az.ess(posterior, method="tail"), np.nanmin), ess_limit),
    ]
    if "sample_stats" in tree:
        stats = tree["sample_stats"].to_dataset()
        if "diverging" in stats:
            items.append(_at_most("divergences", float(stats["diverging"].sum()), 0.0))
        if "energy" in stats:
            energy = stats["energy"].to_numpy()
            bfmi = np.square(np.diff(energy, axis=1)).mean(axis=1) / energy.var(axis=1)
            items.append(_at_least("e_bfmi", float(bfmi.min()), BFMI_LIMIT))
    return items


def table_gate(evidence_error: float, acceptance: float, edge: float) -> list[GateItem]:
    """Quadrature error of the exact engine, in log evidence, and how tight the table is."""
    error, border = quadrature_gate(evidence_error, edge)
    return [error, _at_least("acceptance", acceptance, ACCEPTANCE_LIMIT), border]


def quadrature_gate(error: float, edge: float) -> list[GateItem]:
    """Quadrature error in log evidence, and mass at the ends of the nodes."""
    return [
        _at_most("quadrature_error", error, QUADRATURE_LIMIT),
        _at_most("edge_mass", edge, EDGE_LIMIT),
    ]


def _extreme(values: xr.Dataset, reduce: Callable[..., Any]) -> float:
    return float(reduce([reduce(array.to_numpy()) for array in values.data_vars.values()]))


def _at_most(name: str, value: float, limit: float) -> GateItem:
    return GateItem(name, value, limit, bool(value <= limit))


def _at_least(name: str, value: float, limit: float) -> GateItem:
    return GateItem(name, value, limit, bool(value >= limit))
