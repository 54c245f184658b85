"""``bayesdid new-study``: a study folder from a panel file, everything in it a proposal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_SHOWN = 12  # columns left out, on screen


def command(
    folder: Annotated[Path, typer.Argument(help="Folder to make, e.g. models/my_study")],
    panel: Annotated[Path, typer.Option(help="Panel file (.csv .tsv .parquet .dta .xlsx).")],
    unit: Annotated[str | None, typer.Option(help="Column of the unit.")] = None,
    time: Annotated[str | None, typer.Option(help="Column of the period.")] = None,
    outcome: Annotated[
        str | None, typer.Option("--outcome", "--y", help="Column of the outcome.")
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(help="NAME=COLUMN: its period of adoption or its state; repeat for two."),
    ] = None,
    treatment: Annotated[
        list[str] | None, typer.Option(help="Column of a dose, which is no policy; repeat.")
    ] = None,
    covariate: Annotated[list[str] | None, typer.Option(help="Repeat for several.")] = None,
    exposure: Annotated[
        str | None, typer.Option(help="Column of what counts are out of, e.g. population.")
    ] = None,
    missing: Annotated[
        list[str] | None, typer.Option(help="A mark that means not known, e.g. …; repeat for more.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Inspect a panel file and write a commented study folder that ``report`` runs."""
    from rich.table import Table

    from bayesdid.cli.console import out, print_json
    from bayesdid.cli.did import policy_pair
    from bayesdid.front.new_study import propose, write_study

    found = propose(
        panel,
        unit=unit,
        time=time,
        outcome=outcome,
        policies=dict(map(policy_pair, policy)) if policy else None,
        doses=treatment,
        covariates=covariate,
        exposure=exposure,
        missing_marks=missing or (),
        sheet=sheet,
    )
    lost = write_study(found, panel, folder)
    if as_json:
        names = ("role", "column", "reason")
        said = [dict(zip(names, row, strict=True)) for row in found.rows()]
        print_json({"folder": str(folder), "columns": said, "commented_out": lost})
        return
    table = Table("taken for", "column", "because", box=None, pad_edge=False)
    rows = found.rows()
    shown = len(rows) - max(0, len(found.left) - _SHOWN)
    for row in rows[:shown]:
        table.add_row(*row)
    out.print(table)
    if hidden := len(rows) - shown:
        out.print(f"and {hidden} more left out: the reasons stand in {folder / 'study.toml'}")
    for name, why in lost.items():
        out.print(f"specs.{name} is commented out: {why}", soft_wrap=True)
    out.print(f"wrote {folder}; next: bayesdid report {folder}", soft_wrap=True)
