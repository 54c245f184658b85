"""``bayesdid pool``: one contrast over many studies."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Scale(StrEnum):
    """What effects are divided by."""

    NONE = "none"
    SD = "sd"
    MEAN = "mean"


def command(
    studies: Annotated[list[Path], typer.Argument(help="Study folders, two or more.")],
    cell: Annotated[
        list[str] | None,
        typer.Option(help="STUDY=TABLE.COLUMN:TERM, a printed cell; repeat for each study."),
    ] = None,
    contrast: Annotated[
        str | None, typer.Option(help="Of studies without a cell: a contrast that synergy gives.")
    ] = None,
    scale: Annotated[
        Scale, typer.Option(help="Divide effects by the outcome's printed sd or mean.")
    ] = Scale.NONE,
    better: Annotated[
        bool, typer.Option("--better", help="Count towards the better side of each outcome.")
    ] = False,
    unit: Annotated[
        float | None, typer.Option(min=1e-300, help="A large effect: the scale of the priors.")
    ] = None,
    spread: Annotated[
        float, typer.Option(min=1e-6, max=1e6, help="Prior scale of the sd between studies, units.")
    ] = 0.5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Pool an effect over studies: average, spread, a study to come, doubts and selection."""
    from rich.table import Table

    from bayesdid.cli.console import out, print_json, print_notes
    from bayesdid.exceptions import InputError
    from bayesdid.families.registry.load import load_study
    from bayesdid.pool.run import pool_studies
    from bayesdid.summary import chance, percent

    cells = {}
    for text in cell or ():
        name, mark, ref = text.partition("=")
        if not mark or not ref:
            raise InputError(
                "a cell without its study", value=text, remedy="write STUDY=TABLE.COLUMN:TERM"
            )
        cells[name] = ref
    result = pool_studies(
        [load_study(folder) for folder in studies],
        cells=cells,
        contrast=contrast,
        scale=scale.value,
        better=better,
        unit=unit,
        spread=spread,
        seed=seed,
    )
    print_notes(result.notes)
    if as_json:
        print_json(result)
        return
    out.print(f"effects in {result.measured}", highlight=False)
    table = Table("study", "effect", "se", "given all", "doubts", box=None, pad_edge=False)
    for effect in result.effects:
        own = result.shrunk[effect.study]
        table.add_row(
            f"{effect.study} {effect.source}",
            f"{effect.estimate:.3g}",
            f"{effect.se:.2g}",
            f"{own.mean:.3g} ({own.interval.low:.3g} to {own.interval.high:.3g})",
            ", ".join(effect.doubts),
        )
    out.print(table)
    table = Table("average effect under", "mean", percent(), "P(< 0)", box=None, pad_edge=False)
    for name, s in result.average.items():
        ends = f"{s.interval.low:.3g} to {s.interval.high:.3g}"
        table.add_row(name, f"{s.mean:.3g}", ends, chance(s.p_negative))
    out.print(table)
    out.print(result.text, soft_wrap=True)
