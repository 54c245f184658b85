"""What a model means for a design: its effects, what must be there, priors as numbers."""

from __future__ import annotations

import dataclasses

from bayesdid.design.build import with_effects
from bayesdid.design.design import Design
from bayesdid.design.span import random_within_fixed
from bayesdid.exceptions import InputError
from bayesdid.model.equations import equation_terms, instrument_of, mediator_priors, mediators_of
from bayesdid.model.mean import Durbin, Instrument, Mediation, Pooled, Profile, Propensity
from bayesdid.model.model import Model
from bayesdid.model.priors import Priors, instrument_priors, propensity_priors, resolve_priors
from bayesdid.model.spatial_priors import spatial_priors
from bayesdid.model.spillover import ProfileDesign, profile_priors
from bayesdid.spatial.design import SpatialDesign

AnyDesign = Design | SpatialDesign | ProfileDesign


def base_of(design: AnyDesign) -> Design:
    """The two-way design, also of a spatial or a profile design."""
    return design if isinstance(design, Design) else design.base


def under_effects(design: AnyDesign, model: Model) -> AnyDesign:
    """The design with the effects of the model."""
    unit, period = model.kind("unit"), model.kind("period")
    if not isinstance(design, Design):
        return dataclasses.replace(design, base=with_effects(design.base, unit, period))
    own = with_effects(design, unit, period)
    if not design.further:
        return own
    kinds = {one.text: model.kind(one.text) for one in design.further}
    further = tuple(
        dataclasses.replace(one, kind="random" if kinds[one.text] == "random" else "fixed")
        for one in design.further
        if kinds[one.text] != "none"
    )
    return dataclasses.replace(own, further=further)


def outcome_priors(model: Model, design: AnyDesign) -> Priors:
    """Priors of the outcome's equation, by the names of its regressors."""
    if isinstance(design, SpatialDesign):
        return spatial_priors(design, model.priors)[0]
    if isinstance(design, ProfileDesign):
        return profile_priors(design, model.priors)
    if isinstance(model.mean, Propensity):
        return propensity_priors(design.covariates, model.priors)
    if isinstance(model.mean, Instrument):
        parts = instrument_of(model, design)
        return instrument_priors(model.priors, parts.rest, parts.z, parts.name)
    elsewhere = equation_terms(model, design)
    return resolve_priors(model.priors, design, model.likelihood, elsewhere=elsewhere)


def all_priors(model: Model, design: AnyDesign) -> dict[str, Priors]:
    """Priors of every equation: that of the outcome, then those of mediators."""
    base = base_of(design)
    found = {base.outcome: outcome_priors(model, design)}
    if isinstance(model.mean, Mediation):
        parts = mediators_of(model, base)
        found |= dict(zip(parts.names, mediator_priors(model.priors, parts), strict=True))
    return found


def check_design(model: Model, design: AnyDesign) -> None:
    """Refuse a design without the arrays that a model asks for."""
    base = base_of(design)
    wanted = {Durbin: SpatialDesign, Profile: ProfileDesign}.get(type(model.mean), Design)
    if not isinstance(design, wanted):
        raise InputError(
            f"{base.spec_id}: a {type(model.mean).__name__} mean needs a {wanted.__name__}",
            value=type(design).__name__,
            remedy="make one with spatial_design or profile_design",
        )
    if isinstance(model.mean, Durbin) and design.kind != model.mean.kind:  # type: ignore[union-attr]
        raise InputError(
            f"{base.spec_id}: the model and its design have different spatial lags",
            value=f"{model.mean.kind}, {design.kind}",  # type: ignore[union-attr]
            remedy="make the design with the kind of the model",
        )
    if model.weighted and base.weights is None:
        raise InputError(
            f"{base.spec_id}: the model has row weights, the design has none",
            remedy="name a column of weights when the design is built",
        )
    if isinstance(model.mean, Durbin | Profile) and base.weights is not None and not model.weighted:
        raise InputError(
            f"{base.spec_id}: the design has row weights, the model has none",
            remedy="make the design without them",
        )
    there = {one.text for one in base.further}
    if absent := [e.over for e in model.effects if e.is_further and e.over not in there]:
        raise InputError(
            f"{base.spec_id}: the model has an effect that the design has not",
            value=absent[0],
            remedy="name it when the design is built",
        )
    if within := random_within_fixed(base):
        raise InputError(
            f"{base.spec_id}: the fixed effects span every level of a random one: nothing is left "
            "to learn its scale from",
            value=within,
            remedy="make it fixed, or leave it out",
        )
    if isinstance(model.mean, Pooled):
        _check_parts(model, base)


def _check_parts(model: Model, design: Design) -> None:
    """Refuse a pooled mean without parts, and priors on what a part's own scale has a prior of."""
    if not design.part:
        raise InputError(
            f"{design.spec_id}: no treatment belongs to a part that could be pooled",
            remedy="give the design the part of each treatment",
        )
    pooled = {name: p for name, p in zip(design.treatments, design.part, strict=True) if p}
    for term, _, _ in model.priors.terms:
        if term in pooled:
            raise InputError(
                f"{design.spec_id}: a prior on a deviation of part {pooled[term]}, whose prior is "
                "normal with the part's own standard deviation",
                value=term,
                remedy="give priors on base terms and covariates",
            )
