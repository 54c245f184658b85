"""The first figure: a row for each claim, or for each model of the only one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.estimands.verdict import WORDS
from bayesdid.report.claim_words import asks
from bayesdid.report.document.blocks import Cell, ForestRow, Mark
from bayesdid.report.document.forest import is_cut
from bayesdid.report.model_words import model_name
from bayesdid.report.sections.answer import evidence_of, sources
from bayesdid.report.sections.doses import dose_rows, see_doses
from bayesdid.report.sections.no_panel import unclaimed
from bayesdid.report.sections.part import Results, counts, known, p_range, word_cell
from bayesdid.report.sections.unjudged import claimed
from bayesdid.report.text import probability

FOREST = "claims"
MOST_ROWS = 8
_MODELS = 4  # of the main claim, where it is the only one
_MARKS = {"published": "Diamond: from the printed numbers.", "panel": "Disc: from the panel."}
_HOLLOW = "Hollow: other models that count."
_BARS = "Bars: {} intervals; thin lines: over every model that counts."
_BARS_ALONE = "Bars: {} intervals."
CUT = " Arrow: the line goes on beyond the axis."


def forest_rows(results: Results) -> tuple[ForestRow, ...]:
    """Rows of the first figure: a contrast each; where it is one, the models of it as well."""
    found = evidence_of(results)[:MOST_ROWS]
    rows = [_row(item, results) for item in found]
    if not rows:
        source, contrasts = unclaimed(results)
        rows = [_headline_row(item, source) for item in contrasts.values()]
        return tuple(rows[:MOST_ROWS]) or dose_rows(results)
    if len(rows) == 1:
        rows += _models(found[0], results)
    return tuple(rows)


def _row(evidence: Mapping[str, Any], results: Results) -> ForestRow:
    marks, words = [], []
    both = all(source in evidence["answers"] for source in ("published", "panel")) and (
        len(sources(results)) > 1
    )
    for source in sources(results):
        given = evidence["answers"].get(source)
        if given is None:
            continue
        counted = [
            e for e in evidence["estimates"] if e["source"] == source and counts(e) and known(e)
        ]
        by = next(
            e
            for e in evidence["estimates"]
            if e["source"] == source and e["model"] == given["model"]
        )
        wide = [e["interval"] for e in counted] or [by["interval"]]
        marks.append(
            Mark(
                source,
                by["mean"],
                by["interval"]["low"],
                by["interval"]["high"],
                (min(i["low"] for i in wide), max(i["high"] for i in wide)),
            )
        )
        words.append(word_cell(given["word"], f"{source}: " if both else ""))
        words.append(Cell(_range(given), "soft"))
    side = "claimed" if claimed(results) else "better"
    return ForestRow(evidence["label"], f"{side}: {asks(evidence)}", tuple(words), tuple(marks))


def _range(given: Mapping[str, Any]) -> str:
    return p_range(given["p"], given["p_low"], given["p_high"])


def _models(evidence: Mapping[str, Any], results: Results) -> list[ForestRow]:
    """Models of one claim beside those that answer it."""
    answers = {given["model"] for given in evidence["answers"].values()}
    shown = [
        e
        for e in evidence["estimates"]
        if e["source"] in sources(results) and counts(e) and known(e) and e["model"] not in answers
    ]
    return [
        ForestRow(
            model_name(e["model"], results),
            f"if {e['assumes']}",
            (Cell(f"P {probability(e['p_sign'])}", "soft"),),
            (
                Mark(
                    e["source"], e["mean"], e["interval"]["low"], e["interval"]["high"], None, False
                ),
            ),
        )
        for e in shown[:_MODELS]
    ]


def _headline_row(item: Mapping[str, Any], source: str) -> ForestRow:
    judged = [m["interval"] for m in item["models"].values() if m["judged"] and known(m)]
    wide = (min(i["low"] for i in judged), max(i["high"] for i in judged)) if judged else None
    return ForestRow(
        item["label"],
        "",
        (word_cell(item["word"]), Cell(p_range(item["p_claim"], *item["p_range"]), "soft")),
        (Mark(source, item["mean"], item["interval"]["low"], item["interval"]["high"], wide),),
    )


def see_claims(results: Results) -> str:
    """What there is to see in the forest: how many claims hold, how many do not."""
    given = [
        e["answers"][s]["word"]
        for e in evidence_of(results)[:MOST_ROWS]
        for s in sources(results)[-1:]
        if s in e["answers"]
    ] or [
        e["answers"][s]["word"]
        for e in evidence_of(results)[:MOST_ROWS]
        for s in sources(results)
        if s in e["answers"]
    ]
    if not given:
        if not unclaimed(results)[1]:
            return see_doses(results)
        source, contrasts = unclaimed(results)
        by = "of the panel" if source == "panel" else "from print"
        words = [str(item["word"]) for item in contrasts.values()]
        if len(words) == 1:
            return f"The contrast {by}: {words[0]}."
        shown = words[:MOST_ROWS]
        told = "; ".join(f"{shown.count(word)} {word}" for word in WORDS if word in shown)
        more = len(words) - len(shown)
        return f"Contrasts {by}: {told}{f' ({more} more below)' if more else ''}."
    held = sum(word == "supported" for word in given)
    fragile = sum(word == "supported, fragile" for word in given)
    against = sum(word.startswith("contradicted") for word in given)
    left = len(given) - held - fragile - against
    by = "the panel" if _by_panel(results) else "print"
    counted = {
        "supported": held,
        "supported but fragile": fragile,
        "undecided": left,
        "contradicted": against,
    }
    said = ", ".join(f"{count} {word}" for word, count in counted.items() if count)
    if len(given) == 1:
        word = next(word for word, count in counted.items() if count)
        return f"The {'claim' if claimed(results) else 'better side'}, by {by}: {word}."
    if claimed(results):
        return f"Of {len(given)} claims about a contrast, by {by}: {said}."
    return f"The better side of {len(given)} contrasts, by {by}: {said}."


def _by_panel(results: Results) -> bool:
    """Whether a real panel answers any of the claims."""
    return "panel" in sources(results) and any(
        "panel" in evidence["answers"] for evidence in evidence_of(results)[:MOST_ROWS]
    )


def drawn(rows: tuple[ForestRow, ...], level: str, *, doses: bool = False) -> str:
    """What the marks mean that are drawn; `doses`: rows are columns with the dose."""
    wide = any(mark.wide is not None for row in rows for mark in row.marks)
    bars = (_BARS if wide else _BARS_ALONE).format(level) + (CUT if is_cut(rows) else "")
    if doses:
        others = " Hollow: the other columns that have it." if len(rows) > 1 else ""
        return f"Disc: the model that answers.{others} {bars}"
    of = {mark.source for row in rows for mark in row.marks}
    hollow = any(not mark.solid for row in rows for mark in row.marks)
    said = [text for source, text in _MARKS.items() if source in of]
    return " ".join([*said, *([_HOLLOW] if hollow else []), bars])
