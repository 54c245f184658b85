"""One spatial model per distance band, as published sweeps do it, with the multiplicity said aloud.

Each band's effect comes from a model of its own, so that no joint posterior exists. What can be
said of all bands together uses only facts that need none: expectations add up, and Bonferroni's
and Markov's inequalities hold under any dependence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.estimands.boundary import Better
from bayesdid.inference.executor import map_fits
from bayesdid.summary import equal_tailed, hdi

_TAIL_DRAWS = 5  # draws beyond each simultaneous limit below which it is not to be trusted


@dataclass(frozen=True, slots=True)
class Sweep:
    """Effects by distance band, each from its own model.

    Attributes
    ----------
    quantity
        Which effect, e.g. ``indirect``.
    level
        Of the intervals that are counted, e.g. 0.9 as in the publication.
    frame
        One row per band: ``from_km``, ``to_km``, ``mean``, ``sd``, HDI,
        ``low`` and ``high`` (equal-tailed at `level`), ``all_low`` and ``all_high``
        (simultaneous over the bands), ``p_helpful``, ``excludes_zero``, ``survives``.
    skipped
        Bands without a model: nobody is that far apart.
    enough_draws
        Whether the simultaneous limits rest on enough draws.
    """

    quantity: str
    level: float
    frame: pd.DataFrame
    skipped: tuple[str, ...]
    enough_draws: bool

    @property
    def bands(self) -> int:
        """Bands with a model."""
        return len(self.frame)

    @property
    def excluding(self) -> int:
        """Bands whose own interval excludes zero."""
        return int(self.frame["excludes_zero"].sum())

    @property
    def expected(self) -> float:
        """How many do so on average if nothing spills over, whatever their dependence."""
        return self.bands * (1 - self.level)

    @property
    def at_most(self) -> float:
        """Upper bound on the chance of so many if nothing spills over (Markov's inequality)."""
        return min(1.0, self.expected / self.excluding) if self.excluding else 1.0

    def sentence(self) -> str:
        """The sweep's multiplicity in words."""
        survive = int(self.frame["survives"].sum())
        return (
            f"{self.bands} bands are {self.bands} models: {self.excluding} of their "
            f"{self.level:.0%} intervals exclude zero, where {self.expected:.1f} would on average "
            f"if nothing spilled over at any distance. The bands share outcome, covariates and "
            f"policy and are not independent, so that so many or more have a chance of at most "
            f"{self.at_most:.2f} then (Markov's bound; no binomial applies). {survive} exclude "
            f"zero in intervals that hold for all bands at once (Bonferroni: each at "
            f"{1 - (1 - self.level) / self.bands:.2%})."
        )


def band_sweep[W](
    bands: Sequence[tuple[float, float, W | None]],
    fit_band: Callable[[W], Mapping[str, FloatArray]],
    *,
    quantity: str = "indirect",
    level: float = 0.90,
    better: Better = "lower",
) -> Sweep:
    """Fit a model for each band and put its effects side by side.

    Parameters
    ----------
    bands
        From, to (km) and the band's spatial weights; None where nobody is that far apart.
    fit_band
        Weights to draws of named effects, e.g. ``direct``, ``indirect``, ``total``, (S,) each;
        where bands go to workers (:func:`bayesdid.inference.executor.using`), of the module level.
    level
        Of the intervals that are counted and, jointly, of the simultaneous ones.
    """
    edges = [(low, high) for low, high, weights in bands if weights is not None]
    found = map_fits(fit_band, [weights for _, _, weights in bands if weights is not None])
    skipped = tuple(f"{low:g}-{high:g} km" for low, high, weights in bands if weights is None)
    draws = [np.ravel(effects[quantity]) for effects in found]
    return sweep_of(edges, draws, quantity, level, better, skipped)


def sweep_of(
    edges: Sequence[tuple[float, float]],
    draws: Sequence[FloatArray],
    quantity: str = "indirect",
    level: float = 0.90,
    better: Better = "lower",
    skipped: tuple[str, ...] = (),
) -> Sweep:
    """The sweep of draws already at hand, one array for each band."""
    each = (1 - level) / max(len(draws), 1)
    rows = []
    for (start, end), values in zip(edges, draws, strict=True):
        own, joint = equal_tailed(values, level), equal_tailed(values, 1 - each)
        p = float((values < 0).mean())
        rows.append(
            {
                "from_km": start,
                "to_km": end,
                "mean": float(values.mean()),
                "sd": float(values.std(ddof=1)),
                **hdi(values).columns(),
                "low": own.low,
                "high": own.high,
                "all_low": joint.low,
                "all_high": joint.high,
                "p_helpful": p if better == "lower" else 1 - p,
                "excludes_zero": own.excludes_zero,
                "survives": joint.excludes_zero,
            }
        )
    enough = all(len(values) * each / 2 >= _TAIL_DRAWS for values in draws)
    return Sweep(quantity, level, pd.DataFrame(rows), skipped, enough)
