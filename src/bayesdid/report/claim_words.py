"""Verdicts on a claim in words: what each source says, and what the claim asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.notebook import many
from bayesdid.report.model_words import model_name
from bayesdid.report.text import number, probability, significant


def asks(evidence: Mapping[str, Any]) -> str:
    """What has to hold for the claim to be right, as the object of a probability."""
    if evidence["sign"] == 0:
        return f"within {number(evidence['rope'])} of zero"
    side = "below" if evidence["sign"] < 0 else "above"
    return f"{side} {'one' if evidence['null'] else 'zero'}"


def size_asked(evidence: Mapping[str, Any]) -> str:
    """The claimed size, with its direction."""
    side = "below" if evidence["sign"] < 0 else "above"
    return f"at least {significant(evidence['size'])} {side} zero"


def how_sure(answer: Mapping[str, Any]) -> str:
    """The word of an answer, its probability, and the range over the models that count."""
    said = f"{answer['word']}: P {probability(answer['p'])}"
    if answer["models"] < 2:
        return said
    return said + over(answer["p"], answer["p_low"], answer["p_high"], answer["models"])


def over(p: float, low: float, high: float, models: int) -> str:
    """What follows a probability: the range over the models that count, or that all say the same.

    Examples
    --------
    >>> over(0.9, 0.8, 0.95, 3), over(0.9999, 0.9995, 1.0, 3)
    (', and 0.800 to 0.950 over the 3 models that count', ' by each of the 3 models that count')
    """
    return over_said(probability(p), probability(low), probability(high), models)


def over_said(p: str, low: str, high: str, models: int) -> str:
    """As :func:`over`, of probabilities as they are written."""
    if {low, high} == {p}:
        return f" by each of the {models} models that count"
    return f", and {low} to {high} over the {models} models that count"


def origin(source: str, synthetic: bool) -> str:
    """Where an answer comes from, as the beginning of a sentence."""
    if source == "published":
        return "From the printed numbers alone"
    if synthetic:
        return "In a synthetic panel, which is no evidence about the world,"
    return "In the microdata"


def answer_sentence(evidence: Mapping[str, Any], source: str, results: Mapping[str, Any]) -> str:
    """What one source says: estimate, probability and range, size, word; empty without one."""
    answer = evidence["answers"].get(source)
    if answer is None:
        return ""
    by = next(
        item
        for item in evidence["estimates"]
        if item["source"] == source and item["model"] == answer["model"]
    )
    interval, model = by["interval"], model_name(answer["model"], results)
    said = (
        f"{origin(source, bool(results['synthetic']))} {evidence['label']} is "
        f"{number(by['mean'])} ({100 * interval['level']:g} % interval "
        f"{number(interval['low'])} to {number(interval['high'])}; {evidence['unit']}; {model}). "
        f"The probability that it is {asks(evidence)} is {probability(answer['p'])}"
        f"{_range(answer, 'p')}: {answer['word']}."
    )
    if answer["p_size"] is not None:
        said += (
            f" The probability that it is {size_asked(evidence)}, as claimed, is "
            f"{probability(answer['p_size'])}{_range(answer, 'size')}."
        )
    return f"{said} {answer['moved']}".strip()


def _range(answer: Mapping[str, Any], of: str) -> str:
    """The range over the models that count, if there are several."""
    if answer["models"] < 2:
        return ""
    low, high = answer[f"{of}_low"], answer[f"{of}_high"]
    if probability(low) == probability(high):
        return f" by each of the {answer['models']} models that count"
    return (
        f", and between {probability(low)} and {probability(high)} over the {answer['models']} "
        "models that count"
    )


def constant_sentence(evidence: Mapping[str, Any], results: Mapping[str, Any]) -> list[str]:
    """What the panel says if effects do not change with time, beside what answers."""
    constant = [
        item
        for item in evidence["estimates"]
        if item["source"] == "panel" and item["false_here"] and item["passes"] is not False
    ]
    if not constant:
        return []
    first, one = constant[0], len(constant) == 1
    low, high = (probability(end(item["p_sign"] for item in constant)) for end in (min, max))
    said = f"P would be {low}" if low == high else f"P would be {low} to {high}"
    return [
        f"{many(len(constant), 'model')} that suppose{'s' if one else ''} {first['false_here']} "
        f"do{'es' if one else ''} not count: by {'it' if one else 'them'} {said} "
        f"({model_name(first['model'], results)}: an estimate of {number(first['mean'])})."
    ]
