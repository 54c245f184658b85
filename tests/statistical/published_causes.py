"""Which part of the model of printed columns widens its intervals: parts put in one by one.

Panels are those of :mod:`published_calibrate` with the timing known. What is put in is what
the panels of a world do not have, or have at one value: the width is what not knowing that costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from published_worlds import LEVEL, SCALE, World, mixture, outcomes, printed

from bayesdid.inference.executor import item_seed
from bayesdid.published.columns import PrintedColumns
from bayesdid.published.inversion import KAPPAS, Component, Layout, components
from bayesdid.published.synergy import PHIS
from bayesdid.published.timing import Timing

CAUSE_WORLDS = tuple(
    World(0.0, path, phi) for path in ("constant", "sizes by cohort") for phi in (0.0, 0.5)
)
# what is left to be averaged over, each line one thing more than the one before
STEPS: dict[str, Callable[[Component], bool]] = {
    "paths constant, no unit effects, least error of columns": lambda p: (
        p.path.kind == "static" and p.omega == 0 and p.kappa == min(KAPPAS)
    ),
    "and any path": lambda p: p.omega == 0 and p.kappa == min(KAPPAS),
    "and unit effects of up to .2 sd(y)": lambda p: p.kappa == min(KAPPAS),
    "and errors of columns of up to .05 sd(y)": lambda _: True,
}
LAST = "and an autocorrelation that is not known"


def causes(
    columns_of: PrintedColumns, timing: Timing, laid: Sequence[Layout], panels: int
) -> pd.DataFrame:
    """One row for each world and step: coverage, sd of the means, mean sd.

    Parameters
    ----------
    columns_of, timing, laid
        Nine columns of dual_pilot, who adopted when, and what that makes of them.
    """
    rows = []
    for world in CAUSE_WORLDS:
        for panel in range(panels):
            rng = np.random.default_rng(item_seed(0, "nine", True, panel))
            columns = printed(columns_of, timing, outcomes(world, timing, rng))
            own = components(columns, laid, scale=SCALE, phis=(world.phi,))
            models = {name: [p for p in own if kept(p)] for name, kept in STEPS.items()}
            models[LAST] = components(columns, laid, scale=SCALE, phis=PHIS)
            for name, parts in models.items():
                found = mixture(columns.estimates, parts)
                low, high = (found.quantile(p) for p in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
                mean, sd = found.moments
                inside = low <= world.synergy <= high
                head = {"single effects": world.path, "phi": world.phi, "averaged over": name}
                rows.append({**head, "inside": inside, "mean": mean, "sd": sd})
    by = pd.DataFrame(rows).groupby(["single effects", "phi", "averaged over"], sort=False)
    found = by.agg(
        coverage=("inside", "mean"), spread=("mean", "std"), sd=("sd", "mean")
    ).reset_index()
    return found.rename(columns={"spread": "sd of means", "sd": "mean sd"})
