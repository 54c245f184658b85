"""The engines: what each supports, from the cheapest to the samplers."""

from __future__ import annotations

import xarray as xr

from bayesdid.design.design import Design
from bayesdid.inference.registry import Engine, Size
from bayesdid.model.errors import Errors
from bayesdid.model.mean import TwoWay
from bayesdid.model.model import Model
from bayesdid.model.priors import Priors


def _gaussian(model: Model, errors: Errors) -> str:
    """Why a Gaussian two-way engine for `errors` cannot draw from a model."""
    if not isinstance(model.mean, TwoWay):
        return "its mean is two-way"
    if model.likelihood.name != "normal":
        return "its likelihood is normal"
    return "" if model.errors == errors else f"its errors are {errors}"


def _iid(model: Model, design: Design) -> str:
    del design
    return _gaussian(model, Errors())


def _iid_unweighted(model: Model, design: Design) -> str:
    return _iid(model, design) or ("it has no row weights" if model.weighted else "")


def _ar1(model: Model, design: Design) -> str:
    del design
    return _gaussian(model, Errors("ar1"))


def _draw_gaussian(model: Model, design: Design, priors: Priors, size: Size) -> xr.DataTree:
    from bayesdid.inference.exact.gaussian import fit_gaussian

    return fit_gaussian(
        design,
        serial=model.errors.serial == "ar1",
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
    Engine("two_way", "exact", 0.02, _iid, _draw_gaussian),
    Engine("ar1", "exact", 0.3, _ar1, _draw_gaussian),
    Engine("collapsed", "nuts", 3.0, _iid_unweighted, _draw_collapsed, independent=False),
    Engine("plain", "nuts", 10.0, _iid_unweighted, _draw_plain, independent=False),
)
