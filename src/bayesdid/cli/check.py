"""``bayesdid check``: posterior predictive checks and LOO of a study's specs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayesdid.cli import model_options, reading

if TYPE_CHECKING:
    from bayesdid.panel.panel import Panel
    from bayesdid.study.load import Study

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
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="All checks of specs of every family: priors, pictures, influence, sensitivity; "
            "and reporting standards.",
        ),
    ] = False,
    draws: Annotated[int, typer.Option(min=50, help="With --full: draws per chain.")] = 1000,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default all.")] = None,
    trust: reading.Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Does the model describe the data? Checks of every fit, and what failing means."""
    from bayesdid.cli.console import out, print_json, print_left_out, progress, said
    from bayesdid.exceptions import InputError
    from bayesdid.families.registry.load import load_study
    from bayesdid.inference.executor import map_fits, process_pool
    from bayesdid.inference.plan import plan_fits
    from bayesdid.inference.registry import Size
    from bayesdid.panel.adoption import arm
    from bayesdid.panel.load import load_panel

    loaded = load_study(study, trust=trust)
    data = load_panel(loaded, panel, sheet=sheet, skip=skip)
    if full:
        given = {"errors": errors, "effects": effects, "priors": priors}
        changed = [name for name, value in given.items() if value is not None]
        changed += ["likelihood"] if likelihood != "normal" else []
        if changed:
            raise InputError(
                f"--{changed[0]} with --full, which checks each spec as its family fits it",
                remedy="set options of the column, or the study's priors, or leave out --full",
            )
        _full(loaded, data, spec, seed=seed, draws=draws, strict=strict, as_json=as_json)
        return
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
    failed = print_left_out(plan)
    bad = any(r["passed"] is False for e in document for r in e["results"])  # type: ignore[index]
    if failed or (strict and bad):
        raise typer.Exit(1)


def _full(
    loaded: Study,
    data: Panel,
    specs: list[str] | None,
    *,
    seed: int,
    draws: int,
    strict: bool,
    as_json: bool,
) -> None:
    """All checks of all specs that are run, whatever their family; standards of each."""
    from bayesdid.cli.console import out, print_json, progress, said
    from bayesdid.exceptions import InputError, NotIdentifiedError, ResultError
    from bayesdid.families.examined import examine_spec
    from bayesdid.families.registry.validate import family_of

    chosen = specs or [name for name, one in loaded.specs.items() if family_of(one).is_used]
    document: list[Any] = []
    refused: dict[str, str] = {}
    with progress("checks", len(chosen)) as done:
        for name in chosen:
            try:
                document.append(examine_spec(loaded, name, data, seed=seed, draws=draws))
            except (InputError, NotIdentifiedError, ResultError) as error:
                if specs:
                    raise
                refused[name] = str(error)
            done(name)
    if as_json:
        print_json({"specs": document, "refused": refused})
    else:
        stamp = " (SYNTHETIC PANEL)" if data.synthetic else ""
        for entry in document:
            out.print(said((entry.spec_id, "bold"), f" ({entry.family}){stamp}"))
            if entry.note:
                out.print(f"  {entry.note}", style="dim", soft_wrap=True)
            for result in entry.results:
                out.print(said("  ", _MARKS[result.passed], f" {result.name}: {result.text}"))
                if result.passed is False and result.failing:
                    out.print(f"       means: {result.failing}", soft_wrap=True)
                if result.passed is False and result.done:
                    out.print(f"       about it: {result.done}", soft_wrap=True)
            left = [item for item in entry.standards if item.state == "not done"]
            reported = len(entry.standards) - len(left)
            out.print(f"  standards: {reported} of {len(entry.standards)} items reported")
            for item in left:
                out.print(f"       {item.standard}, {item.item}: {item.text}", soft_wrap=True)
        for name, why in refused.items():
            out.print(said((name, "bold"), f" not checked: {why}"))
    if strict and any(r.passed is False for entry in document for r in entry.results):
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
