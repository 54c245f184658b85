"""``bayesdid panel``: read and validate a panel, say what is in it, or write the stand-in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayesdid.cli import reading

if TYPE_CHECKING:
    from bayesdid.panel.panel import Panel


def command(
    study: Annotated[Path, typer.Argument(help="Study folder, e.g. models/dual_pilot")],
    panel: Annotated[
        Path | None, typer.Option(help="Panel file; default the study's own panel.")
    ] = None,
    sheet: reading.Sheet = None,
    skip: reading.Skip = None,
    write: Annotated[
        Path | None, typer.Option(help="Also write the panel, with its stamp, as .csv.")
    ] = None,
    trust: reading.Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Validate a panel: its shape, arms and sequences, and everything that is odd about it."""
    from bayesdid.cli.console import out, print_json
    from bayesdid.families.registry.load import load_study
    from bayesdid.panel.adoption import arm, sequence
    from bayesdid.panel.load import load_panel
    from bayesdid.panel.write import write_panel

    loaded = load_study(study, trust=trust)
    data = load_panel(loaded, panel, sheet=sheet, skip=skip)
    orders = sequence(data.adoption)
    facts = {
        "source": data.source,
        "rows": len(data.frame),
        "units": len(data.units),
        "periods": [_typed(data, data.periods[0]), _typed(data, data.periods[-1])],
        "balanced": data.is_balanced,
        **(
            {
                "arms": arm(data.adoption).value_counts().to_dict(),
                "sequences": orders[orders != ""].value_counts().to_dict(),
            }
            if data.policies
            else {}
        ),
        "synthetic": data.synthetic or "",
        "sha256": data.sha256,
        "notes": [{"name": n.name, "count": n.count, "text": n.text} for n in data.notes],
    }
    if as_json:
        print_json(facts)
    else:
        for key, value in facts.items():
            if key != "notes":
                out.print(f"{key}: {value}", soft_wrap=True)
        for note in data.notes:
            out.print(f"note ({note.name}): {note.text}", soft_wrap=True)
    if write is not None:
        write_panel(data, loaded, write)


def _typed(panel: Panel, step: float) -> int | str:
    """A period as it was typed; a number where it was one."""
    return panel.timeline.label(step) if panel.timeline.labels else int(step)
