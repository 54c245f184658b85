"""Options that most commands share: what is read, and the seed."""

from __future__ import annotations

from typing import Annotated

import typer

Sheet = Annotated[str | None, typer.Option(help="Sheet of a workbook; default found.")]
Skip = Annotated[
    int | None, typer.Option(min=0, help="Lines above the header; default found in workbooks.")
]
Trust = Annotated[
    bool,
    typer.Option("--trust", help="Let the study name files outside of its folder: it is known."),
]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Random seed.")]
