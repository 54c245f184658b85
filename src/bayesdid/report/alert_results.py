"""The alerts of a page, from its results."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from bayesdid.estimands.beside import CELLS, CELLS_CLUSTERED, HEADLINE, STATIC
from bayesdid.estimands.judgement import SOURCES
from bayesdid.model.priors import WEAK_MULTIPLE
from bayesdid.report.alerts import (
    Alert,
    Says,
    audit_against_posterior,
    doubted_mediator,
    durbin_against_profile,
    errors_that_decide,
    few_treated,
    pooled_against_flat,
    prior_against_data,
    published_against_panel,
    twfe_against_att,
    weak_instrument,
)
from bayesdid.report.claim_panel import LEAST_SQUARES
from bayesdid.report.model_words import model_name, with_titles
from bayesdid.report.term_words import in_words

Results = Mapping[str, Any]


def alerts_section(results: Results) -> list[Alert]:
    """Every alert of a page, each of a kind in one: the weightiest in full, the others by name."""
    found: dict[str, list[Alert]] = {}
    for alert in _every(results):
        kept = found.setdefault(alert.kind, [])
        if alert.text not in {item.text for item in kept}:
            kept.append(alert)
    return [_together(items) for items in found.values()]


def _together(items: list[Alert]) -> Alert:
    first, *rest = sorted(items, key=lambda item: -item.weight)
    others = dict.fromkeys(item.subject for item in rest if item.subject != first.subject)
    if not others:
        return first
    named = ", ".join(others)
    return Alert(first.kind, first.title, f"{first.text} Likewise: {named}.")


def _every(results: Results) -> Iterator[Alert]:
    evidence = _evidence(results)
    for alert in (
        *_pooled(evidence, results),
        *_twfe(evidence, results),
        *_unclaimed(results),
        *_doses(results),
        *_spatial(results),
        *_audit(results, evidence),
        *_mediators(results),
        *(() if results["synthetic"] else _sources(evidence, results)),
        *_priors(results),
        *_few(results),
        *_instruments(results),
    ):
        if alert is not None:
            yield alert


def _evidence(results: Results) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Claims with their evidence, the main one first."""
    found = [(claim, claim["evidence"]) for claim in results["claims"] if claim["evidence"]]
    return sorted(found, key=lambda pair: not pair[1]["main"])


def _says(item: Mapping[str, Any], results: Results) -> Says:
    return Says(model_name(item["model"], results), item["mean"], item["sd"], item["p_sign"])


def _main(evidence: Mapping[str, Any], source: str, results: Results) -> Says | None:
    """The estimate that answers for a source."""
    answer = evidence["answers"].get(source)
    for item in evidence["estimates"] if answer else ():
        if (item["source"], item["model"]) == (source, answer["model"]):
            return _says(item, results)
    return None


def _pooled(evidence: list[Any], results: Results) -> Iterator[Alert | None]:
    for _, item in evidence:
        by = {found["model"]: _says(found, results) for found in item["estimates"]}
        flat = by.get(CELLS, by.get(CELLS_CLUSTERED))
        if HEADLINE in by and flat is not None:
            yield pooled_against_flat(item["label"], by[HEADLINE], flat)
        if {CELLS, CELLS_CLUSTERED} <= by.keys():
            yield errors_that_decide(item["label"], by[CELLS], by[CELLS_CLUSTERED])


def _unclaimed(results: Results) -> Iterator[Alert | None]:
    """The same of the panel's contrasts, where they answer because nothing is claimed."""
    if any(claim["evidence"] for claim in results["claims"]):
        return
    for item in results["headline"]["contrasts"].values():
        by = {
            name: Says(model_name(name, results), found["mean"], found["sd"], found["p_claim"])
            for name, found in item["models"].items()
            if found["sd"]
        }
        side, flat = "the better side", by.get(CELLS, by.get(CELLS_CLUSTERED))
        if HEADLINE in by and flat is not None:
            yield pooled_against_flat(item["label"], by[HEADLINE], flat, side)
        if {CELLS, CELLS_CLUSTERED} <= by.keys():
            yield errors_that_decide(item["label"], by[CELLS], by[CELLS_CLUSTERED])
        if {HEADLINE, STATIC} <= by.keys():
            yield twfe_against_att(item["label"], by[STATIC], by[HEADLINE], side)


def _doses(results: Results) -> Iterator[Alert | None]:
    """A dose under the errors that answer, and by least squares."""
    for dose in results["doses"]:
        evidence, spec = dose["evidence"], dose["spec"]
        answers = _main(evidence, "panel", results)
        least = f"{spec}, {LEAST_SQUARES}"
        for item in evidence["estimates"]:
            if item["model"] == least and answers is not None and item["sd"]:
                yield errors_that_decide(
                    evidence["label"],
                    answers,
                    _says(item, results),
                    "it acts at once and nothing else that moves the outcome moves with it",
                )


def _twfe(evidence: list[Any], results: Results) -> Iterator[Alert | None]:
    """Of every quantity: the first model with constant effects, and the one that answers."""
    for _, item in evidence:
        att = _main(item, "panel", results)
        constant = next(
            (
                found
                for found in item["estimates"]
                if found["source"] == "panel"
                and found["false_here"]
                and (found["model"] == STATIC or found["model"].startswith("TWFE"))
            ),
            None,
        )
        if att is not None and constant is not None:
            yield twfe_against_att(item["label"], _says(constant, results), att)


def _spatial(results: Results) -> Iterator[Alert | None]:
    """Every spatial model beside every profile over distance of the same treatment."""
    stated = [
        (item["family"], f"{_column(item['spec'], results)} ({effect['model']})", effect)
        for item in results["analyses"]
        if item["converged"]
        for effect in item["effects"]
        if effect["name"].endswith(".indirect") and effect["main"]
    ]
    durbin = [entry for entry in stated if entry[0] == "sdm"]
    profiles = [entry for entry in stated if entry[0] == "spillover_distance"]
    for (_, one, a), (_, other, b) in product(durbin, profiles):
        if a["name"] == b["name"]:
            yield durbin_against_profile(
                *(
                    Says(label, e["found"]["mean"], e["found"]["sd"], e["found"]["p_negative"])
                    for label, e in ((one, a), (other, b))
                )
            )


def _audit(results: Results, evidence: list[Any]) -> Iterator[Alert | None]:
    """Claims whose own number, or whose cell alone, the audit contradicts."""
    bad = [f for f in results["audit"]["findings"] if f["severity"] == "contradiction"]
    for claim, item in evidence:
        places = {f"claim {claim['id']}", claim.get("cell")}
        findings = [f["text"] for f in bad if f["place"] in places]
        for source in SOURCES:
            if source in item["answers"] and not (source == "panel" and results["synthetic"]):
                word = item["answers"][source]["word"]
                yield audit_against_posterior(claim["id"], claim["text"], word, findings)


def _mediators(results: Results) -> Iterator[Alert | None]:
    bad = [f for f in results["audit"]["findings"] if f["severity"] == "contradiction"]
    for item in results["analyses"]:
        if item["family"] == "mediation":
            names = [effect["name"].partition(" through ")[2] for effect in item["effects"]]
            for finding in bad:
                yield doubted_mediator(_column(item["spec"], results), names, finding["text"])


def _sources(evidence: list[Any], results: Results) -> Iterator[Alert | None]:
    for _, item in evidence:
        published, panel = (_main(item, source, results) for source in SOURCES)
        if published is not None and panel is not None:
            yield published_against_panel(item["label"], published, panel)


def _priors(results: Results) -> Iterator[Alert | None]:
    published = results["published"]
    if published is not None:
        for item in published["contrasts"].values():
            if item["name"] in {verdict["contrast"] for verdict in published["verdicts"]}:
                sd = item["posteriors"]["averaged"]["sd"]
                label = f"{item['label']}, printed columns"
                yield prior_against_data(label, sd, WEAK_MULTIPLE * published["scale"])
    for effect in results["effects"]:
        if effect["converged"] and effect["prior_sd"]:
            label = _term(effect, results)
            yield prior_against_data(label, effect["summary"]["sd"], effect["prior_sd"])
    for spec, row in _strengths(results):
        yield prior_against_data(
            f"{_column(spec, results)}, instrumented", row["posterior sd"], row["prior sd"]
        )


def _few(results: Results) -> Iterator[Alert | None]:
    for effect in results["effects"]:
        if effect["treated_units"] is not None:
            yield few_treated(_term(effect, results), effect["treated_units"], effect["units"])


def _instruments(results: Results) -> Iterator[Alert | None]:
    for spec, row in _strengths(results):
        low, high = row["AR 95% low"], row["AR 95% high"]
        ends = (-math.inf if low is None else low, math.inf if high is None else high)
        yield weak_instrument(_column(spec, results), row["F"], ends, row["P(< 0)"])


def _column(spec: str, results: Results) -> str:
    """A column by its heading."""
    return with_titles(spec, results)


def _term(effect: Mapping[str, Any], results: Results) -> str:
    """A coefficient by the heading of its column, and by its own name where that has several."""
    spec = effect["spec"]
    alone = sum(other["spec"] == spec for other in results["effects"]) == 1
    column = _column(spec, results)
    if alone and column != spec:
        return column
    return f"{column}, {in_words(effect['term'], results)}"


def _strengths(results: Results) -> Iterator[tuple[str, dict[str, Any]]]:
    """Spec and the row of its instrument's strength."""
    for item in results["analyses"]:
        for table in item["tables"]:
            if item["converged"] and item["family"] == "iv_second" and table["name"] == "strength":
                yield item["spec"], dict(zip(table["columns"], table["rows"][0], strict=True))
