"""Page one without policies: the coefficient of the treatment, over every model that has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.inference.plan import MAIN
from bayesdid.notebook import many
from bayesdid.report.claim_words import asks, how_sure
from bayesdid.report.document.blocks import Cell, ForestRow, Mark
from bayesdid.report.model_words import model_name, spec_name
from bayesdid.report.sections.part import Results, counts, known, p_range, word_cell
from bayesdid.report.term_words import in_words
from bayesdid.report.text import number, probability, significant
from bayesdid.summary import percent

_PLACES = 0.01  # below it three decimals say too little


def dose_evidence(results: Results) -> Mapping[str, Any] | None:
    """What the models of a panel say of its dose; None with policies, and of a synthetic panel."""
    if not results["doses"] or results["synthetic"]:
        return None
    evidence: Mapping[str, Any] = results["doses"][0]["evidence"]
    return evidence if "panel" in evidence["answers"] else None


def dose_effects(results: Results) -> list[Mapping[str, Any]]:
    """The dose under the default errors, in every column that has it, the first one first."""
    if dose_evidence(results) is None:
        return []
    main, term = results["outcome"]["column"], results["doses"][0]["term"]
    own = {item["spec"] for item in results["agreement"] if item["outcome"] == main}
    found = [item for item in results["effects"] if item["spec"] in own]
    return [e for e in found if e["term"] == term and e["converged"]]


def dose_answer(results: Results) -> list[str]:
    """The coefficient by the model that answers, and how sure its better side is over all."""
    evidence = dose_evidence(results)
    if evidence is None:
        return []
    by, outcome = _answering(evidence), results["outcome"]
    term = results["doses"][0]["term"]
    unit, of = _unit(term, results), outcome["label"]
    name = in_words(term, results)
    one = f"one more of {name}{f' (in {unit})' if unit else ''}" if _dose(results) else name
    interval = by["interval"]
    return [
        f"In the microdata, {one} moves {of[:1].lower()}{of[1:]} by {_number(by['mean'])} "
        f"{outcome['unit']} ({percent(interval['level'])} interval {_number(interval['low'])} to "
        f"{_number(interval['high'])}).",
        f"That it is {asks(evidence)} is {how_sure(evidence['answers']['panel'])}.",
    ]


def dose_rows(results: Results) -> tuple[ForestRow, ...]:
    """The model that answers, with the word; then the other columns that have the dose."""
    evidence = dose_evidence(results)
    if evidence is None:
        return ()
    given, by = evidence["answers"]["panel"], _answering(evidence)
    first, *others = dose_effects(results)
    wide = [e["interval"] for e in evidence["estimates"] if counts(e) and known(e)]
    ends = (min(i["low"] for i in wide), max(i["high"] for i in wide)) if wide else None
    label = spec_name(first["spec"], results) if by["main"] else model_name(by["model"], results)
    words = (
        word_cell(given["word"]),
        Cell(p_range(given["p"], given["p_low"], given["p_high"]), "soft"),
    )
    rows = [
        ForestRow(
            label,
            in_words(results["doses"][0]["term"], results),
            words,
            (Mark("panel", by["mean"], by["interval"]["low"], by["interval"]["high"], ends),),
        )
    ]
    for item in others:
        s = item["summary"]
        rows.append(
            ForestRow(
                spec_name(item["spec"], results),
                "",
                (Cell(f"P {probability(_better(item, results))}", "soft"),),
                (Mark("panel", s["mean"], s["low"], s["high"], None, False),),
            )
        )
    return tuple(rows)


def see_doses(results: Results) -> str:
    """In how many columns the interval excludes zero."""
    found = dose_effects(results)
    clear = sum(not e["summary"]["low"] <= 0 <= e["summary"]["high"] for e in found)
    name = in_words(found[0]["term"], results)
    return f"{name}: its interval excludes zero in {clear} of {many(len(found), 'column')}."


def dose_depends(results: Results) -> list[str]:
    """What the coefficient supposes, and what checks say of the column it is read from."""
    found = dose_effects(results)
    if not found:
        return []
    said = [
        "It is a slope: one number for every dose, unit and period. It is an effect if, at the "
        "same dose, units whose dose changed would have moved as the others did."
        if _dose(results)
        else "It is one number for all units and periods. It is an effect if, without the "
        "treatment, treated units would have moved as the others did."
    ]
    said += _range_ends(results)
    checks = [c for c in results["checks"] if (c["spec"], c["kind"]) == (found[0]["spec"], MAIN)]
    failed = [r["name"].replace("_", " ") for c in checks for r in c["results"] if not _passes(r)]
    if checks:
        said.append(
            f"The model of this column fails checks: {', '.join(failed)}."
            if failed
            else "The model of this column fails no check."
        )
    return said


def _passes(check: Mapping[str, Any]) -> bool:
    return check["passed"] is not False


def _better(item: Mapping[str, Any], results: Results) -> float:
    """Posterior probability of the side on which the outcome is better."""
    negative = float(item["summary"]["p_negative"])
    return negative if results["outcome"]["better"] == "lower" else 1 - negative


def _dose(results: Results) -> bool:
    """Whether the treatment is more than a 0/1: a column with other values."""
    measured = {d["column"]: d for d in results["design"]["descriptives"]}
    column = measured.get(results["doses"][0]["term"])
    return column is not None and not (column["min"] >= 0 and column["max"] <= 1)


def _range_ends(results: Results) -> list[str]:
    """Which models give the least and the largest probability, with what they suppose."""
    evidence = dose_evidence(results)
    able = [e for e in evidence["estimates"] if counts(e)] if evidence else []
    ends = [pick(able, key=lambda e: e["p_sign"]) for pick in (min, max)] if able else []
    if len({probability(e["p_sign"]) for e in ends}) < 2:
        return []
    said = [
        f"{probability(e['p_sign'])} by {model_name(e['model'], results)} (if {e['assumes']})"
        for e in ends
    ]
    return [f"Of the models that count P is least, {said[0]}, and largest, {said[1]}."]


def _answering(evidence: Mapping[str, Any]) -> Mapping[str, Any]:
    """The estimate that answers."""
    model = evidence["answers"]["panel"]["model"]
    return next(e for e in evidence["estimates"] if e["model"] == model)


def _unit(term: str, results: Results) -> str:
    units = {d["column"]: d["unit"] for d in results["design"]["descriptives"]}
    return str(units.get(term, ""))


def _number(value: float) -> str:
    return significant(value) if abs(value) < _PLACES else number(value)
