"""What the priors say before the data, and how much of a posterior is theirs.

Prior predictive check (Box 1980, doi:10.2307/2982063; Gelman et al. 2020, section 2.4): the spread
of the outcome within units and periods under coefficients and scales drawn from their priors. Flat
unit and period effects have no prior predictive, so what they take up is taken out of both.

Prior and posterior: how much narrower the posterior is (contraction) and how far it lies from the
prior (z, both Schad, Betancourt & Vasishth 2021, doi:10.1037/met0000275).
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.checks.beliefs import (
    coefficient_beliefs,
    effects_of,
    is_flat,
    outcome_beliefs,
    path_scale,
    scale_beliefs,
)
from bayesdid.checks.check import CheckResult, inapplicable
from bayesdid.checks.figure import Figure, Series, histogram
from bayesdid.design.within import absorb
from bayesdid.inference.equations import Draws
from bayesdid.inference.quantities import quantities
from bayesdid.inference.replications import chained
from bayesdid.inference.spatial_equations import solved
from bayesdid.model.bound import BoundModel
from bayesdid.model.mean import Path, Pooled, Profile, Propensity
from bayesdid.model.pooling import pooled_scale
from bayesdid.model.priors import NU_LEAST, NU_PRIOR, on_link_scale
from bayesdid.model.resolve import base_of
from bayesdid.model.serial import serial_rows
from bayesdid.model.spatial_priors import spatial_priors
from bayesdid.spatial.design import SpatialDesign
from bayesdid.summary import equal_tailed, p_words, percent, reach

SURPRISE = 0.01  # two-sided tail of the observed under the prior predictive below which it fails
CONTRACTION = 0.5  # share of the prior variance that data should take away
CONFLICT = 2.576  # prior sds between prior and posterior means: two-sided 1 % of a normal
_DRAWS = 400
_SHOWN = 12  # rows of a figure


def prior_predictive(bound: BoundModel, *, seed: int = 0) -> CheckResult:
    """Spread of the outcome within units and periods, before the data and in them."""
    name, base = "prior_predictive", base_of(bound.design)
    if is_flat(bound):
        return inapplicable(name, "flat priors predict nothing; use weak or sceptical ones")
    if isinstance(bound.model.mean, Profile):
        return inapplicable(
            name, "all priors of a profile over distance are multiples of sigma, which is flat"
        )
    if isinstance(bound.model.mean, Propensity):
        return inapplicable(name, "whether a unit is treated has no spread to compare")
    rng = np.random.default_rng(seed)
    drawn = _predicted(bound, rng)
    y = on_link_scale(base, bound.model.likelihood)
    kinds = {"unit": base.unit_effects != "none", "period": base.period_effects != "none"}
    within = absorb(np.column_stack([y, drawn.T]), base.unit_index, base.period_index, **kinds).std(
        axis=0
    )
    observed, predicted = float(within[0]), within[1:]
    above = float((predicted > observed).mean())
    smallest = 2 / (len(predicted) + 1)
    p = min(1.0, max(smallest, 2 * min(above, 1 - above)))
    # around zero, expecting more than there is is being wide, not being contradicted
    centred = not any(belief.mean for belief in coefficient_beliefs(bound).values())
    passed = p >= SURPRISE or (above > 0.5 and centred)
    inside = equal_tailed(predicted)
    what = "log rate" if bound.model.likelihood.link == "log" else "outcome"
    what = "logit" if bound.model.likelihood.link == "logit" else what
    text = (
        f"Within units and periods the {what} varies by {observed:.3g} (sd); the priors expect "
        f"{np.median(predicted):.3g} ({percent(inside.level)} {inside.low:.3g} to "
        f"{inside.high:.3g}), {p_words(p, smallest)}; "
    )
    if passed and above > 0.5 and p < SURPRISE:
        text += "they are wide, and hardly shape a posterior."
    elif passed:
        text += "the priors allow for the data."
    elif above > 0.5:
        text += "the priors expect far more variation than there is."
    else:
        text += "the priors expect far less variation than there is."
    table = pd.DataFrame(
        [
            {
                "statistic": f"within sd of the {what}",
                "observed": observed,
                "predicted": float(np.median(predicted)),
                "low": inside.low,
                "high": inside.high,
                "p": p,
            }
        ]
    )
    figure = histogram(
        name,
        "Prior predictive: spread of the outcome under the priors alone; dashed: as observed",
        "priors alone",
        np.log10(np.maximum(predicted, 1e-12)),
        f"log10 of the sd of the {what} within units and periods",
        verticals=(float(np.log10(max(observed, 1e-12))),),
    )
    return CheckResult(
        name,
        passed,
        table,
        text,
        figure,
        "the priors rule out data like these: units of a prior or of a variable are likely wrong, "
        "and the posterior is a compromise with them",
        "weak priors are scaled by the sd of the outcome and of each regressor; state a prior of "
        "your own in the units of the outcome",
    )


def prior_posterior(tree: xr.DataTree, bound: BoundModel) -> CheckResult:
    """Prior and posterior of every coefficient and scale, with contraction and distance."""
    name = "prior_posterior"
    beliefs = coefficient_beliefs(bound) | scale_beliefs(tree, bound)
    draws = dict(quantities(tree))
    draws |= {k: tree["posterior"][k].to_numpy() for k in beliefs if k in tree["posterior"]}
    rows = []
    for term, belief in beliefs.items():
        if term not in draws:
            continue
        values = np.ravel(draws[term])
        mean, sd = float(values.mean()), float(values.std(ddof=1))
        proper = np.isfinite(belief.sd)
        rows.append(
            {
                "term": term,
                "prior": belief.law,
                "prior mean": belief.mean,
                "prior sd": belief.sd,
                "posterior mean": mean,
                "posterior sd": sd,
                "contraction": 1 - (sd / belief.sd) ** 2 if proper else np.nan,
                "z": abs(mean - belief.mean) / belief.sd if proper else np.nan,
            }
        )
    table = pd.DataFrame(rows)
    if table.empty or not np.isfinite(table["prior sd"]).any():
        return CheckResult(
            name, None, table, "Does not apply: every prior is flat, so the likelihood decides all."
        )
    effects = [*effects_of(tree, bound), *coefficient_beliefs(bound)]
    own = table[table["term"].isin(effects) & np.isfinite(table["prior sd"])]
    decided = own[own["contraction"] < CONTRACTION]["term"].tolist()
    conflict = own[own["z"] > CONFLICT]["term"].tolist()
    if own.empty:
        least = "its effects have priors with scales of their own, which are in the table"
    else:
        weakest = own.loc[own["contraction"].idxmin()]
        least = (
            f"data take away at least {100 * weakest['contraction']:.0f} % of the prior variance "
            f"of a coefficient (least: {weakest['term']})"
        )
    text = f"Prior and posterior: {least}"
    if decided:
        text += f"; the prior decides {', '.join(decided)}"
    if conflict:
        text += f"; the posterior lies far outside the prior of {', '.join(conflict)}"
    if not decided and not conflict:
        text += "; the data decide, and the posterior lies where the prior allows"
    return CheckResult(
        name,
        not decided and not conflict,
        table,
        f"{text}.",
        _prior_posterior_figure(table, name),
        f"a coefficient keeps more than {100 * (1 - CONTRACTION):g} % of its prior variance, so "
        f"the prior says more of it than the data, or it lies more than {CONFLICT:.2g} prior sds "
        "from its prior mean, so prior and data contradict each other",
        "see how far the claim moves with the prior (sensitivity, scepticism); report it under "
        "weak priors too",
    )


def _prior_posterior_figure(table: pd.DataFrame, name: str) -> Figure:
    shown = table[np.isfinite(table["prior sd"])].head(_SHOWN)
    z = reach()
    labels = shown["term"].tolist()

    def series(kind: str) -> Series:
        # each in its own prior sds, so that all rows share one axis
        centre = (shown[f"{kind} mean"] - shown["prior mean"]) / shown["prior sd"]
        half = z * shown[f"{kind} sd"] / shown["prior sd"]
        return Series(
            kind, labels, centre.tolist(), (centre - half).tolist(), (centre + half).tolist()
        )

    return Figure(
        name,
        "forest",
        "Prior and posterior: where the two bars are alike, the data say little",
        (series("prior"), series("posterior")),
        "prior sds from the prior mean",
    )


def _predicted(bound: BoundModel, rng: np.random.Generator) -> FloatArray:
    """Outcomes on the scale of the linear predictor, effects left out, shape (S, n)."""
    design, model, base = bound.design, bound.model, base_of(bound.design)
    priors = outcome_beliefs(bound)
    names, columns = _columns(bound)
    unit = np.ones(_DRAWS)
    sigma = np.zeros(_DRAWS)
    if isinstance(design, SpatialDesign):
        sigma = np.full(_DRAWS, spatial_priors(design, model.priors)[1])
    elif not model.likelihood.is_discrete:
        # a flat scale (an instrument's covariance) has no draws: sd(y) stands in
        scale = priors.scale if np.isfinite(priors.scale) else float(base.y.std())
        sigma = rng.exponential(scale, _DRAWS)
    coef = np.zeros((_DRAWS, len(names)))
    for k, term in enumerate(names):
        sd = priors.sds.get(term, 0.0)
        if np.isfinite(sd):
            coef[:, k] = priors.means.get(term, 0.0) + sd * unit * rng.standard_normal(_DRAWS)
    if isinstance(model.mean, Pooled):
        scale = pooled_scale(base, model.likelihood)
        for part in base.parts:
            own = base.columns(part)
            omega = scale * np.abs(rng.standard_normal((_DRAWS, 1)))
            coef[:, own] = omega * rng.standard_normal((_DRAWS, len(own)))
    if isinstance(model.mean, Path):
        K, scale = path_scale(bound)
        root = np.linalg.cholesky(K + 1e-10 * np.eye(len(K)))
        s = scale * np.abs(rng.standard_normal((_DRAWS, 1)))
        coef[:, : len(K)] = s * (rng.standard_normal((_DRAWS, len(K))) @ root.T)
    rows = coef @ (columns - columns.mean(axis=0)).T + sigma[:, None] * _noise(bound, rng)
    if isinstance(design, SpatialDesign) and design.kind in {"sar", "sdm"}:
        low, high = design.logdet.interval.low, design.logdet.interval.high
        rho = xr.DataArray(rng.uniform(low, high, (1, _DRAWS)), dims=("chain", "draw"))
        rows = solved(Draws(xr.Dataset({"rho": rho}), slice(None)), rows, design)
    return np.asarray(rows)


def _columns(bound: BoundModel) -> tuple[tuple[str, ...], FloatArray]:
    design, base = bound.design, base_of(bound.design)
    if isinstance(design, SpatialDesign):
        return tuple(design.names), design.Z[:, base.unit_index, base.period_index].T
    return base.names, base.regressors


def _noise(bound: BoundModel, rng: np.random.Generator) -> FloatArray:
    """Errors of sd one with the model's serial correlation, unit scales and tails, (S, n)."""
    model, base = bound.model, base_of(bound.design)
    z = rng.standard_normal((_DRAWS, base.n))
    shape, rate = NU_PRIOR
    if model.likelihood.name == "student_t":
        nu = NU_LEAST + rng.gamma(shape, 1 / rate, (_DRAWS, 1))
        z = z * np.sqrt(nu / rng.chisquare(nu, z.shape))
    if model.errors.serial == "ar1":
        phi = rng.uniform(-1, 1, _DRAWS)
        z = chained(z, phi, serial_rows(dataclasses.replace(base)))
    if model.errors.scale == "unit":
        nu = NU_LEAST + rng.gamma(shape, 1 / rate, (_DRAWS, 1))
        lam = rng.gamma(nu / 2, 2 / nu, (_DRAWS, len(base.units)))
        z = z / np.sqrt(np.maximum(lam, 1e-12))[:, base.unit_index]
    if model.weighted and base.weights is not None:
        z = z / np.sqrt(base.weights)
    return np.asarray(z)
