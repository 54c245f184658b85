"""Page one without a panel or without a claim: what answers then, and what was not given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.estimands.names import RATIO, main_first
from bayesdid.estimands.verdict import word_for
from bayesdid.report.document.blocks import Block, Text
from bayesdid.report.sections.part import Results
from bayesdid.report.text import hdi


def no_panel(results: Results, answered: bool) -> list[Block]:
    """That no microdata were given, what follows from it, and how to give them."""
    if results["panel"] is not None:
        return []
    said = "No microdata were given: everything here comes from the printed numbers."
    if not answered and not results["failed"]:
        said += (
            " They give no answer here: no claim names a printed effect and its direction, and "
            "[synergy] of study.toml names no cells."
        )
    said += " To add what the microdata say: bayesdid report STUDY --panel FILE."
    return [Text(said)]


def of_column(evidence: Mapping[str, Any]) -> list[str]:
    """What an answer supposes that is read from printed coefficients as they stand."""
    given = evidence["answers"].get("published")
    if given is None or evidence["contrast"] is not None:
        return []
    printed = (e for e in evidence["estimates"] if e["source"] == "published")
    by = next(e for e in printed if e["model"] == given["model"])
    return [f"It is read from a column as it is printed, and holds if {by['assumes']}."]


def unclaimed(results: Results) -> tuple[str, Mapping[str, Any]]:
    """Source and contrasts of a study without a claim: of a real panel, else of print.

    What answers first stands first.
    """
    contrasts = results["headline"]["contrasts"]
    if contrasts and not results["synthetic"]:
        return "panel", {name: contrasts[name] for name in main_first(contrasts)}
    published = results["published"]
    if published is None:
        return "published", {}
    named = {
        name: _as_headline(item) for name, item in published["contrasts"].items() if name != RATIO
    }
    return "published", {name: named[name] for name in main_first(named)}


def _as_headline(item: Mapping[str, Any]) -> dict[str, Any]:
    """A contrast from print in the words of one from a panel."""
    main, p = item["posteriors"]["averaged"], item["p_claim"]["averaged"]
    (low, high), level = hdi(main), main["level"]
    return {
        "label": item["label"],
        "claim": item["claim"],
        "mean": main["mean"],
        "interval": {"low": low, "high": high, "level": level},
        "p_claim": p,
        "p_range": item["range"],
        "word": word_for(p, *item["range"]),
        "models": {},
    }
