"""``bayesdid fit``: posteriors of a study's specs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayesdid.cli import model_options

if TYPE_CHECKING:
    from bayesdid.inference.store import StoredFit
    from bayesdid.panel.panel import Panel
    from bayesdid.study.load import Study


def command(
    study: Annotated[Path, typer.Argument(help="Study folder, e.g. models/dual_pilot")],
    panel: Annotated[
        Path | None, typer.Option(help="Panel file (.csv .tsv .parquet .dta .xlsx).")
    ] = None,
    spec: Annotated[
        list[str] | None, typer.Option(help="Spec id, e.g. table2.5; repeat for several.")
    ] = None,
    errors: model_options.Errors = None,
    likelihood: model_options.Likelihood = "normal",
    effects: model_options.Effects = None,
    priors: model_options.Priors = None,
    engine: Annotated[str, typer.Option(help="auto, exact, nuts, or an engine's name.")] = "auto",
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
    from bayesdid.inference.registry import Size
    from bayesdid.inference.store import fit_all
    from bayesdid.panel.load import load_panel
    from bayesdid.study.load import load_study

    loaded = load_study(study)
    data = load_panel(loaded, panel)
    variant = model_options.variant_of(errors, likelihood, effects, priors)
    size = Size(draws, tune, chains, seed=seed)
    plan = plan_fits(loaded, data, specs=spec, variants=[variant], engine=engine, size=size)
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


def _rows(stored: StoredFit) -> list[dict[str, Any]]:
    """One row per treatment term; a fit that did not converge has no numbers."""
    from bayesdid.estimands.few_treated import few_treated
    from bayesdid.inference.result import Fit
    from bayesdid.summary import LEVEL

    fit, request = Fit(stored.load(effects=False)), stored.request
    tidy, beside, attrs = fit.tidy(LEVEL), fit.beside(LEVEL), fit.tree.attrs
    few = {}
    if fit.converged:
        found_few = few_treated(fit, request.design, level=LEVEL, seed=request.size.seed)
        few = {item.term: item.to_dict() for item in found_few.terms} if found_few else {}
    found: list[dict[str, Any]] = []
    for term in fit.treatments:
        others = beside.loc[term] if term in beside.index.get_level_values(0) else beside[:0]
        found.append(
            {
                "spec": fit.spec_id,
                "term": term,
                "model": request.label,
                "likelihood": attrs["likelihood"],
                "errors": attrs["errors"],
                "errors_name": attrs["errors_name"],
                "effects": attrs["effects"],
                "priors": attrs["prior_choice"],
                "engine": attrs["engine"],
                "converged": fit.converged,
                "path": str(stored.path),
                "summary": tidy.loc[term].to_dict() if fit.converged else None,
                "beside": {str(name): row.to_dict() for name, row in others.iterrows()},
                "few_treated": few.get(term),
            }
        )
    return found


def _print(loaded: Study, data: Panel, rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from bayesdid.cli.console import out
    from bayesdid.summary import LEVEL

    title = f"{loaded.id}, {loaded.file.outcome.unit}"
    table = Table(title=title + (" (SYNTHETIC PANEL)" if data.synthetic else ""))
    left = {"term", "errors"}
    for heading in ("term", "errors", "mean (sd)", f"{LEVEL:.0%} HDI", "P(< 0)", "engine"):
        table.add_column(heading, justify="left" if heading in left else "right")
    spec = ""
    for row in rows:
        if row["spec"] != spec:
            spec = row["spec"]
            table.add_section()
            table.add_row(f"[bold]{spec}[/]", *[""] * 5)
        summary = row["summary"]
        cells = ["[bold red]NOT CONVERGED[/]", "", ""]
        if summary is not None:
            cells = [
                f"{summary['mean']:.3f} ({summary['sd']:.3f})",
                f"{summary['low']:.3f} to {summary['high']:.3f}",
                f"{summary['p_negative']:.3f}",
            ]
        table.add_row(row["term"], row["errors_name"], *cells, row["engine"])
        for name, other in row["beside"].items():
            interval = f"{other['low']:.3f} to {other['high']:.3f}"
            cells = [f"{other['mean']:.3f} ({other['sd']:.3f})", interval, "", ""]
            table.add_row("", name, *cells)
    out.print(table)
    for text in dict.fromkeys(f"{row['errors_name']}: {row['errors']}" for row in rows):
        out.print(text, markup=False)
    if any(row["beside"] for row in rows):
        out.print(
            "iid, cluster: least squares; flat priors, independent errors or errors clustered "
            "by unit (the sandwich posterior)",
            markup=False,
        )  # what stands beside
    for row in rows:
        if row["few_treated"]:
            out.print(f"{row['spec']}: {row['few_treated']['text']}", markup=False, soft_wrap=True)
