"""Design: who adopts when, the arms' outcome paths, what is measured in which unit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bayesdid.notebook import many
from bayesdid.report.design_figures import paths_figure, states_figure
from bayesdid.report.document.blocks import Block, Figure, Items, Table, Text
from bayesdid.report.model_words import spec_name
from bayesdid.report.sections.part import Part, Results
from bayesdid.report.text import number, significant

_MOST_VARIABLES = 12  # that the page lists
_CLEAR = 2.0  # standard errors from which trends before adoption are said to differ


def design(results: Results) -> Part:
    """Who is treated when, before what trends, and descriptives."""
    found = results["design"]
    synthetic = bool(results["synthetic"])
    main: list[Block] = []
    more: list[Block] = []
    if any(len(set(row) - {"-"}) for row in found["matrix"]) and len(found["states"]) > 1:
        main.append(
            Figure(
                "panelview",
                states_figure(found, synthetic),
                see_states(found, results["panel"]),
                "Rows are units in order of adoption, columns periods; white where no row is.",
                synthetic,
            )
        )
    if found["paths"] and len(found["paths"]) > 1:
        main.append(
            Figure(
                "paths",
                paths_figure(found, results["outcome"]["unit"], synthetic),
                see_trends(found["trends"]),
                f"Mean of {results['outcome']['label']} by arm; dashed: the first adoption.",
                synthetic,
            )
        )
    if found["descriptives"]:
        rows = tuple(
            (
                d["label"],
                d["unit"] or "–",
                str(d["n"]),
                *(significant(d[k]) for k in ("mean", "sd", "min", "max")),
            )
            for d in found["descriptives"]
        )
        table = Table(
            "descriptives",
            "What is measured, in which unit.",
            ("variable", "unit", "rows", "mean", "sd", "smallest", "largest"),
            rows,
            frozenset({0, 1}),
        )
        (main if len(rows) <= _MOST_VARIABLES else more).append(table)
    samples = results["samples"]
    if samples:
        listed = []
        for spec, sample in samples.items():
            notes = [
                n["text"] for n in sample["notes"] if n["text"] not in results["panel"]["notes"]
            ]
            name = spec_name(spec, results)
            listed.append("; ".join([f"{name}: {sample['text']}", *notes]))
        more += [
            Text("What each fit is of: rows, units, periods, what was left out."),
            Items(tuple(listed)),
        ]
    return Part("design", "Design", tuple(main), tuple(more), of_panel=True)


_LEAVES = re.compile(r"[^0-].*0")  # of a unit's states, 0 under no policy: none after some


def see_states(found: Mapping[str, Any], panel: Mapping[str, Any]) -> str:
    """How many units adopt, when, and how many never do."""
    units = panel["units"]
    never = units - found["adopters"]
    when = ""
    if found["first_adoption"] is not None:
        same = found["first_adoption"] == found["last_adoption"]
        when = (
            f" in {found['first_adoption']}"
            if same
            else f" between {found['first_adoption']} and {found['last_adoption']}"
        )
    a = "the" if len(found.get("states", ())) == 2 else "a first"
    before = ""
    if early := found.get("early", 0):
        others = ", the others" if early < found["adopters"] else ""
        before = f", {early} of them from the first period on{others}"
    gone = sum(_LEAVES.search(row) is not None for row in found.get("matrix", ()))
    again = f", and {gone} of them {'leaves' if gone == 1 else 'leave'} it again" if gone else ""
    left = f"{never} never {'does' if never == 1 else 'do'}" if never else "none is never treated"
    come = "comes" if found["adopters"] == 1 else "come"
    return (
        f"{found['adopters']} of {many(units, 'unit')} {come} under {a} policy{before}{when}"
        f"{again}; {left}."
    )


def see_trends(trends: Mapping[str, Any] | None) -> str:
    """Whether the arms moved alike before the first adoption."""
    if trends is None:
        return "Too few periods lie before the first adoption to compare trends."
    if trends["gap"] is None or trends["se"] is None:
        adopting, never = trends["units"]
        return (
            f"{many(adopting, 'unit')} that {'comes' if adopting == 1 else 'come'} under a policy "
            f"and {never} that never {'does' if never == 1 else 'do'} are too few to compare "
            "trends before the first adoption."
        )
    clear = abs(trends["gap"]) > _CLEAR * trends["se"]
    return (
        f"In the {trends['periods']} periods before the first adoption the outcome changed by "
        f"{number(trends['adopting'])} a period where a policy came and by "
        f"{number(trends['never'])} where none did: a difference of {number(trends['gap'])} "
        f"(SE {number(trends['se'])}), {'more' if clear else 'no more'} than {_CLEAR:g} standard "
        "errors from parallel."
    )
