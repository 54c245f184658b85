"""The engines: what each supports, from the cheapest to the sampler that takes every model."""

from __future__ import annotations

import xarray as xr

from bayesdid.design.design import Design
from bayesdid.inference.registry import Engine, Size
from bayesdid.model.errors import Errors
from bayesdid.model.mean import TwoWay
from bayesdid.model.model import Model
from bayesdid.model.priors import Priors


def _gaussian(model: Model, mean: type) -> str:
    if not isinstance(model.mean, mean):
        return f"its mean is {mean.__name__}"
    if model.likelihood.name != "normal":
        return "its likelihood is normal"
    if model.weighted:
        return "it has no row weights"
    return ""


def _two_way(model: Model, design: Design) -> str:
    del design
    return _gaussian(model, TwoWay) or ("" if model.errors == Errors() else "its errors are i.i.d.")


def _ar1(model: Model, design: Design) -> str:
    del design
    wanted = Errors("ar1")
    return _gaussian(model, TwoWay) or (
        "" if model.errors == wanted else f"its errors are {wanted}"
    )


def _draw_two_way(model: Model, design: Design, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.exact.two_way import fit_two_way

    del model
    return fit_two_way(design, priors, draws=size.draws, chains=size.chains, seed=size.seed)


def _draw_ar1(model: Model, design: Design, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.exact.ar1 import fit_ar1

    del model
    return fit_ar1(design, priors=priors, draws=size.draws, chains=size.chains, seed=size.seed)


ENGINES: tuple[Engine, ...] = (
    Engine("two_way", "exact", 0.02, _two_way, _draw_two_way),
    Engine("ar1", "exact", 0.3, _ar1, _draw_ar1),
)
