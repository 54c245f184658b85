"""``bayesdid import``: a draft study folder from published tables in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    file: Annotated[
        Path, typer.Argument(help="Tables: .html .xml .tex .md .txt .csv .tsv .xlsx .docx .pdf")
    ],
    out_folder: Annotated[
        Path, typer.Option("--out", "-o", help="Folder to make, e.g. models/my_paper")
    ],
    title: Annotated[str, typer.Option(help="Title of the publication.")] = "",
    show: Annotated[
        bool, typer.Option("--open", help="Open the page for correction in a browser.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Read published tables into a draft study that ``audit`` loads, every doubt marked."""
    from rich.table import Table

    from bayesdid.cli.console import out, print_json
    from bayesdid.importing.folder import PAGE, import_study
    from bayesdid.notebook import many

    made = import_study(file, out_folder, title=title)
    if show:
        typer.launch(str((out_folder / PAGE).resolve()))
    if as_json:
        print_json(made)
        return
    table = Table("table", "numbers", "not certain", box=None, pad_edge=False)
    for name, count in made.tables.items():
        doubtful = sum(
            cell.confidence < 0.95
            for cell in made.cells
            if cell.ref.startswith((f"{name}.", f"{name}:"))
        )
        table.add_row(name, str(count), str(doubtful))
    out.print(table)
    for name, doubts in made.doubts.items():
        for doubt in doubts:
            out.print(f"{name}: {doubt}.", soft_wrap=True)
        for share, text in made.alternatives.get(name, []):
            out.print(f"  {share:.1%}: {text}", soft_wrap=True)
    for sentence in made.left_out:
        out.print(f"left out: {sentence}.", soft_wrap=True, markup=False)
    if made.claims:
        out.print(
            f"{many(made.claims, 'sentence')} of the text proposed as claims, {made.sure_claims} "
            "with one cell that fits"
        )
    out.print(
        f"wrote {out_folder}; correct it beside the tables in {out_folder / PAGE}; "
        f"next: bayesdid audit {out_folder}",
        soft_wrap=True,
    )
