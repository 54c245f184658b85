"""Whether chains have mixed: ranks, R-hat and effective sizes by ArviZ; exact draws need none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from bayesdid.arrays import FloatArray
from bayesdid.checks.beliefs import effects_of
from bayesdid.checks.check import CheckResult
from bayesdid.checks.figure import Figure, Series
from bayesdid.inference.longer import taken_words
from bayesdid.inference.result import Fit
from bayesdid.model.bound import BoundModel

RHAT = 1.01  # Vehtari et al. (2021), doi:10.1214/20-BA1221
ESS = 400.0  # in bulk and tails, of all chains together
_BINS = 12


def chain_check(fit: Fit, bound: BoundModel) -> CheckResult:
    """R-hat and effective sizes of every effect and scalar; ranks of the first effect by chain."""
    name, attrs = "chains", fit.tree.attrs
    posterior = fit.tree["posterior"]
    draws = effects_of(fit.tree, bound)
    if attrs.get("independent", 0):
        size = posterior.sizes["chain"] * posterior.sizes["draw"]
        main = next(iter(draws))
        error = float(np.std(draws[main], ddof=1) / np.sqrt(size))
        return CheckResult(
            name,
            None,
            pd.DataFrame(),
            f"Does not apply: the engine {attrs['engine']} makes {size} independent draws from the "
            f"exact posterior, so no chain has to converge; the Monte Carlo error of the mean of "
            f"{main} is {error:.2g}.",
        )
    import arviz as az

    measure: Any = az
    scalars = {
        str(key): values.to_numpy()
        for key, values in posterior.data_vars.items()
        if values.ndim == 2 and str(key) not in draws
    }
    rows = []
    for term, values in (draws | scalars).items():
        if values.std() <= 1e-12 * (abs(values.mean()) + 1e-300):
            continue
        rows.append(
            {
                "term": term,
                "R-hat": float(measure.rhat(values)),
                "ESS bulk": float(measure.ess(values)),
                "ESS tail": float(measure.ess(values, method="tail", prob=(0.05, 0.95))),
            }
        )
    table = pd.DataFrame(rows)
    worst, least = table["R-hat"].max(), table[["ESS bulk", "ESS tail"]].min(axis=1)
    passed = bool(worst <= RHAT and least.min() >= ESS and fit.converged)
    text = (
        f"{attrs['chains']} chains of {attrs['draws']} draws{taken_words(fit.tree)} "
        f"({attrs['engine']}): largest R-hat {worst:.3f} "
        f"({table.loc[table['R-hat'].idxmax(), 'term']}; limit {RHAT:g}), smallest "
        f"effective size {least.min():.0f} ({table.loc[least.idxmin(), 'term']}; limit {ESS:g}); "
    )
    text += "the chains agree." if passed else "the chains do not agree, or are too short."
    main = next(iter(draws))
    return CheckResult(
        name,
        passed,
        table,
        text,
        _ranks(main, draws[main], name),
        "the draws do not stand for the posterior: no number of this fit is a result",
        "more draws, or an exact engine where the model has one (--engine exact)",
    )


def _ranks(main: str, draws: FloatArray, name: str) -> Figure:
    """Rank histograms by chain, as shares of what an even chain has in each bin."""
    ranks = rankdata(draws).reshape(draws.shape)
    edges = np.linspace(0.5, draws.size + 0.5, _BINS + 1)
    middle = ((edges[1:] + edges[:-1]) / 2).tolist()
    series = []
    for k, chain in enumerate(ranks):
        share = (np.histogram(chain, edges)[0] / (len(chain) / _BINS)).tolist()
        series.append(Series(f"chain {k + 1}", middle, share, share, share))
    return Figure(
        name,
        "curve",
        f"Ranks of {main} by chain: level lines mean that all chains see the same posterior",
        tuple(series[:5]),
        "rank among all draws",
        "share of an even chain",
        1.0,
    )
