"""``bayesdid fit``: posteriors of a study's specs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer


def command(
    study: Annotated[Path, typer.Argument(help="Study folder, e.g. models/dual_pilot")],
    panel: Annotated[
        Path | None, typer.Option(help="Panel file (.csv .tsv .parquet .dta .xlsx).")
    ] = None,
    spec: Annotated[
        list[str] | None, typer.Option(help="Spec id, e.g. table2.5; repeat for several.")
    ] = None,
    errors: Annotated[
        str | None,
        typer.Option(help="iid, iid_unit, ar1 or ar1_unit; default the calibrated ones."),
    ] = None,
    likelihood: Annotated[
        str | None,
        typer.Option(help="normal (default), student_t, negative_binomial, poisson or binomial."),
    ] = None,
    effects: Annotated[
        Literal["fixed", "random", "mundlak"] | None,
        typer.Option(help="Of units and of periods; default as each spec declares."),
    ] = None,
    priors: Annotated[
        Literal["flat", "weak", "sceptical"] | None,
        typer.Option(help="Default the study's own, or weak."),
    ] = None,
    engine: Annotated[str, typer.Option(help="auto, exact or nuts, or an engine's name.")] = "auto",
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
    """Fit specs, store the posteriors as NetCDF, print the treatment effects.

    Below each effect stand the same with i.i.d. errors and with errors clustered by unit.
    """
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
        variants=("default",),
        errors=errors,
        likelihood=likelihood,  # type: ignore[arg-type]  # model_of names the known ones
        effects=effects,
        priors=priors,
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
    from bayesdid.estimands.few_treated import few_treated
    from bayesdid.inference.result import Fit
    from bayesdid.summary import LEVEL, summarise

    fit = Fit(stored.load(effects=False))
    attrs, request = fit.tree.attrs, stored.request
    few, beside = {}, fit.beside(LEVEL)
    if fit.converged:
        asked = few_treated(fit, request.design, level=LEVEL, seed=request.seed)
        few = {item.term: item.to_dict() for item in asked.terms} if asked else {}
    found = []
    for term in fit.treatments:
        rows = beside.loc[term] if term in beside.index.get_level_values(0) else beside.iloc[:0]
        found.append(
            {
                "spec": attrs["spec"],
                "term": term,
                "kind": request.label,
                "errors": attrs["errors"],
                "likelihood": attrs["likelihood"],
                "effects": attrs["effects"],
                "priors": attrs["prior_choice"],
                "engine": attrs["engine"],
                "converged": fit.converged,
                "path": str(stored.path),
                "summary": summarise(fit.tau(term)).to_dict() if fit.converged else None,
                "beside": [
                    {"errors": name, "level": LEVEL, **values.to_dict()}
                    for name, values in rows.iterrows()
                ],
                "few_treated": few.get(term),
            }
        )
    return found


def _print(loaded: Any, data: Any, rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from bayesdid.cli.console import out
    from bayesdid.summary import LEVEL

    title = f"{loaded.id}, {loaded.file.outcome.unit}"
    table = Table(
        title=title + (" (SYNTHETIC PANEL)" if data.synthetic else ""), box=box.SIMPLE, padding=0
    )
    for heading in ("", "mean (sd)", f"{LEVEL:.0%} HDI", "P(< 0)"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=bool(heading))
    spec = None
    for row in rows:
        if row["spec"] != spec:
            spec = row["spec"]
            table.add_row(Text(f"{spec}, engine {row['engine']}", style="bold"), "", "", "")
        table.add_row(Text(f" {row['term']}"), "", "", "")
        if row["summary"] is None:
            cells = ["[bold red]NOT CONVERGED[/]", "", ""]
        else:
            summary = row["summary"]
            low, high = summary["hdi89"]
            cells = [*_cells(summary["mean"], summary["sd"], low, high)]
            cells.append(f" {summary['p_negative']:.3f}")
        table.add_row(f"  {row['errors']}", *cells)
        for other in row["beside"]:
            values = _cells(*(other[key] for key in ("mean", "sd", "low", "high")))
            table.add_row(f"  {other['errors']}", *values, "", style="dim")
    out.print(table)
    for row in rows:
        if row["few_treated"]:
            out.print(f"{row['spec']}: {row['few_treated']['text']}", markup=False, soft_wrap=True)


def _cells(mean: float, sd: float, low: float, high: float) -> tuple[str, str]:
    return f" {mean:.3f} ({sd:.3f})", f"  {low:.3f} to {high:.3f}"
