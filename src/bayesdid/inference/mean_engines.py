"""Exact engines of the means that are no single two-way regression."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import xarray as xr

from bayesdid.design.design import Design
from bayesdid.exceptions import InputError
from bayesdid.inference.crossed import beyond_levels
from bayesdid.inference.registry import Engine, Size
from bayesdid.model.errors import Errors, Scale
from bayesdid.model.mean import Durbin, Instrument, Mean, Mediation, Profile, Propensity
from bayesdid.model.model import Model
from bayesdid.model.priors import Priors
from bayesdid.model.resolve import AnyDesign, base_of
from bayesdid.model.spillover import ProfileDesign
from bayesdid.spatial.design import LAG_OF_ERROR, SpatialDesign

Reason = Callable[[Model, AnyDesign], str]


def _normal(mean: type[Mean], name: str, further: Reason, *, iid: bool = True) -> Reason:
    """Why an engine of one kind of mean cannot draw from a model; its errors are normal."""

    def refuses(model: Model, design: AnyDesign) -> str:
        if not isinstance(model.mean, mean):
            return f"its mean is {name}"
        if model.likelihood.name != "normal":
            return "its likelihood is normal"
        if iid and model.errors != Errors():
            return "its errors are i.i.d."
        return further(model, design)

    return refuses


def _durbin(model: Model, design: AnyDesign) -> str:
    from bayesdid.spatial.operators.moments import moments

    assert isinstance(design, SpatialDesign)
    if "mundlak" in (model.kind("unit"), model.kind("period")):
        return "its effects are fixed, random or none"
    if model.weighted and model.kind("period") == "random":
        return "with weights its period effects are fixed or none"
    if model.kind("period") == "random":  # not under every W
        try:
            moments(design)
        except InputError as error:
            return error.problem
    return ""


def student_t_only(model: Model) -> str:
    """Why the engines of Student-t errors cannot draw from a likelihood and errors."""
    if model.likelihood.name != "student_t":
        return "its likelihood is Student t"
    return "" if model.errors == Errors() else "its errors are i.i.d."


def _durbin_tails(model: Model, design: AnyDesign) -> str:
    """Why the engine of Student-t errors cannot draw from a spatial model."""
    del design
    if not isinstance(model.mean, Durbin):
        return "its mean is spatial"
    if reason := student_t_only(model):
        return reason
    if model.mean.kind in LAG_OF_ERROR:
        return "its spatial lag is not one of the error"
    if "mundlak" in (model.kind("unit"), model.kind("period")):
        return "its effects are fixed, random or none"
    return ""


def _instrument(model: Model, design: AnyDesign) -> str:
    from bayesdid.model.resolve import outcome_priors

    further = base_of(design).further
    if "random" in {model.kind("unit"), model.kind("period"), *(one.kind for one in further)}:
        return "its effects are fixed or none"
    if any(one.is_unit_slope for one in further) and model.kind("unit") != "fixed":
        return "units with fixed slopes have fixed effects"
    proper = np.isfinite(list(outcome_priors(model, design).sds.values())).all()
    return "" if proper else "effect and first stage have proper priors"


def _mediation(model: Model, design: AnyDesign, scale: Scale) -> str:
    assert isinstance(model.mean, Mediation)
    if model.errors.scale != scale:
        return f"its errors have {'one scale' if scale == 'common' else 'a scale for each unit'}"
    if len(model.mean.mediators) == 1:
        return beyond_levels(model, design)
    if model.errors != Errors() or model.weighted:
        return "errors of several mediators are i.i.d. without weights"
    told = any(" ~ " in term for term, _, _ in model.priors.terms)
    if told or model.priors.name == "sceptical":  # too few draws of flat priors would be kept
        return "priors of several mediators' equations are flat or weak"
    hierarchical = {"random", "mundlak"} & {model.kind("unit"), model.kind("period")}
    return "effects on several mediators are fixed or none" if hierarchical else ""


def _profile(model: Model, design: AnyDesign) -> str:
    del model, design
    return ""


def _propensity(model: Model, design: AnyDesign) -> str:
    del design
    if not isinstance(model.mean, Propensity):
        return "its mean is a propensity"
    return "" if model.priors.name != "flat" else "coefficients have proper priors"


def _draw_durbin(model: Model, design: AnyDesign, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.exact.durbin_fit import fit_durbin

    del model
    assert isinstance(design, SpatialDesign)
    return fit_durbin(design, priors, size)


def _draw_durbin_tails(model: Model, design: AnyDesign, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.exact.tails_fit import fit_durbin_tails

    del model
    assert isinstance(design, SpatialDesign)
    return fit_durbin_tails(design, priors, size)


def _draw_instrument(model: Model, design: AnyDesign, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.exact.instrument_fit import fit_instrument

    assert isinstance(design, Design)
    return fit_instrument(model, design, priors, size)


def _draw_mediation(model: Model, design: AnyDesign, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.exact.mediation import fit_mediation

    assert isinstance(design, Design)
    return fit_mediation(model, design, priors, size)


def _draw_profile(model: Model, design: AnyDesign, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.exact.profile import fit_profile

    del model
    assert isinstance(design, ProfileDesign)
    return fit_profile(design, priors, size)


def _draw_propensity(model: Model, design: AnyDesign, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.exact.propensity import fit_propensity

    del model
    assert isinstance(design, Design)
    return fit_propensity(design, priors, size)


MEAN_ENGINES: tuple[Engine, ...] = (
    Engine("durbin", "exact", 0.2, _normal(Durbin, "spatial", _durbin), _draw_durbin),
    Engine(
        "durbin_tails",
        "gibbs",
        2.0,
        _durbin_tails,
        _draw_durbin_tails,
        independent=False,
        longer=False,
    ),
    Engine(
        "instrument",
        "exact",
        0.5,
        _normal(Instrument, "instrumented", _instrument),
        _draw_instrument,
    ),
    Engine(
        "mediation",
        "exact",
        0.3,
        _normal(Mediation, "mediated", partial(_mediation, scale="common"), iid=False),
        _draw_mediation,
    ),
    Engine(
        "mediation_unit_scales",
        "gibbs",
        0.8,
        _normal(Mediation, "mediated", partial(_mediation, scale="unit"), iid=False),
        _draw_mediation,
        independent=False,
    ),
    Engine("profile", "exact", 1.0, _normal(Profile, "a profile", _profile), _draw_profile),
    Engine("propensity", "exact", 0.1, _propensity, _draw_propensity),
)
