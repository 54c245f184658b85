"""The engines: what each supports, from the cheapest to the samplers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import xarray as xr

from bayesdid.design.design import Design
from bayesdid.exceptions import InputError
from bayesdid.inference.crossed import beyond_levels
from bayesdid.inference.mean_engines import MEAN_ENGINES, student_t_only
from bayesdid.inference.registry import Engine, Size
from bayesdid.model import crossed
from bayesdid.model.errors import Errors, Scale
from bayesdid.model.mean import Pooled, TwoWay
from bayesdid.model.model import Model
from bayesdid.model.pooling import Pooling
from bayesdid.model.priors import Priors
from bayesdid.model.resolve import AnyDesign, base_of, check_design

SAMPLED = 4000
"""Levels of further effects that a sampler is given."""


def _gaussian(model: Model) -> str:
    """Why a Gaussian two-way engine cannot draw from a model."""
    if not isinstance(model.mean, TwoWay):
        return "its mean is two-way"
    return "" if model.likelihood.name == "normal" else "its likelihood is normal"


def _one_scale(model: Model, design: AnyDesign) -> str:
    wrong = model.errors.scale != "common"
    reason = _gaussian(model) or ("its errors have one scale" if wrong else "")
    return reason or beyond_levels(model, design)


def _unit_scales(model: Model, design: AnyDesign) -> str:
    wrong = model.errors.scale != "unit"
    reason = _gaussian(model) or ("each unit's errors have their own scale" if wrong else "")
    return reason or beyond_levels(model, design)


def _pooled(model: Model, design: AnyDesign, scale: Scale) -> str:
    """Why an engine of pooled means, for errors of such a scale, cannot draw from a model."""
    if not isinstance(model.mean, Pooled):
        return "its mean is pooled"
    if model.likelihood.name != "normal":
        return "its likelihood is normal"
    if model.errors.scale != scale:
        return f"its errors have {'one scale' if scale == 'common' else 'a scale for each unit'}"
    return _any(model, design) or beyond_levels(model, design)


def _tails(model: Model, design: AnyDesign) -> str:
    """Why the engine of Student-t errors cannot draw from a model."""
    if not isinstance(model.mean, TwoWay):
        return "its mean is two-way"
    if reason := student_t_only(model):
        return reason
    further = bool(base_of(design).further)
    return _any(model, design) or ("its effects are those of units and periods" if further else "")


def _plainest(model: Model, design: AnyDesign) -> str:
    wrong = model.errors != Errors() or model.weighted
    reason = _one_scale(model, design) or ("its errors are i.i.d. without weights" if wrong else "")
    further = bool(base_of(design).further)
    return reason or ("its effects are those of units and periods" if further else "")


def _draw_gaussian(model: Model, design: AnyDesign, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.exact.gaussian import fit_gaussian

    return _by_rows(fit_gaussian, base_of(design), model, design, priors, size)


def _draw_pooled(model: Model, design: AnyDesign, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.exact.pooled import fit_pooled

    return _by_rows(fit_pooled, Pooling(base_of(design)), model, design, priors, size)


def _by_rows(
    engine: Callable[..., xr.DataTree],
    what: Design | Pooling,
    model: Model,
    design: AnyDesign,
    priors: Priors,
    size: Size,
) -> xr.DataTree:
    """What both engines of normal errors take, in whatever form they take the design."""
    return engine(
        what,
        errors=model.errors,
        priors=priors,
        weights=base_of(design).weights if model.weighted else None,
        draws=size.draws,
        chains=size.chains,
        seed=size.seed,
    )


def _draw_tails(model: Model, design: AnyDesign, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.exact.tails_fit import fit_tails

    return fit_tails(base_of(design), priors, size, weighted=model.weighted)


def _draw_collapsed(model: Model, design: AnyDesign, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.nuts.sampled import fit_collapsed

    del model
    return fit_collapsed(base_of(design), priors, size)


def _any(model: Model, design: AnyDesign) -> str:
    """What no sampler of a two-way design can draw from."""
    base = base_of(design)
    levels = crossed.levels_of(base.further, own_scales=True)
    if levels > SAMPLED or levels * base.n > crossed.CHAIN_CELLS:
        return f"{levels} levels of further effects in {base.n} rows take too long to sample"
    try:
        check_design(model, design)
    except InputError as error:
        return error.problem
    return ""


def _draw_nuts(model: Model, design: AnyDesign, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.nuts.sample import sample_model

    return sample_model(model, design, priors, size)


ENGINES: tuple[Engine, ...] = (
    Engine("two_way", "exact", 0.1, _one_scale, _draw_gaussian),
    Engine("unit_scales", "gibbs", 0.4, _unit_scales, _draw_gaussian, independent=False),
    Engine("pooled", "exact", 0.5, partial(_pooled, scale="common"), _draw_pooled),
    Engine(
        "pooled_unit_scales",
        "gibbs",
        4.0,
        partial(_pooled, scale="unit"),
        _draw_pooled,
        independent=False,
    ),
    Engine("tails", "gibbs", 2.0, _tails, _draw_tails, independent=False, longer=False),
    Engine("collapsed", "nuts", 3.0, _plainest, _draw_collapsed, independent=False),
    *MEAN_ENGINES,
    Engine("as_written", "nuts", 10.0, _any, _draw_nuts, independent=False, longer=False),
)
