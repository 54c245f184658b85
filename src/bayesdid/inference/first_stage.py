"""How strong the instrument of a fit is, from its first stage alone."""

from __future__ import annotations

import xarray as xr

WEAK_F = 10.0
"""First-stage F below which an instrument is weak (Staiger & Stock 1997, doi:10.2307/2171753)."""


def first_stage_text(tree: xr.DataTree) -> list[str]:
    """The first stage in a line, with a warning if it is weak; nothing without an instrument.

    The squared ratio of the coefficient's mean to its sd stands for F, which it is under flat
    priors; F, 2SLS and the Anderson-Rubin set themselves are an analysis of family ``iv_second``.
    """
    posterior, instrument = tree["posterior"], str(tree.attrs.get("instrument", ""))
    if not instrument or "pi" not in posterior:
        return []
    pi = posterior["pi"].to_numpy().ravel()
    mean, sd = float(pi.mean()), float(pi.std(ddof=1))
    F = (mean / sd) ** 2
    weak = (
        f": below {WEAK_F:.0f}, a weak instrument, so that the prior of the effect decides; the "
        "Anderson-Rubin set of an analysis is valid for it too"
    )
    return [
        f"first stage {posterior['treatment'].to_numpy()[0]} ~ {instrument}: {mean:.4g} (sd "
        f"{sd:.4g}), (mean / sd)^2 = {F:.3g}" + (weak if F < WEAK_F else "")
    ]
