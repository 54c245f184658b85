"""What failed, what was not available, how far to trust the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.notebook import many
from bayesdid.report.document.blocks import Block, Fold, Items, Text, ref
from bayesdid.report.model_words import fit_words, spec_name, with_titles
from bayesdid.report.sections.answer import answered_by, evidence_of, sources
from bayesdid.report.sections.claims_forest import MOST_ROWS
from bayesdid.report.sections.part import Results
from bayesdid.report.sections.unjudged import judged_by, unjudged
from bayesdid.report.text import probability

APPENDIX, STATEMENTS = "stand-in", "statements"


def failures(results: Results) -> list[Block]:
    """Parts that failed and fits that did not converge, stamped."""
    failed, broken = results["failed"], [f for f in results["fits"] if not f["converged"]]
    found: list[Block] = []
    if failed:
        why = " · ".join(
            with_titles(f"{of}: {why.removeprefix(f'{of}: ')}", results)
            for of, why in failed.items()
        )
        has = "has" if len(failed) == 1 else "have"
        found.append(
            Text(
                f"{many(len(failed), 'part')} of this report failed and {has} no result here; the "
                f"others are not affected. {why}",
                "stamp",
            )
        )
    if broken:
        named = ((spec_name(f["spec"], results), fit_words(f["kind"])) for f in broken)
        names = "; ".join(f"{column}, {kind}" for column, kind in named)
        found.append(
            Text(
                f"{many(len(broken), 'fit')} did not converge; no result is taken from them: "
                f"{names}.",
                "stamp",
            )
        )
    return found


def _otherwise(claims: list[Mapping[str, Any]], results: Results) -> tuple[str, ...]:
    """Claims about a contrast of the figure with another word than the first of them, shown there.

    They are about another column, or another size.
    """
    shown = {(e["contrast"], e["sign"]): e for e in evidence_of(results)}
    found = []
    for claim in claims:
        own = claim["evidence"]
        drawn = shown[own["contrast"], own["sign"]]["answers"]
        words = [
            f"{source}: {answer['word']} (P {probability(answer['p'])})"
            for source, answer in own["answers"].items()
            if source in sources(results)
            and answer["word"] != drawn.get(source, {"word": ""})["word"]
        ]
        if words:
            found.append(f"“{claim['text']}” ({claim['place']}), {'; '.join(words)}")
    return tuple(found)


def available(results: Results) -> list[Block]:
    """What was not available: claims by what could be said of them, the panel, what was refused."""
    declared = results["claims"]
    blocks: list[Block] = []
    audit = results["audit"]
    if audit["comparisons"]:
        found = [many(audit["counts"][kind], kind) for kind in ("contradiction", "warning")]
        blocks.append(
            Text(
                f"Are the published numbers consistent? {many(audit['comparisons'], 'comparison')}"
                f": {', '.join(found)} ({ref('audit')})."
            )
        )
    if results["validity"]:
        shown = [results["validity"][s] for s in sources(results) if s in results["validity"]]
        if shown:
            blocks.append(Fold("How far to trust this", tuple(Text(t) for t in shown)))
    if declared:
        about = [c for c in declared if c["evidence"]]
        answered = [c for c in about if answered_by(c["evidence"], results)]
        drawn = {(e["contrast"], e["sign"]) for e in evidence_of(results)[:MOST_ROWS]}
        above = [c for c in answered if (c["evidence"]["contrast"], c["evidence"]["sign"]) in drawn]
        said = (
            f"{many(len(declared), 'claim')} declared, {len(answered)} judged: "
            f"{judged_by(len(above), len(answered) - len(above))} ({ref(STATEMENTS)})."
            if answered
            else f"{many(len(declared), 'claim')} declared, none judged."
        )
        rest = [c for c in declared if c not in answered]
        blocks.append(Text(said))
        if apart := _otherwise(above, results):
            blocks += [Text("Judged otherwise than its contrast in the figure:"), Items(apart)]
        if rest:
            blocks.append(
                Fold(f"The {many(len(rest), 'claim')} not judged, and why", unjudged(rest, results))
            )
    if results["synthetic"]:
        blocks.append(
            Text(
                "The microdata are not available. What the models of the panel would show on a "
                f"stand-in is no evidence and stands apart: {ref(APPENDIX)}."
            )
        )
    return blocks
