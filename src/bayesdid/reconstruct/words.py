"""What an ensemble amounts to, in sentences."""

from __future__ import annotations

import numpy as np

from bayesdid.reconstruct.ensemble import Ensemble

_EXACT = ("estimate", "mean", "sd")


def sentences(found: Ensemble) -> list[str]:
    """What was met, what was relaxed, what contradicts what, and what was held out."""
    exact = [cell for cell in found.cells if cell.held and cell.kind in _EXACT]
    close = [cell for cell in found.cells if cell.held and cell.kind not in _EXACT]
    size = len(found.members)
    met = sum(cell.within == size for cell in exact)
    lines = [
        f"{met} of {len(exact)} printed estimates and moments are met within rounding by "
        f"{'all ' if size > 1 else ''}{size} member{'s' * (size > 1)}"
    ]
    if close:
        off = [abs(cell.median / cell.printed - 1) for cell in close if cell.printed]
        lines.append(
            f"{len(close)} printed standard errors and R2 are aimed at: half are within "
            f"{np.median(off):.1%} and nine in ten within {np.quantile(off, 0.9):.1%}"
        )
    lines += [
        f"relaxed in {size - cell.within} of {size}: {cell.cell} printed "
        f"{cell.printed:.6g}, members {cell.low:.6g} to {cell.high:.6g}"
        for cell in exact
        if cell.within < size
    ]
    lines += [f"conflict: {conflict.text}" for conflict in found.conflicts]
    out = [cell for cell in found.cells if not cell.held and cell.kind == "estimate"]
    if out:
        inside = sum(cell.low <= cell.printed <= cell.high for cell in out)
        lines.append(
            f"held out: {inside} of {len(out)} printed estimates lie within the range of the "
            "members"
        )
    lines += [f"not held to {place}: {why}" for place, why in found.left_out.items()]
    return lines
