"""How far conclusions depend on priors: power scaling, and how sceptical one must be.

Power scaling (Kallioinen, Paananen, Buerkner & Vehtari 2024, doi:10.1007/s11222-023-10366-5) by
ArviZ: priors, or the likelihood, are raised to a power close to one by importance weights; how far
a posterior moves is its sensitivity.

Scepticism (Matthews 2001, doi:10.1016/S0378-3758(00)00232-9; Held 2019,
doi:10.1111/rssa.12493): the normal prior centred on zero at which a claim no longer holds. The
likelihood of an effect, everything else integrated out, is Student t around the estimate with the
residual degrees of freedom: under a tight prior a large estimate becomes noise, which a normal
likelihood would deny.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student

from bayesdid.arrays import FloatArray
from bayesdid.checks.beliefs import coefficient_beliefs, effects_of, is_flat, log_prior
from bayesdid.checks.check import CheckResult, inapplicable
from bayesdid.checks.figure import Figure, Series
from bayesdid.checks.rows import thinned
from bayesdid.estimands.verdict import SURE
from bayesdid.inference.pointwise import pointwise
from bayesdid.model.bound import BoundModel
from bayesdid.model.priors import on_link_scale
from bayesdid.model.resolve import base_of
from bayesdid.summary import chance, percent, tails

SENSITIVE = 0.05  # Kallioinen et al. 2024: from here on a sensitivity is worth a look
FRAGILE = 0.25  # of sd(y): a claim that fails under a prior as wide leans on its prior
_SHOWN = 6
_NORMAL_NODES = np.linspace(-8.0, 8.0, 400)


def power_scaling(
    tree: xr.DataTree, bound: BoundModel, contrasts: dict[str, FloatArray] | None = None
) -> CheckResult:
    """Sensitivity of every effect to power-scaling of the priors and of the likelihood.

    Parameters
    ----------
    contrasts
        Draws of further quantities, all of `tree` in its order, shape (chain x draw,) or
        (chain, draw).
    """
    name = "power_scaling"
    if is_flat(bound):
        return inapplicable(name, "raised to a power a flat prior is the same prior")
    import arviz as az

    base = base_of(bound.design)
    some = thinned(tree, base)
    terms = pointwise(some, bound.model, bound.design)["log_likelihood"]
    likelihood = sum(values.sum("obs") for values in terms.data_vars.values())
    thin = xr.DataTree.from_dict({"posterior": some})
    thin.attrs = dict(tree.attrs)
    dims = ("chain", "draw")
    shape = tuple(tree["posterior"].sizes[dim] for dim in dims)
    asked = {
        term: xr.DataArray(
            np.reshape(values, shape), {dim: tree["posterior"][dim] for dim in dims}, dims
        ).sel(draw=some["draw"])
        for term, values in (contrasts or {}).items()
    }
    contrast = {term: values.to_numpy() for term, values in asked.items()}
    effects = contrast | effects_of(thin, bound)
    called = {f"q{k}": term for k, term in enumerate(effects)}
    whole = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset({key: (dims, effects[term]) for key, term in called.items()}),
            "log_prior": xr.Dataset({"prior": (dims, log_prior(thin, bound))}),
            "log_likelihood": xr.Dataset({"y": (dims, np.asarray(likelihood))}),
        }
    )
    stats: Any = az
    log = logging.getLogger("arviz_stats.psense")
    before = log.level
    log.setLevel(logging.ERROR)  # the table says what it would say, and where to read on
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large Pareto k: the powers are next to one
        found = stats.psense_summary(whole, threshold=SENSITIVE, round_to=6)
    log.setLevel(before)
    table = pd.DataFrame(
        {
            "term": [called[key] for key in found.index],
            "prior": found["prior"].astype(float).to_numpy(),
            "likelihood": found["likelihood"].astype(float).to_numpy(),
            "diagnosis": [_plain(str(text)) for text in found["diagnosis"]],
        }
    )
    asked_of = table["term"].isin(list(contrasts or table["term"]))
    moved = table[asked_of & (table["prior"] >= SENSITIVE)]
    beside = table[~asked_of & (table["prior"] >= SENSITIVE)]
    worst = table.loc[table.loc[asked_of, "prior"].idxmax()]
    text = (
        f"Power scaling: priors move {worst['term']} most, by {worst['prior']:.2g} "
        f"(limit {SENSITIVE:g}), the likelihood by {worst['likelihood']:.2g}"
    )
    if moved.empty:
        text += "; no effect depends on its priors"
    else:
        listed = "; ".join(f"{r['term']}: {r['diagnosis']}" for _, r in moved.iterrows())
        text += f"; sensitive to priors: {listed}"
    if not beside.empty:
        named = ", ".join(beside["term"].tolist())
        text += f"; of coefficients that no contrast is, these are sensitive: {named}"
    labels = table["term"].tolist()[:_SHOWN]
    blank = [np.nan] * len(labels)
    figure = Figure(
        name,
        "forest",
        f"Power scaling: points right of {SENSITIVE:g} depend on what is scaled",
        tuple(
            Series(what, labels, table[what].tolist()[:_SHOWN], blank, blank)
            for what in ("prior", "likelihood")
        ),
        "change of the posterior for each doubling of the power",
        reference=SENSITIVE,
    )
    return CheckResult(
        name,
        moved.empty,
        table,
        f"{text}.",
        figure,
        "a little more or less weight on the priors changes the effect: prior and data contradict "
        "each other, or the data say little",
        "read the effect beside its prior, and under the priors of the scepticism check",
    )


def _plain(text: str) -> str:
    """ArviZ's diagnosis without its check mark."""
    return "insensitive to priors" if text.strip() == "✓" else text.replace("potential ", "")


def likelihood_alone(
    draws: FloatArray, prior_mean: float = 0.0, prior_sd: float = np.inf
) -> tuple[float, float]:
    """Estimate and standard error that a posterior has once its normal prior is divided out."""
    mean, variance = float(np.mean(draws)), float(np.var(draws, ddof=1))
    if not np.isfinite(prior_sd):
        return mean, variance**0.5
    precision = 1 / variance - 1 / prior_sd**2
    if precision <= 1e-3 / variance:  # nothing but the prior
        return prior_mean, np.inf
    return (mean / variance - prior_mean / prior_sd**2) / precision, precision**-0.5


def critical_sd(estimate: float, se: float, probability: float, dof: float = np.inf) -> float:
    """Prior sd around zero at which P(sign) equals `probability`.

    Returns
    -------
    float
        Infinite if P does not reach it under a flat prior either; 0 without any uncertainty.
    """
    if se == 0.0:
        return 0.0
    z = abs(estimate) / se
    if student.cdf(z, dof) <= probability:
        return float("inf")

    def gap(log_g: float) -> float:
        return sign_probability(z, 1.0, float(np.exp(log_g)), dof) - probability

    low, high = np.log(1e-4), np.log(1e6)
    if gap(low) > 0:
        return 0.0
    if gap(high) < 0:  # as good as a flat prior
        return float("inf")
    return float(se * np.exp(brentq(gap, low, high, xtol=1e-6)))


def sign_probability(estimate: float, se: float, prior_sd: float, dof: float = np.inf) -> float:
    """P(effect has the sign of its estimate) under the prior N(0, prior_sd^2)."""
    z, g = abs(estimate) / se, prior_sd / se
    # both where the prior is and where the likelihood is, each to a thousandth of its width
    grid = np.unique(
        np.concatenate([g * _NORMAL_NODES, z + _NORMAL_NODES, np.linspace(-6 * min(g, 1), z, 400)])
    )
    density = norm.logpdf(grid, 0.0, g) + student.logpdf(grid - z, dof)
    weight = np.exp(density - density.max())
    step = np.diff(grid)
    mass = (weight[1:] + weight[:-1]) / 2 * step
    middle = (grid[1:] + grid[:-1]) / 2
    return float(mass[middle > 0].sum() / mass.sum())


def residual_dof(bound: BoundModel) -> float:
    """Rows less what coefficients and effects take up; infinite where no scale is estimated."""
    base = base_of(bound.design)
    if bound.model.likelihood.is_discrete:
        return float("inf")
    taken = len(base.names) + 1
    taken += (len(base.units) - 1) * (base.unit_effects == "fixed")
    taken += (len(base.periods) - 1) * (base.period_effects == "fixed")
    return float(max(3, base.n - taken))


def scepticism(
    tree: xr.DataTree, bound: BoundModel, contrasts: dict[str, FloatArray] | None = None
) -> CheckResult:
    """For each effect the prior sd around zero at which its claim fails.

    Parameters
    ----------
    contrasts
        Draws of further quantities, whose own prior is taken as wide.
    """
    name, base = "scepticism", base_of(bound.design)
    beliefs = coefficient_beliefs(bound)
    scale = float(np.std(on_link_scale(base, bound.model.likelihood)))
    dof, rows = residual_dof(bound), []
    for term, draws in ((contrasts or {}) | effects_of(tree, bound)).items():
        belief = beliefs.get(term)
        b, s = likelihood_alone(draws, *((belief.mean, belief.sd) if belief else ()))
        if not np.isfinite(s) or s == 0.0:
            continue
        s *= np.sqrt((dof - 2) / dof) if np.isfinite(dof) else 1.0  # the scale of a t, not its sd
        sign, covers = (critical_sd(b, s, p, dof) for p in (SURE, tails()[1]))
        rows.append(
            {
                "term": term,
                "estimate": b,
                "se": s,
                "sign": "negative" if b < 0 else "positive",
                "P(sign), flat prior": float(student.cdf(abs(b) / s, dof)),
                "prior sd: P(sign) < 0.95": sign,
                "prior sd: interval covers 0": covers,
                "in sd(y)": sign / scale,
                "P(as large) under it": _as_large(b, sign),
            }
        )
    table = pd.DataFrame(rows)
    if table.empty:
        return inapplicable(name, "no effect has a likelihood of its own")
    about = table[table["term"].isin(list(contrasts or table["term"]))]
    holds = about[np.isfinite(about["prior sd: P(sign) < 0.95"])]
    fragile = holds[holds["in sd(y)"] > FRAGILE]
    open_ = about[~np.isfinite(about["prior sd: P(sign) < 0.95"])]
    weakest_first = holds.sort_values("in sd(y)", ascending=False)
    text = "" if holds.empty else _says(weakest_first.iloc[0], base.outcome)
    more = weakest_first["in sd(y)"].iloc[1:]
    if not more.empty:
        needed = " to ".join(dict.fromkeys(f"{least:.2g}" for least in (more.min(), more.max())))
        signs = "one sign more fails" if len(more) == 1 else f"the other {len(more)} signs fail"
        text += f"; {signs} only below {needed} sd (table)"
    if not open_.empty:
        never = "; ".join(_never(row) for _, row in open_.head(_SHOWN).iterrows())
        no_one = "No sign is sure under any prior centred on zero, a flat one included"
        text = (
            f"{text}. Not sure under any prior centred on zero: {never}"
            if text
            else (f"{no_one}: {never}")
        )
    return CheckResult(
        name,
        None if holds.empty else fragile.empty,
        table,
        f"{text}.",
        _curve(table, scale, name, dof),
        f"the sign is sure only for readers who think an effect of {FRAGILE:g} sd of the outcome "
        "or more as likely as not: others should not be convinced",
        f"the interval of {percent()} and P under other priors stand in the table; quote the "
        "prior with the claim",
    )


def _as_large(estimate: float, sd: float) -> float:
    """P(an effect as large as estimated) under N(0, sd^2); NaN without such a prior."""
    if not np.isfinite(sd):
        return float("nan")
    return float(2 * norm.sf(abs(estimate) / sd)) if sd > 0 else 0.0


def _says(row: pd.Series, outcome: str) -> str:
    return (
        f"{row['term']} is {row['sign']} (P at least {SURE:g}) unless effects are believed to have "
        f"an sd below {row['prior sd: P(sign) < 0.95']:.3g} around zero "
        f"({row['in sd(y)']:.2g} sd of {outcome}; then one as large as estimated has probability "
        f"{chance(row['P(as large) under it'])})"
    )


def _never(row: pd.Series) -> str:
    return (
        f"{row['term']}, {row['sign']} with {chance(row['P(sign), flat prior'])} under a flat one"
    )


def _curve(table: pd.DataFrame, scale: float, name: str, dof: float) -> Figure:
    grid = np.geomspace(0.01, 3, 40)
    series = []
    for _, row in table.head(5).iterrows():
        p = [sign_probability(row["estimate"], row["se"], g * scale, dof) for g in grid]
        series.append(Series(str(row["term"]), np.log10(grid).tolist(), p, p, p))
    return Figure(
        name,
        "curve",
        f"How sceptical: P(sign) falls below {SURE:g} left of where a line crosses it",
        tuple(series),
        "log10 of the prior's sd in sd of the outcome",
        "P(sign)",
        reference=SURE,
    )
