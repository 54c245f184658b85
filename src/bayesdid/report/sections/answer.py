"""The answer in two sentences: what is estimated, by what, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.estimands.judgement import SOURCES
from bayesdid.estimands.names import SUM
from bayesdid.report.claim_words import asks, how_sure
from bayesdid.report.sections.doses import dose_answer, dose_evidence
from bayesdid.report.sections.no_panel import unclaimed
from bayesdid.report.sections.part import Results
from bayesdid.report.text import number, probability
from bayesdid.summary import percent


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
    """What the study's question is about: sums of three and more policies, a dose, else a claim."""
    if results["sums"]:
        known = [item["evidence"] for item in results["sums"] if item["evidence"]]
        return next((e for e in known if answered_by(e, results)), None)
    dose = dose_evidence(results)
    stated = [claim["evidence"] for claim in results["claims"] if claim["evidence"]]
    return dose or next((e for e in stated if e["main"] and answered_by(e, results)), None)


def answered_by(evidence: Mapping[str, Any], results: Results) -> bool:
    """Whether anything that may be said on the page answers it."""
    return any(source in evidence["answers"] for source in sources(results))


def answer(results: Results) -> list[str]:
    """The answer in two sentences: what is estimated, and how sure it is; one for each source."""
    evidence = main_evidence(results)
    if evidence is None:
        return _effect(results)
    if dose_evidence(results) is not None:
        return dose_answer(results)
    said = []
    given = [source for source in sources(results) if source in evidence["answers"]]
    for source in reversed(given):  # a panel says more than what was printed of it
        what, sure = _estimate(evidence, source, results), how_sure(evidence["answers"][source])
        claim = f"That it is {asks(evidence)}" if evidence["contrast"] != SUM else _MORE
        said.append((f"{what}.", f"{claim} is {sure}."))
    if len(said) == 1:
        return list(said[0])
    return [f"{what} {sure}" for what, sure in said]


ORIGIN = {"published": "From the printed numbers alone", "panel": "In the microdata"}
_MORE = "That they do more than the two added up"


def _estimate(evidence: Mapping[str, Any], source: str, results: Results) -> str:
    name = evidence["answers"][source]["model"]
    by = next(
        item for item in evidence["estimates"] if item["source"] == source and item["model"] == name
    )
    return f"{ORIGIN[source]}, {_amount(by['mean'], by['interval'], evidence, results)}"


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
        best = "by the best estimate, " if low < 0 < high else ""
        return (
            f"{best}the two policies together do {'more' if more else 'less'} than the two "
            f"alone, added up, by {number(abs(scale * mean), places)} {unit} ({level} "
            f"interval of the difference {number(low, places)} to {number(high, places)})"
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


def _effect(results: Results) -> list[str]:
    """Without a claim: the first contrast."""
    source, contrasts = unclaimed(results)
    if not contrasts:
        return []
    name = next(iter(contrasts))
    item, outcome = contrasts[name], results["outcome"]
    asked = {"contrast": name, "label": item["label"], "unit": outcome["unit"]}
    side = "below" if item["claim"] == "< 0" else "above"
    low, high = (probability(end) for end in item["p_range"])
    p = probability(item["p_claim"])
    by = (
        " by every model that counts"
        if {low, high} == {p}
        else (f", and {low} to {high} over the models that count")
    )
    what = "the difference" if name == SUM else "it"
    return [
        f"{ORIGIN[source]}, {_amount(item['mean'], item['interval'], asked, results)}.",
        f"That {what} is {side} zero is {item['word']}: P {p}{by}.",
    ]
