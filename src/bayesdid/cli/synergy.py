"""``bayesdid synergy``: posterior contrasts from the published columns alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def command(
    study: Annotated[Path, typer.Argument(help="Study folder, e.g. models/dual_pilot")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Posterior contrasts (is 1+1>2?) from published estimates and standard errors alone."""
    from bayesdid.families.registry.load import load_study
    from bayesdid.published.synergy import published_synergy
    from bayesdid.published.verdict import published_verdicts

    loaded = load_study(study)
    synergy = published_synergy(loaded)
    verdicts = published_verdicts(loaded, synergy)
    if as_json:
        from bayesdid.cli.console import print_json

        print_json(
            {
                "study": loaded.id,
                "contrasts": list(synergy.contrasts.values()),
                "verdicts": verdicts,
                "functional": synergy.functional.rename_axis("coefficient"),
                "held_out": synergy.held_out,
                "paths": synergy.path_weights,
                "left": synergy.left,
                "correlation": {
                    "columns": synergy.columns.names,
                    "matrix": synergy.correlation.tolist(),
                },
                "timing": {"knowledge": synergy.knowledge, "drawn": synergy.timings},
                "scale": {"value": synergy.scale, "source": synergy.scale_source},
                "notes": [note.text for note in synergy.notes],
            }
        )
        return
    _print(loaded, synergy, verdicts)


def _print(loaded: Any, synergy: Any, verdicts: Any) -> None:
    from rich.table import Table

    from bayesdid.cli.console import out
    from bayesdid.estimands.names import RATIO
    from bayesdid.published.contrasts import MAIN
    from bayesdid.report.published_results import headline, published_sentences
    from bayesdid.summary import percent

    outcome = loaded.file.outcome
    table = Table(
        title=f"{loaded.id}: contrasts from published columns, in {outcome.unit}",
        title_justify="left",
    )
    for heading in (
        "contrast",
        "mean (sd)",
        f"{percent()} HDI",
        "P(< 0)",
        "P(claim), range",
        "cells subtracted (SE)",
    ):
        table.add_column(heading, justify="left" if heading == "contrast" else "right")
    for contrast in synergy.contrasts.values():
        main, (low, high) = contrast.main, contrast.range
        subtracted = contrast.naive == contrast.naive  # NaN where there is no such difference
        table.add_row(
            contrast.contrast.label,
            f"{main.mean:.3f} ({main.sd:.3f})",
            f"{main.interval.low:.3f} to {main.interval.high:.3f}",
            "" if contrast.contrast.name == RATIO else f"{main.p_negative:.3f}",
            f"{contrast.p_claim[MAIN]:.3f} ({low:.3f} to {high:.3f})",
            f"{contrast.naive:.3f} ({contrast.naive_se:.3f})" if subtracted else "",
        )
    out.print(table)
    out.print("[bold]Claims[/]")
    for verdict in verdicts:
        out.print(
            f"  [bold]{verdict.word}[/], P = {verdict.p:.3f} ({verdict.p_low:.3f} to "
            f"{verdict.p_high:.3f}): “{verdict.text}” ({verdict.place})"
        )
    chosen = headline(synergy)
    out.print(f"[bold]{chosen.label}[/]")
    for sentence in published_sentences(synergy, chosen):
        out.print(f"  {sentence}")
    out.print(
        "Main column: averaged over timings, paths of the single effects and autocorrelation of "
        "errors. Range: over every path and autocorrelation."
    )
    for note in synergy.notes:
        out.print(f"Note: {note.text}.")
