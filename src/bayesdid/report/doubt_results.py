"""The audit's doubts, carried into contrasts, mediations and claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bayesdid.audit.doubts import Doubt
from bayesdid.audit.mediation import mediation_sentence, printed_mediations
from bayesdid.audit.misprints import carried, what_ifs
from bayesdid.published.synergy import PublishedSynergy
from bayesdid.study.claims import Claim
from bayesdid.study.load import Study


def doubts_section(
    study: Study,
    synergy: PublishedSynergy | None,
    doubted: Mapping[str, Doubt],
    adoption: pd.DataFrame | None,
    *,
    seed: int = 0,
) -> dict[str, Any]:
    """Doubted cells, those that contrasts rest on, what they would be, and indirect effects.

    Returns
    -------
    dict
        ``cells``: every doubt; ``contrasts``: references that all contrasts of printed columns rest
        on; ``what_if``: contrasts with one cell printed as it may have been; ``mediations``: a
        sentence for every indirect effect of printed columns.
    """
    found = dict(doubted)
    resting = carried(synergy, found) if synergy is not None else {}
    computed = what_ifs(study, synergy, found, adoption, seed=seed) if synergy is not None else ()
    return {
        "cells": [
            {
                "cell": doubt.cell,
                "printed": doubt.printed,
                "instead": doubt.instead,
                "rules": list(doubt.rules),
                "text": doubt.text,
            }
            for doubt in found.values()
        ],
        "contrasts": list(resting),
        "what_if": [
            {"cell": item.doubt.cell, "instead": item.doubt.instead, "contrasts": item.contrasts}
            for item in computed
        ],
        "mediations": [
            mediation_sentence(item, found) for item in printed_mediations(study, found)
        ],
    }


def contrast_of(claim: Mapping[str, Any]) -> str | None:
    """The contrast that decides a claim from print; None of another one."""
    evidence = claim["evidence"]
    return evidence["contrast"] if evidence and "published" in evidence["answers"] else None


def claim_doubts(
    claim: Claim, contrast: str | None, doubted: Mapping[str, Doubt], section: Mapping[str, Any]
) -> list[str]:
    """What the audit doubts of what a claim's verdict from print rests on, one sentence each.

    The claim's own cells, and the inverted columns if a contrast decides it; with what the contrast
    would be if the likeliest misprint were mended.
    """
    own = [claim.cell] if claim.cell is not None else []
    if claim.comparison is not None:
        own += [claim.comparison.stronger, claim.comparison.weaker]
    resting = section["contrasts"] if contrast is not None else []
    refs = dict.fromkeys(ref for ref in [*own, *resting] if ref in doubted)
    said = [f"T{doubted[ref].sentence[1:]}" for ref in refs]
    for item in section["what_if"]:
        one = item["contrasts"].get(contrast or "")
        if one is not None and item["cell"] in refs:
            said.append(
                f"With {item['cell']} = {item['instead']} it is {one['mean']:.3f}, and the "
                f"probability of the claim {one['p']:.3f}: {one['word']} (as printed "
                f"{one['printed_p']:.3f}: {one['printed_word']})."
            )
    return said
