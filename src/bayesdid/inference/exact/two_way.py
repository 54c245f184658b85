"""Exact engine for Gaussian two-way models with i.i.d. errors: scales tabulated, the rest drawn."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.design.regressors import regressors
from bayesdid.inference.exact.collapse import blocks, strata
from bayesdid.inference.exact.conditional import conditional
from bayesdid.inference.exact.recover import recover_effects
from bayesdid.inference.gate import table_gate
from bayesdid.inference.numerics.table import draw_scalars
from bayesdid.inference.tree import assemble, posterior_dataset, provenance
from bayesdid.model.priors import Priors


def fit_two_way(
    design: Design,
    priors: Priors,
    *,
    draws: int = 1000,
    chains: int = 4,
    seed: int = 0,
    log_likelihood: bool = False,
    posterior_predictive: bool = False,
) -> xr.DataTree:
    """Posterior of a design under i.i.d. normal errors: `draws * chains` independent draws."""
    rng = np.random.default_rng(seed)
    data = regressors(design)
    small = strata(design, data) if design.is_balanced else blocks(design, data)
    target = conditional(design, data, small, priors)
    table = draw_scalars(target, draws * chains, rng)
    values: dict[str, FloatArray] = {"sigma": table.sigma}
    values["coef"] = target.draw_coefficients(table.sigma, table.rho_unit, table.rho_period, rng)
    effects = recover_effects(
        blocks(design, data), values["coef"], table.sigma, table.rho_unit, table.rho_period, rng
    )
    for random, dim, rho in zip(
        target.kinds,
        (design.unit_dim, design.period_dim),
        (table.rho_unit, table.rho_period),
        strict=True,
    ):
        if random:
            values[f"sigma_{dim}"] = table.sigma * np.sqrt(rho)
    tree = assemble(
        posterior_dataset(design, data, values, effects, chains),
        design,
        data,
        log_likelihood=log_likelihood,
        posterior_predictive=posterior_predictive,
        sample_stats=None,
        rng=rng,
    )
    gate = table_gate(table.evidence_error, table.acceptance, table.edge)
    tree.attrs = provenance(design, priors, "exact", seed, draws, chains, gate, table.log_evidence)
    return tree
