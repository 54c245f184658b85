"""What a report says with or without a panel: the study, its claims, print, audit, methods."""

from __future__ import annotations

from functools import partial
from typing import Any

from bayesdid import summary
from bayesdid.audit.doubts import doubts
from bayesdid.audit.run import audit_study
from bayesdid.estimands.names import main_contrast
from bayesdid.families.registry.discover import families
from bayesdid.inference.executor import attempt
from bayesdid.panel.panel import Panel
from bayesdid.published.synergy import PublishedSynergy
from bayesdid.report.claim_panel import PanelEvidence
from bayesdid.report.claim_results import claims_section, sums_section
from bayesdid.report.dose_results import doses_section
from bayesdid.report.doubt_results import claim_doubts, contrast_of, doubts_section
from bayesdid.report.methods_results import methods_section
from bayesdid.report.model_words import short_title
from bayesdid.report.published_results import inverted, published_section, told_adoption
from bayesdid.report.term_words import term_names
from bayesdid.report.validity import panel_validity, published_validity
from bayesdid.study.load import Study


def printed_sections(
    study: Study,
    panel: Panel | None,
    evidence: PanelEvidence,
    headline: dict[str, Any],
    ran: list[str],
    failed: dict[str, str],
    *,
    seed: int,
) -> dict[str, Any]:
    """Sections of ``results.json`` that a study has without a panel as well.

    Parameters
    ----------
    panel
        None without one; a real one tells the timing behind printed columns.
    evidence, headline
        What the panel says of claims, and of contrasts.
    ran
        Specs that were fitted or analysed.
    failed
        Parts that have no result, and why; an inversion of printed columns that fails is added.
    """
    tried = attempt(partial(inverted, study, seed=seed), panel)
    if tried.failed:
        failed["printed columns"] = tried.failed
    synergy, report = tried.value, audit_study(study)
    doubted = doubts(study, report)
    doubt = doubts_section(study, synergy, doubted, told_adoption(panel), seed=seed)
    published = published_section(study, synergy, doubted)
    scale = _scale(study, panel, synergy)
    claims = claims_section(study, synergy, evidence, scale)
    read = {_read_by(claim["evidence"]) for claim in claims}
    return {
        "study": study.file.study.model_dump(),
        "outcome": study.file.outcome.model_dump(),
        "policies": [policy.model_dump() for policy in study.policies],
        "claims": [
            item | {"doubts": claim_doubts(claim, contrast_of(item), doubted, doubt)}
            for item, claim in zip(claims, study.claims, strict=True)
        ],
        "sums": sums_section(study, synergy, evidence, headline["refused"], scale),
        "doses": doses_section(study, claims, evidence, scale),
        "titles": {name: short_title(spec.title) for name, spec in study.specs.items()},
        "names": term_names(study),
        "level": summary.LEVEL,
        "levels": summary.levels(),
        "published": published,
        "validity": _validity(published, headline, len(study.policies)),
        "failed": failed,
        "audit": report,
        "doubts": doubt,
        "methods": methods_section(
            study,
            ran,
            families(),
            headline=bool(headline["contrasts"]),
            printed=published is not None,
            cells="cell" in read,
            pairs="pair" in read,
        ),
    }


def _scale(study: Study, panel: Panel | None, synergy: PublishedSynergy | None) -> float:
    """sd(y): of a real panel, else as printed; 0 where neither gives it."""
    if panel is not None and not panel.synthetic:
        return float(panel.frame[study.file.outcome.column].std())
    return synergy.scale if synergy is not None else 0.0


def _read_by(evidence: dict[str, Any] | None) -> str:
    """What of print answers a claim: a ``cell``, a ``pair`` of them; empty for contrasts."""
    model = evidence["answers"].get("published", {}).get("model", "") if evidence else ""
    return "cell" if model.startswith("printed, ") else "pair" if "correlation" in model else ""


def _validity(
    published: dict[str, Any] | None, headline: dict[str, Any], policies: int
) -> dict[str, str]:
    """How far the answers from printed cells and from the panel can be trusted, where there are."""
    found = {}
    if published is not None:
        found["published"] = published_validity(published["timings"])
    if contrasts := headline["contrasts"]:
        found["panel"] = panel_validity(main_contrast(contrasts), policies)
    return found
