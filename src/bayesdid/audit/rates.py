"""Error rates by rule over many audited studies, with intervals that treat studies as the units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from scipy.stats import beta

from bayesdid.audit.finding import AuditReport
from bayesdid.summary import levels, tails


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a rule found something among the studies that it could be asked of.

    Attributes
    ----------
    rule
        Which check.
    comparisons
        How many it made over all studies.
    contradictions, warnings
        How many of its findings were.
    studies
        Studies in which it made a comparison.
    contradicted
        Studies with a contradiction of it.
    share, low, high
        Share of studies with one, and its interval of `level`: posterior of a share under
        Jeffreys's prior Beta(1/2, 1/2). Comparisons within a study are not independent, studies
        are taken to be.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "rule",
        "comparisons",
        "contradictions",
        "warnings",
        "studies",
        "contradicted",
        "share",
        "low",
        "high",
        "level",
    )

    rule: str
    comparisons: int
    contradictions: int
    warnings: int
    studies: int
    contradicted: int
    share: float
    low: float
    high: float
    level: float


ANY = "any rule"


def rates(reports: Sequence[AuditReport]) -> list[Rate]:
    """A rate for each rule that made a comparison, in the order of the rules, then of any rule."""
    names = dict.fromkeys(name for report in reports for name, n in report.checked.items() if n)
    found = [_rate(name, reports) for name in names]
    return [*found, _rate(ANY, reports)] if found else []


def _rate(rule: str, reports: Sequence[AuditReport]) -> Rate:
    def of(report: AuditReport, severity: str) -> int:
        return sum(
            f.severity == severity and (rule == ANY or _checked(f.rule, report) == rule)
            for f in report.findings
        )

    asked = [r for r in reports if (r.comparisons if rule == ANY else r.checked.get(rule, 0))]
    bad = sum(of(report, "contradiction") > 0 for report in asked)
    low, high = beta(0.5 + bad, 0.5 + len(asked) - bad).ppf(tails())
    return Rate(
        rule,
        sum(r.comparisons if rule == ANY else r.checked.get(rule, 0) for r in asked),
        sum(of(report, "contradiction") for report in asked),
        sum(of(report, "warning") for report in asked),
        len(asked),
        bad,
        bad / len(asked),
        float(low) if bad else 0.0,
        float(high) if bad < len(asked) else 1.0,
        levels()[1],
    )


def _checked(rule: str, report: AuditReport) -> str:
    """The name under which a finding's rule counts its comparisons."""
    return rule if rule in report.checked else ""
