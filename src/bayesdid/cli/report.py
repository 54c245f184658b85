"""``bayesdid report``: fit, check, contrast, audit, and write it all down."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayesdid.cli import reading

if TYPE_CHECKING:
    from bayesdid.study.load import Study


def command(
    study: Annotated[Path, typer.Argument(help="Study folder, e.g. models/dual_pilot")],
    panel: Annotated[
        Path | None, typer.Option(help="Panel file (.csv .tsv .parquet .dta .xlsx).")
    ] = None,
    sheet: reading.Sheet = None,
    skip: reading.Skip = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder to write; default reports/<study id>."),
    ] = None,
    draws: Annotated[
        int | None, typer.Option(min=100, help="Draws per chain, of four chains; default 1000.")
    ] = None,
    seed: reading.Seed = 0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; default all cores.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(help="An earlier report of the study (folder or results.json): what changed."),
    ] = None,
    trust: reading.Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="Results on stdout as JSON.")] = False,
) -> None:
    """Write a report: one HTML page, results.json, CSV and LaTeX tables.

    A study that names no panel is reported from its printed tables alone.
    """
    from bayesdid.cli.console import BAD, console, print_json, print_notes, said, stepper
    from bayesdid.extras import require
    from bayesdid.families.registry.load import load_study
    from bayesdid.inference.executor import process_pool
    from bayesdid.notebook import many
    from bayesdid.panel.load import declares_panel, load_panel
    from bayesdid.report.against import changes, read_results
    from bayesdid.report.results import PARTS, compute_results
    from bayesdid.report.run import Run
    from bayesdid.report.sections.changes import sentence
    from bayesdid.report.write import write_report

    require("peers", "report")
    loaded = load_study(study, trust=trust)
    if panel is None and not declares_panel(loaded):
        _about_a_panel(loaded, {"--sheet": sheet, "--skip": skip, "--draws": draws})
        data = None
    else:
        data = load_panel(loaded, panel, sheet=sheet, skip=skip)
    folder = out or Path("reports") / loaded.id
    before = None if against is None else read_results(against, loaded.id)
    run = Run(workers)
    with process_pool(workers), stepper(len(PARTS)) as step:
        results = compute_results(
            loaded,
            data,
            folder / "fits",
            draws=draws or 1000,
            seed=seed,
            step=step,
            run=run,
            options={
                "--panel": None if panel is None else str(panel),
                "--sheet": sheet,
                "--skip": skip,
                "--trust": trust,
            },
        )
    page = write_report(results, folder, run, before=before)
    print_notes(run.notes)
    failed = [fit for fit in results["fits"] if not fit["converged"]]
    found = (
        "no microdata, from the printed numbers alone"
        if data is None
        else f"{len(results['fits'])} fits ({run.reused} reused, {len(failed)} not converged)"
    )
    console.print(
        f"{loaded.id}: {found}; "
        f"audit: {many(results['audit']['counts']['contradiction'], 'contradiction')}"
    )
    if before is not None:
        console.print(sentence(changes(before, results)), soft_wrap=True)
    if data is not None and data.synthetic:
        console.print(said(("synthetic panel", BAD), f": {data.synthetic}"))
    console.print(f"wrote {page}", soft_wrap=True)
    if as_json:
        print_json(results)
    for fit in failed:
        console.print(said(("not converged", BAD), f": {fit['spec']} ({fit['kind']})"))
    for item in results["analyses"]:
        if not item["converged"] or item["failed"]:
            parts = ", ".join(item["failed"]) or item["family"]
            console.print(said(("not converged", BAD), f": {item['spec']} ({parts})"))
        apart = [peer["quantity"] for peer in item["peers"] if not peer["holds"]]
        if apart:
            console.print(said((item["spec"], BAD), f": differs from its peer in {apart[0]}"))
        failed += [item] if apart or item["failed"] or not item["converged"] else []
    for name, why in results["failed"].items():
        console.print(said(("failed", BAD), f": {name}: {why}"), soft_wrap=True)
    if failed or results["failed"] or results["identity"]["holds"] < results["identity"]["specs"]:
        raise typer.Exit(1)


def _about_a_panel(study: Study, options: Mapping[str, object]) -> None:
    """Refuse options that a report without a panel would have to ignore."""
    from bayesdid.exceptions import InputError

    for name, value in options.items():
        if value is not None:
            raise InputError(
                f"{name} is about a panel, and the study names none",
                file=study.path / "study.toml",
                remedy=f"pass a panel with --panel FILE, or leave out {name}",
            )
