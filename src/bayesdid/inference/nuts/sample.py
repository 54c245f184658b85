"""The sampling engine: any compiled model by nutpie, gated, named, with pointwise densities."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from bayesdid.exceptions import InputError
from bayesdid.inference.gate import GateItem, chain_gate
from bayesdid.inference.nuts.chain import Attempt, sample_chains
from bayesdid.inference.pointwise import pointwise
from bayesdid.inference.tree import data_groups, provenance, with_constant
from bayesdid.model.errors import Errors
from bayesdid.model.mean import Mediation, Path, Pooled, Propensity, TwoWay
from bayesdid.model.model import Model
from bayesdid.model.priors import Priors, on_link_scale
from bayesdid.model.resolve import AnyDesign, base_of, outcome_priors, under_effects


def sample_model(
    model: Model,
    design: AnyDesign,
    *,
    priors: Priors | None = None,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int = 2,
    seed: int = 0,
    log_likelihood: bool = False,
    posterior_predictive: bool = False,
) -> xr.DataTree:
    """Posterior of a model by nutpie; chains that fail their gate get one longer chance.

    Parameters
    ----------
    priors
        As numbers, in the place of those that the model's choice gives.

    Returns
    -------
    DataTree
        Groups ``posterior``, ``sample_stats``, ``observed_data``, ``constant_data``, and those
        asked for. ``attrs["converged"]`` is 0 if the gate failed both times.
    """
    from bayesdid.model.pymc.compile import to_pymc

    own = under_effects(design, model)
    base = base_of(own)
    propensity = isinstance(model.mean, Propensity)
    y = np.zeros(base.n) if propensity else on_link_scale(base, model.likelihood)
    found = sample_chains(
        lambda: to_pymc(model, design, priors=priors),
        _attempts(model),
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        seed=seed,
        start={"alpha": float(y.mean()), "eta": y},
    )
    return _finished(
        model,
        own,
        found.thinned(),
        found.thinned("sample_stats"),
        found.gate,
        priors,
        engine="nuts",
        seed=seed,
        log_likelihood=log_likelihood,
        posterior_predictive=posterior_predictive,
    )


def accept_draws(
    model: Model,
    design: AnyDesign,
    tree: xr.DataTree,
    *,
    seed: int = 0,
    log_likelihood: bool = False,
    posterior_predictive: bool = False,
) -> xr.DataTree:
    """Take back draws that a user made of ``to_pymc(model, design)``: gate and name them.

    Raises
    ------
    InputError
        If the draws lack a variable of the model, or a dimension has another length.
    """
    from bayesdid.model.pymc.compile import to_pymc

    own = under_effects(design, model)
    posterior = tree["posterior"].to_dataset()
    compiled = to_pymc(model, design)
    wanted = [v.name for v in (*compiled.free_RVs, *compiled.deterministics)]
    if missing := [name for name in wanted if name not in posterior and not _internal(name)]:
        raise InputError(
            "the draws lack a variable of the model",
            value=missing[0],
            remedy="sample the model that to_pymc() gives, and keep all its variables",
        )
    for dim, labels in compiled.coords.items():
        if dim in posterior.dims and labels is not None and posterior.sizes[dim] != len(labels):
            raise InputError(
                f"the draws have {posterior.sizes[dim]} levels of {dim}, the model {len(labels)}",
                remedy="hand in draws of this model and design",
            )
    stats = tree["sample_stats"].to_dataset() if "sample_stats" in tree else None
    keep = [name for name in posterior.data_vars if name in wanted]
    return _finished(
        model,
        own,
        posterior[keep],
        stats,
        chain_gate(tree),
        None,
        engine="user",
        seed=seed,
        log_likelihood=log_likelihood,
        posterior_predictive=posterior_predictive,
    )


def _attempts(model: Model) -> list[Attempt]:
    """Smaller steps where scales of random levels make the posterior curved.

    Errors inside a count's predictor and effects explain the same rows: longer chains.
    """
    curved = model.errors.scale == "unit" or {"random", "mundlak"} & {
        effect.kind for effect in model.effects
    }
    latent = model.likelihood.is_discrete and model.errors != Errors()
    again: dict[str, float | str] = {"target_accept": 0.97}
    if isinstance(model.mean, Mediation):  # levels of several equations correlate with intercepts
        again["adaptation"] = "low_rank"
    return [
        Attempt(3 if latent else 1, {"target_accept": 0.9 if curved else 0.8}),
        Attempt(8 if latent else 4, again),
    ]


def _finished(
    model: Model,
    design: AnyDesign,
    posterior: xr.Dataset,
    stats: xr.Dataset | None,
    gate: list[GateItem],
    priors: Priors | None,
    *,
    engine: str,
    seed: int,
    log_likelihood: bool,
    posterior_predictive: bool,
) -> xr.DataTree:
    """Groups and attributes of a result."""
    posterior = posterior.drop_vars([str(v) for v in posterior.data_vars if _internal(str(v))])
    if isinstance(model.mean, TwoWay | Pooled | Path):
        posterior = with_constant(posterior, base_of(design))
    groups = {"posterior": posterior, **data_groups(base_of(design))}
    if stats is not None:
        groups["sample_stats"] = stats
    if log_likelihood or posterior_predictive:
        groups |= pointwise(
            posterior,
            model,
            design,
            log_likelihood=log_likelihood,
            replications=posterior_predictive,
            rng=np.random.default_rng(seed),
        )
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = provenance(
        base_of(design),
        priors or outcome_priors(model, design),
        engine,
        seed,
        posterior.sizes["draw"],
        posterior.sizes["chain"],
        gate,
        None,
    ) | model_attributes(model)
    return tree


def model_attributes(model: Model) -> dict[str, Any]:
    """What was fitted, in words a program can read."""
    return {
        "mean": type(model.mean).__name__,
        "likelihood": model.likelihood.name,
        "errors": model.errors.name,
        "weighted": int(model.weighted),
        "equation": json.dumps(model.equation.splitlines()),
    }


def _internal(name: str) -> bool:
    from bayesdid.model.pymc.setting import is_internal

    return is_internal(name)
