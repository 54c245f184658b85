"""From the probability of a claim, over a range of assumptions, to words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bayesdid.contrasts.names import MAX_SINGLE, RATIO, SUM
from bayesdid.contrasts.published import PublishedContrast, PublishedSynergy
from bayesdid.contrasts.summary import Summary
from bayesdid.study.load import Study

SURE = 0.95
WORDS = ("supported", "supported as printed", "undecided", "contradicted as printed",
         "contradicted")  # fmt: skip
_NARROW = (("design", 1.0), ("independent", 1.0), ("widest", 1.0), ("design", 2.0))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the evidence says about one claim.

    Attributes
    ----------
    claim
        Its id, and `text` and `place` as published.
    contrast, label
        The contrast that decides it.
    source
        ``published`` cells or ``panel``.
    word
        One of :data:`WORDS`: supported (at least 95 % under every assumption considered),
        supported as printed (at least 95 % under the main assumption only), and so on.
    p, p_low, p_high
        Probability of the claim under the main assumption, and its range.
    summary
        Posterior of the contrast under the main assumption.
    synthetic
        Why the panel is synthetic, or empty.
    """

    claim: str
    text: str
    place: str
    contrast: str
    label: str
    source: str
    word: str
    p: float
    p_low: float
    p_high: float
    summary: Summary
    synthetic: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def word_for(p: float, p_low: float, p_high: float) -> str:
    """The word for a probability and its range over assumptions."""
    if p_low >= SURE:
        return WORDS[0]
    if p >= SURE:
        return WORDS[1]
    if p_high <= 1 - SURE:
        return WORDS[4]
    if p <= 1 - SURE:
        return WORDS[3]
    return WORDS[2]


def assumption_range(contrast: PublishedContrast) -> tuple[float, float]:
    """Range of the claim's probability over the correlation, and over doubled standard errors."""
    values = [contrast.p_claim[key] for key in _NARROW]
    return min(values), max(values)


def published_verdicts(study: Study, synergy: PublishedSynergy) -> tuple[Verdict, ...]:
    """A verdict for each claim that names a contrast which the printed cells allow."""
    verdicts = []
    for claim in study.claims:
        if claim.synergy is None or claim.synergy not in synergy.contrasts:
            continue
        contrast = synergy.contrasts[claim.synergy]
        p = contrast.p_claim["design", 1.0]
        low, high = assumption_range(contrast)
        verdicts.append(
            Verdict(claim.id, claim.text, claim.place, claim.synergy, contrast.contrast.label,
                    "published", word_for(p, low, high), p, low, high, contrast.main)
        )  # fmt: skip
    return tuple(verdicts)


def question(name: str) -> str:
    """The claim behind a contrast, for headings."""
    return {
        SUM: "1 + 1 > 2: both do more than the two alone, added up",
        MAX_SINGLE: "both do more than the better one alone",
        RATIO: "both over the sum of the two exceeds one",
    }.get(name, name)
