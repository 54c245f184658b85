"""Page one without policies: the coefficient of the treatment, in each column that has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.estimands.verdict import word_for
from bayesdid.inference.plan import MAIN
from bayesdid.notebook import many
from bayesdid.report.document.blocks import Cell, ForestRow, Mark
from bayesdid.report.model_words import spec_name
from bayesdid.report.sections.part import Results, word_cell
from bayesdid.report.term_words import in_words
from bayesdid.report.text import number, probability, significant
from bayesdid.summary import percent

_PLACES = 0.01  # below it three decimals say too little


def dose_effects(results: Results) -> list[Mapping[str, Any]]:
    """Effects of the first column's first treatment, in every column that has it.

    Empty for a study that declares policies, without a real panel, or whose first column did not
    converge.
    """
    if any(claim["evidence"] for claim in results["claims"]):
        return []
    if results["policies"] or results["panel"] is None or results["synthetic"]:
        return []
    main = results["outcome"]["column"]
    own = {item["spec"] for item in results["agreement"] if item["outcome"] == main}
    found = [item for item in results["effects"] if item["spec"] in own]
    if not found or not found[0]["converged"]:
        return []
    return [e for e in found if e["term"] == found[0]["term"] and e["converged"]]


def dose_answer(results: Results) -> list[str]:
    """The coefficient in the first column, how sure its better side is over all of them."""
    found = dose_effects(results)
    if not found:
        return []
    first, outcome = found[0]["summary"], results["outcome"]
    unit, of = _unit(found[0]["term"], results), outcome["label"]
    name = in_words(found[0]["term"], results)
    one = f"one more of {name}{f' (in {unit})' if unit else ''}" if _dose(found, results) else name
    p = [_better(e, results) for e in found]
    side = "below" if outcome["better"] == "lower" else "above"
    sure = f"That it is {side} zero is {word_for(p[0], min(p), max(p))}: P {probability(p[0])}"
    if len(found) > 1:
        low, high = probability(min(p)), probability(max(p))
        over = f"over the {len(found)} columns that have it"
        sure += f", {over}" if low == high else f", and {low} to {high} {over}"
    return [
        f"In the microdata, {one} moves {of[:1].lower()}{of[1:]} by {_number(first['mean'])} "
        f"{outcome['unit']} ({percent(results['level'])} interval {_number(first['low'])} to "
        f"{_number(first['high'])}).",
        f"{sure}.",
    ]


def dose_rows(results: Results) -> tuple[ForestRow, ...]:
    """A row for each column that has the dose, the first with the word."""
    found = dose_effects(results)
    p = [_better(e, results) for e in found]
    rows = []
    for k, item in enumerate(found):
        said = [word_cell(word_for(p[0], min(p), max(p)))] if k == 0 else []
        s = item["summary"]
        rows.append(
            ForestRow(
                spec_name(item["spec"], results),
                in_words(item["term"], results) if k == 0 else "",
                (*said, Cell(f"P {probability(p[k])}", "soft")),
                (Mark("panel", s["mean"], s["low"], s["high"], None, k == 0),),
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
        if _dose(found, results)
        else "It is one number for all units and periods. It is an effect if, without the "
        "treatment, treated units would have moved as the others did."
    ]
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


def _dose(found: list[Mapping[str, Any]], results: Results) -> bool:
    """Whether the treatment is more than a 0/1: a column with other values."""
    known = {d["column"]: d for d in results["design"]["descriptives"]}
    column = known.get(found[0]["term"])
    return column is not None and not (column["min"] >= 0 and column["max"] <= 1)


def _unit(term: str, results: Results) -> str:
    known = {d["column"]: d["unit"] for d in results["design"]["descriptives"]}
    return str(known.get(term, ""))


def _number(value: float) -> str:
    return significant(value) if abs(value) < _PLACES else number(value)
