"""``bayesdid analyse``: mediation, cohorts, instruments ...: what is more than one regression."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from bayesdid.cli import model_options, reading


class Command(TyperCommand):
    """The command with its families in its help: looked up when help is asked for, not before."""

    @property
    def epilog(self) -> str:
        """What stands below the help."""
        from bayesdid.families.registry.discover import families

        able = [family for family in families().values() if family.has_analysis]
        lines = [f"{family.name}: {family.question.replace('`', '')}" for family in able]
        return "\n\n".join(["Families (options: bayesdid families NAME):", *lines])

    @epilog.setter
    def epilog(self, value: str | None) -> None:
        """Typer sets it where it makes the command, which is too early."""


def command(
    study: Annotated[Path, typer.Argument(help="Study folder, e.g. models/dual_pilot")],
    panel: Annotated[
        Path | None, typer.Option(help="Panel file (.csv .tsv .parquet .dta .xlsx).")
    ] = None,
    sheet: reading.Sheet = None,
    skip: reading.Skip = None,
    spec: Annotated[
        list[str] | None, typer.Option(help="Spec id; repeat for several. Default: all.")
    ] = None,
    priors: model_options.Priors = None,
    draws: Annotated[int, typer.Option(min=100, help="Draws per chain, of four chains.")] = 1000,
    seed: reading.Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Where draws are stored; default reports/<study id>/fits."
        ),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default all.")] = None,
    trust: reading.Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Analyse specs of families beyond two-way regressions, print what was found."""
    from bayesdid.cli.console import console, print_json, print_notes, stepper
    from bayesdid.exceptions import InputError
    from bayesdid.families.registry.load import load_study
    from bayesdid.families.run import plan_analyses
    from bayesdid.families.store import analyse_all
    from bayesdid.inference.executor import process_pool
    from bayesdid.panel.load import load_panel

    loaded = model_options.under_priors(load_study(study, trust=trust), priors)
    data = load_panel(loaded, panel, sheet=sheet, skip=skip)
    requests = plan_analyses(loaded, data, spec, seed=seed, draws=draws)
    folder = out or Path("reports") / loaded.id / "fits"
    with process_pool(workers), stepper() as step:
        found = analyse_all(requests, folder, done=step("analyses", len(requests)))
    print_notes(note for item in found for note in item.notes)
    if spec is not None and (refused := [item for item in found if item.refused]):
        raise InputError(refused[0].refused)
    if as_json:
        print_json(
            {
                "study": loaded.id,
                "synthetic": data.synthetic or "",
                "analyses": [item.content for item in found if item.content],
                "refused": {item.spec_id: item.refused for item in found if item.refused},
            }
        )
    else:
        for item in found:
            if item.content is not None:
                print_analysis(item.content)
    for item in found:
        if item.refused:
            word = "failed" if item.failed else "refused"
            console.print(f"{word} {item.spec_id}: {item.refused}", soft_wrap=True)
    bad = [item for item in found if item.failed or (item.content and not is_sound(item.content))]
    if bad:
        raise typer.Exit(1)


def is_sound(content: dict[str, Any]) -> bool:
    """Whether everything converged and all peers agree."""
    return (
        bool(content["converged"])
        and not content["failed"]
        and all(peer["holds"] for peer in content["peers"])
    )


def print_analysis(content: dict[str, Any]) -> None:
    """Sentences, tables and peers of an analysis on stdout."""
    from rich.table import Table

    from bayesdid.cli.analysis_table import analysis_tables, shown
    from bayesdid.cli.console import BAD, out, said

    out.rule()
    title = f"{content['spec']} ({content['family']}): {content['title']}"
    out.print(title, style="bold")
    if content["synthetic"]:
        out.print("SYNTHETIC PANEL", style=BAD)
    if not content["converged"]:
        out.print(said(("NOT CONVERGED", BAD), ": no result is shown"))
        return
    for sentence in content["sentences"]:
        out.print(sentence)
    for item in content["tables"]:
        parts = item["caption"], item["columns"], item["rows"]
        for table in analysis_tables(*parts, width=out.width):
            out.print(table)
    if content["peers"]:
        table = Table(title="Beside independent estimates", title_justify="left")
        for k, heading in enumerate(("quantity", "posterior", "peer", "by", "agrees")):
            table.add_column(heading, justify="right" if k in {1, 2} else "left", overflow="fold")
        for peer in content["peers"]:
            judged = peer["tolerance"] is not None
            table.add_row(
                peer["quantity"],
                f"{shown(peer['mean'])} ({shown(peer['sd'])})",
                f"{shown(peer['estimate'])} ({shown(peer['se'])})",
                peer["estimator"],
                ("yes" if peer["holds"] else "NO") if judged else "not comparable",
            )
        out.print(table)
    for name in content["failed"]:
        out.print(said(("NOT CONVERGED", BAD), f", left out: {name}"))
    for note in content["notes"]:
        out.print(f"Note: {note}")
