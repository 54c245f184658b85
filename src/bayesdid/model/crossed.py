"""How many levels of further effects errors that are dependent or unequal allow."""

from __future__ import annotations

from collections.abc import Iterable

from bayesdid.design.further import Further

OWN_SCALES = 400
"""Levels that are solved at each draw where every unit's errors have a scale of their own."""
ONE_SCALE = 1000
"""Levels that are solved at each node of AR(1) errors of one scale; slopes of units are none."""
ROTATED = 2000
"""Levels of one random effect whose cross-products are diagonalised once, under i.i.d. errors."""
CHAIN_CELLS = 5_000_000
"""Rows times levels beyond which a chain takes too long."""
CELLS = 150_000_000
"""Rows times levels beyond which the columns of one scale do not fit in memory."""


def levels_of(further: Iterable[Further], *, own_scales: bool) -> int:
    """Columns that errors with scales of their own, or of one scale, have to solve for."""
    return sum(len(one.levels) for one in further if own_scales or not one.is_unit_slope)


def need_one_scale(further: tuple[Further, ...], rows: int, unit_effects: str) -> bool:
    """Whether AR(1) errors of one scale are exact for fixed effects that own scales cannot take."""
    slopes = any(one.is_unit_slope for one in further)
    if any(one.kind == "random" for one in further) or (slopes and unit_effects != "fixed"):
        return False
    many, few = (levels_of(further, own_scales=own) for own in (True, False))
    return (many > OWN_SCALES or many * rows > CHAIN_CELLS) and (
        few <= ONE_SCALE and few * rows <= CELLS
    )
