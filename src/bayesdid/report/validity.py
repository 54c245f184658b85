"""How often intervals like the page's held the truth where it is known: numbers beside the answer.

``validity.json`` is written by ``make calibrate-synergy``, ``calibrate-single``,
``calibrate-three`` and ``calibrate-published`` beside their documents; a test compares it with
them.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TypedDict, cast

from bayesdid import summary
from bayesdid.estimands.names import SUM, is_sum
from bayesdid.summary import percent


class Facts(TypedDict):
    """Of one kind of simulated worlds.

    Attributes
    ----------
    document
        Where the worlds are described.
    design
        What the worlds are, after their number.
    level
        Of the interval.
    worlds, panels
        How many worlds, and panels of each.
    coverage
        Lowest, mean and highest share of panels in which the interval held the truth.
    false_for, false_against
        Highest shares of panels with a false "supported", a false "contradicted".
    """

    document: str
    design: str
    level: float
    worlds: int
    panels: int
    coverage: list[float]
    false_for: float
    false_against: float


NAMED, UNNAMED = "named", "unnamed"  # worlds of the headline that its model names, or does not
SINGLE, PLACEBO = "single", "placebo"  # one policy: simulated, and none on real panels
THREE = "three"  # worlds of the headline of three policies
KNOWN, DRAWN = "known", "drawn"  # who adopted when, behind printed columns


def facts() -> dict[str, Facts]:
    """By kind of worlds: the constants above."""
    text = files("bayesdid.report").joinpath("validity.json").read_text(encoding="utf-8")
    return cast("dict[str, Facts]", json.loads(text))


def panel_validity(contrast: str, policies: int = 2) -> str:
    """Of the headline of a panel; of several policies only sums have worlds of their own.

    Parameters
    ----------
    policies
        Of the study.
    """
    found = facts()
    if policies == 1:
        return _of_one(found)
    if contrast != SUM and is_sum(contrast):
        return f"{_told(found[THREE])} ({found[THREE]['document']})."
    if contrast != SUM:
        return (
            f"{found[NAMED]['document']} has the coverage of the synergy of two policies, not of "
            f"this effect; {found[SINGLE]['document']} has that of the effect of one policy."
        )
    text = _told(found[NAMED])
    if UNNAMED in found and found[UNNAMED]["level"] == summary.LEVEL:
        low, _, high = found[UNNAMED]["coverage"]
        text += (
            f"; in {found[UNNAMED]['worlds']} {found[UNNAMED]['design']}, in {low:.2f} to "
            f"{high:.2f}"
        )
    return f"{text} ({found[NAMED]['document']})."


def _of_one(found: dict[str, Facts]) -> str:
    """Of the effect of a study's one policy: where it is known, and under placebo laws."""
    text, placebo = _told(found[SINGLE]), found[PLACEBO]
    if placebo["level"] == summary.LEVEL:
        text += (
            f"; on {placebo['worlds']} {placebo['design']} ({placebo['panels']} of each) it "
            f"excluded the zero that is true in {1 - placebo['coverage'][1]:.2f}, and said "
            f"“supported” in up to {placebo['false_for']:.2f}, “contradicted” in up to "
            f"{placebo['false_against']:.2f}"
        )
    return f"{text} ({found[SINGLE]['document']})."


def published_validity(timings: int) -> str:
    """Of the answer from printed columns.

    Parameters
    ----------
    timings
        How many it averages over: one if who adopted when is known.
    """
    kind = facts()[KNOWN if timings == 1 else DRAWN]
    return f"{_told(kind)} ({kind['document']})."


def _told(kind: Facts) -> str:
    """As a sentence begins."""
    said = _said(kind)
    return f"{said[0].upper()}{said[1:]}"


def _said(kind: Facts) -> str:
    if abs(kind["level"] - summary.LEVEL) > 1e-9:
        return "coverage was measured for intervals of another level"
    low, mean, high = kind["coverage"]
    error = 1.96 * (kind["level"] * (1 - kind["level"]) / kind["panels"]) ** 0.5
    return (
        f"in {kind['panels']} simulated panels of each of {kind['worlds']} {kind['design']}, the "
        f"{percent(kind['level'])} interval held the truth in {low:.2f} to {high:.2f} of panels "
        f"(mean {mean:.2f}; Monte Carlo error of each {error:.2f}), and a false “supported” was "
        f"said in up to {kind['false_for']:.2f}, a false “contradicted” in up to "
        f"{kind['false_against']:.2f}"
    )
