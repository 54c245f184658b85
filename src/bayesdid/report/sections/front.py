"""Page one: the question, its answer in two sentences, the claims, what decides, what lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.estimands.judgement import SOURCES
from bayesdid.estimands.names import SUM
from bayesdid.estimands.verdict import rules
from bayesdid.notebook import many
from bayesdid.report.claim_words import asks, constant_sentence, size_asked
from bayesdid.report.document.blocks import (
    Block,
    Cell,
    Fold,
    Forest,
    ForestRow,
    Heading,
    Items,
    Mark,
    Text,
    ref,
)
from bayesdid.report.model_words import model_name
from bayesdid.report.sections.examination import check_title
from bayesdid.report.sections.no_panel import no_panel, of_column, unclaimed
from bayesdid.report.sections.part import Part, Results, known, word_cell
from bayesdid.report.sections.sliders import sliders
from bayesdid.report.sections.unjudged import claimed, judged_by, unclaimed_side, unjudged
from bayesdid.report.text import number, probability
from bayesdid.summary import percent

FOREST, APPENDIX, STATEMENTS, ALERTS = "claims", "stand-in", "statements", "alerts"
MOST_ROWS = 8
_MODELS = 4  # of the main claim, where it is the only one
OF_PRINT = frozenset({"audit_posterior", "doubted_mediator"})  # alerts that no panel is behind
_MARKS = {"published": "Diamond: from the printed numbers.", "panel": "Disc: from the panel."}
_HOLLOW = "Hollow: other models that count."
COUNTS = (
    "A model counts unless it supposes what is known to be false here, or fails a check that bears "
    "on its intervals."
)
_BARS = "Bars: {} intervals; thin lines: over every model that counts."
_LIKE = " Likewise: "  # between the alert that is told in full and those of its kind


def front(results: Results) -> Part:
    """The first page; of a synthetic panel nothing stands on it."""
    question, answered = results["study"]["question"], answer(results)
    blocks: list[Block] = [Text(question, "lead")] if question else []
    blocks += [Text(sentence, "answer") for sentence in answered]
    blocks += _statement(results)
    blocks += no_panel(results, bool(answered))
    blocks += _failures(results)
    rows = forest_rows(results)
    if rows:
        level = percent(results["level"])
        drawn, unit = _drawn(rows, level), results["outcome"]["unit"]
        blocks.append(Forest(FOREST, see_claims(results), drawn, unit, rows))
    if rows or answered:
        said = rules("the posterior probability of the claim", "every model that counts")
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
    blocks += _available(results)
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
    if not _answered(main[0]["evidence"], results):
        return []
    return [Text(f"The statement: “{main[0]['text']}” ({main[0]['place']}).", "soft")]


def _drawn(rows: tuple[ForestRow, ...], level: str) -> str:
    """What the marks mean that are drawn."""
    of = {mark.source for row in rows for mark in row.marks}
    hollow = any(not mark.solid for row in rows for mark in row.marks)
    said = [text for source, text in _MARKS.items() if source in of]
    return " ".join([*said, *([_HOLLOW] if hollow else []), _BARS.format(level)])


def _short(text: str) -> str:
    """An alert without those like it, which the supplement lists."""
    told, _, _ = text.partition(_LIKE)
    return told


def sources(results: Results) -> tuple[str, ...]:
    """What may be said on the page: published cells, and a panel if it is real."""
    return tuple(s for s in SOURCES if s == "published" or not results["synthetic"])


def evidence_of(results: Results) -> list[Mapping[str, Any]]:
    """Evidence about contrasts on the outcome's scale, the main one first, each sign once."""
    found: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    stated = [claim["evidence"] for claim in results["claims"]]
    stated += [item["evidence"] for item in results["sums"]]
    known = [e for e in stated if e is not None and e["contrast"] is not None]
    for item in sorted(known, key=lambda e: not e.get("main", False)):
        if item["unit"] == results["outcome"]["unit"] and item["null"] == 0:
            found.setdefault((item["contrast"], item["sign"]), item)
    return [item for item in found.values() if any(s in item["answers"] for s in sources(results))]


def main_evidence(results: Results) -> Mapping[str, Any] | None:
    """What the study's question is about: of three and more policies their sums, else its claim."""
    if results["sums"]:
        known = [item["evidence"] for item in results["sums"] if item["evidence"]]
        return next((e for e in known if _answered(e, results)), None)
    stated = [claim["evidence"] for claim in results["claims"] if claim["evidence"]]
    return next((e for e in stated if e["main"] and _answered(e, results)), None)


def _answered(evidence: Mapping[str, Any], results: Results) -> bool:
    return any(source in evidence["answers"] for source in sources(results))


def answer(results: Results) -> list[str]:
    """The answer in two sentences: what is estimated, and how sure it is; one for each source."""
    evidence = main_evidence(results)
    if evidence is None:
        return _effect(results)
    said = []
    given = [source for source in sources(results) if source in evidence["answers"]]
    for source in reversed(given):  # a panel says more than what was printed of it
        what, sure = _estimate(evidence, source, results), _sure(evidence["answers"][source])
        claim = f"That it is {asks(evidence)}" if evidence["contrast"] != SUM else _MORE
        said.append((f"{what}.", f"{claim} is {sure}."))
    if len(said) == 1:
        return list(said[0])
    return [f"{what} {sure}" for what, sure in said]


_ORIGIN = {"published": "From the printed numbers alone", "panel": "In the microdata"}
_MORE = "That they do more than the two added up"


def _estimate(evidence: Mapping[str, Any], source: str, results: Results) -> str:
    name = evidence["answers"][source]["model"]
    by = next(
        item for item in evidence["estimates"] if item["source"] == source and item["model"] == name
    )
    return f"{_ORIGIN[source]}, {_amount(by['mean'], by['interval'], evidence, results)}"


def _amount(
    mean: float, interval: Mapping[str, float], evidence: Mapping[str, Any], results: Results
) -> str:
    outcome = results["outcome"]
    natural = outcome["natural_unit"] and evidence["unit"] == outcome["unit"]
    scale = outcome["natural_per_unit"] if natural else 1.0
    unit = outcome["natural_unit"] if natural else evidence["unit"]
    places = 1 if natural and scale >= 10 else 3
    low, high = (scale * interval[side] for side in ("low", "high"))
    level = percent(interval["level"])
    if evidence["contrast"] == SUM:
        more = (mean < 0) == (outcome["better"] == "lower")
        return (
            f"the two policies together do {'more' if more else 'less'} than the two alone, added "
            f"up, by {number(abs(scale * mean), places)} {unit} ({level} interval of the "
            f"difference {number(low, places)} to {number(high, places)})"
        )
    return (
        f"{_named(evidence, results)} is {number(scale * mean, places)} {unit} ({level} interval "
        f"{number(low, places)} to {number(high, places)})"
    )


def _named(evidence: Mapping[str, Any], results: Results) -> str:
    """What is estimated; the effect of the only policy by the name of its outcome."""
    policies = results.get("policies", [])
    if len(policies) == 1 and evidence["contrast"] == f"only:{policies[0]['id']} - none":
        of = results["outcome"]["label"]
        return f"the effect of {policies[0]['label']} on {of[:1].lower()}{of[1:]}"
    return str(evidence["label"])


def _sure(found: Mapping[str, Any]) -> str:
    """The word, its probability, and the range over models."""
    said = f"{found['word']}: P {probability(found['p'])}"
    if found["models"] > 1:
        low, high = probability(found["p_low"]), probability(found["p_high"])
        said += f", and {low} to {high} over the {found['models']} models that count"
    return said


def _effect(results: Results) -> list[str]:
    """Without a claim: the first contrast."""
    source, contrasts = unclaimed(results)
    if not contrasts:
        return []
    name = SUM if SUM in contrasts else next(iter(contrasts))
    item, outcome = contrasts[name], results["outcome"]
    asked = {"contrast": name, "label": item["label"], "unit": outcome["unit"]}
    side = "below" if item["claim"] == "< 0" else "above"
    low, high = item["p_range"]
    return [
        f"{_ORIGIN[source]}, {_amount(item['mean'], item['interval'], asked, results)}.",
        f"That it is {side} zero is {item['word']}: P {probability(item['p_claim'])}, and "
        f"{probability(low)} to {probability(high)} over the models that count.",
    ]


def forest_rows(results: Results) -> tuple[ForestRow, ...]:
    """Rows of the first figure: a contrast each; where it is one, the models of it as well."""
    found = evidence_of(results)[:MOST_ROWS]
    rows = [_row(item, results) for item in found]
    if not rows:
        source, contrasts = unclaimed(results)
        rows = [_headline_row(item, source) for item in contrasts.values()]
        return tuple(rows[:MOST_ROWS])
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
    return _p_range(given["p"], given["p_low"], given["p_high"])


def _p_range(p: float, low: float, high: float) -> str:
    """``P 0.95 (0.90 to 0.99)``; one number where the three are written alike."""
    said = [probability(value) for value in (p, low, high)]
    return f"P {said[0]}" if len(set(said)) == 1 else f"P {said[0]} ({said[1]} to {said[2]})"


def counts(estimate: Mapping[str, Any]) -> bool:
    """Whether a model counts: nothing it supposes is known to be false, no check of it fails."""
    return not estimate["false_here"] and estimate["passes"] is not False


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
        (word_cell(item["word"]), Cell(_p_range(item["p_claim"], *item["p_range"]), "soft")),
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
        by = "of the panel" if unclaimed(results)[0] == "panel" else "from print"
        one = len(unclaimed(results)[1]) == 1
        return f"{'The contrast' if one else 'Contrasts'} {by}."
    held = sum(word == "supported" for word in given)
    fragile = sum(word == "supported, fragile" for word in given)
    against = sum(word.startswith("contradicted") for word in given)
    left = len(given) - held - fragile - against
    by = "the panel" if not results["synthetic"] and results["headline"]["contrasts"] else "print"
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


def depends_on(results: Results) -> list[str]:
    """What the answer depends on, most important first."""
    evidence, said = main_evidence(results), []
    published, headline = results["published"], results["headline"]
    if evidence is not None and evidence["contrast"] == SUM and published is not None:
        said += published.get("sentences", [])[:1]
    if evidence is not None:
        said += of_column(evidence)
        for source in sources(results):
            given = evidence["answers"].get(source)
            if given is not None and given["p_size"] is not None:
                origin = "In print" if source == "published" else "In the microdata"
                low, high = probability(given["size_low"]), probability(given["size_high"])
                size = f"the claimed size ({size_asked(evidence)}, {evidence['unit']})"
                over = f" ({low} to {high} over the models that count)"
                said.append(
                    f"{origin}, {size} has P {probability(given['p_size'])}"
                    f"{over if given['models'] > 1 else ''}."
                )
            if given is not None and given["moved"]:
                said.append(given["moved"])
    if results["synthetic"]:
        return said
    said += [
        f"{item['label']} is not identified: {item['refused']}."
        for item in results["sums"]
        if item["refused"] and not item["evidence"]
    ]
    if evidence is not None:
        said += constant_sentence(evidence, results)
    if headline["contrasts"]:
        said += [checked(results)] if headline["checks"] else []
        said += headline.get("trends", [])[:1]
        said += [headline["brief"]] if headline.get("brief") else []
    return said


def checked(results: Results) -> str:
    """What checks say of the main model: those that bear on its intervals, and all others."""
    bear = results["headline"]["checks"]
    failed = [c["name"].replace("_", " ") for c in bear if c["passed"] is False]
    said = (
        f"The main model fails checks that bear on its intervals: {', '.join(failed)}"
        if failed
        else "The main model passes the checks that bear on its intervals"
    )
    every = results["examination"]["results"]
    known = {check["name"] for check in bear}
    others = [c for c in every if c["passed"] is False and c["name"] not in known]
    if others:
        names = ", ".join(check_title(check["name"]) for check in others)
        said += f"; of others it fails {len(others)} ({names} {ref('examination')})"
    return f"{said}."


def alerts(results: Results) -> list[Mapping[str, Any]]:
    """Alerts of the page: with a synthetic panel only those that come from print."""
    return [a for a in results["alerts"] if not results["synthetic"] or a["kind"] in OF_PRINT]


def _failures(results: Results) -> list[Block]:
    failed, broken = results["failed"], [f for f in results["fits"] if not f["converged"]]
    found: list[Block] = []
    if failed:
        why = " · ".join(f"{spec}: {reason}" for spec, reason in failed.items())
        has = "has" if len(failed) == 1 else "have"
        found.append(
            Text(
                f"{many(len(failed), 'part')} of this report failed and {has} no result here; the "
                f"others are not affected. {why}",
                "stamp",
            )
        )
    if broken:
        names = ", ".join(f"{f['spec']} ({f['kind']})" for f in broken)
        found.append(
            Text(
                f"{many(len(broken), 'fit')} did not converge; no result is taken from them: "
                f"{names}.",
                "stamp",
            )
        )
    return found


def _available(results: Results) -> list[Block]:
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
        answered = [c for c in about if _answered(c["evidence"], results)]
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
