"""Fit a spec: choose the engine, draw, gate, stamp."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import xarray as xr

from bayesdid.design.build import build_design, with_effects
from bayesdid.design.design import Design
from bayesdid.design.regressors import regressors
from bayesdid.exceptions import InputError
from bayesdid.inference.exact.recover import Effects
from bayesdid.inference.exact.two_way import Posterior, named_draws, two_way_model
from bayesdid.inference.gate import chain_gate
from bayesdid.inference.tree import assemble, posterior_dataset, provenance, unit_moments
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
    draw_units: bool | None = None,
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
    draw_units
        Whether to draw unit effects; by default up to some thousand units, of more than which
        the group ``unit_effects`` has means and standard deviations.

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
    stats: xr.Dataset | None = None
    effects: Effects | None = None
    log_evidence, gate = None, []
    if engine == "plain":
        from bayesdid.inference.nuts.plain import draw_plain

        data = regressors(design)
        posterior, stats = draw_plain(
            design, resolved, draws=draws, tune=tune, chains=chains, seed=seed, cores=cores
        )
    elif engine in {"exact", "collapsed"}:
        model = two_way_model(design, resolved)
        data = model.data
        if engine == "exact":
            drawn = model.draw(draws * chains, rng)
            log_evidence, gate = drawn.log_evidence, drawn.gate
        else:
            from bayesdid.inference.nuts.collapsed import draw_collapsed

            drawn, stats = draw_collapsed(
                model, draws=draws, tune=tune, chains=chains, seed=seed, cores=cores
            )
        every = draw_units or ((log_likelihood or posterior_predictive) and draw_units is None)
        effects = model.recover(drawn, rng, draw_units=True if every else draw_units)
        values = named_draws(model, Posterior(drawn, effects, None), design)
        posterior = posterior_dataset(design, data, values, effects, chains)
    else:
        raise InputError(
            "unknown engine", value=engine, remedy="use auto, plain, collapsed or exact"
        )
    tree = assemble(
        posterior,
        design,
        data,
        moments=unit_moments(design, effects),
        log_likelihood=log_likelihood,
        posterior_predictive=posterior_predictive,
        sample_stats=stats,
        rng=rng,
    )
    if engine != "exact":  # exact draws are independent: no chain that could fail to converge
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
