"""``bayesdid reconstruct``: synthetic panels that could have produced what a study prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayesdid.cli import reading

if TYPE_CHECKING:
    from bayesdid.reconstruct.ensemble import Ensemble


def command(
    study: Annotated[Path, typer.Argument(help="Study folder, e.g. models/dual_pilot")],
    out_dir: Annotated[Path, typer.Option("-o", "--out", help="Folder of the ensemble.")],
    members: Annotated[int, typer.Option(min=1, max=10_000, help="How many panels.")] = 1,
    hold_out: Annotated[
        str, typer.Option(help="Tables and columns not to hold to, with commas: table8,table5.5")
    ] = "",
    read_as: Annotated[
        str,
        typer.Option(
            "--reading",
            help="mended: cells that contradict each other are read so that they agree; "
            "printed: as printed, and relaxed.",
        ),
    ] = "mended",
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the study's real panel, all but its outcomes.")
    ] = False,
    reference: Annotated[
        bool,
        typer.Option(
            "--reference",
            help="Also put the nearest panel, and what all members say, into the study's folder, "
            "for its report.",
        ),
    ] = False,
    seed: reading.Seed = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default one a core.")] = (
        None
    ),
    trust: reading.Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Panels that could have produced everything printed. Synthetic, and always stamped so."""
    from bayesdid.cli.console import print_json, progress
    from bayesdid.exceptions import InputError
    from bayesdid.families.registry.load import load_study
    from bayesdid.inference.executor import cores, process_pool
    from bayesdid.panel.load import load_panel
    from bayesdid.reconstruct.ensemble import reconstruct
    from bayesdid.reconstruct.reference import write_reference

    loaded = load_study(study, trust=trust)
    section = loaded.file.panel
    if keep and section.path is None and section.package is None and section.simulate is None:
        raise InputError(
            "--keep keeps the study's real panel, and it declares none",
            file=loaded.path / "study.toml",
            column="panel",
            remedy="name its file as path under [panel], or leave --keep out: the design is then "
            "drawn",
        )
    known = load_panel(loaded) if keep else None
    if known is not None and known.synthetic:
        raise InputError(
            "--keep keeps a real panel, and the study's own is synthetic",
            value=known.synthetic,
            remedy="leave --keep out: the design is then drawn",
        )
    held = tuple(name.strip() for name in hold_out.split(",") if name.strip())
    with process_pool(min(workers or cores(), members)):
        with progress("members", members, lines=members > 1) as done:
            found = reconstruct(
                loaded,
                out_dir,
                members=members,
                seed=seed,
                hold_out=held,
                reading=read_as,
                known=known,
                done=lambda _: done(),
            )
        if reference:
            write_reference(loaded, found, out_dir)
    if as_json:
        print_json(found)
    else:
        _print(found, out_dir)


def _print(found: Ensemble, folder: Path) -> None:
    from bayesdid.cli.console import out
    from bayesdid.reconstruct.words import sentences

    out.print(f"SYNTHETIC: {found.synthetic}", soft_wrap=True, highlight=False)
    for text in sentences(found):
        out.print(text, soft_wrap=True, highlight=False)
    out.print(f"written to {folder}", soft_wrap=True, highlight=False)
