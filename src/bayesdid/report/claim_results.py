"""Verdicts on every claim about an effect: all models of it, and what they say together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bayesdid.checks.check import CheckResult
from bayesdid.checks.differing import NAME as DIFFERING_EFFECTS
from bayesdid.checks.uncertainty import width_holds
from bayesdid.estimands.beside import DIFFERING, HEADLINE
from bayesdid.estimands.distribution import Distribution
from bayesdid.estimands.judgement import SOURCES, Estimate, judge
from bayesdid.estimands.names import RATIO, contrasts_of, is_sum, main_contrast
from bayesdid.estimands.question import Asked, Question, question, unasked
from bayesdid.estimands.stated import StatedEffect
from bayesdid.inference.plan import MAIN
from bayesdid.jsonio import plain
from bayesdid.published.claim import printed_estimates
from bayesdid.published.synergy import PublishedSynergy
from bayesdid.report.claim_panel import (
    KINDS,
    Headline,
    PanelEvidence,
    panel_estimates,
    panel_of_printed,
)
from bayesdid.report.slider_results import slider_tables
from bayesdid.study.claims import Claim
from bayesdid.study.load import Study
from bayesdid.summary import Interval, Summary


def claims_section(
    study: Study, synergy: PublishedSynergy | None, panel: PanelEvidence, scale: float = 0.0
) -> list[dict[str, Any]]:
    """Each claim as the study states it, with ``evidence`` if it is about an effect, else null.

    ``evidence`` holds ``label``, ``unit``, ``contrast``, ``sign``, ``size``, ``estimates`` (see
    :class:`~bayesdid.estimands.judgement.Estimate`), ``answers`` by source, and ``main``: whether
    it is the claim that the study's question is about, which has ``sliders`` too
    (:func:`bayesdid.report.slider_results.slider_tables`). ``unasked`` says why a claim asks
    nothing of an effect, or is empty.

    Parameters
    ----------
    scale
        sd(y), of which sliders take shares.
    """
    found = [(claim, question(study, claim)) for claim in study.claims]
    estimates = [_estimates(study, asked, synergy, panel) for _, asked in found]
    main = _main(
        [asked if item else None for item, (_, asked) in zip(estimates, found, strict=True)]
    )
    made = [
        evidence_of_question(study, asked, item, scale if k == main else 0.0)
        for k, (item, (_, asked)) in enumerate(zip(estimates, found, strict=True))
    ]
    return [
        _stated(claim)
        | {
            "evidence": None if item is None else item | {"main": k == main},
            "unasked": "" if asked is not None else unasked(study, claim),
        }
        for k, (item, (claim, asked)) in enumerate(zip(made, found, strict=True))
    ]


def sums_section(
    study: Study,
    synergy: PublishedSynergy | None,
    panel: PanelEvidence,
    refused: Mapping[str, str],
    scale: float = 0.0,
) -> list[dict[str, Any]]:
    """What three and more policies, and each pair, do beyond their sum, whether claimed or not.

    Empty for fewer policies. Each has ``label``, ``evidence`` as of a claim or null, and
    ``refused``: why no row of the panel identifies it, or empty.
    """
    if len(study.policies) < 3:
        return []
    asks = Asked(-1 if study.file.outcome.better == "lower" else 1)
    unit = study.file.outcome.unit
    found: list[dict[str, Any]] = []
    for one in contrasts_of(study):
        if is_sum(one.name):
            asked = Question(one.name, asks, one.label, unit, one.name)
            estimates = _estimates(study, asked, synergy, panel)
            first = not any(item["evidence"] for item in found)
            evidence = evidence_of_question(study, asked, estimates, scale if first else 0.0)
            why = refused.get(one.name, "")
            found.append({"label": one.label, "evidence": evidence, "refused": why})
    return found


def _stated(claim: Claim) -> dict[str, Any]:
    return dict(claim.model_dump(exclude_none=True))


def _main(asked: list[Question | None]) -> int | None:
    """The claim that the study's question is about: the sum of singles, else the first."""
    contrasts = [None if item is None else item.contrast for item in asked]
    name = main_contrast(one for one in contrasts if one is not None and is_sum(one))
    any_one = (k for k, item in enumerate(asked) if item is not None)
    return contrasts.index(name) if name else next(any_one, None)


def _estimates(
    study: Study, asked: Question | None, synergy: PublishedSynergy | None, panel: PanelEvidence
) -> list[Estimate]:
    if asked is None:
        return []
    return [
        *printed_estimates(study, asked, synergy),
        *panel_of_printed(study, asked, panel),
        *panel_estimates(study, asked, panel),
    ]


def evidence_of_question(
    study: Study, asked: Question | None, estimates: list[Estimate], scale: float
) -> dict[str, Any] | None:
    """What is said of a question; with sliders if there is a `scale`, sd(y), for them."""
    if asked is None or not estimates:
        return None
    answers = {
        source: answer for source in SOURCES if (answer := judge(estimates, source)) is not None
    }
    outcome, rope = study.file.outcome, study.file.synergy.rope
    slides = scale > 0 and asked.unit == outcome.unit and asked.asks.null == 0
    return {
        "label": asked.label,
        "unit": asked.unit,
        "contrast": asked.contrast,
        "sign": asked.asks.sign,
        "size": asked.asks.size,
        "rope": asked.asks.rope,
        "null": asked.asks.null,
        "estimates": [plain(item) for item in estimates],
        "answers": {source: plain(item) for source, item in answers.items()},
        "sliders": slider_tables(asked.asks, estimates, answers, scale, rope) if slides else {},
    }


def stated_effects(contents: list[dict[str, Any]]) -> dict[str, tuple[StatedEffect, ...]]:
    """Spec -> effects that its stored analysis states; none of one that did not converge."""
    return {
        item["spec"]: tuple(
            StatedEffect(**effect | {"found": _distribution(effect["found"])})
            for effect in item["effects"]
        )
        for item in contents
        if item["converged"]
    }


def without_quantiles(effects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Stated effects as ``results.json`` holds them: quantiles served the claims."""
    return [
        item | {"found": {k: v for k, v in item["found"].items() if k != "quantiles"}}
        for item in effects
    ]


def _distribution(found: Mapping[str, Any]) -> Distribution:
    interval, quantiles = Interval(**found["interval"]), tuple(found["quantiles"])
    return Distribution(found["mean"], found["sd"], interval, found["p_negative"], quantiles)


def headline_models(headline: Mapping[str, Any]) -> dict[str, tuple[Headline, ...]]:
    """Contrast -> its models, from the stored headline."""
    passes: dict[str, bool | None] = {HEADLINE: width_of(headline["checks"])}
    # it has in the model what the main one fails for
    others = [check for check in headline["checks"] if check["name"] != DIFFERING_EFFECTS]
    passes[DIFFERING] = width_of(others) is not False
    found = {}
    for name, item in headline["contrasts"].items():
        models = []
        for label, says in item["models"].items():
            p = says["p_claim"]
            p_negative = p if item["claim"] == "< 0" else 1 - p
            effect = StatedEffect(
                name,
                label,
                says["assumes"],
                _distribution(
                    says
                    | {"p_negative": p_negative, "quantiles": headline["quantiles"][name][label]}
                ),
                label == HEADLINE,
                not says["judged"],
            )
            models.append(Headline(effect, passes.get(label)))
        found[name] = tuple(models)
    return found


def static_models(section: Mapping[str, Any] | None) -> dict[str, tuple[StatedEffect, ...]]:
    """Contrast -> static factorial fits under every kind of model; not of the ratio."""
    found: dict[str, tuple[StatedEffect, ...]] = {}
    for row in section["rows"] if section else ():
        if row["name"] == RATIO:
            continue
        rows = [
            (f"factorial {row['spec']}, {KINDS[kind][0]}", KINDS[kind][1], item.summary)
            for kind, item in row["kinds"].items()
            if kind in KINDS
        ]
        rows += [
            (f"factorial {spec}, {KINDS[MAIN][0]}", KINDS[MAIN][1], item.summary)
            for spec, item in row["specs"].items()
            if spec != row["spec"]
        ]
        found[row["name"]] = tuple(
            StatedEffect(row["name"], label, why, _moments(item), constant=True)
            for label, why, item in rows
        )
    return found


def _moments(item: Summary) -> Distribution:
    """Without quantiles: a normal where more than the sign is asked."""
    return Distribution(item.mean, item.sd, item.interval, item.p_negative)


def width_of(checks: list[dict[str, Any]]) -> bool | None:
    """Whether stored checks that bear on uncertainty pass; None without any."""
    return width_holds(
        CheckResult(item["name"], item["passed"], pd.DataFrame(item["table"]), item["text"])
        for item in checks
    )
