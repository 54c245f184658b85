"""Leave-one-out predictive accuracy: of rows, and of whole units.

Rows: PSIS-LOO (Vehtari, Gelman & Gabry 2017, doi:10.1007/s11222-016-9696-4) by ArviZ, conditional
on unit and period effects, and with AR(1) errors on the row before. With few rows for each effect
many a Pareto k is high although the model is right, so k says where elpd is unreliable and is no
verdict.

Units (:mod:`bayesdid.checks.units`): the tail probability of each is uniform if the model is true.
That is the verdict, at a declared false-alarm rate, where units can be left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logsumexp

from bayesdid.checks.check import CheckResult
from bayesdid.checks.predictive import FALSE_ALARM
from bayesdid.checks.rows import thinned
from bayesdid.checks.units import UNIT, leaves_units_out, left_out_weights, without_unit
from bayesdid.inference.pointwise import pointwise
from bayesdid.model.bound import BoundModel
from bayesdid.model.resolve import base_of
from bayesdid.notebook import many

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
        One row per unit, worst first. ``unit``, ``label``; ``k``: largest k of its rows; ``above``:
        rows above the threshold; ``elpd``: sum over its rows; and the columns of
        :func:`bayesdid.checks.units.without_unit`, where units can be left out.
    """

    elpd: float
    se: float
    p: float
    k_limit: float
    by_unit: pd.DataFrame


def loo(
    tree: xr.DataTree,
    bound: BoundModel,
    labels: dict[str, str] | None = None,
    *,
    without: pd.DataFrame | None = None,
) -> Loo:
    """PSIS-LOO of a fit, by rows and by units.

    Parameters
    ----------
    tree, bound
        A fit with its effects, and the model and design it is of. Of several equations a row is
        what all of them say of it.
    labels
        Unit -> name for people.
    without
        What :func:`bayesdid.checks.units.without_unit` returned of this fit, if it was made.
    """
    design = base_of(bound.design)
    some = thinned(tree, design, DRAWS)
    terms = pointwise(some, bound.model, bound.design)["log_likelihood"]
    whole = np.sum([value.to_numpy() for value in terms.data_vars.values()], axis=0)
    density = whole.reshape(-1, whole.shape[-1]).T  # (n, S)
    log_weight, k = left_out_weights(density)
    elpd = logsumexp(log_weight + density, axis=1)
    n, S = density.shape
    lppd = float((logsumexp(density, axis=1) - np.log(S)).sum())
    limit = float(min(1 - 1 / np.log10(S), 0.7))  # Vehtari et al. (2024), arXiv:1507.02646
    frame = pd.DataFrame(
        {"unit": design.units[design.unit_index].astype(str), "k": k, "elpd": elpd}
    )
    by_unit = frame.groupby("unit").agg(
        k=("k", "max"), above=("k", lambda v: int((v > limit).sum())), elpd=("elpd", "sum")
    )
    if leaves_units_out(bound):
        units = without_unit(tree, bound) if without is None else without[list(UNIT)]
        by_unit = units.join(by_unit).sort_values("p")
    else:
        by_unit = by_unit.sort_values("k", ascending=False)
    by_unit = by_unit.reset_index()
    by_unit["label"] = [(labels or {}).get(unit, unit) for unit in by_unit["unit"]]
    total = float(elpd.sum())
    return Loo(total, float(np.sqrt(n * elpd.var(ddof=1))), lppd - total, limit, by_unit)


def loo_check(result: Loo) -> CheckResult:
    """Whether the model predicts every unit it has not seen; names the units it does not.

    The limit is :data:`FALSE_ALARM` over the number of units (Bonferroni). Without tail
    probabilities of units there is no verdict.
    """
    units = result.by_unit
    text = (
        f"LOO: elpd {result.elpd:.1f} (SE {result.se:.1f}), effective parameters {result.p:.0f}, "
        f"Pareto k above {result.k_limit:.2f} in {int(units['above'].sum())} rows"
    )
    if "p" not in units:
        text += "; whole units cannot be left out of this model without fitting it again."
        return CheckResult("loo", None, units.head(5), text)
    limit = FALSE_ALARM / len(units)
    bad = units[units["p"] < limit]
    most = units.loc[units["shift"].abs().idxmax()]
    if unreliable := int((units["unit_k"] > result.k_limit).sum()):
        text += f" and {many(unreliable, 'left-out unit')}, where these numbers are rough"
    text += (
        f"; leaving out {most['label']} moves a treatment most, by {most['shift']:+.2f} posterior "
        "sds"
    )
    if bad.empty:
        text += "; no unit is further from the rest than the model allows."
    else:
        names = ", ".join(bad["label"].head(5))
        text += (
            f"; {len(bad)} units are further from the rest than the model allows ({names}): "
            "contrasts lean on units that it does not describe; refit without them."
        )
    worst = pd.concat([units.head(5), most.to_frame().T]).drop_duplicates("unit").infer_objects()
    return CheckResult("loo", bool(bad.empty), worst, text)
