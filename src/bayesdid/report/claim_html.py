"""Claims about effects: what a table with a forest in it shows of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.estimands.judgement import RANGE_RULE, SOURCES
from bayesdid.report.claim_words import answer_sentence, asks, size_asked
from bayesdid.report.figures import COLOURS
from bayesdid.report.model_words import model_name
from bayesdid.report.text import number

_WIDTH, _HEIGHT, _MARK = 240, 18, 4  # of a row of a forest, in pixels


def claim_groups(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Claims about effects with all that a template shows of them, the main one first.

    Claims that ask the same of the same quantity are one group. Sums of policies and doses are
    groups without a claim.
    """
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    for claim in results["claims"]:
        evidence = claim["evidence"]
        if evidence is None:
            continue
        key = (evidence["label"], evidence["sign"], evidence["size"])
        group = groups.setdefault(key, _group(evidence, results))
        group["claims"].append({"text": claim["text"], "place": claim["place"]})
        for sentence in claim.get("doubts", ()):
            if sentence not in group["sentences"]:
                group["sentences"].append(sentence)
        group["main"] |= evidence["main"]
    for item in (*results["sums"], *results["doses"]):  # of which nothing need be claimed
        if (evidence := item["evidence"]) is not None:
            key = (evidence["label"], evidence["sign"], evidence["size"])
            groups.setdefault(key, _group(evidence, results))
    return sorted(groups.values(), key=lambda group: not group["main"])


def _sentences(evidence: Mapping[str, Any], results: Mapping[str, Any]) -> list[str]:
    said = (answer_sentence(evidence, source, results) for source in SOURCES)
    return [sentence for sentence in said if sentence]


def _group(evidence: Mapping[str, Any], results: Mapping[str, Any]) -> dict[str, Any]:
    scale = _scale(evidence)
    return {
        "claims": [],
        "main": False,
        "label": evidence["label"],
        "unit": evidence["unit"],
        "asks": asks(evidence),
        "size_asked": size_asked(evidence) if evidence["size"] is not None else "",
        "answers": evidence["answers"],
        "sentences": _sentences(evidence, results),
        "rule": RANGE_RULE,
        "axis": _axis(scale),
        "rows": [
            dict(item)
            | {
                "model": model_name(item["model"], results),
                "svg": _row(item, evidence, scale),
                "counts": _counts(item),
            }
            for item in evidence["estimates"]
            if _known(item)
        ],
    }


def _counts(item: Mapping[str, Any]) -> bool:
    return not item["false_here"] and item["passes"] is not False


def _known(item: Mapping[str, Any]) -> bool:
    """Whether there is an interval to draw: in tiny panels standard errors are none."""
    ends = (item["mean"], item["interval"]["low"], item["interval"]["high"])
    return all(value is not None for value in ends)


def _scale(evidence: Mapping[str, Any]) -> tuple[float, float]:
    """Ends of the axis: the null, the claimed size and the intervals of the models that count."""
    drawn = [item for item in evidence["estimates"] if _known(item)]
    counted = [item for item in drawn if _counts(item)] or drawn
    ends = [item["interval"][side] for item in counted for side in ("low", "high")]
    ends += [evidence["null"], (evidence["size"] or 0.0) * evidence["sign"] or evidence["null"]]
    low, high = min(ends), max(ends)
    pad = 0.04 * (high - low or 1.0)
    return low - pad, high + pad


def _at(value: float, scale: tuple[float, float]) -> float:
    """Position on the axis in pixels; what lies beyond it is at its end."""
    low, high = scale
    return round(min(max((value - low) / (high - low), 0.0), 1.0) * _WIDTH, 1)


def _row(item: Mapping[str, Any], evidence: Mapping[str, Any], scale: tuple[float, float]) -> str:
    """One row of the forest: interval and mean, filled if the model counts."""
    colour, middle = COLOURS[item["source"]], _HEIGHT / 2
    low, high = (_at(item["interval"][side], scale) for side in ("low", "high"))
    fill = colour if _counts(item) else "none"
    width = 2.5 if item["main"] else 1.5
    lines = [_vertical(_at(evidence["null"], scale), "")]
    if evidence["size"] is not None:
        lines.append(_vertical(_at(evidence["sign"] * evidence["size"], scale), "3 3"))
    return (
        f'<svg role="img" aria-label="{number(item["interval"]["low"])} to '
        f'{number(item["interval"]["high"])}" viewBox="0 0 {_WIDTH} {_HEIGHT}">{"".join(lines)}'
        f'<g stroke="{colour}"><path d="M{low:g} {middle:g}H{high:g}" stroke-width="{width:g}"/>'
        f'<circle cx="{_at(item["mean"], scale):g}" cy="{middle:g}" r="{_MARK}" fill="{fill}"/></g>'
        f"</svg>"
    )


def _vertical(x: float, dashes: str) -> str:
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="M{x:g} 0V{_HEIGHT}" stroke="currentColor" opacity=".5"{dash}/>'


def _axis(scale: tuple[float, float]) -> str:
    """Numbers below the forest: its ends and, between them, zero or the middle."""
    low, high = scale
    middle = 0.0 if low < 0 < high else (low + high) / 2
    inside = 0.15 < (middle - low) / (high - low) < 0.85
    marks = [(low, "start"), (high, "end"), *([(middle, "middle")] if inside else [])]
    text = "".join(
        f'<text x="{_at(value, scale)}" y="12" text-anchor="{anchor}" font-size="11" '
        f'fill="currentColor">{value:.3g}</text>'.replace(">-", ">−")
        for value, anchor in marks
    )
    return f'<svg role="img" aria-label="axis" viewBox="0 0 {_WIDTH} 16">{text}</svg>'
