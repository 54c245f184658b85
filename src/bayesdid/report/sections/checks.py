"""Does the model describe the data? What fails, in which specs."""

from __future__ import annotations

from typing import Any

from bayesdid.inference.plan import MAIN
from bayesdid.notebook import many
from bayesdid.report import figures
from bayesdid.report.document.blocks import Block, Figure, Items, Text, ref
from bayesdid.report.model_words import spec_name
from bayesdid.report.sections.part import Part, Results


def checks(results: Results) -> Part | None:
    """The matrix of checks with what failing means; None without any."""
    found = checks_by_spec(results)
    if not found["specs"]:
        return None
    specs, failures = found["specs"], found["failures"]
    if failures:
        which = ", ".join(
            f"{name.replace('_', ' ')} fails in {len(of)} of {len(specs)} specs"
            for name, of in failures.items()
        )
        said = f"Under the default errors {which}."
    else:
        said = "No check fails under the default errors."
    iid = found["failures_iid"]
    if iid:
        listed = ", ".join(f"{name.replace('_', ' ')} in {count}" for name, count in iid.items())
        beside = f"With i.i.d. errors these fail: {listed} of {len(specs)} specs."
    else:
        beside = "With i.i.d. errors no check fails."
    more: list[Block] = [
        Figure(
            "checks-figure",
            figures.checks_figure(
                [spec_name(spec, results) for spec in specs],
                found["names"],
                [[found["passed"].get((s, n)) for n in found["names"]] for s in specs],
                bool(results["synthetic"]),
            ),
            said,
            "Posterior predictive checks and LOO of each spec under the default errors. A true "
            "model fails any of the predictive checks of a spec with probability of at most 0.01, "
            "and LOO by unit with at most 0.01.",
            bool(results["synthetic"]),
        )
    ]
    if failures:
        more += [
            Text("What failing means, with one example each:"),
            Items(
                tuple(
                    f"fails in {len(of)} of {len(specs)} specs. {found['example'][name]}"
                    for name, of in failures.items()
                ),
                tuple(name.replace("_", " ") for name in failures),
            ),
        ]
    main = (Text(f"{said} {beside} {many(len(specs), 'spec')} checked: {ref('checks-figure')}."),)
    return Part("checks", "Does the model describe the data?", main, tuple(more), of_panel=True)


def checks_by_spec(results: Results) -> dict[str, Any]:
    """Results of the main fits as a matrix, the sentences of what fails, and beside i.i.d. fits."""
    main = [item for item in results["checks"] if item["kind"] == MAIN]
    names = list(dict.fromkeys(check["name"] for item in main for check in item["results"]))
    passed = {
        (item["spec"], check["name"]): check["passed"] for item in main for check in item["results"]
    }
    failures: dict[str, list[str]] = {}
    meaning: dict[str, str] = {}
    for item in main:
        for check in item["results"]:
            if check["passed"] is False:
                failures.setdefault(check["name"], []).append(item["spec"])
                meaning[check["name"]] = check["text"]
    return {
        "specs": [item["spec"] for item in main],
        "names": names,
        "passed": passed,
        "failures": failures,
        "example": meaning,
        "failures_iid": _failures(results, "iid"),
    }


def _failures(results: Results, kind: str) -> dict[str, int]:
    """In how many specs each check fails, under one variant."""
    found: dict[str, int] = {}
    for item in results["checks"]:
        for check in item["results"]:
            if item["kind"] == kind and check["passed"] is False:
                found[check["name"]] = found.get(check["name"], 0) + 1
    return found
