"""Cohort x event-time ATTs with partial pooling, beside their peers and the TWFE coefficient."""

from __future__ import annotations

import dataclasses

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.design.build import as_two_way, build_design
from bayesdid.design.cohort import CohortDesign, cohort_design
from bayesdid.estimands.spread import spread_of, spread_sentence
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.families.analysis import (
    Analysis,
    Figure,
    Peer,
    Table,
    series_of,
    summary_frame,
    sup_t,
)
from bayesdid.families.cohort import CohortOptions
from bayesdid.families.cohort.effects import stated_effects
from bayesdid.families.under_errors import draws_of, under_errors
from bayesdid.inference.exact.conjugate import conjugate_posterior
from bayesdid.model.bound import study_priors
from bayesdid.model.pooling import Pooling, indicators, pooled_scale, stack
from bayesdid.notebook import many
from bayesdid.panel.panel import Panel
from bayesdid.peers.fixest import least_squares
from bayesdid.peers.impute import UNBALANCED
from bayesdid.peers.staggered import (
    StaggeredEstimates,
    TermWeights,
    bacon,
    callaway_santanna,
    imputation,
    term_weights,
)
from bayesdid.study.load import Spec, Study
from bayesdid.summary import equals, hdi, percent

_EXACT = 1e-6  # of sd(y): closed forms that must agree to rounding


def cohort_pooling(cells: CohortDesign) -> Pooling:
    """ATT(g, e) = mu + event time + cohort + cell, each part with its own standard deviation.

    Cells before adoption (controls ``never``) deviate from zero, not from the ATT.
    """
    D, design = cells.design.D, cells.design
    treated = D[:, cells.post].sum(axis=1)
    blocks: list[tuple[str, tuple[str, ...], FloatArray]] = [("", ("ATT",), treated[:, None])]
    for part, values in (("event", cells.event_time), ("cohort", cells.cohort)):
        levels = sorted(set(values[cells.post].tolist()))
        if len(levels) > 1:
            of_row = (D * cells.post) @ values
            columns = indicators(of_row, list(levels), treated)
            blocks.append((part, tuple(f"{part} {level}" for level in levels), columns))
    blocks.append(("cell", design.treatments, D))
    return stack(design, blocks)


def cell_effects(pooling: Pooling, tau: FloatArray, cells: CohortDesign) -> FloatArray:
    """Draws of ATT(g, e), shape (S, cells), from draws of base terms and deviations."""
    position = {name: k for k, name in enumerate(pooling.design.treatments)}
    names = [*cells.design.treatments]
    found = tau[:, [position[name] for name in names]].copy()
    found[:, cells.post] += tau[:, [position["ATT"]]]
    for part, values in (("event", cells.event_time), ("cohort", cells.cohort)):
        if part in pooling.parts:
            for k in np.flatnonzero(cells.post):
                found[:, k] += tau[:, position[f"{part} {values[k]}"]]
    return found


def cohort(
    study: Study,
    spec: Spec,
    panel: Panel,
    options: CohortOptions,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Analysis:
    """The analysis of a spec of family ``cohort``: one staggered treatment, both or active:P."""
    controls = options.controls
    cells = cohort_design(spec, panel, controls=controls)
    pooling = cohort_pooling(cells)
    priors = study_priors(spec, {spec.column.treatments[0]: ("ATT",)})
    under = under_errors(pooling.design, options.errors, priors=priors, seed=seed, draws=draws)
    tree = under.tree
    rng = np.random.default_rng(seed)
    size = 4 * draws
    flat = conjugate_posterior(cells.design).draw(size, rng)[:, : len(cells.cohort)]
    pooled = cell_effects(pooling, draws_of(tree), cells)
    weights = cells.weights()
    iid = cell_effects(pooling, draws_of(under.iid), cells) @ weights["overall"]["ATT"]
    overall = {
        f"{label}, {name}": values @ weight
        for label, values in (("pooled", pooled), ("flat, i.i.d. errors", flat))
        for name, weight in _named(weights["overall"]).items()
    }
    (twfe,) = term_weights(build_design(as_two_way(spec, with_rows=True), panel))
    main = overall["pooled, ATT over treated rows"]
    scale = pooled_scale(pooling.design)
    spreads = {_PART_NAMES[part]: spread_of(tree, part, scale) for part in pooling.parts}
    unit = study.file.outcome.unit if spec.column.outcome == study.file.outcome.column else "units"
    plain = not (spec.column.effects or spec.column.row_weights)
    peers = tuple(_peers(spec, panel) if plain else _by_dummies(cells, controls))
    sentences = (
        f"The average effect on the treated is {main.mean():.3f} ({unit}; "
        f"{hdi(main):.3f}; P(< 0) {equals((main < 0).mean())}) from "
        f"{many(len(cells.cohort), 'cohort-by-event-time cell')} of "
        f"{many(len(np.unique(cells.cohort)), 'cohort')}, partially pooled, "
        f"against {'units not yet treated' if controls == 'not_yet' else 'never-treated units'}. "
        "Without pooling, under i.i.d. errors, it is "
        f"{overall['flat, i.i.d. errors, ATT over treated rows'].mean():.3f}; the one TWFE "
        f"coefficient is {twfe.estimate:.3f}.",
        under.says("the average effect on the treated", main, iid),
        spread_sentence(spreads),
        *weights_sentences(twfe, cells),
    )
    return Analysis(
        spec.id,
        "cohort",
        spec.title,
        sentences,
        tables=(
            Table("overall", "Averages of ATT(cohort, event time)", summary_frame(overall)),
            Table(
                "cohorts",
                "ATT by cohort, partially pooled",
                summary_frame(
                    {cells.label(g): pooled @ w for g, w in weights["cohort"].items()}, "cohort"
                ),
            ),
        ),
        figures=(
            _event_figure(weights, pooled, flat, unit),
            _cohort_figure(weights, pooled, flat, unit, cells),
        ),
        peers=peers,
        posterior=tree,
        converged=under.converged,
        fit=under.fit,
        notes=(
            *(note.text for note in cells.design.notes),
            *([] if cells.design.is_balanced else [UNBALANCED]),
        ),
        synthetic=panel.synthetic or "",
        effects=stated_effects(spec.column.treatments[0], controls, overall, iid, peers),
    )


_PART_NAMES = {"event": "event times", "cohort": "cohorts", "cell": "single cells"}


def _named(weights: dict[int | str, FloatArray]) -> dict[str, FloatArray]:
    labels = {
        "ATT": "ATT over treated rows",
        "cohorts": "cohorts by their units",
        "dynamic": "event times alike",
    }
    return {labels[str(key)]: value for key, value in weights.items()}


def weights_sentences(twfe: TermWeights, cells: CohortDesign) -> list[str]:
    """Whether forbidden comparisons and negative weights matter for one TWFE coefficient."""
    if twfe.negative_rows:
        said = (
            f"gives negative weight to the effects in {twfe.negative_rows} treated rows (sum "
            f"{twfe.negative:.3f}, of a total of one)"
        )
    else:
        said = "gives no negative weight to the effect of any treated row"
    if np.isfinite(twfe.zero_sd):
        said += (
            "; its weights differ, so that it need not equal the average effect: that could be "
            f"zero if effects vary over treated rows with an sd of {twfe.zero_sd:.3g} or more"
        )
    else:
        said += "; all its weights are alike, so that it is the average effect"
    found = [f"The TWFE coefficient {said}."]
    plain = not cells.design.further and cells.design.weights is None
    parts = bacon(cells) if plain else None
    if parts is not None:
        share = parts.weight["forbidden"]
        found.append(
            f"Goodman-Bacon, without covariates ({parts.estimate:.3f}): "
            f"{parts.weight['never']:.0%} of the weight compares with never-treated units, "
            f"{parts.weight['earlier']:.0%} with later and {share:.0%} with earlier treated ones; "
            + (
                "the last are a small part here."
                if share < 0.1
                else "the last can bias the coefficient if effects grow over time."
            )
        )
    return found


def _event_figure(
    weights: dict[str, dict[int | str, FloatArray]], pooled: FloatArray, flat: FloatArray, unit: str
) -> Figure:
    return Figure(
        "event_time",
        "points",
        f"ATT by event time: pointwise HDI and simultaneous band ({percent()}).",
        (
            sup_t("flat, i.i.d. errors", {k: flat @ w for k, w in weights["event time"].items()}),
            sup_t("partially pooled", {k: pooled @ w for k, w in weights["event time"].items()}),
        ),
        xlabel="periods since adoption",
        ylabel=unit,
    )


def _cohort_figure(
    weights: dict[str, dict[int | str, FloatArray]],
    pooled: FloatArray,
    flat: FloatArray,
    unit: str,
    cells: CohortDesign,
) -> Figure:
    return Figure(
        "cohorts",
        "forest",
        f"ATT by cohort ({percent()} HDI): pooling moves small cohorts to the rest.",
        (
            series_of(
                "flat, i.i.d. errors",
                {cells.label(k): flat @ w for k, w in weights["cohort"].items()},
            ),
            series_of(
                "partially pooled",
                {cells.label(k): pooled @ w for k, w in weights["cohort"].items()},
            ),
        ),
        xlabel=unit,
    )


def _by_dummies(cells: CohortDesign, controls: str) -> list[Peer]:
    """Flat posterior means against least squares by pyfixest, further effects and weights in both.

    The packages for staggered adoption have neither.
    """
    posterior, estimates = conjugate_posterior(cells.design), least_squares(cells.design)
    P, weights = len(cells.cohort), cells.weights()
    covariance = estimates.cluster_covariance[:P, :P]
    averages = {"ATT": weights["overall"]["ATT"]}
    averages |= {f"event time {e}": w for e, w in weights["event time"].items()}
    found = []
    for name, w in averages.items():
        sd = np.sqrt(w @ posterior.scale[:P, :P] @ w * posterior.nu / max(posterior.nu - 2, 1))
        found.append(
            Peer(
                f"{name}, {controls.replace('_', ' ')} treated, flat cells",
                float(w @ posterior.location[:P]),
                float(sd),
                "least squares, every cell (pyfixest)",
                float(w @ estimates.table["estimate"].to_numpy()[:P]),
                float(np.sqrt(w @ covariance @ w)),
                _EXACT * float(cells.design.y.std()),
            )
        )
    return found


def _peers(spec: Spec, panel: Panel) -> list[Peer]:
    """Flat posterior means without covariates against imputation and Callaway-Sant'Anna."""
    bare = dataclasses.replace(spec, column=spec.column.model_copy(update={"covariates": ()}))
    found: list[Peer] = []
    for controls, estimator in (("not_yet", imputation), ("never", callaway_santanna)):
        try:
            cells = cohort_design(bare, panel, controls=controls)
        except NotIdentifiedError:
            continue  # no never-treated unit
        posterior = conjugate_posterior(cells.design)
        post = np.flatnonzero(cells.post)
        if not len(post):
            continue
        estimates: StaggeredEstimates = estimator(cells)
        exact = cells.design.is_balanced  # see UNBALANCED; Callaway-Sant'Anna differences units
        tolerance = _EXACT * float(cells.design.y.std()) if exact else float("inf")
        weights = cells.weights()
        rows: list[tuple[str, FloatArray, tuple[float, float]]] = [
            ("ATT", weights["overall"]["ATT"], estimates.overall)
        ]
        rows += [
            (f"event time {e}", w, estimates.by_event[int(e)])
            for e, w in weights["event time"].items()
            if int(e) in estimates.by_event and int(e) not in cells.bases
        ]
        for name, w, (estimate, se) in rows:
            sd = np.sqrt(w @ posterior.scale @ w * posterior.nu / max(posterior.nu - 2, 1))
            found.append(
                Peer(
                    f"{name}, {controls.replace('_', ' ')} treated, no covariates",
                    float(w @ posterior.location),
                    float(sd),
                    estimates.name,
                    estimate,
                    se,
                    tolerance,
                )
            )
    return found
