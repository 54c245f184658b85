"""Reference panels: what the printed tables determine, and what they leave open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.estimands.names import main_contrast
from bayesdid.report.document.blocks import Block, Cell, Figure, Items, Table, Text
from bayesdid.report.model_words import place_name
from bayesdid.report.reference_figure import reference_figure
from bayesdid.report.sections.part import Part, Results
from bayesdid.report.term_words import in_words
from bayesdid.report.text import number, probability
from bayesdid.summary import percent

_OPEN = 0.1  # share of the variance from which on the tables do not determine an answer


def reference(results: Results) -> Part:
    """One figure of all columns, one table of what is determined; of synthetic panels."""
    found = results["reference"]
    rows = figure_rows(results)
    main: list[Block] = [
        Text(
            f"{found['size']} panels were drawn that could have produced what the study prints "
            f"(seed {found['seed']}, reading {found['reading']}; docs/reconstruct.md). What they "
            "have in common is what the tables say; what differs between them is what the tables "
            "do not say. The stand-in of this report is the one of them that is nearest to what "
            "the study prints."
        ),
        Figure(
            "reference-columns",
            reference_figure(rows, results["level"]),
            see_rows(rows),
            "Above: printed estimate with its standard error, and the middle of what all panels "
            "give by the estimator that is printed; below: posterior of this panel under the "
            f"default errors, {percent()} interval, and the posterior means of all panels.",
            True,
        ),
        determined(results),
        Items(tuple(_main_sentences(found))),
    ]
    return Part("reference", "What the tables determine", tuple(main), _more(found), stamped=True)


def figure_rows(results: Results) -> list[dict[str, Any]]:
    """The printed effects of the main outcome, with this panel's posteriors."""
    effects = {(e["spec"], e["term"]): e for e in results["effects"] if e["converged"]}
    rows = []
    for row in results["reference"]["columns"]:
        effect = effects.get((row["spec"], row["term"]))
        summary = effect["summary"] if effect else {}
        rows.append(
            row
            | {key: summary.get(key) for key in ("mean", "low", "high")}
            | {"label": f"{place_name(row['spec'], results)}: {in_words(row['term'], results)}"}
        )
    wide = {id(row) for row in rows if abs(row["printed"]) > 2}  # an instrument's effect
    return [row for row in rows if id(row) not in wide]


def see_rows(rows: list[dict[str, Any]]) -> str:
    """How far posteriors lie from what is printed, in words."""
    known = [row for row in rows if row["posterior"] and row["se"]]
    moved = [_gap(row) for row in known]
    far = sum(gap > 1 for gap in moved)
    return (
        f"Fitted as printed, every panel gives all {len(rows)} effects; the posterior under "
        f"errors that are not independent lies more than one printed standard error away in "
        f"{far} of {len(known)}."
    )


def _gap(row: Mapping[str, Any]) -> float:
    """Mean over panels of the posterior less what is printed, in printed standard errors."""
    values: list[float] = row["posterior"]
    return abs(sum(values) / len(values) - float(row["printed"])) / float(row["se"])


def determined(results: Results) -> Table:
    """Quantities, their range over panels, and whether the tables determine them."""
    found = results["reference"]
    rows: list[tuple[str | Cell, ...]] = [
        (
            "printed estimates, constants and moments",
            f"{found['met']} of {found['held']} within rounding on all panels",
            "printed",
        ),
        (
            "printed standard errors, R2 and spatial rho, where there are any",
            f"half at most {found['close'][0]:.1%} beyond rounding, "
            f"nine in ten at most {found['close'][1]:.1%}",
            "aimed at",
        ),
    ]
    rows += [
        (
            f"{one['name']} ({place_name(one['spec'], results)})",
            f"{number(one['low'])} to {number(one['high'])}, middle {number(one['median'])}",
            "determined" if one["determined"] else "not determined",
        )
        for one in found["unsaid"]
    ]
    contrasts = found["synergy"]["contrasts"]
    if name := main_contrast(contrasts):
        main = contrasts[name]
        rows += [
            (
                f"{main['label']}: {model}",
                f"mean {number(min(one['members']))} to {number(max(one['members']))}, P(claim) "
                f"{probability(one['p_range'][0])} to {probability(one['p_range'][1])}; "
                f"{one['share_open']:.0%} of the variance lies between panels",
                "not determined" if one["share_open"] > _OPEN else "determined",
            )
            for model, one in main["models"].items()
        ]
    return Table(
        "determined",
        "What the printed tables determine, and what they do not.",
        ("quantity", f"over {found['size']} panels", "by the tables"),
        tuple(rows),
        frozenset({0, 1, 2}),
        note="Determined: panels differ by at most a tenth of the printed standard error (of a "
        "standard error or a scale: a tenth of itself; of a correlation: .1; of a posterior: "
        f"{_OPEN:.0%} of its variance).",
    )


def _main_sentences(found: Mapping[str, Any]) -> list[str]:
    """Sentences about the main contrast, and about each choice of models."""
    contrasts = found["synergy"]["contrasts"]
    label = contrasts[main_contrast(contrasts)]["label"] if contrasts else ""
    said = found["synergy"]["sentences"]
    return [f"{text}." for text in said if label and text.startswith((f"{label} (", f"{label},"))]


def _more(found: Mapping[str, Any]) -> tuple[Block, ...]:
    """Conflicts of printed cells, columns that panels are not held to, provenance."""
    panel, code = found["panel"], found["made_by"]
    items = [f"Conflict: {text}" for text in found["conflicts"]]
    items += [f"Not held to {place}: {why}" for place, why in found["left_out"].items()]
    items.append(
        f"{panel[0]}, sha256 {panel[1][:16]}…; made by code {code[0][:12]}…, versions "
        f"{code[1][:12]}…, with bayesdid reconstruct --members {found['size']} --seed "
        f"{found['seed']} --reference"
    )
    return (Items(tuple(items)),)
