"""One summary of a quantity, whoever asks: every table, sentence and figure reads its fields."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from bayesdid.arrays import FloatArray

LEVELS = (0.50, 0.89, 0.95)
LEVEL = 0.89  # of every interval that names no other


@dataclass(frozen=True, slots=True)
class Summary:
    """Posterior of one quantity, in the outcome's units.

    Attributes
    ----------
    mean, sd, median
        Of the posterior.
    hdi50, hdi89, hdi95
        Highest-density intervals at :data:`LEVELS`.
    p_negative
        Probability of being below zero.
    p_rope
        Probability of lying within plus or minus `rope`; NaN without a ROPE.
    rope
        Half width of the region of practical equivalence.
    mcse
        Monte Carlo standard error of the mean; 0 for closed forms.
    """

    mean: float
    sd: float
    median: float
    hdi50: tuple[float, float]
    hdi89: tuple[float, float]
    hdi95: tuple[float, float]
    p_negative: float
    p_rope: float
    rope: float
    mcse: float

    @property
    def interval(self) -> tuple[float, float]:
        """The interval at :data:`LEVEL`."""
        return self.hdi89

    def to_dict(self) -> dict[str, Any]:
        """For tables and JSON."""
        return asdict(self)


def hdi(draws: FloatArray, level: float = LEVEL) -> tuple[float, float]:
    """Shortest interval that holds `level` of the draws, shape (S,) (Hyndman 1996)."""
    ordered = np.sort(np.ravel(draws))
    inside = int(np.ceil(level * len(ordered)))
    if inside >= len(ordered):
        return float(ordered[0]), float(ordered[-1])
    width = ordered[inside:] - ordered[: len(ordered) - inside]
    start = int(width.argmin())
    return float(ordered[start]), float(ordered[start + inside])


def summarise(draws: FloatArray, *, rope: float | None = None, ess: float | None = None) -> Summary:
    """Summary of draws, shape (S,); independent unless an effective sample size is given."""
    draws = np.ravel(draws)
    sd = float(draws.std(ddof=1))
    return Summary(
        mean=float(draws.mean()),
        sd=sd,
        median=float(np.median(draws)),
        hdi50=hdi(draws, LEVELS[0]),
        hdi89=hdi(draws, LEVELS[1]),
        hdi95=hdi(draws, LEVELS[2]),
        p_negative=float((draws < 0).mean()),
        p_rope=float("nan") if rope is None else float((np.abs(draws) < rope).mean()),
        rope=float("nan") if rope is None else rope,
        mcse=sd / float(np.sqrt(ess or len(draws))),
    )


def summarise_normal(mean: float, sd: float, *, rope: float | None = None) -> Summary:
    """Summary of a normal posterior in closed form."""
    safe = max(sd, 1e-12)
    half = [float(norm.ppf(0.5 + level / 2)) * safe for level in LEVELS]
    p_rope = float("nan")
    if rope is not None:
        p_rope = float(norm.cdf((rope - mean) / safe) - norm.cdf((-rope - mean) / safe))
    return Summary(
        mean=mean,
        sd=sd,
        median=mean,
        hdi50=(mean - half[0], mean + half[0]),
        hdi89=(mean - half[1], mean + half[1]),
        hdi95=(mean - half[2], mean + half[2]),
        p_negative=float(norm.cdf(-mean / safe)),
        p_rope=p_rope,
        rope=float("nan") if rope is None else rope,
        mcse=0.0,
    )
