"""From the probability of a claim, over a range of assumptions, to words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bayesdid.estimands.verdict import word_for
from bayesdid.published.contrasts import MAIN
from bayesdid.published.synergy import PublishedSynergy
from bayesdid.study.load import Study
from bayesdid.summary import Summary


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
        One of :data:`bayesdid.estimands.verdict.WORDS`.
    p, p_low, p_high
        Probability of the claim under the main assumption, and its range.
    summary
        Posterior of the contrast under the main assumption.
    synthetic
        Why the panel is synthetic, or empty.
    doubted
        Cells that it rests on and that the audit doubts.
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
    doubted: tuple[str, ...] = ()


def published_verdicts(
    study: Study, synergy: PublishedSynergy, doubted: Collection[str] = ()
) -> tuple[Verdict, ...]:
    """A verdict for each claim that names a contrast which the printed cells allow.

    Parameters
    ----------
    doubted
        Cells that the audit doubts: a verdict names those among the columns that were inverted.
    """
    resting = tuple(ref for ref in synergy.columns.names if ref in doubted)
    verdicts = []
    for claim in study.claims:
        if claim.synergy is None or claim.synergy not in synergy.contrasts:
            continue
        contrast = synergy.contrasts[claim.synergy]
        p, (low, high) = contrast.p_claim[MAIN], contrast.range
        verdicts.append(
            Verdict(
                claim.id,
                claim.text,
                claim.place,
                claim.synergy,
                contrast.contrast.label,
                "published",
                word_for(p, low, high),
                p,
                low,
                high,
                contrast.main,
                doubted=resting,
            )
        )
    return tuple(verdicts)
