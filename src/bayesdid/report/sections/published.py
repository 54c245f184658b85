"""What printed columns alone say of the contrasts, and what that depends on."""

from __future__ import annotations

from typing import Any

from bayesdid.estimands.names import MAX_SINGLE, RATIO, SUM
from bayesdid.notebook import many
from bayesdid.report import figures
from bayesdid.report.document.blocks import Block, Figure, Items, Table, Text, ref
from bayesdid.report.sections.part import Part, Results
from bayesdid.report.text import estimate, hdi, interval, number, probability
from bayesdid.summary import percent

_FIRST = ("both - none", "both - single", MAX_SINGLE, SUM)
_DRAWN = 9


def published(results: Results) -> Part | None:
    """Contrasts from printed columns; none of a study that printed no functional of states."""
    found = results["published"]
    if found is None:
        return None
    scale, outcome = found["scale"], results["outcome"]
    levels = results["levels"]
    natural = outcome["natural_unit"] or outcome["unit"]
    rows, short = [], []
    for name, item in found["contrasts"].items():
        m, errors = item["posteriors"]["averaged"], item["design_errors"]
        naive = estimate(item["naive"], item["naive_se"]) if item["naive"] is not None else "–"
        sign = probability(m["p_negative"]) if name != RATIO else "–"
        inside = number(m["mean"] * outcome["natural_per_unit"], 1) if name != RATIO else "–"
        both = (probability(errors["type_s"]), number(errors["type_m"], 2)) if errors else ("", "")
        short.append(
            (item["label"], naive, estimate(m["mean"], m["sd"]), interval(hdi(m)), sign, inside)
        )
        rows.append(
            (
                item["label"],
                estimate(m["mean"], m["sd"]),
                *(interval(hdi(m, at)) for at in levels),
                sign,
                probability(m["p_rope"]),
                naive,
                *both,
            )
        )
    level = percent(results["level"])
    main: list[Block] = [
        Table(
            "from-print",
            _see(found, results),
            (
                "contrast",
                "cells subtracted (SE)",
                "posterior mean (sd)",
                f"{level} HDI",
                "P(< 0)",
                natural,
            ),
            tuple(short),
            note=f"The {len(found['columns'])} printed coefficients that are functionals of the "
            f"effects of policy states are inverted together, over "
            f"{many(found['timings'], 'timing')} ({found['knowledge']}). "
            f"More columns and intervals: {ref('from-print-all')}.",
        )
    ]
    main += [Text(sentence) for sentence in found.get("sentences", [])]
    main += _otherwise(results)
    more: list[Block] = [
        Text(
            "A printed coefficient averages the effects of several policy states: units under both "
            "are compared with their own years under one policy. The coefficients that are "
            "functionals of state effects are inverted together, averaged over timings, paths of "
            "the single effects and autocorrelation of errors; normal priors of standard deviation "
            f"{number(2.5 * scale, 2)} (2.5 sd(y), from {found['scale_source']}). Expected error "
            "of sign (S) and magnitude (M) of a significant estimate of this precision, averaged "
            f"over the posterior under a sceptical prior (sd {number(0.25 * scale, 2)})."
        ),
        Table(
            "from-print-all",
            "Contrasts from printed columns.",
            (
                "contrast",
                "mean (sd)",
                *(f"{percent(at)} HDI" for at in levels),
                "P(< 0)",
                "P(ROPE)",
                "cells subtracted (SE)",
                "S",
                "M",
            ),
            tuple(rows),
        ),
        *_functional(found),
        *(Text(f"Assumed: {note}.", "soft") for note in found["notes"]),
    ]
    if found["verdicts"]:
        main.append(
            Figure(
                "assumptions",
                figures.assumptions_figure(assumption_items(found)),
                see_assumptions(found),
                "One curve for each path of the single effects after adoption, which is not "
                "printed, over the autocorrelation of errors, which is not printed either; the "
                "horizontal line averages over both. Dashed lines: 0.05 and 0.95.",
            )
        )
    return Part("effects-print", "Effects, from the printed numbers", tuple(main), tuple(more))


def _otherwise(results: Results) -> list[Block]:
    """Contrasts with each doubted cell printed as it may have been."""
    doubt = results.get("doubts") or {"contrasts": [], "what_if": []}
    if not doubt["contrasts"]:
        return []
    listed = ", ".join(doubt["contrasts"])
    blocks: list[Block] = [
        Text(f"These contrasts rest on cells that the audit doubts: {listed} ({ref('doubts')}).")
    ]
    for k, item in enumerate(doubt["what_if"]):
        rows = tuple(
            (
                results["published"]["contrasts"][name]["label"],
                number(one["printed_mean"]),
                probability(one["printed_p"]),
                str(one["printed_word"]),
                number(one["mean"]),
                probability(one["p"]),
                str(one["word"]),
            )
            for name, one in item["contrasts"].items()
        )
        moved = sum(row[3] != row[6] for row in rows)
        blocks.append(
            Table(
                f"misprint-{k + 1}",
                f"If {item['cell']} was misprinted for {item['instead']}: {moved} of "
                f"{many(len(rows), 'verdict')} would change.",
                (
                    "contrast",
                    "as printed",
                    "P of the claim",
                    "word",
                    "mended",
                    "P of the claim",
                    "word",
                ),
                rows,
                frozenset({0, 3, 6}),
            )
        )
    return blocks


def assumption_items(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Contrasts of claims, those of two policies first."""
    named = [verdict["contrast"] for verdict in found["verdicts"]]
    chosen = dict.fromkeys([*(name for name in _FIRST if name in named), *named])
    return [found["contrasts"][name] for name in chosen][:_DRAWN]


def see_assumptions(found: dict[str, Any]) -> str:
    """Which contrast moves most over what is not printed, and which hardly do."""
    items = assumption_items(found)
    spread = {item["label"]: item["range"][1] - item["range"][0] for item in items}
    most = max(items, key=lambda item: spread[item["label"]])
    still = sum(width < 0.05 for width in spread.values())
    low, high = (probability(p) for p in most["range"])
    return (
        f"{most['label']} depends most on what is not published: P of the claim is {low} to {high}."
        f" Of {many(len(items), 'contrast')}, {still} move{'s' if still == 1 else ''} by less than "
        "0.05."
    )


def _see(found: dict[str, Any], results: Results) -> str:
    """How many contrasts have an interval that excludes zero."""
    drawn = {n: c["posteriors"]["averaged"] for n, c in found["contrasts"].items() if n != RATIO}
    clear = sum(not hdi(m)[0] <= 0 <= hdi(m)[1] for m in drawn.values())
    return (
        f"Contrasts from the printed columns alone, in {results['outcome']['unit']}: the "
        f"{percent(results['level'])} interval of {clear} of {len(drawn)} excludes zero."
    )


def _functional(found: dict[str, Any]) -> list[Block]:
    names = [name for name in found["functional"][0] if name != "coefficient"]
    rows = []
    for k, row in enumerate(found["functional"]):
        held = found["held_out"][k] if found["held_out"] else None
        predicted = (
            (estimate(held["mean"], held["sd"]), probability(held["p"])) if held else ("–", "–")
        )
        rows.append(
            (
                row["coefficient"],
                *(number(row[n], 2) for n in names),
                number(found["estimates"][k]),
                *predicted,
            )
        )
    blocks: list[Block] = [
        Table(
            "functionals",
            "What each column estimates under constant effects, and what the others predict.",
            ("coefficient", *names, "printed", "predicted (sd)", "tail"),
            tuple(rows),
        )
    ]
    if found["left"]:
        listed = tuple(f"{name}: {why}" for name, why in found["left"].items())
        blocks += [Text("Columns left out:"), Items(listed)]
    return blocks
