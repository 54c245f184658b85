"""The path of an event study: bands, pre-trend, and smooth priors on the path.

Everything here needs only the mean and covariance of the event-time coefficients, so that it
serves a posterior and a frequentist event study alike (the seam of HonestDiD, Rambachan & Roth
2023, doi:10.1093/restud/rdad018).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.stats import chi2

from bayesdid.arrays import FloatArray
from bayesdid.exceptions import InputError
from bayesdid.inference.numerics.mixture import mixture_draws
from bayesdid.model.path import PathPrior, path_covariance
from bayesdid.study.terms import parse_term
from bayesdid.summary import band


@dataclass(frozen=True, slots=True)
class EventPath:
    """Posterior of an event-study path. Lists run over event times, the reference left out.

    Attributes
    ----------
    prior
        On the path.
    times
        Event times; the ends of bins for bins.
    mean, sd
        Of each coefficient.
    low, high
        Pointwise HDI at `level`.
    band_low, band_high
        Simultaneous band: the whole path lies inside with probability `level`.
    level
        Of both.
    reference
        The event time that is zero by definition.
    pre_p
        Posterior tail area of a flat pre-trend: probability of draws further from the mean of
        the pre-period coefficients than zero is.
    pre_largest
        Posterior mean of the largest absolute pre-period coefficient.
    pre_in_rope
        Probability that all of them lie within the ROPE; NaN without one.
    """

    prior: str
    times: list[int]
    mean: list[float]
    sd: list[float]
    low: list[float]
    high: list[float]
    band_low: list[float]
    band_high: list[float]
    level: float
    reference: int
    pre_p: float
    pre_largest: float
    pre_in_rope: float


def event_draws(tree: xr.DataTree) -> tuple[list[int], FloatArray]:
    """Event times, and draws of their coefficients, shape (S, K), of an event-study fit.

    Raises
    ------
    InputError
        If the fit's treatments are not event times.
    """
    factors = [parse_term(text).factors[0] for text in json.loads(tree.attrs["treatments"])]
    times = [factor.event_time for factor in factors]
    if any(time is None for time in times):
        raise InputError(
            f"{tree.attrs['spec']} is not an event study", remedy="fit a spec of family event_study"
        )
    tau = tree["posterior"]["tau"].to_numpy()
    return [int(time or 0) for time in times], tau.reshape(-1, len(times))


def event_path(
    times: list[int],
    draws: FloatArray,
    *,
    reference: int = -1,
    rope: float | None = None,
    prior: str = "independent",
) -> EventPath:
    """Summarise draws of a path, shape (S, K), that is zero at `reference`."""
    ends = band(draws)
    pre = draws[:, np.array(times) < min(0, reference + 1)]
    pre_p = pre_largest = pre_in_rope = float("nan")
    if pre.shape[1]:
        size = np.abs(pre).max(axis=1)
        centre, spread = pre.mean(axis=0), np.atleast_2d(np.cov(pre.T))
        distance = float(centre @ np.linalg.solve(spread, centre))
        pre_p = float(chi2.sf(distance, pre.shape[1]))
        pre_largest = float(size.mean())
        if rope is not None:
            pre_in_rope = float((size < rope).mean())
    return EventPath(
        prior,
        times,
        ends.mean.tolist(),
        ends.sd.tolist(),
        ends.low.tolist(),
        ends.high.tolist(),
        ends.band_low.tolist(),
        ends.band_high.tolist(),
        ends.level,
        reference,
        pre_p,
        pre_largest,
        pre_in_rope,
    )


def smooth_draws(
    mean: FloatArray,
    covariance: FloatArray,
    times: list[int],
    reference: int,
    prior: PathPrior,
    scale: float,
    *,
    seed: int = 0,
) -> FloatArray:
    """Draws of the path under a smooth prior, shape (S, K).

    Parameters
    ----------
    mean, covariance
        Estimates of the path and their covariance: the likelihood.
    scale
        Of the half-normal prior on the standard deviation that multiplies the prior's path.

    Notes
    -----
    Given that standard deviation the posterior is Gaussian; it is integrated by quadrature.
    :mod:`bayesdid.model.pymc.path` writes the same model in PyMC.
    """
    K = path_covariance(times, reference, prior)
    return mixture_draws(mean, covariance, K, scale, seed=seed)
