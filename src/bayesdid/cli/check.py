"""``bayesdid check``: posterior predictive checks and LOO of a study's specs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from bayesdid.cli import model_options, reading

_MARKS = {True: ("pass", "green"), False: ("FAIL", "red"), None: ("n/a ", "dim")}


def command(
    study: Annotated[Path, typer.Argument(help="Study folder, e.g. models/dual_pilot")],
    panel: Annotated[Path | None, typer.Option(help="Panel file.")] = None,
    sheet: reading.Sheet = None,
    skip: reading.Skip = None,
    spec: Annotated[list[str] | None, typer.Option(help="Spec id; repeat for several.")] = None,
    errors: model_options.Errors = None,
    likelihood: model_options.Likelihood = "normal",
    effects: model_options.Effects = None,
    priors: model_options.Priors = None,
    seed: reading.Seed = 0,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if a check fails.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default all.")] = None,
    trust: reading.Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Does the model describe the data? Checks of every fit, and what failing means."""
    from bayesdid.cli.console import out, print_json, progress, said
    from bayesdid.families.registry.load import load_study
    from bayesdid.inference.executor import map_fits, process_pool
    from bayesdid.inference.plan import plan_fits
    from bayesdid.inference.registry import Size
    from bayesdid.panel.adoption import arm
    from bayesdid.panel.load import load_panel

    loaded = load_study(study, trust=trust)
    data = load_panel(loaded, panel, sheet=sheet, skip=skip)
    variant = model_options.variant_of(errors, likelihood, effects, priors)
    plan = plan_fits(loaded, data, specs=spec, variants=[variant], size=Size(seed=seed))
    run = partial(
        _check, arms=arm(data.adoption), outcome=loaded.file.outcome, labels=data.unit_labels
    )
    with process_pool(workers), progress("checks", len(plan.requests)) as done:
        made = map_fits(run, plan.requests, done=lambda request: done(request.design.spec_id))
    document = [
        {"spec": request.design.spec_id, "synthetic": data.synthetic or "", "results": results}
        for request, results in zip(plan.requests, made, strict=True)
    ]
    if as_json:
        print_json(document)
    else:
        for entry in document:
            stamp = " (SYNTHETIC PANEL)" if data.synthetic else ""
            out.print(said((str(entry["spec"]), "bold"), stamp))
            for result in entry["results"]:
                mark = _MARKS[result["passed"]]  # type: ignore[index]
                out.print(said("  ", mark, f" {result['text']}"))  # type: ignore[index]
    if strict and any(r["passed"] is False for e in document for r in e["results"]):  # type: ignore[index]
        raise typer.Exit(1)


def _check(request: Any, arms: Any, outcome: Any, labels: dict[str, str]) -> list[dict[str, Any]]:
    """All checks of one fit, as dictionaries."""
    from bayesdid.checks.run import run_checks
    from bayesdid.inference.store import make_fit
    from bayesdid.jsonio import plain

    results = run_checks(
        make_fit(request),
        request.bound,
        arms,
        minimum=outcome.minimum_of(request.design.outcome),
        labels=labels,
        seed=request.size.seed,
    )
    return plain(results)
