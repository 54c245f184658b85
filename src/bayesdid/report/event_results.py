"""Event studies and placebo tests of a report."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from bayesdid.checks.placebo import SCHEMES, placebo
from bayesdid.estimands.event_study import event_draws, event_path, smooth_draws
from bayesdid.exceptions import InputError
from bayesdid.inference.executor import map_fits
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec, Study


def event_sections(study: Study, trees: dict[str, dict[str, xr.DataTree]]) -> list[dict[str, Any]]:
    """Paths under independent, random-walk and Gaussian-process priors, one entry per spec.

    The smooth priors take mean and covariance of the flat fit as their likelihood; their scale
    is half-normal with the outcome's sd as its scale.
    """
    found = []
    for spec, kinds in trees.items():
        ready = {"flat", "fixed"} <= set(kinds) and all(
            kinds[kind].attrs["converged"] for kind in ("flat", "fixed")
        )
        if study[spec].column.family != "event_study" or not ready:
            continue
        rope = study.file.synergy.rope
        if study[spec].column.outcome != study.file.outcome.column:
            rope = None
        times, draws = event_draws(kinds["fixed"])
        reference = int(study[spec].column.options.get("reference", -1))
        paths = {"independent": event_path(times, draws, reference=reference, rope=rope)}
        _, flat = event_draws(kinds["flat"])
        scale = float(kinds["flat"]["observed_data"]["y"].std())
        for prior in ("random_walk", "gaussian_process"):
            smooth = smooth_draws(flat.mean(axis=0), np.cov(flat.T), times, reference, prior, scale)
            paths[prior] = event_path(times, smooth, reference=reference, rope=rope, prior=prior)
        found.append({"spec": spec, "title": study[spec].title, "paths": paths})
    return found


def placebo_sections(study: Study, panel: Panel, seed: int) -> list[dict[str, Any]]:
    """Both placebo schemes for every spec of family ``placebo``; what cannot run is left out."""
    specs = [spec for spec in study.specs.values() if spec.column.family == "placebo"]
    schemes = map_fits(partial(_schemes, panel=panel, seed=seed), specs)
    return [
        {"spec": spec.id, "title": spec.title, "schemes": found}
        for spec, found in zip(specs, schemes, strict=True)
        if found is not None
    ]


def _schemes(spec: Spec, panel: Panel, seed: int) -> dict[str, Any] | None:
    assignments = int(spec.column.options.get("draws", 1000))
    try:
        return {
            scheme: placebo(spec, panel, scheme=scheme, assignments=assignments, seed=seed)
            for scheme in SCHEMES
        }
    except InputError:
        return None  # the plan lists the spec with its reason
