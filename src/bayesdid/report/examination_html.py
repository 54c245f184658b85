"""The examination of a report as HTML: each check a sentence, a figure, a table; then standards."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from bayesdid.extras import extra
from bayesdid.report.analysis_figures import analysis_figure
from bayesdid.report.text import FILTERS

ROWS = 12  # of a table on the page; results.json has them all
# what a check is called, in the order of a workflow; any other by its own name
TITLES = {
    "prior_predictive": "Do the priors allow for data like these?",
    "prior_posterior": "What did the data add to the priors?",
    "chains": "Do the draws stand for the posterior?",
    "overlay": "Is the outcome distributed as the model has it?",
    "rootogram": "Are counts as frequent as the model has it?",
    "maximum": "Is the largest outcome as large as the model has it?",
    "skewness": "Are errors as symmetric as the model has it?",
    "negative_share": "Does the model predict impossible outcomes?",
    "autocorrelation": "Do errors of a unit persist more than the model has it?",
    "unit_variance": "Do some units vary more than the model has it?",
    "dispersion": "Do counts vary more than the model has it?",
    "pre_trends": "Did arms move apart before treatment?",
    "spatial_dependence": "Are neighbours alike beyond the model?",
    "loo": "Is every unit predicted by the others?",
    "pareto_k": "Which rows weigh most?",
    "loo_pit": "Do predictions of rows hold as often as they say?",
    "leave_one_unit_out": "Does the effect rest on one unit?",
    "power_scaling": "Does the effect depend on the priors?",
    "scepticism": "How sceptical must one be for the claim to fail?",
}
_WORDS = {True: "passes", False: "fails", None: "no verdict"}


def render_examination(results: dict[str, Any]) -> str:
    """The section, or nothing where nothing was examined.

    Parameters
    ----------
    results
        Of which ``examination`` and ``synthetic`` are read.
    """
    found = results["examination"]
    if not found["results"]:
        return ""
    return _rendered(json.dumps(found, sort_keys=False), bool(results["synthetic"]))


@lru_cache(maxsize=2)
def _rendered(text: str, synthetic: bool) -> str:
    """The section of an examination as JSON; drawn once for all pages of one study."""
    found = json.loads(text)
    with extra("report"):
        import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    standards: dict[str, list[dict[str, Any]]] = {}
    for item in found["standards"]:
        standards.setdefault(item["standard"], []).append(item)
    return environment.get_template("examination.html.j2").render(
        of=found["of"],
        equation=found["equation"],
        items=[_item(check, synthetic) for check in found["results"]],
        standards=standards,
        synthetic=synthetic,
    )


def _item(check: dict[str, Any], synthetic: bool) -> dict[str, Any]:
    """One check as the template shows it."""
    rows = check["table"] or []
    return {
        "name": check["name"],
        "title": TITLES.get(check["name"], check["name"].replace("_", " ")),
        "word": _WORDS[check["passed"]],
        "failed": check["passed"] is False,
        "text": check["text"],
        "failing": check["failing"],
        "done": check["done"],
        "columns": list(rows[0]) if rows else [],
        "rows": [list(row.values()) for row in rows[:ROWS]],
        "more": max(0, len(rows) - ROWS),
        "svg": analysis_figure(check["figure"], synthetic) if check["figure"] else "",
        "caption": check["figure"]["caption"] if check["figure"] else "",
    }
