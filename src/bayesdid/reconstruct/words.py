"""What an ensemble amounts to, in sentences."""

from __future__ import annotations

import numpy as np

from bayesdid.reconstruct.ensemble import Cell, Ensemble
from bayesdid.reconstruct.targets import CLOSE, EXACT

_FAR = 0.1  # of a printed number that is aimed at, beyond rounding, from which a miss is named
_MOST = 10  # of these that are named


def sentences(found: Ensemble) -> list[str]:
    """What was met, what was relaxed, what contradicts what, and what was held out."""
    exact = [cell for cell in found.cells if cell.held and cell.kind in EXACT]
    close = [cell for cell in found.cells if cell.held and cell.kind in CLOSE]
    size = len(found.members)
    met = sum(cell.within == size for cell in exact)
    lines = [
        f"{met} of {len(exact)} printed estimates and moments are met within rounding by "
        f"{'all ' if size > 1 else ''}{size} member{'s' * (size > 1)}"
    ]
    lines += _close(close, size)
    lines += [
        f"relaxed in {size - cell.within} of {size}: {cell.cell} printed "
        f"{cell.printed:.6g}, {_members(cell)}"
        for cell in exact
        if cell.within < size
    ]
    lines += [
        f"{cell.cell.removesuffix(':n')}: {cell.printed:.0f} rows are printed, {_members(cell)}"
        for cell in found.cells
        if cell.kind == "n" and cell.within < size
    ]
    broken = sum(not member.whole for member in found.members)
    if broken:
        lines.append(
            f"the outcome is not in whole numbers in {broken} of {size}: none were found that keep "
            "all printed estimates and moments"
        )
    lines += [f"conflict: {conflict.text}" for conflict in found.conflicts]
    out = [cell for cell in found.cells if not cell.held and cell.kind == "estimate"]
    if out:
        inside = sum(cell.low <= cell.printed <= cell.high for cell in out)
        lines.append(
            f"held out: {inside} of {len(out)} printed estimates lie within the range of the "
            "members"
        )
    lines += [f"{name}: {what}" for name, what in found.drawn.items()]
    lines += [f"not held to {place}: {why}" for place, why in found.left_out.items()]
    return lines


def _members(cell: Cell) -> str:
    """What the members give."""
    return f"members {cell.low:.6g}" + f" to {cell.high:.6g}" * (cell.low < cell.high)


def _close(cells: list[Cell], size: int) -> list[str]:
    """How near what is aimed at is, and what of it is far off."""
    if not cells:
        return []
    met = sum(cell.within == size for cell in cells)
    off = {cell: cell.beyond for cell in cells if cell.printed}
    spatial = any(cell.kind in {"rho", "sigma2"} for cell in cells)
    named = "standard errors, R2, rho and sigma2" if spatial else "standard errors and R2"
    text = f"{len(cells)} printed {named} are aimed at: {met} are met within rounding"
    if off:
        half, most = np.quantile(list(off.values()), [0.5, 0.9])
        text += f"; half are at most {half:.1%} beyond rounding, nine in ten at most {most:.1%}"
    far = sorted((c for c in off if off[c] > _FAR and c.within < size), key=lambda c: -off[c])
    lines = [
        f"off by {off[cell]:.0%} beyond rounding: {cell.cell} printed {cell.printed:.6g}, "
        f"{_members(cell)}"
        for cell in far[:_MOST]
    ]
    more = len(far) - len(lines)
    return [
        text,
        *lines,
        *[f"{more} more are off by over {_FAR:.0%}: see the manifest"] * (more > 0),
    ]
