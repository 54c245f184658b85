"""Spillover over distance: one smooth profile with its boundaries, not one model per band."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from bayesdid.design.build import as_two_way, build_design
from bayesdid.estimands.boundary import (
    BoundaryReport,
    ClaimProbability,
    boundary_report,
    claim_probabilities,
)
from bayesdid.families.analysis import Analysis, Table, summary_frame
from bayesdid.families.spillover_distance import DistanceOptions
from bayesdid.families.spillover_distance.effects import stated_effects
from bayesdid.families.spillover_distance.output import (
    Curves,
    boundary_row,
    figures,
    ring_frame,
    sentences,
)
from bayesdid.inference.exact.profile import prior_profiles
from bayesdid.inference.exact.profile_target import log_evidence, profile_target, with_share
from bayesdid.inference.fit import fit
from bayesdid.model.bound import study_priors
from bayesdid.model.priors import SCEPTICAL_SHARE, WEAK_MULTIPLE
from bayesdid.model.spillover import ProfileDesign, profile_design
from bayesdid.panel.panel import Panel
from bayesdid.spatial.weights.build import panel_distances, resolve_weights
from bayesdid.study.cells import find_cell
from bayesdid.study.load import Spec, Study
from bayesdid.summary import band

_ROPE_SHARE = 0.1  # of the residual sd: the ROPE where the study names none
_PRIOR_DRAWS = 4000
_SHARES = (SCEPTICAL_SHARE, 1.0, WEAK_MULTIPLE)  # of the sd within: prior widths that are tried


def distance_analysis(
    study: Study,
    spec: Spec,
    panel: Panel,
    options: DistanceOptions,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Analysis:
    """The analysis of a spec of family ``spillover_distance``.

    The first treatment spills over; for ``share`` see
    :func:`~bayesdid.model.spillover.profile_design`.
    """
    design = made_design(study, spec, panel, options)
    found = fit(design, priors=study_priors(spec, design=design.base), draws=draws, seed=seed)
    tree = found.tree
    curves = _curves(study, spec, options, design, tree, seed)
    evidence, failed = evidence_frame(design, seed)
    reports = [_report(curves, rope, design.rings.step) for rope in (0.0, curves.rope)]
    claims: tuple[ClaimProbability, ...] = ()
    if len(curves.published) == 2:
        first, second = curves.published
        claims = claim_probabilities(
            curves.grid,
            curves.theta,
            curves.prior,
            first=first,
            second=second,
            rope=curves.rope,
            better=curves.better,
            tolerance=design.rings.step,
        )
    ribbon = band(curves.theta)
    posterior = tree["posterior"]
    names = ["sigma", "amplitude", "length", *(n for n in ("rho", "direct") if n in posterior)]
    scalars = {name: posterior[name].to_numpy().ravel() for name in names}
    scalars = {"direct effect (tau)": posterior["tau"].to_numpy()[..., 0].ravel()} | scalars
    tables = [
        Table(
            "rings",
            f"{curves.what} by ring, its simultaneous band, and unrestricted rings by "
            "least squares",
            ring_frame(design, tree, curves),
        ),
        Table(
            "boundaries",
            "Where help turns into harm, posterior beside prior",
            pd.DataFrame([boundary_row(report) for report in reports]),
        ),
        Table(
            "evidence", "Bayes factors of the smooth profile, by the width of its prior", evidence
        ),
        Table(
            "parameters",
            "Direct effect and hyperparameters (amplitude: sd of the profile over "
            "sigma; length in km)",
            summary_frame(scalars),
        ),
    ]
    if claims:
        tables.insert(
            1,
            Table(
                "claims",
                "The published reading of distances, posterior beside prior",
                pd.DataFrame(claims),
            ),
        )
    return Analysis(
        spec.id,
        "spillover_distance",
        spec.title,
        sentences(curves, reports, claims, evidence, ribbon, design),
        tables=tuple(tables),
        figures=figures(study, curves, ribbon, reports),
        posterior=tree,
        converged=bool(tree.attrs["converged"]),
        notes=(
            *(note.text for note in (*design.base.notes, *design.notes)),
            f"A ring's distance is its midpoint; the ROPE is {curves.rope:.3g} per treated "
            f"unit: a typical ring holds {design.typical:.3g} in the last period.",
        ),
        synthetic=panel.synthetic or "",
        failed=tuple(failed),
        effects=stated_effects(design, tree, curves),
        fit=found,
    )


def made_design(study: Study, spec: Spec, panel: Panel, options: DistanceOptions) -> ProfileDesign:
    """The profile design that a spec's options ask for."""
    base = build_design(as_two_way(spec, with_rows=True), panel)
    weights = None
    if options.rho:
        weights = resolve_weights(study, panel, options.weights or str(spec.column.weights))
    distances = panel_distances(study, panel)
    place = {unit: k for k, unit in enumerate(panel.units)}
    order = np.array([place[unit] for unit in base.units])
    return profile_design(
        base,
        distances.km[np.ix_(order, order)],
        weights=weights,
        step_km=options.step_km,
        last_km=options.last_km,
        share=options.share,
        exposure=options.exposure,
        kernel=options.kernel,
    )


def _published(study: Study, spec: Spec, options: DistanceOptions) -> tuple[float, ...]:
    """Published boundaries in km, given as numbers or as names of printed numbers."""
    found = []
    for item in options.boundaries or ():
        if isinstance(item, str):
            ref = item if ":" in item else f"{spec.table.id}:{item}"
            found.append(float(find_cell(ref, study.tables, study.path).value.value))
        else:
            found.append(float(item))
    return tuple(sorted(found))


def _curves(
    study: Study,
    spec: Spec,
    options: DistanceOptions,
    design: ProfileDesign,
    tree: xr.DataTree,
    seed: int,
) -> Curves:
    prior = prior_profiles(design, _PRIOR_DRAWS, seed=seed + 1)
    rope = options.rope or study.file.synergy.rope or _ROPE_SHARE * design.priors.reference
    rope = rope / design.typical
    better, published = study.file.outcome.better, _published(study, spec, options)
    posterior = tree["posterior"]
    if "impact" not in posterior:
        theta = posterior["profile"].to_numpy().reshape(-1, len(design.grid))
        return Curves(
            "Effect of one treated unit",
            design.grid,
            theta,
            prior["profile"],
            better,
            rope,
            published,
        )
    there = design.rings.pairs > 0
    theta = posterior["impact"].to_numpy().reshape(-1, design.rings.R)[:, there]
    return Curves(
        "Impact of one treated unit once spillovers have spread",
        design.rings.middle[there],
        theta,
        prior["impact"][:, there],
        better,
        rope,
        published,
    )


def _report(curves: Curves, rope: float, step: float) -> BoundaryReport:
    about = curves.published[0] if curves.published else float(np.median(curves.grid))
    return boundary_report(
        curves.grid,
        curves.theta,
        curves.prior,
        better=curves.better,
        rope=rope,
        window=(about - step, about + step),
    )


def evidence_frame(design: ProfileDesign, seed: int) -> tuple[pd.DataFrame, list[str]]:
    """Bayes factors against no spillover and against one constant, for three prior widths."""
    smooth, constant = profile_target(design), profile_target(design, "constant")
    base, gate = log_evidence(profile_target(design, "none"), seed=seed)
    rows, failed = [], []
    shares = dict.fromkeys([*_SHARES, design.priors.share])
    for share in sorted(shares):
        one, first = log_evidence(with_share(smooth, share), seed=seed)
        other, second = log_evidence(with_share(constant, share), seed=seed)
        if not all(item.passed for item in (*gate, *first, *second)):
            failed.append(f"evidence under a prior of {share:g}")
            continue
        rows.append(
            {
                "prior: spillover over sd within": share,
                "smooth against none": float(np.exp(np.clip(one - base, -700, 700))),
                "smooth against constant": float(np.exp(np.clip(one - other, -700, 700))),
                "constant against none": float(np.exp(np.clip(other - base, -700, 700))),
            }
        )
    columns = [
        "prior: spillover over sd within",
        "smooth against none",
        "smooth against constant",
        "constant against none",
    ]
    return pd.DataFrame(rows, columns=columns), failed
