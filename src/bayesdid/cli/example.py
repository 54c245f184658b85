"""``bayesdid example``: the studies that ship, and a copy of one to run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[str | None, typer.Argument(help="A study. Default: list them.")] = None,
    out_folder: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to make. Default: NAME.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """List the studies that ship, or copy one into a folder that ``report`` runs."""
    from bayesdid.cli.console import out, print_json
    from bayesdid.exceptions import InputError
    from bayesdid.study.shipped import copy_study

    if name is None:
        if out_folder is not None:
            raise InputError("a folder, but no study", remedy="name the study to copy there")
        _list(as_json)
        return
    folder = copy_study(name, out_folder or Path(name))
    if as_json:
        print_json({"study": name, "folder": str(folder)})
        return
    out.print(f"wrote {folder}; next: bayesdid report {folder}", soft_wrap=True, highlight=False)


def _list(as_json: bool) -> None:
    from rich.table import Table

    from bayesdid.cli.console import out, print_json
    from bayesdid.families.registry.load import load_study
    from bayesdid.panel.load import declares_panel
    from bayesdid.study.shipped import shipped_studies

    studies = {name: load_study(folder) for name, folder in shipped_studies().items()}
    rows = [
        {
            "study": name,
            "title": study.file.study.title,
            "data": study.file.panel.package.name
            if study.file.panel.package
            else ("synthetic" if declares_panel(study) else "printed tables"),
        }
        for name, study in studies.items()
    ]
    if as_json:
        print_json(rows)
        return
    table = Table("study", "data", "title", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row["study"], row["data"], row["title"])
    out.print(table)
