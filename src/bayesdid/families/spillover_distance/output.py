"""What is shown of a profile over distance: its tables, sentences and figures."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.estimands.boundary import (
    Better,
    BoundaryReport,
    ClaimProbability,
    boundaries,
    helpful,
)
from bayesdid.estimands.evidence import evidence_word, grades
from bayesdid.exceptions import NotIdentifiedError
from bayesdid.families.analysis import Figure, Series
from bayesdid.inference.exact.conjugate import conjugate_posterior
from bayesdid.model.spillover import ProfileDesign
from bayesdid.study.load import Study
from bayesdid.summary import Band, band, chance, hdi_columns, percent

_HISTOGRAM = 2000  # draws shown


@dataclass(frozen=True, slots=True)
class Curves:
    """Draws of what one treated unit does at each distance, and the same of the prior."""

    what: str
    grid: FloatArray
    theta: FloatArray
    prior: FloatArray
    better: Better
    rope: float
    published: tuple[float, ...]


def boundary_row(report: BoundaryReport) -> dict[str, str | float]:
    """One row of the table of boundaries."""
    low, high = report.window
    return {
        "version": "sign alone" if report.rope == 0 else f"beyond {report.rope:.3g} on both sides",
        "P(boundary)": report.p_exists,
        "prior": report.prior_exists,
        "median km": report.median,
        **report.place.columns(),
        f"P(within {low:g}-{high:g} km)": report.p_window,
        "prior of that": report.prior_window,
        "P(harm ends)": report.p_ends,
        "prior of the end": report.prior_ends,
        "end, median km": report.end_median,
        "end low": report.end.low,
        "end high": report.end.high,
    }


def ring_frame(design: ProfileDesign, tree: xr.DataTree, curves: Curves) -> pd.DataFrame:
    """The profile ring by ring, beside an unrestricted regression."""
    rings, posterior = design.rings, tree["posterior"]
    name = "impact" if "impact" in posterior else "theta"
    theta = posterior[name].to_numpy().reshape(-1, rings.R)
    filled = np.where(np.isfinite(theta), theta, 0.0)
    ribbon = band(filled)
    good = (helpful(theta, curves.better) > 0).mean(axis=0)
    exposure = design.raw[:, :, -1].mean(axis=1)
    estimate, se = _unrestricted(design)
    frame = pd.DataFrame(
        {
            "ring": rings.labels,
            "pairs": rings.pairs,
            "exposure, last period": exposure,
            "mean": ribbon.mean,
            "sd": ribbon.sd,
            **dict(zip(hdi_columns(ribbon.level), (ribbon.low, ribbon.high), strict=True)),
            "band low": ribbon.band_low,
            "band high": ribbon.band_high,
            "P(helpful)": good,
            "all of the ring": ribbon.mean * exposure,
            "least squares": estimate,
            "se": se,
        }
    )
    if name == "impact":
        frame.loc[rings.pairs == 0, frame.columns[3:11]] = np.nan
    return frame


def _unrestricted(design: ProfileDesign) -> tuple[FloatArray, FloatArray]:
    """Every ring a coefficient of its own, flat prior, no spatial lag; NaN if not identified."""
    base, R = design.base, design.rings.R
    varies = np.abs(design.E).max(axis=(1, 2)) > 1e-12
    columns = design.raw[varies][:, base.unit_index, base.period_index].T
    wide: Design = dataclasses.replace(
        base,
        X=np.column_stack([base.X, columns]),
        covariates=(*base.covariates, *np.array(design.rings.labels)[varies].tolist()),
    )
    estimate, se = np.full(R, np.nan), np.full(R, np.nan)
    try:
        found = conjugate_posterior(wide)
    except NotIdentifiedError:
        return estimate, se
    last = slice(len(base.names), None)
    estimate[varies], se[varies] = found.location[last], np.sqrt(np.diag(found.scale))[last]
    return estimate, se


def sentences(
    curves: Curves,
    reports: list[BoundaryReport],
    claims: tuple[ClaimProbability, ...],
    evidence: pd.DataFrame,
    ribbon: Band,
    design: ProfileDesign,
) -> tuple[str, ...]:
    """Evidence, band, boundary and published claims in words."""
    sign, rope = reports
    said = []
    if len(evidence):
        row = evidence.iloc[(evidence.iloc[:, 0] - design.priors.share).abs().argmin()]

        def factor(against: str) -> str:
            values = evidence[f"smooth against {against}"]
            return (
                f"{row[f'smooth against {against}']:.3g} ({values.min():.3g} to "
                f"{values.max():.3g} over the priors tried: {evidence_word(values)})"
            )

        said.append(
            "One model of effect over distance, not one per band: its Bayes factor against no "
            f"spillover is {factor('none')}, against the same spillover at every distance "
            f"{factor('constant')}. {grades()}"
        )
    there = (ribbon.band_low > 0) | (ribbon.band_high < 0)
    said.append(
        f"The simultaneous {percent(ribbon.level)} band of the profile leaves zero "
        + (
            f"between {curves.grid[there].min():.0f} and {curves.grid[there].max():.0f} km"
            if there.any()
            else "nowhere"
        )
        + f" (out of {curves.grid[0]:.0f} to {curves.grid[-1]:.0f} km)."
    )
    said.append(
        f"Help turns into harm somewhere in that range with probability {chance(sign.p_exists)} by "
        f"sign alone, as a share of {sign.prior_exists:.3f} of prior draws do; with more than "
        f"{rope.rope:.3g} per treated unit on both sides it is {chance(rope.p_exists)} (prior "
        f"{rope.prior_exists:.3f})."
        + (
            f" If it does so by sign, then at {sign.median:.0f} km ({sign.place:.0f})."
            if np.isfinite(sign.median)
            else ""
        )
    )
    if curves.published:
        low, high = sign.window
        said.append(
            f"That boundary lies between {low:g} and {high:g} km with probability "
            f"{chance(sign.p_window)} (prior {sign.prior_window:.3f})."
        )
    said += [
        f"Published: {c.claim}. Read as '{c.definition}': probability {chance(c.posterior)} "
        f"(prior {c.prior:.3f})."
        for c in claims
        if "average" in c.definition or "crossings" in c.definition
    ]
    return tuple(said)


def figures(
    study: Study, curves: Curves, ribbon: Band, reports: list[BoundaryReport]
) -> tuple[Figure, ...]:
    """The profile, and where it changes sign."""
    line = Series(
        curves.what,
        curves.grid.tolist(),
        ribbon.mean.tolist(),
        ribbon.low.tolist(),
        ribbon.high.tolist(),
        ribbon.band_low.tolist(),
        ribbon.band_high.tolist(),
    )
    figures = [
        Figure(
            "profile",
            "curve",
            f"{curves.what} on another, by distance: {percent(ribbon.level)} HDI and, lighter, "
            "the simultaneous band; dashed: published boundaries.",
            (line,),
            xlabel="distance (km)",
            ylabel=study.file.outcome.unit,
            verticals=curves.published,
        )
    ]
    places = []
    found = boundaries(curves.grid, curves.theta, curves.better)
    for label, values in (("help turns into harm", found.first), ("harm ends", found.second)):
        there = values[np.isfinite(values)][:_HISTOGRAM]
        if len(there) > 1:
            places.append(Series(label, [], there.tolist(), [], []))
    if places:
        p = reports[0].p_exists
        figures.append(
            Figure(
                "boundary",
                "histogram",
                f"Where the profile changes sign, in the {p:.1%} of draws in "
                f"which it does (prior: {reports[0].prior_exists:.1%}); dashed: published "
                "boundaries.",
                tuple(places),
                xlabel="distance (km)",
                reference=None,
                verticals=curves.published,
            )
        )
    return tuple(figures)
