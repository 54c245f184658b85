"""The examination of a report: each check a sentence, a figure, a table; then standards."""

from __future__ import annotations

import re
from typing import Any

from bayesdid.checks.standards import ANSWER, DESIGN, METHODS
from bayesdid.report.analysis_figures import analysis_figure
from bayesdid.report.document.blocks import (
    Block,
    Cell,
    Figure,
    Fold,
    Heading,
    Items,
    Table,
    Text,
    ref,
)
from bayesdid.report.document.formulas import formula
from bayesdid.report.sections.analyses import cell
from bayesdid.report.sections.claims_forest import FOREST, forest_rows
from bayesdid.report.sections.part import Part, Results

ROWS = 12  # of a table in the supplement; results.json has them all
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
    "differing_effects": "Do effects differ between units?",
    "pre_trends": "Did arms move apart before treatment?",
    "spatial_dependence": "Are neighbours alike beyond the model?",
    "loo": "Is every unit predicted by the others?",
    "pareto_k": "Which rows weigh most?",
    "loo_pit": "Do predictions of rows hold as often as they say?",
    "leave_one_unit_out": "Does the effect rest on one unit?",
    "power_scaling": "Does the effect depend on the priors?",
    "scepticism": "How sceptical must one be for the claim to fail?",
}
# columns of its table, where their names are not what a reader calls them
COLUMNS = {
    "limit": "fails below",
    "shift": "shift in posterior sds",
    "k": "Pareto k",
    "above": "rows above the limit",
    "unit_k": "Pareto k of the whole unit",
    "unit_elpd": "elpd of the whole unit",
    "how": "left out by",
    "from": "PIT from",
}
_WORDS = {True: "passes", False: "fails", None: "no verdict"}


def examination(results: Results) -> Part | None:
    """How many checks pass, on the page; all of them in the supplement; None without any."""
    found = results["examination"]
    if not found["results"]:
        return None
    synthetic = bool(results["synthetic"])
    verdicts = [check["passed"] for check in found["results"]]
    failed = [check_title(c["name"]) for c in found["results"] if c["passed"] is False]
    said = (
        f"Of {len(verdicts)} checks of {found['of']}, {verdicts.count(True)} pass, "
        f"{len(failed)} fail, {verdicts.count(None)} give no verdict."
    )
    main: list[Block] = [Text(" ".join([said, *(["Failing:", *failed] if failed else [])]))]
    lines = tuple(formula(line) for line in found["equation"].split("\n"))
    more: list[Block] = [Text(said), Text("The model:"), Items(lines, (), "formulas")]
    for check in found["results"]:
        more += _check(check, synthetic)
    standards: dict[str, list[dict[str, Any]]] = {}
    for item in found["standards"]:
        standards.setdefault(item["standard"], []).append(item)
    places = {check["name"]: f"check-{check['name']}" for check in found["results"]}
    places |= {DESIGN: DESIGN, METHODS: METHODS} | (
        {ANSWER: FOREST} if forest_rows(results) else {}
    )
    more += [_standard(name, items, places, found["equation"]) for name, items in standards.items()]
    title = f"All checks of {found['of']}"
    return Part("examination", title, tuple(main), tuple(more), of_panel=True)


def check_title(name: str) -> str:
    """A check as the question that it answers."""
    return TITLES.get(name, name.replace("_", " "))


def _check(check: dict[str, Any], synthetic: bool) -> list[Block]:
    """One check: its verdict, what failing means, what can be done, figure and numbers."""
    key, title = f"check-{check['name']}", check_title(check["name"])
    text = check["text"][:1].upper() + check["text"][1:]
    blocks: list[Block] = [Heading(f"{title} {_WORDS[check['passed']].capitalize()}", key)]
    if check["figure"]:
        drawn, note = analysis_figure(check["figure"], synthetic), f"{check['figure']['caption']}."
        blocks.append(Figure(f"{key}-figure", drawn, text, note, synthetic))
    else:
        blocks.append(Text(text))
    if check["failing"]:
        blocks.append(Text(f"Failing means: {check['failing']}.", "soft"))
    if check["done"]:
        when = "What can be done about it" if check["passed"] is False else "If it failed"
        blocks.append(Text(f"{when}: {check['done']}.", "soft"))
    rows = [_of_reader(row) for row in check["table"] or []]
    if rows:
        more = len(rows) - ROWS
        table = Table(
            f"{key}-table",
            f"Numbers: {title}",
            tuple(_column(name) for name in rows[0]),
            tuple(tuple(cell(v, str(k)) for k, v in row.items()) for row in rows[:ROWS]),
            note=f"{more} more rows are in results.json." if more > 0 else "",
        )
        blocks.append(Fold(f"Numbers: {title}", (table,)))
    return blocks


def _of_reader(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a check whose unit has its name first, in the place of what it is keyed by."""
    if "label" not in row:
        return row
    kept = {name: value for name, value in row.items() if name not in {"label", "unit"}}
    return {"unit": row["label"], **kept}


def _column(name: str) -> str:
    """A column of a check's table in a reader's words."""
    if end := re.fullmatch(r"(low|high)([\d.]+)", name):
        return f"{end[2]}% {end[1]}"
    return COLUMNS.get(name, name.replace("_", " "))


def _standard(
    name: str, items: list[dict[str, Any]], places: dict[str, str], equation: str
) -> Table:
    """A standard item by item, each with a link to where the report has the rest of it."""
    rows: list[tuple[str | Cell, ...]] = [
        (
            item["item"],
            item["state"],
            formula("; ".join(equation.split("\n"))) if item["text"] == equation else item["text"],
            "; ".join(ref(places[n]) if n in places else n for n in item["where"]) or "–",
        )
        for item in items
    ]
    return Table(
        f"standard-{name.lower()}",
        f"Reporting standard: {name}",
        ("item", "reported", "what this run says", "where"),
        tuple(rows),
        frozenset(range(4)),
    )
