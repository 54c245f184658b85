"""Fit a spec: choose the engine, draw, gate, stamp."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.build import build_design, with_effects
from bayesdid.design.design import Design
from bayesdid.design.regressors import regressors
from bayesdid.exceptions import InputError
from bayesdid.inference.exact.collapse import blocks, strata
from bayesdid.inference.exact.conditional import conditional
from bayesdid.inference.exact.recover import recover_effects
from bayesdid.inference.gate import chain_gate, table_gate
from bayesdid.inference.numerics.table import draw_scalars
from bayesdid.inference.tree import assemble, posterior_dataset, provenance
from bayesdid.model.effects import two_way
from bayesdid.model.model import Model
from bayesdid.model.priors import PriorName, Priors, resolve_priors
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec
from bayesdid.study.schema import EffectKind, PriorTerm

EngineName = Literal["auto", "plain", "collapsed", "exact"]


def fit(
    spec: Spec | Design,
    panel: Panel | None = None,
    *,
    unit_effects: EffectKind | None = None,
    period_effects: EffectKind | None = None,
    priors: PriorName | Priors | Mapping[str, PriorTerm] = "weak",
    engine: EngineName = "auto",
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int = 2,
    seed: int = 0,
    log_likelihood: bool = False,
    posterior_predictive: bool = False,
) -> xr.DataTree:
    """Posterior of one spec.

    Parameters
    ----------
    spec, panel
        A spec with its panel, or a design.
    unit_effects, period_effects
        ``fixed``, ``random``, ``mundlak`` or ``none``; default: what the spec declares.
    priors
        ``flat``, ``weak``, ``sceptical``, or normal priors by term (the rest weak).
    engine
        ``auto`` takes the fastest that is exact for the spec: for Gaussian two-way models that
        is always ``exact``. ``plain`` samples the model as written, ``collapsed`` its
        sufficient statistics.
    draws, tune, chains, cores, seed
        Size and seed of the run; `tune` concerns the two sampling engines.
    log_likelihood, posterior_predictive
        Add these groups (chain, draw, obs).

    Returns
    -------
    DataTree
        Groups ``posterior``, ``observed_data``, ``constant_data``, where a chain ran
        ``sample_stats``, and those asked for. ``attrs["converged"]`` is 0 if the gate failed.
    """
    design = _design(spec, panel, unit_effects, period_effects)
    resolved = resolve_priors(priors, design)
    if engine == "auto":
        engine = "exact"
    rng = np.random.default_rng(seed)
    data = regressors(design)
    stats: xr.Dataset | None
    log_evidence = None
    if engine == "plain":
        from bayesdid.inference.nuts.sample import sample_model

        return sample_model(
            Model(effects=two_way(design.unit_effects, design.period_effects)),
            design,
            priors=resolved,
            draws=draws,
            tune=tune,
            chains=chains,
            cores=cores,
            seed=seed,
            log_likelihood=log_likelihood,
            posterior_predictive=posterior_predictive,
        )
    if engine in {"exact", "collapsed"}:
        small = strata(design, data) if design.is_balanced else blocks(design, data)
        target = conditional(design, data, small, resolved)
        values: dict[str, FloatArray]
        if engine == "exact":
            table = draw_scalars(target, draws * chains, rng)
            log_evidence, stats = table.log_evidence, None
            values = {
                "sigma": table.sigma,
                "rho_unit": table.rho_unit,
                "rho_period": table.rho_period,
            }
            values["coef"] = target.draw_coefficients(
                table.sigma, table.rho_unit, table.rho_period, rng
            )
        else:
            from bayesdid.inference.nuts.collapsed import draw_collapsed

            values, stats = draw_collapsed(
                target, draws=draws, tune=tune, chains=chains, seed=seed, cores=cores
            )
        effects = recover_effects(
            blocks(design, data),
            values["coef"],
            values["sigma"],
            values["rho_unit"],
            values["rho_period"],
            rng,
        )
        for random, dim, rho in zip(
            target.kinds,
            (design.unit_dim, design.period_dim),
            ("rho_unit", "rho_period"),
            strict=True,
        ):
            if random:
                values[f"sigma_{dim}"] = values["sigma"] * np.sqrt(values[rho])
        posterior = posterior_dataset(design, data, values, effects, chains)
    else:
        raise InputError(
            "unknown engine", value=engine, remedy="use auto, plain, collapsed or exact"
        )
    tree = assemble(
        posterior,
        design,
        data,
        log_likelihood=log_likelihood,
        posterior_predictive=posterior_predictive,
        sample_stats=stats,
        rng=rng,
    )
    if engine == "exact":  # independent draws: no chain that could fail to converge
        gate = table_gate(table.evidence_error, table.acceptance, table.edge)
    else:
        gate = chain_gate(tree)
    tree.attrs = provenance(design, resolved, engine, seed, draws, chains, gate, log_evidence)
    return tree


def _design(
    spec: Spec | Design, panel: Panel | None, unit: EffectKind | None, period: EffectKind | None
) -> Design:
    if isinstance(spec, Design):
        return with_effects(spec, unit or spec.unit_effects, period or spec.period_effects)
    if panel is None:
        raise InputError(
            "fit needs a panel for a spec",
            value=spec.id,
            remedy="read one with read_panel(path, study)",
        )
    return build_design(spec, panel, unit_effects=unit, period_effects=period)
