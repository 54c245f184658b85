"""An instrumented effect as claims may be about it, and how strong its instrument is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.estimands.stated import StatedEffect, drawn, estimated
from bayesdid.families.analysis import Table
from bayesdid.peers.instrument import TwoStage
from bayesdid.summary import hdi


def stated_effects(
    term: str, tau: FloatArray, flat: FloatArray, peer: TwoStage
) -> tuple[StatedEffect, ...]:
    """The joint posterior, that of a flat reduced form without its outer 2 %, and 2SLS."""
    core = hdi(flat, 0.98)
    inside = flat[(flat > core.low) & (flat < core.high)]
    valid = "the instrument is valid"
    return (
        drawn(term, "instrument, two equations", f"{valid}; independent priors", tau, main=True),
        drawn(term, "instrument, flat reduced form", f"{valid}; a flat prior", inside),
        estimated(term, "2SLS, clustered", f"{valid} and strong", peer.estimate, peer.se),
    )


def clusters_text(design: Design) -> str:
    """By what a first stage's errors are clustered, and whether its rows are weighted."""
    by = "unit" if design.cluster is None else design.cluster.name
    return f"clustered by {by}" + ("" if design.weights is None else ", weighted")


def strength_table(peer: TwoStage, tau: FloatArray, prior_sd: float, first_stage: str) -> Table:
    """First-stage F, the treatment's share explained, the hull of the AR set; posterior, prior.

    Parameters
    ----------
    tau
        Draws of the instrumented effect, shape (S,).
    prior_sd
        Of the effect.
    first_stage
        What :func:`clusters_text` says of it.
    """
    ends = np.array(peer.ar_set, dtype=float).reshape(-1, 2)
    frame = pd.DataFrame(
        {
            "first stage": [first_stage],
            "F": [peer.F],
            "partial R2": [peer.partial_r2],
            "AR 95% low": [ends[:, 0].min() if len(ends) else np.nan],
            "AR 95% high": [ends[:, 1].max() if len(ends) else np.nan],
            "posterior sd": [float(tau.std(ddof=1))],
            "prior sd": [prior_sd],
            "P(< 0)": [float((tau < 0).mean())],
        }
    )
    caption = "Strength of the instrument; the Anderson-Rubin set is valid for a weak one too"
    return Table("strength", caption, frame)
