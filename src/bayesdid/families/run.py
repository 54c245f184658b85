"""From a spec to its analysis, by its family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bayesdid.exceptions import InputError
from bayesdid.families.analysis import Analysis
from bayesdid.families.registry.discover import families
from bayesdid.families.registry.family import AnyFamily, Options
from bayesdid.families.registry.load import table_file
from bayesdid.families.registry.validate import checked_options, family_of
from bayesdid.panel.panel import Panel
from bayesdid.study.load import Spec, Study


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """One analysis to be made, or found on disk.

    Attributes
    ----------
    family, options
        The spec's family and its typed options, found and checked when the request is made; they
        travel with it to worker processes, which need not know of a registered family.
    draws
        Per chain, of four chains.
    """

    study: Study
    spec: Spec
    panel: Panel
    family: AnyFamily
    options: Options
    seed: int = 0
    draws: int = 1000


def analyse(
    study: Study, spec: Spec | str, panel: Panel, *, seed: int = 0, draws: int = 1000
) -> Analysis:
    """The analysis of one spec, by its family.

    Parameters
    ----------
    spec
        A spec of the study, or its id; its family must have an analysis.
    draws
        Per chain, of four chains.

    Raises
    ------
    InputError
        If the family is unknown or has no analysis, or the spec says what it does not read.
    NotIdentifiedError
        If the design does not identify the effect; the message says why.
    """
    return run(make_request(study, spec, panel, seed=seed, draws=draws))


def run(request: AnalysisRequest) -> Analysis:
    """Make one analysis."""
    function = request.family.runner()
    return function(
        request.study,
        request.spec,
        request.panel,
        request.options,
        seed=request.seed,
        draws=request.draws,
    )


def make_request(
    study: Study, spec: Spec | str, panel: Panel, *, seed: int = 0, draws: int = 1000
) -> AnalysisRequest:
    """Find a spec's family and check its options; raises as :func:`analyse` does."""
    found = study[spec] if isinstance(spec, str) else spec
    file = table_file(study, found.table.id)
    family = family_of(found, file)
    if not family.has_analysis:
        able = [other.name for other in families().values() if other.has_analysis]
        raise InputError(
            f"{found.id}: family '{family.name}' has no analysis of its own",
            remedy=f"use bayesdid fit, or a family of {', '.join(able)}",
        )
    options = checked_options(found, family, file)
    return AnalysisRequest(study, found, panel, family, options, seed, draws)


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
        spec_id for spec_id, spec in study.specs.items() if family_of(spec).has_analysis
    ]
    return [make_request(study, spec_id, panel, seed=seed, draws=draws) for spec_id in chosen]
