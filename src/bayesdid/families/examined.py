"""Checks of any spec, whatever its family: the fit that its main numbers are of, examined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bayesdid.checks.check import CheckResult
from bayesdid.checks.examine import examine
from bayesdid.checks.standards import StandardItem, standards
from bayesdid.design.build import FITTED_FAMILIES, as_two_way, build_design
from bayesdid.exceptions import InputError
from bayesdid.families.registry.validate import family_of
from bayesdid.families.run import analyse
from bayesdid.inference.fit import fit
from bayesdid.inference.result import Fit
from bayesdid.model.bound import model, study_priors
from bayesdid.panel.adoption import arm
from bayesdid.panel.panel import Panel
from bayesdid.spatial.weights.build import resolve_weights
from bayesdid.spatial.weights.weights import Weights
from bayesdid.study.load import Spec, Study

MANY = (
    "its numbers are of many fits; examined is the two-way regression that they vary, under the "
    "default errors"
)


@dataclass(frozen=True, slots=True)
class Examined:
    """All checks of one spec.

    Attributes
    ----------
    spec_id, family, synthetic
        Of what.
    equation
        The model that was examined, as text.
    note
        What stands for what, or empty.
    results, standards
        See :func:`bayesdid.checks.examine.examine`, :mod:`bayesdid.checks.standards`.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "spec_id",
        "family",
        "synthetic",
        "equation",
        "note",
        "results",
        "standards",
    )

    spec_id: str
    family: str
    synthetic: str
    equation: str
    note: str
    results: tuple[CheckResult, ...]
    standards: tuple[StandardItem, ...]


def examine_spec(
    study: Study,
    spec: Spec | str,
    panel: Panel,
    *,
    seed: int = 0,
    draws: int = 1000,
    refits: int = 5,
) -> Examined:
    """Fit a spec as its family does, and examine that fit.

    Parameters
    ----------
    draws
        Per chain, of four chains.
    refits
        Units left out by fitting again.

    Raises
    ------
    InputError
        If the family is never run, or has no treatment of its own.
    NotIdentifiedError
        If the design does not identify the effect.
    ResultError
        If the fit did not converge.
    """
    found = study[spec] if isinstance(spec, str) else spec
    own, note = _fit_of(study, found, panel, seed, draws)
    outcome = study.file.outcome
    results = examine(
        own,
        arms=arm(panel.adoption).rename(index=str),
        minimum=outcome.minimum_of(found.column.outcome),
        labels=panel.unit_labels,
        weights=declared_weights(study, panel),
        refits=refits,
        seed=seed,
    )
    return Examined(
        found.id,
        found.column.family,
        panel.synthetic or "",
        own.equation,
        note,
        results,
        standards(
            own, results, citation=study.file.study.citation, licence=study.file.study.licence
        ),
    )


def _fit_of(study: Study, spec: Spec, panel: Panel, seed: int, draws: int) -> tuple[Fit, str]:
    """The fit of a spec's main numbers, and what stands for what."""
    family = family_of(spec)
    if not family.is_used:
        raise InputError(
            f"{spec.id}: family '{family.name}' is never run",
            remedy="check a spec that is fitted or analysed",
        )
    if family.has_analysis:
        made = analyse(study, spec, panel, seed=seed, draws=draws).fit
        if made is not None:
            return made, ""
    if not spec.column.treatments:
        raise InputError(
            f"{spec.id}: family '{family.name}' compares specs and has no treatment of its own",
            remedy="check the specs that it compares",
        )
    own = spec if spec.column.family in FITTED_FAMILIES else as_two_way(spec, with_rows=True)
    design = build_design(own, panel)
    bound = model(design, priors=study_priors(spec, design=design))
    return fit(bound, draws=draws, seed=seed), MANY if family.has_analysis else ""


def declared_weights(study: Study, panel: Panel) -> Weights | None:
    """The first spatial weights that a study declares."""
    declared = study.file.weights
    return resolve_weights(study, panel, declared[0].id) if declared else None
