"""Moderation: the effect over the moderator's observed range, and whether it is linear there."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
from scipy.stats import f as f_distribution

from bayesdid.arrays import FloatArray
from bayesdid.design.build import build_design
from bayesdid.design.collinear import drop_collinear
from bayesdid.design.design import Design
from bayesdid.design.terms import term_values
from bayesdid.estimands.stated import drawn, estimated
from bayesdid.families.analysis import (
    Analysis,
    Figure,
    Peer,
    Series,
    Table,
    draws_tree,
    summary_frame,
)
from bayesdid.families.moderation import ModerationOptions
from bayesdid.families.registry.validate import one_treatment
from bayesdid.families.under_errors import draws_of, under_errors
from bayesdid.inference.exact.conjugate import conjugate_posterior
from bayesdid.model.bound import study_priors
from bayesdid.panel.panel import Panel
from bayesdid.peers.fixest import least_squares
from bayesdid.study.load import Spec, Study
from bayesdid.study.terms import parse_term
from bayesdid.summary import chance, equals, hdi, percent, reach

_GRID = 101
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_SURE = 0.975


def moderation(
    study: Study,
    spec: Spec,
    panel: Panel,
    options: ModerationOptions,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Analysis:
    """The analysis of a spec of family ``moderation``: one treatment."""
    moderator = options.moderator
    treatment = one_treatment(spec)
    covariates = tuple(dict.fromkeys((moderator, *spec.column.covariates)))
    column = spec.column.model_copy(
        update={
            "family": "twfe",
            "treatments": (treatment, f"{treatment} * {moderator}"),
            "covariates": covariates,
        }
    )
    design = build_design(dataclasses.replace(spec, column=column), panel)
    M = _moderator(design, panel, moderator)
    priors = study_priors(spec)
    under = under_errors(design, options.errors, priors=priors, seed=seed, draws=draws)
    tree, tau, tau_iid = under.tree, draws_of(under.tree), draws_of(under.iid)
    lower = study.file.outcome.better == "lower"
    low, high = (float(edge) for edge in np.quantile(M, [0.005, 0.995]))
    grid = np.linspace(low, high, _GRID)
    effect = tau[:, :1] + tau[:, 1:] * grid
    centred = tau[:, 0] + tau[:, 1] * M.mean()
    quantiles = np.quantile(M, _QUANTILES)
    rows = {
        f"{moderator} = {q:.4g} ({p:.0%} quantile)": tau[:, 0] + tau[:, 1] * q
        for p, q in zip(_QUANTILES, quantiles, strict=True)
    }
    crossing = -tau[:, 0] / tau[:, 1]
    coefficients = {
        "effect at 0 (raw)": tau[:, 0],
        "effect at the mean (centred)": centred,
        f"change per unit of {moderator}": tau[:, 1],
        f"change per sd of {moderator}": tau[:, 1] * M.std(),
    }
    beside = {
        "effect at the mean, i.i.d. errors": tau_iid[:, 0] + tau_iid[:, 1] * M.mean(),
        f"change per sd of {moderator}, i.i.d. errors": tau_iid[:, 1] * M.std(),
    }
    linear_p, binned = linearity(design, M, options.bins)
    p_good = (effect < 0 if lower else effect > 0).mean(axis=0)
    sign = "< 0" if lower else "> 0"
    p_interaction = (tau[:, 1] < 0).mean()
    sentences = (
        f"Per standard deviation of {moderator} the effect changes by "
        f"{(tau[:, 1] * M.std()).mean():+.4f} ({hdi(tau[:, 1] * M.std()):.4f}; "
        f"P(< 0) {equals(p_interaction)}); at the mean of "
        f"{moderator} it is {centred.mean():.3f}, at zero {tau[:, 0].mean():.3f}.",
        _neyman(moderator, grid, M, p_good, sign),
        f"The effect crosses zero inside the observed range of {moderator} with probability "
        f"{chance(((crossing > M.min()) & (crossing < M.max())).mean())}.",
        under.says(
            f"the change per sd of {moderator}", tau[:, 1] * M.std(), tau_iid[:, 1] * M.std()
        ),
        "Linearity (Hainmueller, Mummolo & Xu 2019; i.i.d. errors): the tail area of a straight "
        f"line in the binned model is {linear_p:.3f}"
        + (": the bins do not lie on a line." if linear_p < 0.05 else ", no sign of curvature."),
    )
    intervals = [hdi(column) for column in effect.T]
    line = Series(
        "linear interaction",
        grid.tolist(),
        effect.mean(axis=0).tolist(),
        [interval.low for interval in intervals],
        [interval.high for interval in intervals],
    )
    some = np.quantile(M, np.linspace(0.005, 0.995, 150))
    peers = []
    product = f"{treatment} * {moderator}"
    estimates = least_squares(design).table
    flat = conjugate_posterior(design)
    for k, name in enumerate(("effect at 0", "interaction")):
        sd = float(np.sqrt(flat.scale[k, k]))
        peers.append(
            Peer(
                f"{name}, flat prior",
                float(flat.location[k]),
                sd,
                "least squares (pyfixest), clustered",
                float(estimates["estimate"].iloc[k]),
                float(estimates["se_cluster"].iloc[k]),
                1e-5 * sd,
            )
        )
    return Analysis(
        spec.id,
        "moderation",
        spec.title,
        sentences,
        tables=(
            Table(
                "coefficients",
                "Raw and centred: one model, two ways to read it; the last two under i.i.d. errors",
                summary_frame(coefficients | beside),
            ),
            Table("conditional", f"Effect at quantiles of {moderator}", summary_frame(rows)),
        ),
        figures=(
            Figure(
                "conditional",
                "curve",
                f"Effect over the observed values of {moderator} "
                f"(rug), {percent()} HDI, and the effect in each bin at its median under i.i.d. "
                "errors.",
                (line, binned),
                xlabel=_label(study, moderator),
                ylabel=study.file.outcome.unit,
                rug=tuple(some.tolist()),
            ),
        ),
        peers=tuple(peers),
        posterior=draws_tree(
            coefficients,
            spec,
            panel,
            engine=tree.attrs["engine"],
            seed=seed,
            priors=tree.attrs["priors"],
        ),
        converged=under.converged,
        fit=under.fit,
        notes=tuple(note.text for note in design.notes),
        synthetic=panel.synthetic or "",
        effects=(
            drawn(product, "default errors", "the effect is linear", tau[:, 1], main=True),
            drawn(product, "i.i.d. errors", "errors are independent", tau_iid[:, 1]),
            estimated(
                product,
                "least squares, clustered",
                "there are many units",
                float(estimates["estimate"].iloc[1]),
                float(estimates["se_cluster"].iloc[1]),
            ),
        ),
    )


def _moderator(design: Design, panel: Panel, name: str) -> FloatArray:
    """The moderator in each row, also where fixed effects take up what it does by itself.

    A moderator that is constant within units, or within what a further effect groups, is no
    covariate, but the effect may depend on it all the same.
    """
    if name in design.covariates:
        return design.X[:, design.covariates.index(name)]
    keys = pd.MultiIndex.from_frame(panel.frame[[panel.unit, panel.period]])
    values = term_values(parse_term(name), panel, np.ones(len(keys), dtype=bool))
    once = pd.Series(values, keys)[~keys.duplicated()]
    own = [design.units[design.unit_index], design.periods[design.period_index]]
    return once.reindex(pd.MultiIndex.from_arrays(own)).to_numpy(dtype=float)


def linearity(design: Design, M: FloatArray, bins: int = 3) -> tuple[float, Series]:
    """Tail area of linearity in the binned interaction model, and the effect in each bin.

    ``y = sum_j G_j [ alpha_j D + beta_j D (M - m_j) + eta_j (M - m_j) + mu_j ]`` with m_j the bin
    medians (Hainmueller, Mummolo & Xu 2019, doi:10.1017/pan.2018.46, eq. 5). A straight line means
    ``beta_j = beta`` and ``alpha_j = alpha + beta m_j``.
    """
    D = design.D[:, 0]
    treated = M[D > 0]
    edges = np.quantile(treated, np.linspace(0, 1, bins + 1))[1:-1]
    bin_of = np.searchsorted(edges, M, side="right")
    medians = np.array(
        [
            np.median(treated[np.searchsorted(edges, treated, side="right") == j])
            for j in range(bins)
        ]
    )
    G = bin_of[:, None] == np.arange(bins)
    off = G * (M[:, None] - medians)
    moderator_terms = np.column_stack([off, G[:, 1:]])
    rest = [k for k, column in enumerate(design.X.T) if not np.array_equal(column, M)]
    full = dataclasses.replace(
        design,
        D=np.column_stack([G * D[:, None], off * D[:, None]]).astype(float),
        treatments=tuple(f"{name} {j}" for name in ("alpha", "beta") for j in range(bins)),
        X=np.column_stack([design.X[:, rest], moderator_terms]).astype(float),
        covariates=(
            *(design.covariates[k] for k in rest),
            *(f"moderator {j}" for j in range(moderator_terms.shape[1])),
        ),
    )
    posterior = conjugate_posterior(drop_collinear(full))
    location = posterior.location[: 2 * bins]
    scale = posterior.scale[: 2 * bins, : 2 * bins]
    # what a line (alpha, beta) cannot fit: the orthogonal complement of its columns
    line = np.vstack(
        [
            np.column_stack([np.ones(bins), medians]),
            np.column_stack([np.zeros(bins), np.ones(bins)]),
        ]
    )
    complement = np.linalg.svd(line.T)[2][2:]
    gap, spread = complement @ location, complement @ scale @ complement.T
    distance = gap @ np.linalg.solve(spread, gap) / len(gap)
    half = reach() * np.sqrt(np.diag(scale)[:bins])
    series = Series(
        "binned",
        medians.tolist(),
        location[:bins].tolist(),
        (location[:bins] - half).tolist(),
        (location[:bins] + half).tolist(),
    )
    return float(f_distribution.sf(distance, len(gap), posterior.nu)), series


def _neyman(moderator: str, grid: FloatArray, M: FloatArray, p_good: FloatArray, sign: str) -> str:
    """Johnson-Neyman region of the posterior, and how many rows lie in it."""
    sure = p_good > _SURE
    if not sure.any():
        return (
            f"Nowhere over the observed values of {moderator} is P(effect {sign}) above "
            f"{_SURE}: the Johnson-Neyman region is empty."
        )
    if sure.all():
        return (
            f"P(effect {sign}) is above {_SURE} everywhere over the observed values of "
            f"{moderator} (Johnson-Neyman region: all of it)."
        )
    low, high = grid[sure].min(), grid[sure].max()
    share = np.mean((low <= M) & (high >= M))
    return (
        f"P(effect {sign}) is above {_SURE} for {moderator} between {low:.4g} and {high:.4g} "
        f"(Johnson-Neyman region), which holds {share:.0%} of the rows."
    )


def _label(study: Study, name: str) -> str:
    return next((v.label for v in study.file.variable if v.column == name), name)
