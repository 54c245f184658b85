"""Fit a model, or a spec under a model: choose the engine, draw, gate, stamp."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from bayesdid.design.design import Design
from bayesdid.design.treated import UNTOLD, not_exchangeable, treated_units
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.inference.engines import ENGINES
from bayesdid.inference.impacts import with_impacts
from bayesdid.inference.longer import drawn
from bayesdid.inference.pointwise import pointwise
from bayesdid.inference.registry import Size, choose
from bayesdid.inference.result import Fit
from bayesdid.inference.standing import stand_beside
from bayesdid.model.bound import BoundModel, PriorsLike
from bayesdid.model.bound import model as bind
from bayesdid.model.errors import Errors
from bayesdid.model.likelihood import Likelihood, LikelihoodName
from bayesdid.model.mean import Instrument
from bayesdid.model.model import Model
from bayesdid.model.resolve import AnyDesign, base_of, outcome_priors, under_effects
from bayesdid.model.spillover import ProfileDesign
from bayesdid.panel.panel import Panel
from bayesdid.spatial.design import SpatialDesign
from bayesdid.study.load import Spec
from bayesdid.study.schema import EffectKind


def fit(
    what: Spec | AnyDesign | BoundModel,
    panel: Panel | None = None,
    *,
    model: Model | None = None,
    errors: str | Errors | None = None,
    likelihood: LikelihoodName | Likelihood | None = None,
    unit_effects: EffectKind | None = None,
    period_effects: EffectKind | None = None,
    priors: PriorsLike | None = None,
    engine: str = "auto",
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int = 2,
    seed: int = 0,
    keep_effects: bool = True,
    log_likelihood: bool = False,
    posterior_predictive: bool = False,
) -> Fit:
    """Posterior of one spec, under what it declares or under another model.

    Parameters
    ----------
    what, panel
        A spec with its panel, a design, or what :func:`bayesdid.model` bound to its data.
    model
        The whole model of a spec or a design; else it is put together from the parts.
    errors, likelihood, unit_effects, period_effects, priors
        Parts of the model, see :func:`bayesdid.model.bound.model`.
    engine
        ``auto`` takes the cheapest that is exact for the model, and the sampler where there is
        none; ``exact``, ``gibbs``, ``nuts`` or an engine's name insist.
    draws, tune, chains, cores, seed
        Size and seed of the run; `tune` and `cores` concern chains. A fit whose gate fails for want
        of draws is made once more with more of them, see :mod:`bayesdid.inference.longer`.
    keep_effects
        Whether intercept and effects are wanted where an engine recovers them afterwards; rows
        have no densities and no replications without.
    log_likelihood, posterior_predictive
        Add these groups (chain, draw, obs): densities of the rows, each given the one before it in
        its unit where errors are AR(1), and new outcomes.

    Returns
    -------
    Fit
        ``fit.tree`` is the ArviZ tree; ``fit.converged`` is False if the gate failed.

    Raises
    ------
    InputError
        If the spec does not fit the panel, or no engine supports the model.
    """
    parts = (errors, likelihood, unit_effects, period_effects, priors)
    given = any(part is not None for part in parts)
    if given and (model is not None or isinstance(what, BoundModel)):
        raise InputError("both a model and its parts", remedy="give one, or model.but(...)")
    if isinstance(what, BoundModel):
        bound = what if model is None else BoundModel(model, under_effects(what.design, model))
    else:
        bound = bind(
            what,
            panel,
            errors=errors,
            likelihood=likelihood or "normal",
            unit_effects=unit_effects,
            period_effects=period_effects,
            priors=priors,
        )
        if model is not None:
            bound = BoundModel(model, under_effects(bound.design, model))
    found = fit_bound(
        bound, engine=engine, size=Size(draws, tune, chains, cores, seed, keep_effects)
    )
    if log_likelihood or posterior_predictive:
        groups = pointwise(
            found.tree["posterior"].to_dataset(),
            bound.model,
            bound.design,
            log_likelihood=log_likelihood,
            replications=posterior_predictive,
            rng=np.random.default_rng(seed),
        )
        for name, group in groups.items():
            found.tree[name] = xr.DataTree(group)
    return found


def accept_draws(bound: BoundModel, tree: xr.DataTree) -> Fit:
    """Take back draws that a user made of ``bound.to_pymc()`` with a sampler of their own.

    Raises
    ------
    InputError
        If the draws lack a variable of the model, or a dimension has another length.
    """
    from bayesdid.inference.nuts.sample import accepted

    return _stamped(accepted(bound.model, bound.design, tree), "user", False, bound)


def fit_model(
    model: Model, design: AnyDesign, *, engine: str = "auto", size: Size | None = None
) -> Fit:
    """Posterior of a model of a design, whatever effects that one has."""
    return fit_bound(BoundModel(model, under_effects(design, model)), engine=engine, size=size)


def fit_bound(bound: BoundModel, *, engine: str = "auto", size: Size | None = None) -> Fit:
    """Posterior of a model of its design, stamped with what it is."""
    chosen = choose(ENGINES, engine, bound.model, bound.design)
    if bound.model.priors.name == "flat" and any(
        note.name == UNTOLD for note in base_of(bound.design).notes
    ):
        raise NotIdentifiedError(
            f"{base_of(bound.design).spec_id}: no cell is left to tell the shock that individuals "
            "of a unit and period share from the effects, and a flat prior says nothing of it: "
            "take weak priors, or data of more units or periods"
        )
    resolved = outcome_priors(bound.model, bound.design)
    tree = drawn(chosen, bound, resolved, size or Size())
    return _stamped(tree, chosen.name, chosen.independent, bound)


def _stamped(tree: xr.DataTree, engine: str, independent: bool, bound: BoundModel) -> Fit:
    """A tree that says what it is a posterior of, with other errors beside."""
    model, base = bound.model, base_of(bound.design)
    tree.attrs |= {
        "engine": engine,
        "independent": int(independent),
        "model": repr(model),
        "equation": model.equation,
        "mean": type(model.mean).__name__,
        "likelihood": str(model.likelihood),
        "errors": str(model.errors),
        "errors_name": model.errors.name,
        "effects": _effects(model, base),
        "effect_names": json.dumps(_effect_names(model, base)),
        "prior_choice": str(model.priors),
        "weighted": int(model.weighted),
        "cluster": "" if base.cluster is None else base.cluster.name,
        "n": base.n,
        "units": len(base.units),
        "periods": len(base.periods),
        "treated_units": json.dumps(treated_units(base)),
        "tied": not_exchangeable(base),
    }
    if isinstance(model.mean, Instrument):
        tree.attrs["instrument"] = model.mean.instrument
    if isinstance(bound.design, SpatialDesign):
        weights = bound.design.weights
        tree.attrs |= {
            "spatial_kind": bound.design.kind,
            "spatial_weights": weights.name,
            "normalisation": weights.normalisation,
        }
        tree["posterior"] = xr.DataTree(with_impacts(tree["posterior"].to_dataset(), bound.design))
    if isinstance(bound.design, ProfileDesign) and "profile" not in tree["posterior"]:
        from bayesdid.inference.exact.profile import with_profile

        rng = np.random.default_rng(tree.attrs["seed"])
        tree["posterior"] = xr.DataTree(
            with_profile(tree["posterior"].to_dataset(), bound.design, rng)
        )
    stand_beside(tree, model, base)
    return Fit(tree, bound)


def _effects(model: Model, design: Design) -> str:
    named = zip(_effect_names(model, design), model.effects, strict=True)
    return ", ".join(f"{name} {effect.kind}" for name, effect in named) or "none"


def _effect_names(model: Model, design: Design) -> list[str]:
    names = {"unit": design.unit_dim, "period": design.period_dim}
    return [names.get(effect.over, effect.over) for effect in model.effects]
