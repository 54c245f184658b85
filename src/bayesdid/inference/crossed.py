"""Which further effects the engines of normal errors can draw from, and why not others."""

from __future__ import annotations

from bayesdid.design.design import Design
from bayesdid.model import crossed
from bayesdid.model.errors import Errors
from bayesdid.model.mean import Mediation, Pooled, TwoWay
from bayesdid.model.model import Model
from bayesdid.model.resolve import AnyDesign, base_of


def beyond_levels(model: Model, design: AnyDesign) -> str:
    """Why the engines of normal errors cannot draw from these further effects."""
    base = base_of(design)
    if not base.further:
        return ""
    own = model.errors.scale == "unit"
    levels = crossed.levels_of(base.further, own_scales=own)
    most = crossed.OWN_SCALES if own else crossed.ONE_SCALE
    if model.errors != Errors() and levels > most:
        return f"its further effects have at most {most} levels" + (
            ", slopes of units among them, where each has its own scale" if own else ""
        )
    cells = crossed.CHAIN_CELLS if own else crossed.CELLS
    if model.errors != Errors() and levels * base.n > cells:
        return f"rows times levels of further effects are at most {cells:,} under such errors"
    if model.errors.scale == "common":
        if reason := _random_levels(model, base):
            return reason
        if any(f.is_unit_slope for f in base.further) and base.unit_effects != "fixed":
            return "units with fixed slopes have fixed effects"
    return ""


def _random_levels(model: Model, base: Design) -> str:
    """Why random further effects have no closed form under errors of one scale."""
    random = [one for one in base.further if one.kind == "random"]
    if not random:
        return ""
    others = {base.unit_effects, base.period_effects}
    if len(random) > 1 or model.errors != Errors() or not others <= {"fixed", "none"}:
        return (
            "of its further effects one at most is random, its errors are i.i.d. and effects of "
            "units and periods fixed, unless each unit's errors have their own scale"
        )
    if not isinstance(model.mean, TwoWay | Mediation | Pooled):
        return "its further effects are fixed unless each unit's errors have their own scale"
    levels = len(random[0].levels)
    if levels > crossed.ROTATED or levels * base.n > crossed.CELLS:
        return f"its random further effect has at most {crossed.ROTATED} levels"
    return ""
