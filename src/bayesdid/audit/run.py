"""Run all rules on a study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bayesdid.audit import (
    claims,
    descriptives,
    digits,
    few,
    fit,
    identities,
    instruments,
    measures,
    plausibility,
    prediction,
    sizes,
    spread,
    stars,
    stated,
    subsamples,
    weights,
    whole,
)
from bayesdid.audit.bounds import cut_off
from bayesdid.audit.finding import SEVERITIES, AuditReport, Finding, Outcome
from bayesdid.study.load import Study

RULES: tuple[Callable[[Study], Outcome], ...] = (
    stars.stars,
    stars.statistics,
    measures.measures,
    few.few_clusters,
    instruments.first_stage,
    instruments.rank_tests,
    sizes.counts,
    sizes.observations,
    sizes.groups,
    digits.digits_of_n,
    digits.points_of_errors,
    identities.omitted_variable,
    identities.repeated,
    identities.spatial_effects,
    spread.constants,
    spread.r_squared,
    fit.kinds_of_r_squared,
    fit.t_and_r_squared,
    fit.added_regressor,
    fit.nested_errors,
    subsamples.subsamples,
    subsamples.nested_samples,
    weights.weights,
    spread.standard_errors,
    spread.pooled,
    descriptives.descriptives,
    whole.whole_numbers,
    claims.values,
    claims.directions,
    claims.significance,
    claims.comparisons,
    stated.differences,
    stated.percents,
    claims.arithmetic,
    plausibility.magnitudes,
    plausibility.instrumented,
    prediction.predicted,
)


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.severity, finding.place, finding.compared


def _doubted(finding: Finding) -> Finding:
    """What holds of rounded numbers only is a degree less severe."""
    return replace(
        finding,
        severity="warning" if finding.severity == "contradiction" else "note",
        assumptions=(*finding.assumptions, "printed numbers are rounded, not cut off"),
    )


def audit_study(study: Study, rules: Sequence[Callable[[Study], Outcome]] = RULES) -> AuditReport:
    """Every comparison that the study's numbers allow.

    Parameters
    ----------
    rules
        Those to run: all.

    Returns
    -------
    AuditReport
        Findings worst first (what would not be found if the paper cut off digits is a degree less
        severe), in the order of the rules; and how many comparisons each rule made.
    """
    findings: list[Finding] = []
    checked: dict[str, int] = {}
    for rule in rules:
        outcomes = list(rule(study))
        checked[rule.__name__] = len(outcomes)
        found = [outcome for outcome in outcomes if outcome is not None]
        if found:
            with cut_off():
                sure = {_key(item) for item in rule(study) if item is not None}
            found = [finding if _key(finding) in sure else _doubted(finding) for finding in found]
        findings.extend(found)
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return AuditReport(study.id, tuple(findings), checked)
