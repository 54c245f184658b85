"""Contrasts and verdicts from printed cells alone."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

from bayesdid.jsonio import plain
from bayesdid.panel.panel import Panel
from bayesdid.published.synergy import PublishedSynergy, published_cells, published_synergy
from bayesdid.published.verdict import published_verdicts
from bayesdid.published.words import headline, published_sentences
from bayesdid.study.load import Study


def inverted(study: Study, panel: Panel) -> PublishedSynergy | None:
    """What printed cells say; None for a study that names none.

    A real panel tells the timing, unless a policy is reversed in it: adoption alone says no more.
    """
    if not published_cells(study):
        return None
    return published_synergy(study, told_adoption(panel))


def told_adoption(panel: Panel) -> pd.DataFrame | None:
    """Who adopted when, if a panel tells it."""
    return panel.adoption if not panel.synthetic and not panel.indicators else None


def published_section(
    study: Study, synergy: PublishedSynergy | None, doubted: Collection[str] = ()
) -> dict[str, Any] | None:
    """The same for ``results.json``; `doubted` are cells that the audit doubts."""
    if synergy is None:
        return None
    return {
        "contrasts": {name: plain(item) for name, item in synergy.contrasts.items()},
        "verdicts": published_verdicts(study, synergy, doubted),
        "columns": list(synergy.columns.names),
        "estimates": synergy.columns.estimates.tolist(),
        "left": synergy.left,
        "functional": synergy.functional.rename_axis("coefficient").round(4),
        "correlation": synergy.correlation.tolist(),
        "held_out": [plain(item) for item in synergy.held_out],
        "path_weights": synergy.path_weights,
        "knowledge": synergy.knowledge,
        "timings": synergy.timings,
        "scale": synergy.scale,
        "scale_source": synergy.scale_source,
        "sentences": published_sentences(synergy, headline(synergy)),
        "notes": [note.text for note in synergy.notes],
    }
