"""What an audit finds, and how it is counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from bayesdid.audit.bounds import Bounds

Severity = Literal["contradiction", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("contradiction", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """Two things that do not fit.

    Attributes
    ----------
    rule
        Which check.
    severity
        ``contradiction``: no numbers that round to the printed ones satisfy the relation under
        its assumptions. ``warning``: unlikely, or the assumption is one that papers often break.
        ``note``: worth knowing.
    place
        The column, cell or claim.
    compared
        The relation, in words.
    left, right
        The two sides, with their rounding intervals.
    miss
        How far apart the intervals are.
    assumptions
        What could be false instead.
    text
        One sentence for a reader.
    """

    rule: str
    severity: Severity
    place: str
    compared: str
    left: float
    left_interval: tuple[float, float]
    right: float
    right_interval: tuple[float, float]
    miss: float
    assumptions: tuple[str, ...]
    text: str


Outcome = Iterator[Finding | None]  # of a rule: one item per comparison, None if consistent


def compare(
    rule: str,
    place: str,
    compared: str,
    left: Bounds,
    right: Bounds,
    *,
    severity: Severity,
    assumptions: tuple[str, ...],
    text: str,
) -> Finding | None:
    """A finding if no number lies in both intervals."""
    miss = left.distance(right)
    if miss == 0.0:
        return None
    return Finding(
        rule,
        severity,
        place,
        compared,
        left.middle,
        left.pair,
        right.middle,
        right.pair,
        miss,
        assumptions,
        text,
    )


@dataclass(frozen=True, slots=True)
class AuditReport:
    """All findings of a study, worst first.

    Attributes
    ----------
    study_id
        The study.
    findings
        Contradictions, then warnings, then notes.
    checked
        Rule -> number of comparisons made.
    """

    json_keys: ClassVar[tuple[str, ...]] = (
        "study_id",
        "counts",
        "checked",
        "comparisons",
        "findings",
    )

    study_id: str
    findings: tuple[Finding, ...]
    checked: dict[str, int]

    @property
    def counts(self) -> dict[str, int]:
        """Severity -> number of findings."""
        return {s: sum(f.severity == s for f in self.findings) for s in SEVERITIES}

    @property
    def comparisons(self) -> int:
        """How many numbers were compared with others."""
        return sum(self.checked.values())

    @property
    def flagged(self) -> bool:
        """Whether there is a contradiction or a warning: what ``--strict`` refuses."""
        return any(finding.severity != "note" for finding in self.findings)
