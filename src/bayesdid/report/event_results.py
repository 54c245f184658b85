"""Event studies of a report: their paths under several priors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayesdid.design.design import Design
from bayesdid.design.window import event_window
from bayesdid.estimands.event_study import event_draws, event_path, smooth_draws
from bayesdid.estimands.leads import leads_sentence
from bayesdid.inference.plan import MAIN
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Study


def event_sections(
    study: Study,
    panel: Panel,
    trees: dict[str, dict[str, xr.DataTree]],
    designs: Mapping[str, Design],
) -> list[dict[str, Any]]:
    """Paths under independent, random-walk and Gaussian-process priors, one entry per spec.

    The smooth priors take mean and covariance of the main fit as their likelihood; their scale
    is half-normal with the outcome's sd as its scale. ``leads``: what is known of its leads.
    """
    found = []
    for spec, kinds in trees.items():
        ready = MAIN in kinds and kinds[MAIN].attrs["converged"]
        if study[spec].column.family != "event_study" or not ready:
            continue
        rope = study.file.synergy.rope
        if study[spec].column.outcome != study.file.outcome.column:
            rope = None
        times, draws = event_draws(kinds[MAIN])
        window = event_window(study[spec])
        reference = window.reference
        paths = {"independent": event_path(times, draws, reference=reference, rope=rope)}
        scale = float(kinds[MAIN]["observed_data"]["y"].std())
        for prior in ("random_walk", "gaussian_process"):
            smooth = smooth_draws(
                draws.mean(axis=0), np.cov(draws.T), times, reference, prior, scale
            )
            paths[prior] = event_path(times, smooth, reference=reference, rope=rope, prior=prior)
        bins = window.ends == "bin"
        (term,) = study[spec].column.treatments
        found.append(
            {
                "spec": spec,
                "title": study[spec].title,
                "bins": bins,
                "paths": paths,
                "leads": leads_sentence(panel, term, designs[spec].units, min(times)),
            }
        )
    return found
