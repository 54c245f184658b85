"""PSM-DID with the propensity score's uncertainty carried into the effect."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.build import as_two_way, build_design
from bayesdid.design.cohort import unit_start
from bayesdid.design.collinear import drop_collinear
from bayesdid.design.design import Design
from bayesdid.design.span import without_spanned
from bayesdid.estimands.stated import StatedEffect, drawn, estimated
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.families.analysis import (
    Analysis,
    Figure,
    Peer,
    Series,
    Table,
    draws_tree,
    summary_frame,
)
from bayesdid.families.psm_did import MatchingOptions
from bayesdid.families.under_errors import IID, draws_of, errors_sentence
from bayesdid.inference.exact.conjugate import conjugate_posterior
from bayesdid.inference.exact.propensity import draw_propensity
from bayesdid.inference.executor import item_seed, map_fits
from bayesdid.inference.fit import fit
from bayesdid.model.bound import study_priors
from bayesdid.model.errors import Errors
from bayesdid.model.priors import PriorChoice
from bayesdid.panel.panel import Panel
from bayesdid.peers.fixest import least_squares
from bayesdid.study.load import Spec, Study
from bayesdid.summary import equals, hdi

_FITTED = 20  # matched samples that are fitted by chains; i.i.d. ones have closed forms
_FEWEST = 3  # matched pairs below which a draw says nothing
_EXACT = 1e-6  # of sd(y)


@dataclass(frozen=True, slots=True)
class Matched:
    """Effect on one matched sample.

    Attributes
    ----------
    pairs
        Treated unit and its control, shape (pairs, 2).
    location, sd, nu
        Student-t posterior of the effect under flat priors.
    rows
        Rows of the matched sample.
    """

    pairs: np.ndarray
    location: float
    sd: float
    nu: int
    rows: int


def match(score: FloatArray, treated: np.ndarray, caliper: float) -> np.ndarray:
    """Pairs of nearest neighbours on the logit score, without replacement, shape (pairs, 2).

    Treated units choose in descending order of their score, the hardest to match first. One
    without a free control within the caliper is left out. Each control serves once, so that the
    matched sample is balanced without weights.
    """
    free = ~treated
    pairs = []
    for unit in np.flatnonzero(treated)[np.argsort(-score[treated], kind="stable")]:
        distance = np.where(free, np.abs(score - score[unit]), np.inf)
        nearest = int(distance.argmin())
        if distance[nearest] <= caliper * score.std():
            pairs.append((int(unit), nearest))
            free[nearest] = False
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def matched_design(design: Design, pairs: np.ndarray) -> Design:
    """The rows of matched units, with weights and further effects of their own.

    A match weighs one, so that a row has its analytic weight and no other.
    """
    keep = np.isin(design.unit_index, np.unique(pairs))
    return without_spanned(drop_collinear(design.take(keep)))


def effect_on(design: Design, pairs: np.ndarray) -> Matched | None:
    """Flat-prior posterior of the treatment on a matched sample; None if it is too small."""
    if len(pairs) < _FEWEST:
        return None
    try:
        own = matched_design(design, pairs)
        posterior = conjugate_posterior(own)
    except NotIdentifiedError:
        return None
    if posterior.nu < 3:
        return None
    return Matched(
        pairs,
        float(posterior.location[0]),
        float(np.sqrt(posterior.scale[0, 0])),
        posterior.nu,
        own.n,
    )


def mixture_of(kept: list[Matched], size: int, rng: np.random.Generator) -> FloatArray:
    """Draws of the effect over matched samples under i.i.d. errors, shape (a multiple of 4,)."""
    each = max(1, size // len(kept))
    draws = np.concatenate([m.location + m.sd * rng.standard_t(m.nu, each) for m in kept])
    return np.asarray(rng.permutation(draws)[: 4 * (len(draws) // 4)])


def fit_matched(
    item: tuple[int, np.ndarray],
    design: Design,
    errors: str,
    draws: int,
    seed: int,
    priors: PriorChoice = PriorChoice("flat"),
) -> xr.DataTree:
    """Posterior of the treatment on the k-th matched sample."""
    k, pairs = item
    own = item_seed(seed, "matched", k)
    return fit(
        matched_design(design, pairs), errors=errors, priors=priors, draws=draws, seed=own
    ).tree


def matching(
    study: Study,
    spec: Spec,
    panel: Panel,
    options: MatchingOptions,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Analysis:
    """The analysis of a spec of family ``psm_did``: one treatment, ``both`` or ``active:P``.

    The score is estimated on the spec's covariates before anyone was treated; the same covariates
    are controls of the regression, as in the published column. Units are matched without weights:
    those of rows are about the outcome's variance, and enter the regression.
    """
    term, starts = unit_start(spec, panel)
    design = build_design(as_two_way(spec, with_rows=True), panel, absorbing=(term,))
    position = {unit: k for k, unit in enumerate(panel.units)}
    start = starts[[position[unit] for unit in design.units]]
    treated = np.isfinite(start) & (start <= design.periods.max())
    covariates = _before(design, float(start.min()))
    if not treated.any() or treated.all() or not covariates.shape[1]:
        raise NotIdentifiedError(
            f"{spec.id}: matching needs treated and untreated units and covariates",
            remedy="name covariates",
        )
    caliper, size = options.caliper, options.matches
    scores, quality = draw_propensity(treated, covariates, size=size, seed=seed)
    found = [effect_on(design, match(score, treated, caliper)) for score in scores]
    kept = [item for item in found if item is not None]
    once = effect_on(design, match(scores.mean(axis=0), treated, caliper))
    if len(kept) < size / 2 or once is None:
        raise NotIdentifiedError(
            f"{spec.id}: no overlap: {len(kept)} of {size} draws of the propensity score leave "
            f"at least {_FEWEST} pairs within the caliper",
            value=caliper,
            remedy="widen the caliper or take fewer covariates",
        )
    rng = np.random.default_rng(seed)
    iid = mixture = mixture_of(kept, 4 * draws, rng)
    between = float(np.std([m.location for m in kept]))
    within = float(np.sqrt(np.mean([m.sd**2 * m.nu / (m.nu - 2) for m in kept])))
    single = once.location + once.sd * rng.standard_t(once.nu, len(mixture))
    single_iid = float(single.std())
    errors, converged = Errors.parse(options.errors), all(i.passed for i in quality.gate())
    trees: list[xr.DataTree] = []
    failed: tuple[str, ...] = ()
    samples = len(kept)
    priors = study_priors(spec, design=design, own="flat")
    if errors != IID or priors != PriorChoice("flat"):
        some = np.unique(np.linspace(0, len(kept) - 1, min(_FITTED, len(kept))).astype(int))
        fitted = map_fits(
            partial(
                fit_matched,
                design=design,
                errors=errors.name,
                draws=draws,
                seed=seed,
                priors=priors,
            ),
            [(-1, once.pairs), *((int(k), kept[k].pairs) for k in some)],
        )
        good = [tree for tree in fitted[1:] if tree.attrs["converged"]]
        trees, samples = good, len(good)
        converged &= bool(fitted[0].attrs["converged"]) and len(good) >= len(some) / 2
        if lost := len(some) - len(good):
            failed = (f"{lost} of {len(some)} matched samples",)
        if converged:
            by_sample = np.array([draws_of(tree)[:, 0] for tree in good])
            mixture = rng.permutation(by_sample.ravel())[: by_sample.shape[1]]
            between = float(by_sample.mean(axis=1).std())
            within = float(np.sqrt(by_sample.var(axis=1).mean()))
            single = draws_of(fitted[0])[:, 0]
    peer = least_squares(matched_design(design, once.pairs)).table.iloc[0]
    everyone = float(least_squares(design).table["estimate"].iloc[0])
    quantities = {"matched, score uncertain": mixture, "matched once, at the mean score": single}
    beside = {"matched, score uncertain, i.i.d. errors": iid}
    sizes = [item.rows for item in kept]
    sentences = (
        f"Over {samples} matched samples the effect is {mixture.mean():.3f} "
        f"({hdi(mixture):.3f}; P(< 0) {equals((mixture < 0).mean())}); matched once it is "
        f"{single.mean():.3f} (posterior sd {single.std():.3f}, clustered SE "
        f"{peer['se_cluster']:.3f}), without matching {everyone:.3f}.",
        f"Which units are matched moves the effect with sd {between:.3f}, beside a posterior sd of "
        f"{within:.3f} within a matched sample: one-shot matching leaves out "
        f"{between**2 / (between**2 + within**2):.0%} of the variance. Samples have {min(sizes)} "
        f"to {max(sizes)} rows; matching once leaves {once.rows} of {design.n}.",
        errors_sentence(
            errors, f"the effect over all {len(kept)} matched samples", mixture, iid, trees
        ),
    )
    return Analysis(
        spec.id,
        "psm_did",
        spec.title,
        sentences,
        (
            Table("effects", "Effect on matched samples", summary_frame(quantities | beside)),
            Table(
                "balance",
                "Standardised mean difference of each covariate before treatment",
                _balance(design, covariates, treated, once, kept),
            ),
        ),
        (
            Figure(
                "matched",
                "histogram",
                "Posterior over matched samples, and on the one sample "
                "matched at the mean score. Dashed: without matching.",
                tuple(
                    Series(name, [], values[:2000].tolist(), [], [])
                    for name, values in quantities.items()
                ),
                xlabel=study.file.outcome.unit,
                verticals=(everyone,),
            ),
        ),
        (
            Peer(
                "effect, matched once, i.i.d. errors",
                once.location,
                single_iid,
                "least squares on the matched sample (pyfixest), clustered",
                float(peer["estimate"]),
                float(peer["se_cluster"]),
                _EXACT * float(design.y.std()),
            ),
        ),
        draws_tree(quantities, spec, panel, engine="matching", seed=seed, priors=str(priors)),
        converged,
        tuple(note.text for note in design.notes),
        panel.synthetic or "",
        failed,
        stated_effects(spec.column.treatments[0], mixture, single, iid, peer),
    )


def stated_effects(
    term: str, mixture: FloatArray, single: FloatArray, iid: FloatArray, peer: pd.Series
) -> tuple[StatedEffect, ...]:
    """The effect on matched samples, on one of them, under i.i.d. errors, and least squares."""
    rows = (
        (mixture, "matched", "units match on covariates"),
        (single, "matched once", "one match"),
    )
    return (
        *(drawn(term, label, why, draws, main=not k) for k, (draws, label, why) in enumerate(rows)),
        drawn(term, "matched, i.i.d. errors", "errors are independent", iid),
        estimated(
            term,
            "matched once, least squares, clustered",
            "one match; there are many units",
            float(peer["estimate"]),
            float(peer["se_cluster"]),
        ),
    )


def _before(design: Design, first: float) -> FloatArray:
    """Each unit's covariates averaged over the periods before `first`, standardised, (N, Q).

    If there is no such period: over the first period.
    """
    periods = design.periods.astype(float)
    early = periods < first if (periods < first).any() else periods == periods.min()
    rows = early[design.period_index]
    counts = np.bincount(design.unit_index[rows], minlength=len(design.units))
    sums = np.zeros((len(design.units), design.X.shape[1]))
    np.add.at(sums, design.unit_index[rows], design.X[rows])
    means = sums / np.maximum(counts, 1)[:, None]
    means[counts == 0] = means[counts > 0].mean(axis=0)  # not seen so early: the average unit
    spread = means.std(axis=0)
    return np.asarray((means - means.mean(axis=0))[:, spread > 0] / spread[spread > 0])


def _balance(
    design: Design, covariates: FloatArray, treated: np.ndarray, once: Matched, kept: list[Matched]
) -> pd.DataFrame:
    def gap(pairs: np.ndarray) -> FloatArray:
        return np.asarray(
            covariates[pairs[:, 0]].mean(axis=0) - covariates[pairs[:, 1]].mean(axis=0)
        )

    raw = covariates[treated].mean(axis=0) - covariates[~treated].mean(axis=0)
    names = list(design.covariates)[: len(raw)]
    return pd.DataFrame(
        {
            "covariate": names,
            "before matching": raw,
            "matched once": gap(once.pairs),
            "mean size over matched samples": np.mean([np.abs(gap(m.pairs)) for m in kept], axis=0),
        }
    )
