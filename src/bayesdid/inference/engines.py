"""The engines: what each supports, from the cheapest to the samplers."""

from __future__ import annotations

import xarray as xr

from bayesdid.design.design import Design
from bayesdid.inference.registry import Engine, Size
from bayesdid.model.errors import Errors
from bayesdid.model.mean import TwoWay
from bayesdid.model.model import Model
from bayesdid.model.priors import Priors


def _gaussian(model: Model) -> str:
    """Why a Gaussian two-way engine cannot draw from a model."""
    if not isinstance(model.mean, TwoWay):
        return "its mean is two-way"
    return "" if model.likelihood.name == "normal" else "its likelihood is normal"


def _one_scale(model: Model, design: Design) -> str:
    del design
    wrong = model.errors.scale != "common"
    return _gaussian(model) or ("its errors have one scale" if wrong else "")


def _unit_scales(model: Model, design: Design) -> str:
    del design
    wrong = model.errors.scale != "unit"
    return _gaussian(model) or ("each unit's errors have their own scale" if wrong else "")


def _plainest(model: Model, design: Design) -> str:
    wrong = model.errors != Errors() or model.weighted
    return _one_scale(model, design) or ("its errors are i.i.d. without weights" if wrong else "")


def _draw_gaussian(model: Model, design: Design, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.exact.gaussian import fit_gaussian

    return fit_gaussian(
        design,
        errors=model.errors,
        priors=priors,
        weights=getattr(design, "weights", None),
        draws=size.draws,
        chains=size.chains,
        seed=size.seed,
    )


def _draw_collapsed(model: Model, design: Design, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.nuts.sampled import fit_collapsed

    del model
    return fit_collapsed(design, priors, size)


def _draw_plain(model: Model, design: Design, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.nuts.sampled import fit_plain

    del model
    return fit_plain(design, priors, size)


ENGINES: tuple[Engine, ...] = (
    Engine("two_way", "exact", 0.1, _one_scale, _draw_gaussian),
    Engine("unit_scales", "gibbs", 0.4, _unit_scales, _draw_gaussian, independent=False),
    Engine("collapsed", "nuts", 3.0, _plainest, _draw_collapsed, independent=False),
    Engine("plain", "nuts", 10.0, _plainest, _draw_plain, independent=False),
)
