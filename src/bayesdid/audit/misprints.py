"""Contrasts of printed columns under the audit's doubts: carried, and computed otherwise."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from bayesdid.audit.doubts import Doubt, instead
from bayesdid.estimands.verdict import word_for
from bayesdid.published.contrasts import MAIN
from bayesdid.published.synergy import PublishedSynergy, published_synergy
from bayesdid.study.load import Study


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Contrasts if one doubted cell was a misprint.

    Attributes
    ----------
    doubt
        The cell, what it prints, and what it may have been.
    contrasts
        Name -> mean, probability of the claim and its word, and the same as printed.
    """

    doubt: Doubt
    contrasts: dict[str, dict[str, float | str]]


def carried(synergy: PublishedSynergy, doubted: dict[str, Doubt]) -> dict[str, Doubt]:
    """The doubts about cells that contrasts rest on: all columns that were inverted together."""
    return {ref: doubt for ref, doubt in doubted.items() if ref in synergy.columns.names}


def what_ifs(
    study: Study,
    synergy: PublishedSynergy,
    doubted: dict[str, Doubt],
    adoption: pd.DataFrame | None = None,
    *,
    seed: int = 0,
) -> tuple[WhatIf, ...]:
    """Contrasts with each doubted cell printed as it may have been, one at a time."""
    found = []
    for doubt in carried(synergy, doubted).values():
        if not doubt.instead:
            continue
        mended = instead(study, doubt)
        other = published_synergy(mended, adoption, seed=seed)
        contrasts: dict[str, dict[str, float | str]] = {}
        for name, item in other.contrasts.items():
            if name not in synergy.contrasts:
                continue
            before = synergy.contrasts[name]
            contrasts[name] = {
                "mean": item.main.mean,
                "p": item.p_claim[MAIN],
                "word": word_for(item.p_claim[MAIN], *item.range),
                "printed_mean": before.main.mean,
                "printed_p": before.p_claim[MAIN],
                "printed_word": word_for(before.p_claim[MAIN], *before.range),
            }
        found.append(WhatIf(doubt, contrasts))
    return tuple(found)


def doubt_sentences(
    synergy: PublishedSynergy, found: tuple[WhatIf, ...], doubted: dict[str, Doubt], name: str
) -> list[str]:
    """The doubts of one contrast, and what it would be without the misprint."""
    resting = carried(synergy, doubted).values()
    said = [f"This rests on a doubt: {item.sentence}" for item in resting]
    for item in found:
        if name not in item.contrasts:
            continue
        one = item.contrasts[name]
        said.append(
            f"With {item.doubt.cell} = {item.doubt.instead} it is {one['mean']:.3f}, P of the "
            f"claim {one['p']:.3f}: {one['word']} (as printed {one['printed_mean']:.3f}, "
            f"{one['printed_p']:.3f}: {one['printed_word']})."
        )
    return said
