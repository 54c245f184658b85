"""Page one: the question, its answer in two sentences, the claims, what decides, what lacks."""

from __future__ import annotations

from bayesdid.estimands.verdict import rules
from bayesdid.report.document.blocks import Block, Fold, Forest, Heading, Items, Text, ref
from bayesdid.report.sections.answer import answer, answered_by, main_evidence, sources
from bayesdid.report.sections.available import available, failures
from bayesdid.report.sections.claims_forest import FOREST, drawn, forest_rows, see_claims
from bayesdid.report.sections.depends import alerts, depends_on
from bayesdid.report.sections.doses import dose_effects
from bayesdid.report.sections.no_panel import no_panel
from bayesdid.report.sections.part import Part, Results
from bayesdid.report.sections.sliders import sliders
from bayesdid.report.sections.unjudged import claimed, unclaimed_side
from bayesdid.summary import percent

ALERTS = "alerts"
COUNTS = (
    "A model counts unless it supposes what is known to be false here, or fails a check that bears "
    "on its intervals."
)
_LIKE = " Likewise: "  # between the alert that is told in full and those of its kind


def front(results: Results) -> Part:
    """The first page; of a synthetic panel nothing stands on it."""
    question, answered = results["study"]["question"], answer(results)
    blocks: list[Block] = [Text(question, "lead")] if question else []
    blocks += [Text(sentence, "answer") for sentence in answered]
    blocks += _statement(results)
    blocks += no_panel(results, bool(answered))
    blocks += failures(results)
    rows, doses = forest_rows(results), bool(dose_effects(results))
    if rows:
        level, unit = percent(results["level"]), results["outcome"]["unit"]
        marks = drawn(rows, level, doses=doses)
        blocks.append(Forest(FOREST, see_claims(results), marks, unit, rows))
    if rows or answered:
        of = "the claim" if claimed(results) else "that side"
        said = rules(f"the posterior probability of {of}", "every model that counts")
        blocks.append(Text(f"{unclaimed_side(results)}{said} {COUNTS}", "soft"))
    depends = depends_on(results)
    if depends:
        blocks.append(Text("What the answer depends on:"))
        blocks.append(Items(tuple(depends), (), "depends"))
    slides, settings = sliders(main_evidence(results), sources(results), results)
    if slides:
        blocks.append(Fold("What if? Other errors, priors and limits", tuple(slides)))
    shown = alerts(results)
    if shown:
        blocks.append(
            Items(
                tuple(_short(a["text"]) for a in shown),
                tuple(f"{a['title']}." for a in shown),
                "alerts",
            )
        )
    long = [a for a in shown if _LIKE in a["text"]]
    if long:
        hold = "alert holds" if len(long) == 1 else "alerts hold"
        blocks.append(
            Text(f"{len(long)} {hold} for more than what is named here: {ref(ALERTS)}.", "soft")
        )
    blocks += available(results)
    more: list[Block] = []
    if long:
        heads = tuple(f"{a['title']}." for a in long)
        more = [Heading("Alerts in full", ALERTS), Items(tuple(a["text"] for a in long), heads)]
    if settings:
        more += [Heading("The answer under other settings", "settings"), *settings]
    return Part("answer", "", tuple(blocks), tuple(more))


def _statement(results: Results) -> list[Block]:
    """What the answer is about, where that is a column and not a contrast of policies."""
    main = [c for c in results["claims"] if c["evidence"] and c["evidence"]["main"]]
    if results["sums"] or not main or main[0]["evidence"]["contrast"] is not None:
        return []
    if not answered_by(main[0]["evidence"], results):
        return []
    return [Text(f"The statement: “{main[0]['text']}” ({main[0]['place']}).", "soft")]


def _short(text: str) -> str:
    """An alert without those like it, which the supplement lists."""
    told, _, _ = text.partition(_LIKE)
    return told
