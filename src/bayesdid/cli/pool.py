"""``bayesdid pool``: one contrast over many studies."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayesdid.cli import reading

if TYPE_CHECKING:
    from bayesdid.pool.run import PoolResult


class Scale(StrEnum):
    """What effects are divided by."""

    AUTO = "auto"
    NONE = "none"
    SD = "sd"
    MEAN = "mean"


class From(StrEnum):
    """Where effects are taken from."""

    AUTO = "auto"
    PRINTED = "printed"
    PANEL = "panel"


def command(
    studies: Annotated[list[Path], typer.Argument(help="Study folders, two or more.")],
    cell: Annotated[
        list[str] | None,
        typer.Option(help="STUDY=TABLE.COLUMN:TERM, a printed cell; repeat for each study."),
    ] = None,
    contrast: Annotated[
        str | None,
        typer.Option(
            help="Of studies without a cell: att, synergy, indirect, or a contrast that synergy "
            "gives. Default: what most studies have."
        ),
    ] = None,
    source: Annotated[
        From, typer.Option(help="Take effects from real panels, else print; or from one alone.")
    ] = From.AUTO,
    scale: Annotated[
        Scale,
        typer.Option(help="Divide effects by the outcome's sd or mean; auto: by sd if units vary."),
    ] = Scale.AUTO,
    better: Annotated[
        bool | None,
        typer.Option(
            "--better/--no-better",
            help="Count towards the better side of each outcome; default if they have no one side.",
        ),
    ] = None,
    unit: Annotated[
        float | None, typer.Option(min=1e-300, help="A large effect: the scale of the priors.")
    ] = None,
    spread: Annotated[
        float, typer.Option(min=1e-6, max=1e6, help="Prior scale of the sd between studies, units.")
    ] = 0.5,
    draws: Annotated[int, typer.Option(min=50, help="Of a panel's model, per chain.")] = 500,
    seed: reading.Seed = 0,
    trust: reading.Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Pool an effect over studies: average, spread, a study to come, doubts and selection."""
    from bayesdid.cli.console import print_json, print_notes, progress
    from bayesdid.exceptions import InputError
    from bayesdid.families.registry.load import load_study
    from bayesdid.pool.run import pool_studies

    cells = {}
    for text in cell or ():
        name, mark, ref = text.partition("=")
        if not mark or not ref:
            raise InputError(
                "a cell without its study", value=text, remedy="write STUDY=TABLE.COLUMN:TERM"
            )
        cells[name] = ref
    loaded = [load_study(folder, trust=trust) for folder in studies]
    with progress("studies", len(loaded), lines=True) as done:
        result = pool_studies(
            loaded,
            cells=cells,
            contrast=contrast,
            scale=scale.value,
            better=better,
            source=source.value,
            unit=unit,
            spread=spread,
            draws=draws,
            seed=seed,
            done=done,
        )
    print_notes(result.notes)
    if as_json:
        print_json(result)
        return
    _print(result)


def _print(result: PoolResult) -> None:
    """What each study gives, what it is given all, the average under every model, the answer."""
    from rich.table import Table

    from bayesdid.cli.console import out
    from bayesdid.summary import chance, percent

    of = f"{result.asked[:1].upper()}{result.asked[1:]}" if result.asked else "Effects"
    out.print(f"{of}, in {result.measured}", soft_wrap=True, highlight=False)
    doubted = any(effect.doubts for effect in result.effects)
    table = Table(box=None, pad_edge=False)
    for heading in ("study", "effect", "source", *["doubted by"] * doubted):
        table.add_column(heading, overflow="fold")
    table.add_column("estimate (se)", no_wrap=True)
    for effect in result.effects:
        where = (effect.study, effect.effect, effect.source)
        rules = [", ".join(effect.doubts)] * doubted
        table.add_row(*where, *rules, f"{effect.estimate:.3g} ({effect.se:.2g})")
    out.print(table)
    parts = {"effect given all of them": result.shrunk, "average effect under": result.average}
    for heading, summaries in parts.items():
        table = Table(heading, "mean", percent(), "P(< 0)", box=None, pad_edge=False)
        for name, s in summaries.items():
            ends = f"{s.interval.low:.3g} to {s.interval.high:.3g}"
            table.add_row(name, f"{s.mean:.3g}", ends, chance(s.p_negative))
        out.print(table)
    out.print(result.text, soft_wrap=True)
