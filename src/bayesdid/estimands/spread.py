"""How far effects differ between groups, cohorts or ages: the sd of a pooled part, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.stats import halfnorm

from bayesdid.estimands.verdict import SURE
from bayesdid.summary import Interval, hdi

SMALL = 0.1  # of the prior's scale: effects with a smaller sd than this do not differ


@dataclass(frozen=True, slots=True)
class Spread:
    """The sd of one part's deviations.

    Attributes
    ----------
    mean, interval
        Of its posterior.
    scale
        Of its half-normal prior.
    p_small
        Posterior probability that it is below :data:`SMALL` of that scale.
    """

    mean: float
    interval: Interval
    scale: float
    p_small: float

    @property
    def clear(self) -> bool:
        """Whether effects clearly differ: a small sd is improbable."""
        return self.p_small <= 1 - SURE

    @property
    def text(self) -> str:
        """The sd, its interval, and whether there is a difference."""
        verdict = "a clear difference" if self.clear else "no clear difference"
        return f"sd {self.mean:.3f} ({self.interval:.3f}; {verdict})"


def spread_of(tree: xr.DataTree, part: str, scale: float) -> Spread:
    """From a fit's draws of ``omega_<part>`` and the scale of their prior."""
    omega = np.ravel(tree["posterior"][f"omega_{part}"].to_numpy())
    small = float((omega < SMALL * scale).mean())
    return Spread(float(omega.mean()), hdi(omega), scale, small)


def spread_sentence(spreads: Mapping[str, Spread]) -> str:
    """Between what effects differ and how far; the prior, and when a difference is clear.

    Parameters
    ----------
    spreads
        What a part's deviations are between -> its spread; all with one prior.
    """
    scale = next(iter(spreads.values())).scale
    return (
        "How far effects differ: between "
        + ", ".join(f"{label} {spread.text}" for label, spread in spreads.items())
        + f". Each sd has a half-normal prior of scale {scale:.3f}; a difference is called clear "
        f"if an sd below {SMALL:g} of that scale, which has a prior probability of "
        f"{halfnorm.cdf(SMALL):.3f}, has a posterior one of at most {1 - SURE:.2f}."
    )
