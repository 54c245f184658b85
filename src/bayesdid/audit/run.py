"""Run all rules on a study."""

from __future__ import annotations

from collections.abc import Callable

from bayesdid.audit import (
    claims,
    descriptives,
    identities,
    plausibility,
    prediction,
    sizes,
    spread,
    stars,
)
from bayesdid.audit.finding import SEVERITIES, AuditReport, Finding, Outcome
from bayesdid.study.load import Study

RULES: tuple[Callable[[Study], Outcome], ...] = (
    stars.stars,
    stars.statistics,
    stars.first_stage,
    sizes.counts,
    sizes.observations,
    sizes.groups,
    identities.omitted_variable,
    identities.repeated,
    identities.spatial_effects,
    spread.constants,
    spread.r_squared,
    spread.standard_errors,
    spread.pooled,
    descriptives.descriptives,
    claims.values,
    claims.directions,
    claims.significance,
    claims.comparisons,
    claims.arithmetic,
    plausibility.magnitudes,
    plausibility.instrumented,
    prediction.predicted,
)


def audit_study(study: Study) -> AuditReport:
    """Every comparison that the study's numbers allow.

    Returns
    -------
    AuditReport
        Findings worst first, in the order of the rules; and how many comparisons each rule made.
    """
    findings: list[Finding] = []
    checked: dict[str, int] = {}
    for rule in RULES:
        outcomes = list(rule(study))
        checked[rule.__name__] = len(outcomes)
        findings.extend(outcome for outcome in outcomes if outcome is not None)
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return AuditReport(study.id, tuple(findings), checked)
