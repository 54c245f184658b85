"""Fit a model, or a spec under a model: choose the engine, draw, gate, stamp."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import xarray as xr

from bayesdid.design.build import build_design, with_effects
from bayesdid.design.design import Design
from bayesdid.design.treated import treated_units
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.inference.engines import ENGINES
from bayesdid.inference.exact.sandwich import beside
from bayesdid.inference.registry import Size, choose
from bayesdid.inference.result import Fit
from bayesdid.model.effects import two_way
from bayesdid.model.errors import DEFAULT_ERRORS, Errors
from bayesdid.model.likelihood import Likelihood, LikelihoodName
from bayesdid.model.mean import Pooled, TwoWay
from bayesdid.model.model import Model, PriorChoice
from bayesdid.model.priors import resolve_priors
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec
from bayesdid.study.schema import EffectKind, PriorTerm

PriorsLike = str | Mapping[str, PriorTerm] | PriorChoice


def model_of(
    spec: Spec | Design,
    *,
    errors: str | Errors | None = None,
    likelihood: LikelihoodName | Likelihood | None = None,
    unit_effects: EffectKind | None = None,
    period_effects: EffectKind | None = None,
    priors: PriorsLike | None = None,
) -> Model:
    """The model of a spec or a design: what it declares, and else the defaults.

    Parameters
    ----------
    errors
        ``iid``, ``iid_unit``, ``ar1``, ``ar1_unit``. Default: what placebo laws on real panels
        show to be calibrated (docs/calibration-errors.md), i.i.d. for counts.
    likelihood
        ``normal`` (default), ``student_t``, ``negative_binomial``, ``poisson``, ``binomial``.
    unit_effects, period_effects
        ``fixed``, ``random``, ``mundlak`` or ``none``; default: what the spec declares.
    priors
        ``flat``, ``weak``, ``sceptical``, or normal priors by term (the rest weak); default: the
        study's, else weak.
    """
    own = spec if isinstance(spec, Design) else spec.column
    like = likelihood if isinstance(likelihood, Likelihood) else Likelihood(likelihood or "normal")
    if errors is None:
        errors = Errors() if like.is_discrete else DEFAULT_ERRORS
    if priors is None:
        priors = PriorChoice() if isinstance(spec, Design) else study_priors(spec)
    return Model(
        mean=Pooled()
        if isinstance(spec, Design) and bool(getattr(spec, "part", None))
        else TwoWay(),
        likelihood=like,
        errors=Errors.parse(errors) if isinstance(errors, str) else errors,
        effects=two_way(unit_effects or own.unit_effects, period_effects or own.period_effects),
        weighted=isinstance(spec, Design) and getattr(spec, "weights", None) is not None,
        priors=PriorChoice.of(priors),
    )


def fit(
    spec: Spec | Design,
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
) -> Fit:
    """Posterior of one spec, under what it declares or under another model.

    Parameters
    ----------
    spec, panel
        A spec with its panel, or a design.
    model
        The whole model; else it is put together from the parts by :func:`model_of`.
    errors, likelihood, unit_effects, period_effects, priors
        See :func:`model_of`.
    engine
        ``auto`` takes the cheapest that is exact for the model, and the sampler where there is
        none; ``exact``, ``nuts`` or an engine's name insist.
    draws, tune, chains, cores, seed
        Size and seed of the run; `tune` and `cores` concern chains.

    Returns
    -------
    Fit
        ``fit.tree`` is the ArviZ tree; ``fit.converged`` is False if the gate failed.

    Raises
    ------
    InputError
        If the spec does not fit the panel, or no engine supports the model.
    """
    if model is None:
        model = model_of(
            spec,
            errors=errors,
            likelihood=likelihood,
            unit_effects=unit_effects,
            period_effects=period_effects,
            priors=priors,
        )
    elif any(
        part is not None for part in (errors, likelihood, unit_effects, period_effects, priors)
    ):
        raise InputError("both a model and its parts", remedy="give one, or model.but(...)")
    design = _design(spec, panel, model)
    size = Size(draws, tune, chains, cores, seed)
    return fit_model(model, design, engine=engine, size=size)


def fit_model(
    model: Model, design: Design, *, engine: str = "auto", size: Size | None = None
) -> Fit:
    """Posterior of a model of a design, stamped with what it is."""
    size = size or Size()
    design = with_effects(design, model.kind("unit"), model.kind("period"))
    choice = model.priors
    resolved = resolve_priors(
        {t: PriorTerm(mean=m, sd=s) for t, m, s in choice.terms} or choice.name, design
    )
    chosen = choose(ENGINES, engine, model, design)
    tree = chosen.draw(model, design, resolved, size)
    tree.attrs |= {
        "engine": chosen.name,
        "independent": int(chosen.independent),
        "model": repr(model),
        "equation": model.equation,
        "mean": type(model.mean).__name__,
        "likelihood": str(model.likelihood),
        "errors": str(model.errors),
        "errors_name": model.errors.name,
        "effects": _effects(model, design),
        "prior_choice": str(model.priors),
        "n": design.n,
        "units": len(design.units),
        "periods": len(design.periods),
        "treated_units": json.dumps(treated_units(design)),
    }
    if isinstance(model.mean, TwoWay) and not model.likelihood.is_discrete:
        _stand_beside(tree, design)
    return Fit(tree)


def _effects(model: Model, design: Design) -> str:
    names = {"unit": design.unit_dim, "period": design.period_dim}
    found = [f"{names[effect.over]} {effect.kind}" for effect in model.effects]
    return ", ".join(found) or "none"


def _stand_beside(tree: xr.DataTree, design: Design) -> None:
    """Add the i.i.d. and the sandwich posterior of the treatments, where they are identified."""
    try:
        found = beside(design)
    except NotIdentifiedError:
        return  # a proper prior identifies what least squares cannot
    sds = np.stack([found.sd_iid, found.sd_cluster])
    tree["beside"] = xr.DataTree(
        xr.Dataset(
            {
                "mean": (("errors", "treatment"), np.stack([found.mean, found.mean])),
                "sd": (("errors", "treatment"), sds),
            },
            coords={
                "errors": ["iid (flat)", f"cluster ({found.clusters})"],
                "treatment": list(design.treatments),
            },
        )
    )


def study_priors(spec: Spec) -> PriorChoice:
    """The priors that a study asks for, for the terms that this spec has."""
    section = spec.priors
    terms = {*spec.column.treatments, *spec.column.covariates}
    own = tuple((t, prior.mean, prior.sd) for t, prior in section.user.items() if t in terms)
    return PriorChoice("weak" if section.default == "user" else section.default, own)


def _design(spec: Spec | Design, panel: Panel | None, model: Model) -> Design:
    if isinstance(spec, Design):
        return spec
    if panel is None:
        raise InputError(
            "fit needs a panel for a spec",
            value=spec.id,
            remedy="read one with read_panel(path, study)",
        )
    return build_design(
        spec, panel, unit_effects=model.kind("unit"), period_effects=model.kind("period")
    )
