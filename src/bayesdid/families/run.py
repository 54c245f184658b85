"""From a spec to its analysis: which family is done by which function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from bayesdid.exceptions import InputError
from bayesdid.families.analysis import Analysis
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec, Study

_FAMILIES = {
    "cohort": "bayesdid.families.cohort:cohort",
    "overlap": "bayesdid.families.overlap:overlap",
    "mediation": "bayesdid.families.mediation:mediation",
    "moderation": "bayesdid.families.moderation:moderation",
    "heterogeneity": "bayesdid.families.heterogeneity:heterogeneity",
    "specification_curve": "bayesdid.families.curve:specification_curve",
    "comparison": "bayesdid.families.compare:comparison",
    "iv_second": "bayesdid.families.instrument:instrument",
    "psm_did": "bayesdid.families.matching:matching",
    "errors": "bayesdid.families.errors:errors",
    "event_study": "bayesdid.families.honest:honest",
    "sdm": "bayesdid.families.spatial:spatial",
    "spillover_distance": "bayesdid.families.distance:distance_analysis",
    "spillover_bands": "bayesdid.families.bands:bands",
}
ANALYSED = frozenset(_FAMILIES)


class AnalysisFunction(Protocol):
    """What every family provides."""

    def __call__(
        self, study: Study, spec: Spec, panel: Panel, *, seed: int = 0, draws: int = 1000
    ) -> Analysis:
        """Analyse one spec."""
        ...


def analyse(
    study: Study, spec: Spec | str, panel: Panel, *, seed: int = 0, draws: int = 1000
) -> Analysis:
    """The analysis of one spec, by its family.

    Parameters
    ----------
    spec
        A spec of the study, or its id; its family must be one of :data:`ANALYSED`.
    draws
        Per chain, of four chains.

    Raises
    ------
    InputError
        If the family has no analysis, or an option or column is missing.
    NotIdentifiedError
        If the design does not identify the effect; the message says why.
    """
    found = study[spec] if isinstance(spec, str) else spec
    family = found.column.family
    if family not in _FAMILIES:
        raise InputError(
            f"{found.id}: family '{family}' has no analysis of its own",
            remedy=f"use bayesdid fit, or a family of {', '.join(sorted(ANALYSED))}",
        )
    module, _, name = _FAMILIES[family].partition(":")
    function: AnalysisFunction = getattr(import_module(module), name)
    return function(study, found, panel, seed=seed, draws=draws)


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """One analysis to be made, or found on disk."""

    study: Study
    spec_id: str
    panel: Panel
    seed: int = 0
    draws: int = 1000


def plan_analyses(
    study: Study,
    panel: Panel,
    specs: Sequence[str] | None = None,
    *,
    seed: int = 0,
    draws: int = 1000,
) -> list[AnalysisRequest]:
    """The specs of a study that have an analysis, or those asked for."""
    chosen = specs or [
        spec_id for spec_id, spec in study.specs.items() if spec.column.family in ANALYSED
    ]
    for spec_id in chosen:
        if study[spec_id].column.family not in ANALYSED:
            raise InputError(
                f"family '{study[spec_id].column.family}' has no analysis of its own",
                value=spec_id,
                remedy="use bayesdid fit",
            )
    return [AnalysisRequest(study, spec_id, panel, seed, draws) for spec_id in chosen]
