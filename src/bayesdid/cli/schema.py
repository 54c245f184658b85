"""``bayesdid schema``: JSON Schemas of the study files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; default: print to stdout.")
    ] = None,
) -> None:
    """JSON Schemas of study.toml, table files and claims.toml, for editors."""
    from bayesdid.cli.console import print_json
    from bayesdid.families.registry.schemas import schemas, write_schemas

    if out is None:
        print_json(schemas())
    else:
        write_schemas(out)
