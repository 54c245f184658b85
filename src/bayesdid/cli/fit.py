"""``bayesdid fit``: posteriors of a study's specs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayesdid.cli import model_options, reading

if TYPE_CHECKING:
    from bayesdid.inference.store import StoredFit
    from bayesdid.panel.panel import Panel
    from bayesdid.study.load import Study


def command(
    study: Annotated[Path, typer.Argument(help="Study folder, e.g. models/dual_pilot")],
    panel: Annotated[
        Path | None, typer.Option(help="Panel file (.csv .tsv .parquet .dta .xlsx).")
    ] = None,
    sheet: reading.Sheet = None,
    skip: reading.Skip = None,
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
    seed: reading.Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Where fits are stored; default reports/<study id>/fits."),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default all.")] = None,
    trust: reading.Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Fit specs, store the posteriors as NetCDF, print the treatment effects."""
    from bayesdid.cli.console import console, print_json, print_left_out, print_notes, stepper
    from bayesdid.design.counted import counted
    from bayesdid.families.registry.load import load_study
    from bayesdid.inference.executor import process_pool
    from bayesdid.inference.plan import plan_fits
    from bayesdid.inference.registry import Size
    from bayesdid.inference.store import fit_all
    from bayesdid.panel.load import load_panel

    loaded = load_study(study, trust=trust)
    data = load_panel(loaded, panel, sheet=sheet, skip=skip)
    variant = model_options.variant_of(errors, likelihood, effects, priors)
    size = Size(draws, tune, chains, seed=seed)
    plan = plan_fits(loaded, data, specs=spec, variants=[variant], engine=engine, size=size)
    folder = out or Path("reports") / loaded.id / "fits"
    with process_pool(workers), stepper() as step:
        stored = fit_all(plan.requests, folder, done=step("fits", len(plan.requests)))
    rows = [row for fit in stored for row in _rows(fit)]
    print_notes(note for fit in stored for note in fit.notes)
    samples = {fit.request.design.spec_id: counted(fit.request.design) for fit in stored}
    print_notes(dict.fromkeys(note for fit in stored for note in fit.request.design.notes))
    print_notes(dict.fromkeys(note for row in rows for note in row.pop("notes")))
    if as_json:
        print_json(
            {
                "study": loaded.id,
                "synthetic": data.synthetic or "",
                "rows": rows,
                "samples": samples,
                "skipped": plan.skipped,
            }
        )
    else:
        _print(loaded, data, rows)
        for name, sample in samples.items():
            console.print(f"{name}: {sample.text}", soft_wrap=True)
    failed = print_left_out(plan, all_of_them=True)
    reused = sum(fit.reused for fit in stored)
    console.print(f"{len(stored)} fits in {folder}, {reused} of them reused")
    if failed or not all(row["converged"] for row in rows):
        raise typer.Exit(1)


def _rows(stored: StoredFit) -> list[dict[str, Any]]:
    """One row per treatment term; a fit that did not converge has no numbers."""
    from bayesdid.estimands.few_treated import few_treated
    from bayesdid.inference.result import Fit
    from bayesdid.summary import levels

    fit, request = Fit(stored.load(effects=False)), stored.request
    _, level, _ = levels()
    tidy, beside, attrs = fit.tidy(level), fit.beside(level), fit.tree.attrs
    few = None
    if fit.converged:
        few = few_treated(fit, request.design, level=level, seed=request.size.seed)
    by_term = {item.term: item for item in few.terms} if few else {}
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
                "effects": attrs["effects"],
                "priors": attrs["prior_choice"],
                "engine": attrs["engine"],
                "converged": fit.converged,
                "not_converged": fit.not_converged,
                "path": str(stored.path),
                "summary": tidy.loc[term].to_dict() if fit.converged else None,
                "beside": [
                    {"errors": name, "level": level, **values.to_dict()}
                    for name, values in others.iterrows()
                ],
                "few_treated": by_term.get(term),
                "notes": fit.beside_notes,
            }
        )
    return found


def _print(loaded: Study, data: Panel, rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table

    from bayesdid.cli.console import BAD, out, said
    from bayesdid.summary import chance, percent

    title = f"{loaded.id}, {loaded.file.outcome.unit}"
    stamp = " (SYNTHETIC PANEL)" if data.synthetic else ""
    table = Table(title=title + stamp, box=box.SIMPLE, padding=0)
    for heading in ("", "mean (sd)", f"{percent()} HDI", "P(< 0)"):
        table.add_column(
            heading, justify="right" if heading else "left", no_wrap=bool(heading), overflow="fold"
        )
    spec = None
    for row in rows:
        if row["spec"] != spec:
            spec = row["spec"]
            table.add_row(said((f"{spec}, engine {row['engine']}", "bold")), "", "", "")
        table.add_row(f" {row['term']}", "", "", "")
        if (summary := row["summary"]) is not None:
            cells = [*_cells(summary), f" {chance(summary['p_negative'])}"]
            table.add_row(f"  {row['errors']}", *cells)
        else:
            table.add_row(f"  {row['errors']}", said(("NOT CONVERGED", BAD)), "", "")
        for other in row["beside"]:
            table.add_row(f"  {other['errors']}", *_cells(other), "", style="dim")
    out.print(table)
    for row in rows:
        if row["few_treated"]:
            out.print(f"{row['spec']}: {row['few_treated'].text}", soft_wrap=True)
    why = {row["spec"]: row["not_converged"] for row in rows if row["not_converged"]}
    for name, text in why.items():
        out.print(f"{name}: {text}", soft_wrap=True)


def _cells(row: dict[str, Any]) -> tuple[str, str]:
    return f" {row['mean']:.3f} ({row['sd']:.3f})", f"  {row['low']:.3f} to {row['high']:.3f}"
