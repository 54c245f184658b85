"""``bayesdid audit``: consistency of the published numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayesdid.cli import reading

_STYLE = {"contradiction": "bold red", "warning": "yellow", "note": "dim"}


def command(
    study: Annotated[Path, typer.Argument(help="Study folder, e.g. models/dual_pilot")],
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 if there is a contradiction or a warning.")
    ] = False,
    trust: reading.Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Check every published number against every other that algebra ties it to."""
    from bayesdid.audit.run import audit_study
    from bayesdid.cli.console import out, print_json, said
    from bayesdid.families.registry.load import load_study
    from bayesdid.notebook import many

    report = audit_study(load_study(study, trust=trust))
    if as_json:
        print_json(report)
    else:
        for finding in report.findings:
            style = _STYLE[finding.severity]
            out.print(said((finding.severity, style), f" {finding.place} ({finding.rule})"))
            out.print(f"  {finding.text}")
            if finding.assumptions:
                out.print(f"  unless: {'; '.join(finding.assumptions)}", style="dim")
        counts = ", ".join(many(number, name) for name, number in report.counts.items())
        out.print(f"{report.study_id}: {sum(report.checked.values())} comparisons, {counts}.")
    if strict and report.flagged:
        raise typer.Exit(1)
