"""The methods of a report, from what was fitted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from bayesdid.families.registry.family import AnyFamily
from bayesdid.report.method_texts import (
    HEADLINE,
    HEADLINE_OF_ONE,
    METHODS,
    PRINTED,
    PRINTED_CELLS,
    PRINTED_PAIRS,
    Method,
    of_doses,
)
from bayesdid.study.load import Study


def methods_section(
    study: Study,
    specs: Iterable[str],
    known: dict[str, AnyFamily],
    *,
    headline: bool,
    printed: bool,
    cells: bool = False,
    pairs: bool = False,
) -> list[dict[str, Any]]:
    """One entry for each family that was run, with its specs; a stranger's in its own words.

    Parameters
    ----------
    specs
        Those that were fitted or analysed.
    headline, printed
        Whether the panel, whether print has contrasts.
    cells, pairs
        Whether printed coefficients answer claims as they stand, whether differences of two do.
    """
    found: list[dict[str, Any]] = []
    if printed:
        found.append(_entry("printed columns", "what printed columns alone say", PRINTED, []))
    if cells:
        question = "what a printed coefficient says of a claim"
        found.append(_entry("printed coefficients", question, PRINTED_CELLS, []))
    if pairs:
        question = "what two printed coefficients say of a comparison"
        found.append(_entry("printed pairs", question, PRINTED_PAIRS, []))
    if headline:
        one = len(study.policies) == 1
        question = "what the policy does" if one else "what the policies do, alone and together"
        found.append(_entry("headline", question, HEADLINE_OF_ONE if one else HEADLINE, []))
    by: dict[str, list[str]] = {}
    for spec in specs:
        by.setdefault(study[spec].column.family, []).append(spec)
    for name in (name for name in known if name in by):
        method = METHODS.get(name, Method(name, "", "", ()))
        if not study.policies:
            method = of_doses(method)
        options = [study[spec].column.options for spec in by[name]]
        if counts := next((o for o in options if name == "errors" and "counts" in o), None):
            offset = f" + log {counts['exposure']}[i,t]" if counts.get("exposure") else ""
            equation = f"{method.equation}; counts: {counts['counts']}[i,t] negative binomial, log "
            equation += f"mean a[i] + g[t] + τ′D[i,t] + β′x[i,t]{offset}"
            method = replace(method, equation=equation)
        found.append(_entry(name, known[name].question, method, by[name]))
    return found


def _entry(name: str, question: str, method: Method, specs: list[str]) -> dict[str, Any]:
    said = {"family": name, "question": question, "specs": specs}
    return said | asdict(method) | {"assumes": list(method.assumes)}
