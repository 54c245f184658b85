"""``bayesdid audit``: consistency of the published numbers, of one study or of many."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayesdid.cli import reading

if TYPE_CHECKING:
    from bayesdid.audit.finding import AuditReport

_CHUNK = 10  # studies that go to a worker together
_STYLE = {"contradiction": "bold red", "warning": "yellow", "note": "dim"}


def command(
    study: Annotated[
        list[Path], typer.Argument(help="Study folders, e.g. models/dual_pilot or models/*")
    ],
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 if there is a contradiction or a warning.")
    ] = False,
    sarif: Annotated[
        Path | None, typer.Option(help="Also write the findings, with file and line, as SARIF.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes for many studies; default all.")
    ] = None,
    trust: reading.Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Check every published number against every other that algebra ties it to."""
    from bayesdid.cli.console import print_json
    from bayesdid.jsonio import plain

    audited: list[tuple[Path, AuditReport]] = []
    failed: dict[str, str] = {}
    for folder, made in _audits(study, trust, workers):
        if isinstance(made, str):
            failed[str(folder)] = made
        else:
            audited.append((folder, made))
    if sarif is not None:
        _write_sarif(sarif, audited)
    if len(study) > 1:
        _many(audited, failed, as_json=as_json)
    elif as_json:
        print_json(plain(audited[0][1]) | _carried(study[0], audited[0][1], trust))
    else:
        _one(audited[0][1], _carried(study[0], audited[0][1], trust))
    if failed or (strict and any(report.flagged for _, report in audited)):
        raise typer.Exit(1)


def _audits(
    folders: list[Path], trust: bool, workers: int | None
) -> list[tuple[Path, AuditReport | str]]:
    """Report, or why there is none, of each study; side by side once that has taken a while.

    Raises
    ------
    InputError
        If the only study cannot be loaded.
    """
    from functools import partial

    from bayesdid.audit.run import audit_study
    from bayesdid.families.registry.load import load_study

    if len(folders) == 1:
        return [(folders[0], audit_study(load_study(folders[0], trust=trust)))]
    from bayesdid.inference.executor import map_fits, process_pool

    one = partial(_audited, trust=trust)
    with process_pool(workers):
        return list(zip(folders, map_fits(one, folders, chunk=_CHUNK), strict=True))


def _audited(folder: Path, trust: bool) -> AuditReport | str:
    from bayesdid.audit.run import audit_study
    from bayesdid.exceptions import InputError
    from bayesdid.families.registry.load import load_study

    try:
        return audit_study(load_study(folder, trust=trust))
    except InputError as error:
        return str(error)


def _carried(folder: Path, report: AuditReport, trust: bool) -> dict[str, list[Any]]:
    """Cells that contradictions are about, and what becomes of indirect effects from print."""
    from bayesdid.audit.doubts import doubts
    from bayesdid.audit.mediation import mediation_sentence, printed_mediations
    from bayesdid.families.registry.load import load_study
    from bayesdid.jsonio import plain

    study = load_study(folder, trust=trust)
    found = doubts(study, report)
    said = [mediation_sentence(item, found) for item in printed_mediations(study, found)]
    return {"doubts": [plain(doubt) for doubt in found.values()], "mediations": said}


def _one(report: AuditReport, carried: dict[str, list[Any]]) -> None:
    from bayesdid.cli.console import out, said
    from bayesdid.notebook import many

    for finding in report.findings:
        style = _STYLE[finding.severity]
        out.print(said((finding.severity, style), f" {finding.place} ({finding.rule})"))
        out.print(f"  {finding.text}")
        if finding.assumptions:
            out.print(f"  unless: {'; '.join(finding.assumptions)}", style="dim")
    if carried["doubts"]:
        cells = [
            f"{item['cell']} {item['printed']}"
            + (f" (instead {item['instead']}?)" if item["instead"] else "")
            for item in carried["doubts"]
        ]
        out.print(f"doubted: {', '.join(cells)}", highlight=False)
    for sentence in carried["mediations"] if carried["doubts"] else ():
        out.print(f"indirect effect, {sentence}", highlight=False)
    counts = ", ".join(many(number, name) for name, number in report.counts.items())
    out.print(f"{report.study_id}: {report.comparisons} comparisons, {counts}.")


def _many(
    audited: list[tuple[Path, AuditReport]], failed: dict[str, str], *, as_json: bool
) -> None:
    """A line for each study, then the error rates by rule."""
    from rich.table import Table

    from bayesdid.audit.rates import rates
    from bayesdid.cli.console import out, print_json
    from bayesdid.summary import percent

    found = rates([report for _, report in audited])
    if as_json:
        studies = {str(folder): report for folder, report in audited}
        print_json({"studies": studies, "rates": found, "failed": failed})
        return
    table = Table(
        "study", "comparisons", "contradictions", "warnings", "notes", box=None, pad_edge=False
    )
    for folder, report in audited:
        counts = [str(number) for number in report.counts.values()]
        table.add_row(str(folder), str(report.comparisons), *counts)
    for name, why in failed.items():
        table.add_row(name, "not audited", why)
    out.print(table)
    table = Table(
        "rule",
        "comparisons",
        "contradictions",
        "studies",
        "with one",
        "share",
        percent(),
        box=None,
        pad_edge=False,
    )
    for rate in found:
        table.add_row(
            rate.rule,
            str(rate.comparisons),
            str(rate.contradictions),
            str(rate.studies),
            str(rate.contradicted),
            f"{rate.share:.1%}",
            f"{rate.low:.1%} to {rate.high:.1%}",
        )
    out.print(table)


def _write_sarif(path: Path, audited: list[tuple[Path, AuditReport]]) -> None:
    import bayesdid
    from bayesdid.cli.audit_sarif import sarif_run
    from bayesdid.jsonio import write_json

    write_json(path, sarif_run(audited, bayesdid.__version__))
