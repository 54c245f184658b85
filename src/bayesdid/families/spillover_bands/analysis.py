"""One spatial Durbin model per distance band, as published: every band a posterior of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from bayesdid.arrays import FloatArray
from bayesdid.design.build import as_two_way, build_design
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError, NotIdentifiedError
from bayesdid.families.analysis import Analysis, Figure, Series, Table, draws_tree
from bayesdid.families.spillover_bands import BandsOptions
from bayesdid.inference.executor import map_fits
from bayesdid.inference.fit import fit as fit_design
from bayesdid.inference.quantities import stacked
from bayesdid.model.bound import study_priors
from bayesdid.model.priors import PriorChoice
from bayesdid.panel.panel import Panel
from bayesdid.published.sweep import Sweep, sweep_of
from bayesdid.spatial.design import spatial_design, unstack
from bayesdid.spatial.weights.build import panel_distances
from bayesdid.spatial.weights.distance import rings
from bayesdid.spatial.weights.weights import Weights, make_weights
from bayesdid.study.load import Spec, Study

_DRAWS = 4  # times the chains' draws: simultaneous limits are far out in the tails


@dataclass(frozen=True, slots=True)
class _Band:
    """What is kept of one band's model: draws of the indirect effect, shape (S,), mean of rho."""

    name: str
    indirect: FloatArray
    rho: float
    converged: bool


def bands(
    study: Study,
    spec: Spec,
    panel: Panel,
    options: BandsOptions,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> Analysis:
    """The analysis of a spec of family ``spillover_bands``.

    Row-normalised; units without a neighbour in a band are islands of its weights. The first
    treatment's indirect effect is shown.
    """
    base = build_design(as_two_way(spec, with_rows=True), panel)
    if not base.treatments:
        raise InputError(f"{spec.id}: needs a treatment", remedy='set treatments = ["..."]')
    near = panel_distances(study, panel)
    units = panel.units
    treated = unstack(base, base.D[:, 0]).max(axis=1)
    edges: list[tuple[float, float]] = []
    weights: list[Weights] = []
    empty: list[str] = []
    for ring in rings(near, options.step_km, options.last_km, power=options.power):
        name = f"{ring.low:g}-{ring.high:g} km"
        reached = ring.matrix @ treated  # nobody there may ever be treated
        if not np.any(reached):
            empty.append(name)
            continue
        weights.append(make_weights(ring.matrix, units, name))
        edges.append((ring.low, ring.high))
    if not weights:
        raise NotIdentifiedError(
            f"{spec.id}: no unit has a treated one within {options.last_km:g} km",
            remedy="widen last_km",
        )
    term = base.treatments[0]
    priors = study_priors(spec, design=base)
    fit = partial(_fit_band, base=base, priors=priors, draws=_DRAWS * draws, seed=seed)
    found = map_fits(fit, weights)
    sweep = sweep_of(
        edges,
        [band.indirect for band in found],
        level=options.level,
        better=study.file.outcome.better,
        skipped=tuple(empty),
    )
    failed = tuple(band.name for band in found if not band.converged)
    draws_by_band = {band.name: band.indirect[: 4 * draws] for band in found}
    notes = [note.text for note in base.notes]
    if sweep.skipped:
        notes.append(f"no unit has a treated one {', '.join(sweep.skipped)} away")
    alone = {item.name: len(item.islands) for item in weights}
    if any(alone.values()):
        notes.append(
            "units without a neighbour in a band: "
            + ", ".join(f"{count} at {name}" for name, count in alone.items() if count)
        )
    unit = study.file.outcome.unit
    return Analysis(
        spec.id,
        "spillover_bands",
        spec.title,
        (
            sweep.sentence(),
            "A band's model leaves out what comes from all other bands, which its own "
            "coefficient then takes up: with period effects the exposures to all distances sum "
            "to nearly a constant, so that help from near can come back as harm from afar. The "
            "model of one smooth profile (family spillover_distance) has all distances at once.",
        ),
        (
            Table(
                "bands",
                f"Indirect effect of {term} by band, each from a model of its own; "
                f"all_low and all_high hold for all bands at once",
                _frame(sweep, found),
            ),
        ),
        (_figure(sweep, term, unit),),
        (),
        draws_tree(draws_by_band, spec, panel, engine="exact", seed=seed, priors=str(priors)),
        not failed and sweep.enough_draws,
        tuple(notes),
        panel.synthetic or "",
        failed,
    )


def _fit_band(weights: Weights, base: Design, priors: PriorChoice, draws: int, seed: int) -> _Band:
    design = spatial_design(base, weights)
    fit = fit_design(design, priors=priors, draws=draws, seed=seed, keep_effects=False)
    indirect = stacked(fit.tree, "effects", term=base.treatments[0], effect="indirect")
    return _Band(weights.name, indirect, float(stacked(fit.tree, "rho").mean()), fit.converged)


def _frame(sweep: Sweep, bands: Sequence[_Band]) -> pd.DataFrame:
    frame = sweep.frame.copy()
    frame.insert(0, "band", [band.name for band in bands])
    frame["rho"] = [band.rho for band in bands]
    for column in ("excludes_zero", "survives"):
        frame[column] = np.where(frame[column], "yes", "no")
    return frame.drop(columns=["from_km", "to_km"])


def _figure(sweep: Sweep, term: str, unit: str) -> Figure:
    frame = sweep.frame
    middle = ((frame["from_km"] + frame["to_km"]) / 2).tolist()
    return Figure(
        "bands",
        "points",
        f"Indirect effect of {term} by distance band: thick {sweep.level:.0%} "
        "for each band, thin for all bands at once (Bonferroni)",
        (
            Series(
                "band by band",
                middle,
                frame["mean"].tolist(),
                frame["low"].tolist(),
                frame["high"].tolist(),
                frame["all_low"].tolist(),
                frame["all_high"].tolist(),
            ),
        ),
        xlabel="distance, km",
        ylabel=unit,
    )
