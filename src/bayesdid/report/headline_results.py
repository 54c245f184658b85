"""The panel's answer: contrasts of the headline model, its checks, verdicts on the claims."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bayesdid.checks.differing import NAME as DIFFERING_EFFECTS
from bayesdid.checks.differing import differing_check
from bayesdid.checks.predictive import MEANING
from bayesdid.checks.run import run_checks
from bayesdid.digest import digest, environment_digest
from bayesdid.estimands.synergy import Synergy, headline_spec, synergy
from bayesdid.estimands.violated_synergy import brief, sentences, violated_synergy
from bayesdid.exceptions import InputError, NotIdentifiedError, ResultError
from bayesdid.jsonio import plain, read_sealed, write_sealed
from bayesdid.model.bound import BoundModel
from bayesdid.model.bound import model as bind
from bayesdid.panel.adoption import arm
from bayesdid.panel.panel import Panel
from bayesdid.published.verdict import Verdict
from bayesdid.report.examination_results import examined
from bayesdid.study.load import Study


def headline_section(
    study: Study, panel: Panel, folder: Path, *, draws: int = 500, seed: int = 0
) -> dict[str, Any]:
    """Contrasts of the headline model; made once for the same study, panel and code.

    Returns
    -------
    dict
        ``contrasts`` by name, ``refused``, ``notes``, ``checks`` of the model, ``trends``: what
        violations of parallel trends do to the contrast ``trends_of``, ``verdicts`` on the study's
        claims, ``quantiles`` by contrast and model, ``examination``: all checks of the model, and
        ``failed``: why there is none of this, or empty. ``brief``: the same of trends in a
        sentence; ``robust``: the sets.
        ``unlike``: what the study's first column has and the model has not, or empty.
    """
    files = (study.file, tuple(study.tables.values()), study.claims)
    key = digest(
        "headline with robust sets", files, panel.sha256, draws, seed, environment_digest()
    )[:16]
    path = folder / f"headline-{key}.json"
    try:
        return dict(read_sealed(path))
    except (FileNotFoundError, ValueError):
        return dict(write_sealed(path, _made(study, panel, draws, seed)))


def no_headline(why: str) -> dict[str, Any]:
    """The section where the panel has no answer of its own."""
    return {
        "contrasts": {},
        "refused": {},
        "notes": [],
        "checks": [],
        "trends": [],
        "trends_of": "",
        "unlike": "",
        "brief": "",
        "robust": [],
        "verdicts": [],
        "quantiles": {},
        "examination": {},
        "failed": why,
    }


def _made(study: Study, panel: Panel, draws: int, seed: int) -> dict[str, Any]:
    try:
        found = synergy(study, panel, draws=draws, seed=seed)
    except (InputError, NotIdentifiedError, ResultError) as error:
        return no_headline(str(error))
    violated = violated_synergy(study, panel, found, seed=seed)
    bound = bind(found.design, errors=found.errors)
    of = "the model behind the panel's answer"
    examination = examined(study, panel, found.fit, bound, of, found)
    return {
        "contrasts": {name: plain(item) for name, item in found.items()},
        "refused": found.refused,
        "notes": [note.text for note in found.notes],
        "checks": [
            check | {"figure": None, "done": ""}
            for check in examination["results"]
            if check["name"] in _ANSWERING
        ]
        or _checks(study, panel, found, bound),
        "trends": (
            sentences(
                violated,
                found[violated.name],
                study.file.outcome.unit,
                claimed=any(claim.synergy == violated.name for claim in study.claims),
            )
            if violated
            else []
        ),
        "trends_of": found[violated.name].label if violated else "",
        "unlike": unlike_first(study),
        "brief": brief(violated, found[violated.name]) if violated else "",
        "robust": plain(violated.robust) if violated else [],
        "verdicts": plain(_verdicts(study, found)),
        "quantiles": {
            name: {label: list(says.quantiles) for label, says in item.models.items()}
            for name, item in found.items()
        },
        "examination": examination,
        "failed": "",
    }


def unlike_first(study: Study) -> str:
    """Row weights and effects of the first column of the main outcome that the headline lacks.

    The headline has those of one column (:func:`bayesdid.estimands.synergy.headline_spec`), which
    need not be the first.
    """
    own, main = headline_spec(study), study.file.outcome.column
    first = next(spec for spec in study.specs.values() if spec.column.outcome == main)
    weights, effects = first.column.row_weights, set(own.column.effects)
    lacks = [f"row weights {weights}"] if weights and weights != own.column.row_weights else []
    lacks += [f"effects {text}" for text in first.column.effects if text not in effects]
    if not lacks:
        return ""
    return f"The main model is that of {own.id}, without {' and '.join(lacks)} of {first.id}."


# checks of an examination that stand beside the answer
_ANSWERING = frozenset({*MEANING, "loo", DIFFERING_EFFECTS})


def _checks(study: Study, panel: Panel, found: Synergy, bound: BoundModel) -> list[dict[str, Any]]:
    """The same checks of a model that could not be examined in full."""
    results = run_checks(
        found.fit.tree,
        bound,
        arm(panel.adoption),
        minimum=study.file.outcome.minimum_of(study.file.outcome.column),
        labels=panel.unit_labels,
    )
    return [plain(check) for check in (*results, differing_check(found))]


def _verdicts(study: Study, found: Synergy) -> list[Verdict]:
    """One for each claim that names a contrast which some row identifies."""
    return [
        Verdict(
            claim.id,
            claim.text,
            claim.place,
            item.name,
            item.label,
            "panel",
            item.word,
            item.answering.p_claim,
            *item.p_range,
            item.summary,
            found.synthetic,
        )
        for claim in study.claims
        if claim.synergy in found
        for item in (found[str(claim.synergy)],)
    ]
