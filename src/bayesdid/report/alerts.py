"""Alerts: where two answers of one page disagree, or one of them rests on little.

Each is one function of numbers, with its threshold beside; :mod:`bayesdid.report.alert_results`
finds the numbers in a page's results.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bayesdid.design.treated import FEW, FEW_CLUSTERS
from bayesdid.estimands.verdict import LEANS, SURE
from bayesdid.inference.first_stage import WEAK_F
from bayesdid.notebook import many
from bayesdid.report.text import number, probability

POOLED_APART = 0.5  # posterior sds between pooled and unpooled
ERRORS_APART = 1.0  # standard errors, the larger, between the same cells under two kinds of errors
APART = 1.0  # posterior sds between a TWFE coefficient and the ATT
OPPOSED = 0.9  # probability on opposite sides of zero from which two spatial models disagree
FAR = 2.0  # combined sds between printed numbers and panel
PRIOR_SHARE = 0.1  # of the posterior's precision that the prior brings
_DOUBTED = re.compile(r"sign of (\S+) in (\S+) changed")  # as audit.identities words it


@dataclass(frozen=True, slots=True)
class Alert:
    """One warning of the first screen: its kind, a heading, one sentence.

    Of several of a kind the one with the largest `weight` is told in full, the others by what they
    are `about`, by default what stands before the colon.
    """

    json_keys: ClassVar[tuple[str, ...]] = ("kind", "title", "text")

    kind: str
    title: str
    text: str
    weight: float = 0.0
    about: str = ""

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.about or self.text.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Says:
    """What one model says: of what, mean, sd, and the probability of a claim or a sign."""

    label: str
    mean: float
    sd: float
    p: float


def pooled_against_flat(
    label: str, pooled: Says, flat: Says, side: str = "the claim"
) -> Alert | None:
    """The headline's paths, pooled, and the same cells without pooling; `side`: what `p` is of."""
    gap = abs(pooled.mean - flat.mean) / pooled.sd
    if gap <= POOLED_APART and _side(pooled.p, SURE) == _side(flat.p, SURE):
        return None
    return Alert(
        "pooled_flat",
        "Pooling decides",
        f"{label} is {number(pooled.mean)} (sd {number(pooled.sd)}; P of {side} "
        f"{probability(pooled.p)}) with {pooled.label}, {number(flat.mean)} (sd {number(flat.sd)}; "
        f"{probability(flat.p)}) with {flat.label}.",
        abs(pooled.p - flat.p),
        label,
    )


def errors_that_decide(
    label: str, cells: Says, clustered: Says, supposed: str = "trends are parallel"
) -> Alert | None:
    """The same cells under the headline's errors, and by least squares with clustered ones.

    Parameters
    ----------
    supposed
        Under which both estimate the same.
    """
    # least squares is no surer than the errors it ignores: less is a sandwich of few units
    gap = abs(cells.mean - clustered.mean) / max(cells.sd, clustered.sd)
    if gap <= ERRORS_APART:
        return None
    return Alert(
        "errors",
        "The errors decide",
        f"{label} is {number(cells.mean)} (sd {number(cells.sd)}) with {cells.label}, "
        f"{number(clustered.mean)} (sd {number(clustered.sd)}) with {clustered.label}; both "
        f"estimate the same if {supposed}.",
        gap,
        label,
    )


def twfe_against_att(label: str, twfe: Says, att: Says, side: str = "the claim") -> Alert | None:
    """A coefficient under constant effects, and the average of effects that may change."""
    gap = abs(twfe.mean - att.mean) / att.sd
    across = _side(twfe.p, SURE) != _side(att.p, SURE)
    if gap <= APART and not across:
        return None
    surer = abs(twfe.p - 0.5) > abs(att.p - 0.5)
    return Alert(
        "twfe_att",
        "Constant effects give another answer"
        if gap > APART
        else f"Constant effects are {'surer' if surer else 'less sure'}",
        f"{label} is {number(twfe.mean)} (P of {side} {probability(twfe.p)}) with {twfe.label}, "
        f"{number(att.mean)} ({probability(att.p)}) with {att.label}, {number(gap, 1)} posterior "
        "sds away.",
        abs(twfe.p - att.p),
        label,
    )


def durbin_against_profile(durbin: Says, profile: Says) -> Alert | None:
    """Two models of one spillover with opposite signs; `p` is the probability below zero."""
    if _side(durbin.p, OPPOSED) * _side(profile.p, OPPOSED) >= 0:
        return None
    return Alert(
        "durbin_profile",
        "Spatial models disagree on the sign of the spillover",
        f"{durbin.label} has it below zero with P {probability(durbin.p)} "
        f"({number(durbin.mean)}), {profile.label} with P {probability(profile.p)} "
        f"({number(profile.mean)}).",
        about=durbin.label,
    )


def audit_against_posterior(
    claim: str, quote: str, word: str, findings: Sequence[str]
) -> Alert | None:
    """A claim that is supported although the audit contradicts what is printed for it."""
    if not word.startswith("supported") or not findings:
        return None
    return Alert(
        "audit_posterior",
        "Supported, and contradicted in print",
        f"“{quote}” ({claim}) is {word} by its probability, but the audit finds: {findings[0]}",
        about=claim,
    )


def doubted_mediator(spec: str, mediators: Iterable[str], finding: str) -> Alert | None:
    """A mediation through a coefficient whose sign the audit doubts."""
    found = _DOUBTED.search(finding)
    if found is None or found[1] not in set(mediators):
        return None
    return Alert(
        "doubted_mediator",
        "A mediation rests on a sign that the audit doubts",
        f"{spec} goes through {found[1]}, whose printed sign in {found[2]} contradicts the other "
        f"columns: {finding}",
        about=spec,
    )


def published_against_panel(label: str, published: Says, panel: Says) -> Alert | None:
    """Printed numbers and a real panel that lean to opposite sides, or lie far apart."""
    gap = abs(published.mean - panel.mean) / math.hypot(published.sd, panel.sd)
    opposed = _side(published.p, LEANS) * _side(panel.p, LEANS) < 0
    if gap <= FAR and not opposed:
        return None
    return Alert(
        "published_panel",
        "Printed numbers and panel disagree",
        f"{label}: printed numbers say {number(published.mean)} (P {probability(published.p)}), "
        f"the panel {number(panel.mean)} ({probability(panel.p)}), {number(gap, 1)} combined sds "
        "apart.",
        abs(published.p - panel.p),
    )


def prior_against_data(label: str, sd: float, prior_sd: float) -> Alert | None:
    """A posterior whose precision comes in good part from its prior."""
    share = (sd / prior_sd) ** 2
    if share < PRIOR_SHARE:
        return None
    return Alert(
        "prior_data",
        "The prior brings much of the answer",
        f"{label}: {100 * min(share, 1.0):.0f} % of the posterior's precision is the prior's "
        f"(sd {number(sd)}, prior {number(prior_sd)}).",
        share,
    )


def few_treated(label: str, treated: int, units: int) -> Alert | None:
    """Few treated units, or few units to cluster by."""
    if treated > FEW and units >= FEW_CLUSTERS:
        return None
    what = f"{many(treated, 'treated unit')}" if treated <= FEW else f"{units} units in all"
    return Alert(
        "few_treated",
        "Few units",
        f"{label}: {what}; standard errors clustered by unit are too small, in print too, and "
        "posteriors rest on the model of the errors.",
    )


def weak_instrument(label: str, F: float, ar: tuple[float, float], p: float) -> Alert | None:
    """A weak instrument, or one whose Anderson-Rubin set denies what the posterior is sure of.

    Parameters
    ----------
    ar
        Ends of the set; infinite where it has none.
    p
        Posterior probability below zero.
    """
    holds_zero = ar[0] <= 0 <= ar[1]
    denied = holds_zero and _side(p, SURE) != 0
    if F >= WEAK_F and not denied:
        return None
    ends = " to ".join(number(end) if math.isfinite(end) else "no end" for end in ar)
    return Alert(
        "weak_instrument",
        "The instrument is weak" if F < WEAK_F else "The instrument says less than its posterior",
        f"{label}: first-stage F {number(F, 1)}; 95 % Anderson-Rubin set {ends}, posterior P below "
        f"zero {probability(p)}.",
    )


def _side(p: float, sure: float) -> int:
    """1 if at least so sure, -1 if as sure of the opposite, else 0."""
    return 1 if p >= sure else -1 if p <= 1 - sure else 0
