"""Spillover over distance: one smooth profile with its boundaries, not one model per band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
from bayesdid.estimands.evidence import PRIOR_SHARES
from bayesdid.exceptions import InputError
from bayesdid.families.analysis import Analysis, Table, summary_frame
from bayesdid.families.distance_output import Curves, boundary_row, figures, ring_frame, sentences
from bayesdid.families.options import positive_number, refuse_unknown
from bayesdid.inference.exact.profile import fit_profile, prior_profiles
from bayesdid.inference.exact.profile_target import log_evidence, profile_target, with_share
from bayesdid.model.spillover import ProfileDesign, profile_design
from bayesdid.panel.panel import Panel
from bayesdid.spatial.weights.build import panel_distances, resolve_weights
from bayesdid.study.cells import find_cell
from bayesdid.study.load import Spec, Study
from bayesdid.summary import band

_OPTIONS = frozenset(
    {"step_km", "last_km", "exposure", "kernel", "rho", "weights", "share", "rope", "boundaries"}
)
_ROPE_SHARE = 0.1  # of the residual sd: the ROPE where the study names none
_PRIOR_DRAWS = 4000


def distance_analysis(
    study: Study, spec: Spec, panel: Panel, *, seed: int = 0, draws: int = 1000
) -> Analysis:
    """The analysis of a spec of family ``spillover_distance``.

    The first treatment spills over. Options: ``step_km`` (100), ``last_km`` (2000), ``exposure``
    (``count`` or ``share``), ``kernel`` (``matern52`` or ``squared_exponential``), ``rho`` (false;
    a spatial lag of the outcome by the spec's weights or option ``weights``), ``share`` (see
    :func:`~bayesdid.model.spillover.profile_design`), ``rope`` (half width, outcome units, for
    all that comes from one typical ring; default the study's, or a tenth of the residual sd) and
    ``boundaries``, the published ones: two numbers in km, or names of numbers of the spec's table.
    """
    refuse_unknown(spec, _OPTIONS, "spillover over distance")
    design = made_design(study, spec, panel)
    tree = fit_profile(design, draws=draws, seed=seed)
    curves = _curves(study, spec, design, tree, seed)
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
    )


def made_design(study: Study, spec: Spec, panel: Panel) -> ProfileDesign:
    """The profile design that a spec's options ask for."""
    options = spec.column.options
    base = build_design(as_two_way(spec), panel)
    weights = None
    if options.get("rho", False):
        name = options.get("weights") or spec.column.weights
        if not name:
            raise InputError(
                f"{spec.id}: a spatial lag needs weights",
                remedy="name them by the option weights, or leave rho out",
            )
        weights = resolve_weights(study, panel, str(name))
    distances = panel_distances(study, panel)
    place = {unit: k for k, unit in enumerate(panel.units)}
    order = np.array([place[unit] for unit in base.units])
    given: dict[str, Any] = {
        "step_km": positive_number(spec, "step_km", 100.0),
        "last_km": positive_number(spec, "last_km", 2000.0),
        "share": positive_number(spec, "share", 1.0),
        "exposure": options.get("exposure", "count"),
        "kernel": options.get("kernel", "matern52"),
    }
    return profile_design(base, distances.km[np.ix_(order, order)], weights=weights, **given)


def _published(study: Study, spec: Spec) -> tuple[float, ...]:
    """Published boundaries in km, given as numbers or as names of printed numbers."""
    given = spec.column.options.get("boundaries", ())
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) not in (0, 2):
        raise InputError(
            f"{spec.id}: option boundaries takes two",
            value=str(given),
            remedy="two distances in km, or names of the table's numbers",
        )
    found = []
    for item in given:
        if isinstance(item, str):
            ref = item if ":" in item else f"{spec.table.id}:{item}"
            found.append(float(find_cell(ref, study.tables, study.path).value.value))
        else:
            found.append(float(item))
    return tuple(sorted(found))


def _curves(
    study: Study, spec: Spec, design: ProfileDesign, tree: xr.DataTree, seed: int
) -> Curves:
    prior = prior_profiles(design, _PRIOR_DRAWS, seed=seed + 1)
    rope = study.file.synergy.rope or _ROPE_SHARE * design.priors.reference
    rope = positive_number(spec, "rope", rope) / design.typical
    better, published = study.file.outcome.better, _published(study, spec)
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
    shares = dict.fromkeys([*PRIOR_SHARES.values(), design.priors.share])
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
