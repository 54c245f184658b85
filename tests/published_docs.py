"""The numbers of docs/published.md, made from the shipped study: `make map`."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from bayesdid.estimands.names import SUM
from bayesdid.families.registry.load import load_study
from bayesdid.published.contrasts import MAIN
from bayesdid.published.synergy import PublishedSynergy, published_synergy
from bayesdid.published.timing import Timing, timings
from bayesdid.published.verdict import published_verdicts
from bayesdid.published.words import published_sentences
from bayesdid.study.load import Study

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "published.md"


def page(text: str, study: Study, synergy: PublishedSynergy) -> str:
    """The page with its marked parts made anew."""
    parts = {"functional": _functional(study, synergy), "answer": _answer(study, synergy)}
    for name, made in parts.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        text, count = re.subn(pattern, lambda m, made=made: m[1] + made + m[2], text, flags=re.S)
        if count != 1:
            raise ValueError(f"{count} parts are marked {name}")
    return text


def treated_baseline(timing: Timing) -> float:
    """Share of the rows of dual units before their second adoption that are under one policy."""
    dual = np.isfinite(timing.start).all(axis=1)
    on = timing.on[dual]
    before = ~on.all(axis=2)
    return float(on.any(axis=2)[before].mean())


def _functional(study: Study, synergy: PublishedSynergy) -> str:
    timing = timings(study, size=1).members[0]
    frame = synergy.functional.iloc[:, :3]
    rows = [
        f"| `{name}` | {' | '.join(f'{value:.2f}' for value in row)} |"
        for name, row in zip(frame.index, frame.to_numpy(), strict=True)
    ]
    head = f"| column | {' | '.join(frame.columns)} |\n|{'---|' * 4}"
    own = frame.loc["table2.5:both"]
    return (
        f"{head}\n" + "\n".join(rows) + f"\n\nOf the dual cities' rows before their second "
        f"adoption {treated_baseline(timing):.0%} are under one policy: column (5) takes the whole "
        f"joint departure, but {own.iloc[0]:.2f} and {own.iloc[1]:.2f} of the singles.\n"
    )


def _answer(study: Study, synergy: PublishedSynergy) -> str:
    item = synergy.contrasts[SUM]
    verdict = next(v for v in published_verdicts(study, synergy) if v.contrast == SUM)
    said = "\n".join(f"- {sentence}" for sentence in published_sentences(synergy, item))
    rows = "\n".join(
        f"| `{h.name}` | {h.printed:.3f} | {h.mean:.3f} | {h.sd:.3f} | {h.p:.3f} |"
        for h in synergy.held_out
    )
    low, high = item.range
    return (
        f"Both minus the sum of singles {item.main.mean:+.3f} (sd {item.main.sd:.3f}), "
        f"P(1 + 1 > 2) {item.p_claim[MAIN]:.3f}, from {low:.3f} to {high:.3f}: {verdict.word}."
        f"\n\n{said}\n\n"
        "| column | printed | predicted by the others | sd | tail |\n|---|---|---|---|---|\n"
        f"{rows}\n"
    )


if __name__ == "__main__":
    loaded = load_study(ROOT / "models" / "dual_pilot")
    made = page(PAGE.read_text(encoding="utf-8"), loaded, published_synergy(loaded))
    PAGE.write_text(made, encoding="utf-8")
