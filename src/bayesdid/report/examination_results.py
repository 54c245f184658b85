"""The examination of a report: all checks of the fit that its answer rests on, and standards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bayesdid.arrays import FloatArray
from bayesdid.checks.differing import differing_check
from bayesdid.checks.examine import examine
from bayesdid.checks.left_out import Followed
from bayesdid.checks.standards import standards
from bayesdid.digest import digest
from bayesdid.estimands.names import main_contrast
from bayesdid.estimands.nonlinear import NONLINEAR
from bayesdid.estimands.synergy import Synergy
from bayesdid.exceptions import BayesdidError
from bayesdid.families.examined import declared_weights
from bayesdid.inference.plan import MAIN
from bayesdid.inference.result import Fit
from bayesdid.inference.store import StoredFit
from bayesdid.jsonio import plain, read_sealed, write_sealed
from bayesdid.model.bound import BoundModel
from bayesdid.panel.adoption import arm
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Study

REFITS = 3  # units left out by fitting again: a report is waited for


def examined(
    study: Study, panel: Panel, fit: Fit, bound: BoundModel, of: str, synergy: Synergy | None = None
) -> dict[str, Any]:
    """All checks of one fit as plain values; the model as text, what it is of, standards.

    Parameters
    ----------
    of
        What the fit answers, for people.
    synergy
        Of which the fit is, for its contrasts and their ROPE.
    """
    outcome, own = study.file.outcome, Fit(fit.tree, bound)
    try:
        results = examine(
            own,
            arms=arm(panel.adoption).rename(index=str),
            minimum=outcome.minimum_of(outcome.column),
            labels=panel.unit_labels,
            weights=declared_weights(study, panel),
            contrasts=None if synergy is None else _contrasts(synergy, outcome.better == "lower"),
            follow=None if synergy is None else _followed(synergy),
            refits=REFITS,
        )
    except BayesdidError as error:
        return nothing_examined(str(error))
    if synergy is not None:
        results += (differing_check(synergy),)
    rope = None if synergy is None else _rope(synergy)
    about = study.file.study
    filled = standards(own, results, rope=rope, citation=about.citation, licence=about.licence)
    return {
        "of": of,
        "equation": own.equation,
        "results": plain(results),
        "standards": plain(filled),
        "failed": "",
    }


def nothing_examined(why: str) -> dict[str, Any]:
    """The section where there is nothing to examine."""
    return {"of": "", "equation": "", "results": [], "standards": [], "failed": why}


def examination_section(
    study: Study, panel: Panel, stored: list[StoredFit], headline: dict[str, Any], folder: Path
) -> dict[str, Any]:
    """That of the headline model, or where there is none that of the first spec's main fit."""
    if headline.get("examination"):
        return dict(headline["examination"])
    main = next((fit for fit in stored if fit.request.label == MAIN), None)
    if main is None:
        return nothing_examined("no spec was fitted")
    path = folder / f"examination-{digest('examination', main.request.key, study.file)[:16]}.json"
    try:
        return dict(read_sealed(path))
    except (FileNotFoundError, ValueError):
        pass
    of = main.request.design.spec_id
    found = examined(study, panel, Fit(main.load()), main.request.bound, of)
    return dict(write_sealed(path, found))


def _rope(synergy: Synergy) -> float | None:
    """That of the contrasts in the outcome's unit, if they share one."""
    ropes = {item.summary.rope for item in synergy.values()}
    shared = {rope for rope in ropes if np.isfinite(rope)}
    return next(iter(shared)) if len(shared) == 1 else None


def _followed(synergy: Synergy) -> Followed | None:
    """The contrast that the answer is about, which leaving units out is about too."""
    linear = [name for name in synergy if name not in NONLINEAR]
    name = main_contrast(linear)
    if not name or name not in synergy.averages:
        return None
    weights = synergy.averages[name].parts[0]
    terms = synergy.design.treatments
    return Followed(synergy[name].label, dict(zip(terms, weights.tolist(), strict=True)))


def _contrasts(synergy: Synergy, lower: bool) -> dict[str, FloatArray]:
    """Draws of the contrasts that are linear in the coefficients."""
    tau = synergy.fit.tau()
    return {
        name: synergy.averages[name].values(name, tau, lower)
        for name in synergy
        if name in synergy.averages and name not in NONLINEAR
    }
