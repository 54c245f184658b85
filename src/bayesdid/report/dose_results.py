"""What a panel says of a treatment that no policy is behind and no claim is about."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from bayesdid.estimands.judgement import Estimate
from bayesdid.estimands.question import Asked, Cell, Question
from bayesdid.families.errors.analysis import LABELS
from bayesdid.inference.plan import MAIN
from bayesdid.report.claim_panel import PanelEvidence, draws_of_fit, fits_of_cells, of_stated
from bayesdid.report.claim_results import evidence_of_question
from bayesdid.report.term_words import term_names
from bayesdid.study.load import Study
from bayesdid.study.schema import Column


def doses_section(
    study: Study, claims: list[dict[str, Any]], panel: PanelEvidence, scale: float = 0.0
) -> list[dict[str, Any]]:
    """The first column's first treatment, in every column and model of the page that has it.

    One entry with ``spec``, ``term`` and ``evidence`` as of a claim on the side on which the
    outcome is better; none for a study that declares policies or claims something of an effect,
    or whose first column did not converge.

    Parameters
    ----------
    claims
        As :func:`bayesdid.report.claim_results.claims_section` has them.
    scale
        sd(y), of which sliders take shares.
    """
    if study.policies or any(claim["evidence"] for claim in claims):
        return []
    outcome = study.file.outcome
    fitted = [
        spec
        for spec in (study[name] for name in panel.trees)
        if spec.column.outcome == outcome.column and spec.column.family != "event_study"
    ]
    if not fitted or not fitted[0].column.treatments:
        return []
    first, term = fitted[0], fitted[0].column.treatments[0]
    if draws_of_fit(panel, first.id, MAIN, term) is None:
        return []
    cells = [Cell(spec, term) for spec in fitted if term in spec.column.treatments]
    asked = Question(
        term,
        Asked(-1 if outcome.better == "lower" else 1),
        _label(study, term),
        outcome.unit,
        None,
        cells[0],
    )
    own = list(fits_of_cells(asked, cells[:1], panel, relaxed=False))
    # the simplest model is the last: one of the first column, if its main one cannot answer
    found = [
        *fits_of_cells(asked, cells[1:], panel, relaxed=False),
        *_under_errors(study, asked, cells, panel),
        *own,
    ]
    main = next(k for k, item in enumerate(found) if item is own[0])
    found = [dataclasses.replace(item, main=k == main) for k, item in enumerate(found)]
    evidence = evidence_of_question(study, asked, found, scale)
    assert evidence is not None
    at = len(found) - len(own)
    read = [*evidence["estimates"][at:], *evidence["estimates"][:at]]
    return [{"spec": first.id, "term": term, "evidence": evidence | {"estimates": read}}]


def _under_errors(
    study: Study, asked: Question, cells: list[Cell], panel: PanelEvidence
) -> Iterator[Estimate]:
    """The treatment under other errors and likelihoods; its i.i.d. fit has a column's checks."""
    for spec in study.specs.values():
        if (spec.column.family, spec.column.outcome) != ("errors", study.file.outcome.column):
            continue
        same = [cell for cell in cells if _rows_and_regressors(cell.spec.column, spec.column)]
        for item in panel.stated.get(spec.id, ()):
            if asked.cell is not None and item.name == asked.cell.name:
                independent = same and item.model == LABELS["iid"]
                passes = panel.passes.get((same[0].spec.id, "iid")) if independent else None
                yield of_stated(asked, item, f"{item.model}, {spec.id}", passes, relaxed=False)


def _rows_and_regressors(one: Column, other: Column) -> bool:
    """Whether two columns are one regression."""
    names = ("treatments", "covariates", "sample", "outcome_lead", "unit_effects", "period_effects")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _label(study: Study, term: str) -> str:
    names = term_names(study)
    return names["terms"].get(term) or names["columns"].get(term) or term
