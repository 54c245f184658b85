"""Leave-one-out predictive accuracy, and which units it finds influential.

PSIS-LOO (Vehtari, Gelman & Gabry 2017, doi:10.1007/s11222-016-9696-4) by ArviZ. A Pareto k above
the threshold means that the posterior leans on that row so much that its own prediction cannot
be trusted; units with such rows are named.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import norm

from bayesdid.checks.check import CheckResult
from bayesdid.checks.predictive import replicate_inputs
from bayesdid.design.design import Design

DRAWS = 1000  # of the pointwise log likelihood; the threshold of Pareto k follows from it


@dataclass(frozen=True, slots=True)
class Loo:
    """Expected log predictive density of one fit.

    Attributes
    ----------
    elpd, se, p
        Sum over rows, its standard error, and the effective number of parameters.
    k_limit
        Threshold of Pareto k for this number of draws.
    by_unit
        Unit, its largest Pareto k, rows above the threshold and its share of elpd; worst first.
    """

    elpd: float
    se: float
    p: float
    k_limit: float
    by_unit: pd.DataFrame

    def to_dict(self, rows: int = 5) -> dict[str, Any]:
        """For JSON, with the worst units only."""
        return {
            "elpd": self.elpd, "se": self.se, "p": self.p, "k_limit": self.k_limit,
            "worst_units": self.by_unit.head(rows).to_dict(orient="records"),
        }  # fmt: skip


def loo(tree: xr.DataTree, design: Design, labels: dict[str, str] | None = None) -> Loo:
    """PSIS-LOO of a fit, conditional on unit and period effects.

    Parameters
    ----------
    tree, design
        A fit with its effects, and the design it was fitted on.
    labels
        Unit -> name for people.
    """
    import arviz as az

    mean, sigma = replicate_inputs(tree, design)
    step = max(1, len(sigma) // DRAWS)
    mean, sigma = mean[::step][:DRAWS], sigma[::step][:DRAWS]
    pointwise = np.asarray(norm.logpdf(design.y, mean, sigma[:, None]))
    chains = 2 if len(sigma) % 2 == 0 else 1
    groups = {
        "posterior": xr.Dataset({"sigma": (("chain", "draw"), sigma.reshape(chains, -1))}),
        "log_likelihood": xr.Dataset(
            {"y": (("chain", "draw", "obs"), pointwise.reshape(chains, -1, design.n))}
        ),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of large k, which we report by unit
        result = az.loo(xr.DataTree.from_dict(groups), pointwise=True, reff=1.0)
    k, elpd = np.asarray(result.pareto_k), np.asarray(result.elpd_i)
    limit = float(result.good_k)
    frame = pd.DataFrame(
        {"unit": design.units[design.unit_index].astype(str), "k": k, "elpd": elpd}
    )
    by_unit = frame.groupby("unit").agg(
        k=("k", "max"), above=("k", lambda v: int((v > limit).sum())), elpd=("elpd", "sum")
    )
    by_unit = by_unit.sort_values("k", ascending=False).reset_index()
    by_unit["label"] = [(labels or {}).get(unit, unit) for unit in by_unit["unit"]]
    return Loo(float(result.elpd), float(result.se), float(result.p), limit, by_unit)


def loo_check(result: Loo) -> CheckResult:
    """Whether every row's Pareto k is below the threshold; names the units that are above."""
    bad = result.by_unit[result.by_unit["above"] > 0]
    text = f"LOO: elpd {result.elpd:.1f} (SE {result.se:.1f}), effective parameters {result.p:.0f}"
    if bad.empty:
        text += f"; no Pareto k above {result.k_limit:.2f}: no unit-period dominates the posterior."
    else:
        names = ", ".join(bad["label"].head(5))
        text += (
            f"; Pareto k above {result.k_limit:.2f} in {int(bad['above'].sum())} rows ({names}): "
            "contrasts lean on these units; refit without them."
        )
    return CheckResult("loo", bool(bad.empty), result.by_unit.head(5), text)
