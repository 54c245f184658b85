"""Are ranks uniform: chi-square, and the simultaneous band of their ECDF."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from scipy.stats import binom, chisquare

RANKS = 100  # 99 draws in each replication
SIMULATIONS = 40_000  # of uniform ranks: p-values down to 1 in 40,000


def ecdf_p(found: np.ndarray) -> float:
    """Simultaneous p-value of the ECDF of ranks (Säilynoja, Bürkner & Vehtari 2022).

    doi:10.1007/s11222-022-10090-6, section 2.2: the smallest pointwise tail area of the ECDF at
    the ranks' values, compared with that of simulated uniform ranks.
    """
    tails, reference = _uniform(len(found))
    own = _smallest(np.bincount(found, minlength=RANKS)[None], tails)[0]
    return float((1 + (reference <= own).sum()) / (1 + len(reference)))


@cache
def _uniform(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Tail area of each ECDF's value at each rank, (n + 1, 99), and smallest ones by chance."""
    below, at = np.arange(n + 1)[:, None], np.arange(1, RANKS) / RANKS
    tails = 2 * np.minimum(binom.cdf(below, n, at), binom.sf(below - 1, n, at))
    counts = np.random.default_rng(n).multinomial(n, np.full(RANKS, 1 / RANKS), SIMULATIONS)
    return tails, _smallest(counts, tails)


def _smallest(counts: np.ndarray, tails: np.ndarray) -> np.ndarray:
    return tails[counts.cumsum(axis=1)[:, :-1], np.arange(RANKS - 1)].min(axis=1)


def uniformity(name: str, found: pd.DataFrame) -> list[dict[str, object]]:
    """Chi-square and ECDF p-values of each quantity of a cell."""
    bins = 20 if len(found) >= 200 else 10
    rows: list[dict[str, object]] = []
    for quantity in found:
        values = found[quantity].to_numpy()
        counts = np.bincount(values * bins // RANKS, minlength=bins)
        rows.append(
            {
                "cell": name,
                "quantity": quantity,
                "replications": len(values),
                "mean rank": float((values + 0.5).mean() / RANKS),
                "chi-square p": float(chisquare(counts).pvalue),
                "ECDF p": ecdf_p(values),
            }
        )
    return rows
