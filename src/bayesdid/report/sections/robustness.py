"""Robustness of the headline: every model of the main claim, violated trends, weights of TWFE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.estimands.verdict import SURE
from bayesdid.notebook import many
from bayesdid.report.claim_words import asks
from bayesdid.report.document.blocks import (
    Block,
    Cell,
    Forest,
    ForestRow,
    Items,
    Mark,
    Table,
    Text,
    ref,
)
from bayesdid.report.document.forest import is_cut
from bayesdid.report.model_words import model_name, spec_name
from bayesdid.report.sections.answer import main_evidence
from bayesdid.report.sections.available import STATEMENTS
from bayesdid.report.sections.claims_forest import CUT
from bayesdid.report.sections.depends import trends_of
from bayesdid.report.sections.part import Part, Results, counts, known
from bayesdid.report.term_words import in_words
from bayesdid.report.text import number, probability, significant


def robustness(results: Results) -> Part:
    """The main claim under every model, and what violated trends do."""
    main: list[Block] = []
    more: list[Block] = []
    evidence = main_evidence({**results, "synthetic": ""})
    if evidence is not None:
        shown = [e for e in evidence["estimates"] if e["source"] == "panel" and known(e)]
        rows = tuple(
            ForestRow(
                model_name(e["model"], results),
                "" if counts(e) else "does not count",
                (Cell(f"P {probability(e['p_sign'])}", "soft"),),
                (
                    Mark(
                        "panel",
                        e["mean"],
                        e["interval"]["low"],
                        e["interval"]["high"],
                        None,
                        counts(e),
                    ),
                ),
            )
            for e in _chosen(shown)
        )
        if len(rows) > 1:
            main.append(
                Forest(
                    "headline-models",
                    see_models(evidence, shown),
                    _marks(rows, bool(results["synthetic"])),
                    evidence["unit"],
                    rows,
                )
            )
    trends = results["headline"].get("trends", [])
    if trends:
        of = trends_of({**results, "synthetic": ""}).removesuffix(": ")
        head = Text(f"If trends are not parallel{f', of {of}' * bool(of)}.")
        main += [head, Items(tuple(trends[:3]))]
        more += [head, Items(tuple(trends))] if len(trends) > 3 else []
    weights = results["weights"]
    if weights["rows"]:
        main += [Text(s) for s in weights["sentences"][:1]]
        more += [Text(s) for s in weights["sentences"]]
        more.append(_weights(weights["rows"], results))
    name = "headline" if results["headline"]["contrasts"] else "answer"
    return Part(
        "robust-panel", f"Robustness of the {name}", tuple(main), tuple(more), of_panel=True
    )


_MOST_MODELS = 8


def _marks(rows: tuple[ForestRow, ...], synthetic: bool) -> str:
    """What is drawn, and where the rest stands."""
    said = f"Filled: a model that counts.{CUT if is_cut(rows) else ''}"
    return said if synthetic else f"{said} All of them, with what each assumes: {ref(STATEMENTS)}."


def _chosen(shown: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Models that count first, as many as a page shows."""
    return sorted(shown, key=lambda e: not counts(e))[:_MOST_MODELS]


def see_models(evidence: Mapping[str, Any], shown: list[Mapping[str, Any]]) -> str:
    """In how many models the sign is the claimed one, and how many are sure of it."""
    counted = [e for e in shown if counts(e)]
    sure = sum(e["p_sign"] >= SURE for e in counted)
    side = sum(e["p_sign"] > 0.5 for e in counted)
    return (
        f"{evidence['label']}, {asks(evidence)}: of {many(len(counted), 'model')} that "
        f"{'counts' if len(counted) == 1 else 'count'}, {side} {'leans' if side == 1 else 'lean'} "
        f"to it and {sure} {'holds' if sure == 1 else 'hold'} it with P ≥ {SURE:g}."
    )


def _weights(rows: list[Mapping[str, Any]], results: Results) -> Table:
    return Table(
        "weights",
        "What each TWFE coefficient averages.",
        (
            "column: term",
            "estimate",
            "negative weights, sum",
            "rows with one",
            "sd of effects at which their average could be zero",
            "forbidden comparisons",
            "absolute weight on rows of other states",
        ),
        tuple(
            (
                f"{spec_name(w['spec'], results)}: {in_words(w['term'], results)}",
                number(w["estimate"]),
                number(w["negative"]),
                str(w["negative_rows"]),
                significant(w["zero_sd"]),
                "–" if w["forbidden"] is None else f"{number(100 * w['forbidden'], 0)} %",
                ", ".join(
                    f"{in_words(s, results)} {number(v, 2)}" for s, v in w["contamination"].items()
                )
                or "–",
            )
            for w in rows
        ),
        frozenset({0, 6}),
    )
