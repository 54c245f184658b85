"""Leave-one-out predictive accuracy: of rows, and of whole units.

Rows: PSIS-LOO (Vehtari, Gelman & Gabry 2017, doi:10.1007/s11222-016-9696-4) by ArviZ, conditional
on unit and period effects. With few rows for each effect many a Pareto k is high although the
model is right, so k says where elpd is unreliable and is no verdict.

Units: what is compared is the model without the unit. Given the unit's effect nothing would be
left to predict it with, so the effect is integrated out (in closed form; Merkle, Furr &
Rabe-Hesketh 2019, doi:10.1007/s11336-019-09679-0), and importance weights remove the unit from
the posterior. The unit's squared distance from the model is then chi-squared, and its tail
probability uniform if the model is true: that is the verdict, at a declared false-alarm rate.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.linalg import helmert
from scipy.stats import chi2, norm

from bayesdid.checks.check import CheckResult
from bayesdid.checks.predictive import FALSE_ALARM, replicate_inputs, thinned
from bayesdid.design.design import Design
from bayesdid.design.regressors import is_random, regressors
from bayesdid.inference.tree import fitted_mean

DRAWS = 1000  # of the pointwise log likelihood; the threshold of Pareto k follows from it
_SCALES = 300  # draws of the scales that a tail probability is averaged over


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
        One row per unit, worst first. ``unit``, ``label``; ``p``: probability of a distance as
        large as the unit's under the posterior without it; ``shift``: by how many posterior sds
        a treatment's mean moves without it (the treatment that moves most); ``unit_k``: Pareto
        k of leaving the unit out; ``k``: largest k of its rows; ``above``: rows above the
        threshold; ``elpd``: sum over its rows.
    """

    elpd: float
    se: float
    p: float
    k_limit: float
    by_unit: pd.DataFrame


def loo(tree: xr.DataTree, design: Design, labels: dict[str, str] | None = None) -> Loo:
    """PSIS-LOO of a fit, by rows and by units.

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
    by_unit = without_unit(tree, design).join(by_unit).sort_values("p").reset_index()
    by_unit["label"] = [(labels or {}).get(unit, unit) for unit in by_unit["unit"]]
    return Loo(float(result.elpd), float(result.se), float(result.p), limit, by_unit)


def without_unit(
    tree: xr.DataTree, design: Design, *, contrasts_only: bool = False
) -> pd.DataFrame:
    """Leave out one whole unit at a time: ``p``, ``shift``, ``unit_k``, ``unit_elpd`` by unit.

    With `contrasts_only` only the T - 1 contrasts within a unit are predicted whatever its effect,
    so that models with fixed and with random effects can be compared.

    A unit's T residuals are normal with covariance ``sigma^2 I + sigma_unit^2 J`` given the other
    parameters; under a fixed effect (flat prior) only their T - 1 contrasts are predicted. Its
    distance from the model allows for the uncertainty of the mean as well, so that the tail
    probability is that of a new unit.
    """
    from arviz_stats.base.array import array_stats

    stats: Any = array_stats  # untyped
    posterior = thinned(tree, design)
    bare = posterior.drop_vars(f"{design.unit_dim}_effect", errors="ignore")
    mean = fitted_mean(bare, design, regressors(design)).reshape(-1, design.n)
    residual = design.y - mean  # (S, n)
    variance = posterior["sigma"].to_numpy().ravel() ** 2
    shared = np.zeros_like(variance)
    if is_random(design.unit_effects):
        shared = posterior[f"sigma_{design.unit_dim}"].to_numpy().ravel() ** 2
    tau = posterior["tau"].to_numpy().reshape(-1, len(design.treatments))
    rows = []
    for unit in range(len(design.units)):
        e = residual[:, design.unit_index == unit]
        level = np.full(e.shape[1], 1.0)
        if (design.unit_effects == "fixed" or contrasts_only) and e.shape[1] > 1:
            contrasts = helmert(e.shape[1])  # orthonormal, (T - 1, T)
            e, level = e @ contrasts.T, np.zeros(len(contrasts))
        S, T = e.shape
        total = variance + shared * level.sum()
        log_density = -0.5 * (
            (e**2).sum(axis=1) / variance
            - (e @ level) ** 2 * shared / (variance * total)
            + T * np.log(2 * np.pi * variance)
            + np.log(total / variance)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a large k is a column of the table
            log_weight, k = stats.psislw(log_density)  # of 1 / density
        weight = np.exp(log_weight - log_weight.max())
        weight /= weight.sum()
        centre = weight @ e
        spread = (e - centre).T @ ((e - centre) * weight[:, None])
        some = np.linspace(0, S - 1, min(S, _SCALES)).astype(int)
        covariance = (
            variance[some, None, None] * np.eye(T)
            + shared[some, None, None] * np.outer(level, level)
            + spread
        )
        distance = np.linalg.solve(covariance, centre[:, None])[:, :, 0] @ centre
        moved = (weight @ tau - tau.mean(axis=0)) / tau.std(axis=0)
        top = log_density.max()
        rows.append(
            {
                "p": float(np.average(chi2.sf(distance, T), weights=weight[some])),
                "shift": float(moved[np.abs(moved).argmax()]),
                "unit_k": float(k),
                "unit_elpd": float(np.log(weight @ np.exp(log_density - top)) + top),
            }
        )
    return pd.DataFrame(rows, index=pd.Index(design.units.astype(str), name="unit"))


def loo_check(result: Loo) -> CheckResult:
    """Whether the model predicts every unit it has not seen; names the units it does not.

    The limit is :data:`FALSE_ALARM` over the number of units (Bonferroni).
    """
    units = result.by_unit
    limit = FALSE_ALARM / len(units)
    bad = units[units["p"] < limit]
    most = units.loc[units["shift"].abs().idxmax()]
    text = (
        f"LOO: elpd {result.elpd:.1f} (SE {result.se:.1f}), effective parameters {result.p:.0f}, "
        f"Pareto k above {result.k_limit:.2f} in {int(units['above'].sum())} rows"
    )
    if unreliable := int((units["unit_k"] > result.k_limit).sum()):
        text += f" and {unreliable} left-out units, where these numbers are rough"
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
