"""Claims on the first page: how many are judged by what, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.report.document.blocks import Block, Items, Text
from bayesdid.report.sections.part import Results


def claimed(results: Results) -> bool:
    """Whether the study claims anything of an effect."""
    return any(claim["evidence"] for claim in results["claims"])


def unclaimed_side(results: Results) -> str:
    """What a probability is of, where the study claims nothing of a contrast."""
    if claimed(results):
        return ""
    return (
        "The study declares no claim of an effect; in its place stands the side on which it calls "
        f"the outcome better, {results['outcome']['better']}. "
    )


def judged_by(contrasts: int, coefficients: int) -> str:
    """How many claims a contrast of the first figure judges, and how many a coefficient."""
    said = [f"{contrasts} by a contrast above"] if contrasts else []
    said += [f"{coefficients} by a coefficient"] if coefficients else []
    return ", ".join(said)


def unjudged(claims: list[Mapping[str, Any]], results: Results) -> tuple[Block, ...]:
    """Claims that nothing judges, those of one reason together; what is said twice stands once."""
    found: dict[str, dict[str, None]] = {}
    for claim in claims:
        quoted = f"“{claim['text']}” ({claim['place']})"
        found.setdefault(_why_not(claim, results), {})[quoted] = None
    blocks: list[Block] = []
    for why, quotes in found.items():
        blocks += [Text(f"{why[:1].upper()}{why[1:]}:"), Items(tuple(quotes))]
    return tuple(blocks)


def _why_not(claim: Mapping[str, Any], results: Results) -> str:
    if claim["unasked"]:
        return str(claim["unasked"])
    real = results["panel"] is not None and not results["synthetic"]
    return "nothing here estimates it" if real else "needs the microdata"
