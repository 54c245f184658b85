"""``bayesdid fit``: posteriors of a study's specs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def command(
    study: Annotated[Path, typer.Argument(help="Study folder, e.g. models/dual_pilot")],
    panel: Annotated[
        Path | None, typer.Option(help="Panel file (.csv .tsv .parquet .dta .xlsx).")
    ] = None,
    spec: Annotated[
        list[str] | None, typer.Option(help="Spec id, e.g. table2.5; repeat for several.")
    ] = None,
    effects: Annotated[
        str, typer.Option(help="fixed, random, mundlak; or flat, sceptical: those priors.")
    ] = "fixed",
    engine: Annotated[str, typer.Option(help="auto, exact, collapsed or plain.")] = "auto",
    draws: Annotated[int, typer.Option(min=50, help="Draws per chain.")] = 1000,
    tune: Annotated[int, typer.Option(min=50, help="Warm-up per chain, if a chain runs.")] = 1000,
    chains: Annotated[int, typer.Option(min=2)] = 4,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Where fits are stored; default reports/<study id>/fits.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Fit specs, store the posteriors as NetCDF, print the treatment effects."""
    from bayesdid.cli.console import console, print_json, print_notes, stepper
    from bayesdid.inference.executor import process_pool
    from bayesdid.inference.plan import plan_fits
    from bayesdid.inference.store import fit_all
    from bayesdid.panel.load import load_panel
    from bayesdid.study.load import load_study

    loaded = load_study(study)
    data = load_panel(loaded, panel)
    plan = plan_fits(
        loaded,
        data,
        specs=spec,
        kinds=(effects,),
        engine=engine,
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
    )
    folder = out or Path("reports") / loaded.id / "fits"
    with process_pool(workers), stepper() as step:
        stored = fit_all(plan.requests, folder, done=step("fits", len(plan.requests)))
    print_notes(note for fit in stored for note in fit.notes)
    rows = [row for fit in stored for row in _rows(fit)]
    if as_json:
        print_json(
            {
                "study": loaded.id,
                "synthetic": data.synthetic or "",
                "rows": rows,
                "skipped": plan.skipped,
            }
        )
    else:
        _print(loaded, data, rows)
    for name, reason in plan.skipped.items():
        console.print(f"skipped {name}: {reason}", markup=False, soft_wrap=True)
    reused = sum(fit.reused for fit in stored)
    console.print(f"{len(stored)} fits in {folder}, {reused} of them reused")
    if not all(row["converged"] for row in rows):
        raise typer.Exit(1)


def _rows(stored: Any) -> list[dict[str, Any]]:
    """One row per treatment term; a fit that did not converge has no numbers."""
    from bayesdid.summary import summarise

    tree = stored.load(effects=False)
    converged = bool(tree.attrs["converged"])
    found = []
    for term in tree["posterior"]["treatment"].to_numpy():
        draws = tree["posterior"]["tau"].sel(treatment=term).to_numpy()
        found.append(
            {
                "spec": tree.attrs["spec"],
                "term": str(term),
                "kind": stored.request.label,
                "engine": tree.attrs["engine"],
                "converged": converged,
                "path": str(stored.path),
                "summary": summarise(draws) if converged else None,
            }
        )
    return found


def _print(loaded: Any, data: Any, rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from bayesdid.cli.console import out
    from bayesdid.summary import percent

    title = f"{loaded.id}, {loaded.file.outcome.unit}"
    table = Table(title=title + (" (SYNTHETIC PANEL)" if data.synthetic else ""))
    for heading in ("spec", "term", "mean (sd)", f"{percent()} HDI", "P(< 0)", "engine"):
        table.add_column(heading, justify="left" if heading in {"spec", "term"} else "right")
    for row in rows:
        if row["summary"] is None:
            cells = ["[bold red]NOT CONVERGED[/]", "", ""]
        else:
            summary = row["summary"]
            interval = summary.interval
            cells = [
                f"{summary.mean:.3f} ({summary.sd:.3f})",
                f"{interval.low:.3f} to {interval.high:.3f}",
                f"{summary.p_negative:.3f}",
            ]
        table.add_row(row["spec"], row["term"], *cells, row["engine"])
    out.print(table)
