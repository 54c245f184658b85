"""What the answer depends on, and the alerts beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayesdid.estimands.names import SUM, is_sum
from bayesdid.report.claim_panel import CONSTANT
from bayesdid.report.claim_words import constant_sentence, size_asked
from bayesdid.report.document.blocks import ref
from bayesdid.report.sections.answer import main_evidence, sources
from bayesdid.report.sections.doses import dose_depends
from bayesdid.report.sections.examination import check_title
from bayesdid.report.sections.no_panel import of_column
from bayesdid.report.sections.part import Results
from bayesdid.report.term_words import in_words, titled
from bayesdid.report.text import probability

_UNLESS = f" unless by models that suppose {CONSTANT}, which answer here"
OF_PRINT = frozenset({"audit_posterior", "doubted_mediator"})  # alerts that no panel is behind
_ALIKE = (
    "It supposes that units under several policies respond to each alone as units under it alone "
    "do; what they respond more counts as joint, and the data hardly tell the two apart."
)
COUNTS = "In counts, "  # how the model of counts begins, where they are the outcome


def depends_on(results: Results) -> list[str]:
    """What the answer depends on, most important first."""
    evidence, said = main_evidence(results), []
    published, headline = results["published"], results["headline"]
    if evidence is not None and evidence["contrast"] == SUM and published is not None:
        said += published.get("sentences", [])[:1]
    if evidence is not None:
        said += of_column(evidence)
        for source in sources(results):
            given = evidence["answers"].get(source)
            if given is not None and given["p_size"] is not None:
                origin = "In print" if source == "published" else "In the microdata"
                low, high = probability(given["size_low"]), probability(given["size_high"])
                size = f"the claimed size ({size_asked(evidence)}, {evidence['unit']})"
                over = f" ({low} to {high} over the models that count)"
                said.append(
                    f"{origin}, {size} has P {probability(given['p_size'])}"
                    f"{over if given['models'] > 1 else ''}."
                )
            if given is not None and given["moved"]:
                said.append(given["moved"])
    said += [_ALIKE] if evidence is not None and is_sum(evidence["contrast"] or "") else []
    if results["synthetic"]:
        return said
    said += [
        f"{item['label']} is not identified{_UNLESS * bool(item['evidence'])}: {item['refused']}."
        for item in results["sums"]
        if item["refused"]
    ]
    if evidence is not None:
        said += constant_sentence(evidence, results)
    if headline["contrasts"]:
        said += (
            [titled(in_words(headline["unlike"], results), results)]
            if headline.get("unlike")
            else []
        )
        said += [checked(results)] if headline["checks"] else []
        of = trends_of(results)
        said += [f"{of}{text}" for text in headline.get("trends", [])[:1]]
        said += [f"{of}{headline['brief']}"] if headline.get("brief") else []
    return dose_depends(results) + said + _counted(results)


def trends_of(results: Results) -> str:
    """What sentences about trends are of, where that is not what the page answers; else empty."""
    evidence, about = main_evidence(results), results["headline"].get("trends_of", "")
    return f"{about}: " if about and evidence and evidence["label"] != about else ""


def _counted(results: Results) -> list[str]:
    """Of an outcome that is a count, what a model of counts says beside the main one."""
    first = [
        (item["spec"], item["sentences"][0])
        for item in results.get("analyses", ())
        if item["converged"] and item["sentences"] and item["sentences"][0].startswith(COUNTS)
    ]
    return [
        f"{said.removesuffix('.')} ({ref(f'analysis-{spec}')}). That model takes the rows of a "
        "unit as independent, so that it may be too sure; the main model takes counts as numbers."
        for spec, said in first[:1]
    ]


def checked(results: Results) -> str:
    """What checks say of the main model: those that bear on its intervals, and all others."""
    bear = results["headline"]["checks"]
    failed = [c["name"].replace("_", " ") for c in bear if c["passed"] is False]
    said = (
        f"The main model fails checks that bear on its intervals: {', '.join(failed)}"
        if failed
        else "The main model passes the checks that bear on its intervals"
    )
    every = results["examination"]["results"]
    known = {check["name"] for check in bear}
    others = [c for c in every if c["passed"] is False and c["name"] not in known]
    if others:
        names = ", ".join(check_title(check["name"]) for check in others)
        said += f"; of others it fails {len(others)} ({names} {ref('examination')})"
    return f"{said}."


def alerts(results: Results) -> list[Mapping[str, Any]]:
    """Alerts of the page: with a synthetic panel only those that come from print."""
    return [a for a in results["alerts"] if not results["synthetic"] or a["kind"] in OF_PRINT]
