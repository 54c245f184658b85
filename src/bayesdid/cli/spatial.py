"""``bayesdid spatial``: spatial models of any two-way spec, with declared weights or a file's."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from bayesdid.cli import reading


def command(
    study: Annotated[Path, typer.Argument(help="Study folder, e.g. models/dual_pilot")],
    weights: Annotated[
        list[str] | None,
        typer.Option(
            help="Id under [[weights]], or a .gal .gwt .csv .npz file; repeat to compare."
        ),
    ] = None,
    spec: Annotated[
        str | None, typer.Option(help="Two-way or spatial spec. Default: all spatial specs.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="sar, sem, slx, sdm or sdem.")] = None,
    normalise: Annotated[
        str | None, typer.Option(help="row, spectral, min-max or none; effects depend on it.")
    ] = None,
    student: Annotated[bool, typer.Option("--student", help="Also Student-t errors.")] = False,
    dynamic: Annotated[bool, typer.Option("--dynamic", help="Also a dynamic model.")] = False,
    panel: Annotated[
        Path | None, typer.Option(help="Panel file (.csv .tsv .parquet .dta .xlsx).")
    ] = None,
    sheet: reading.Sheet = None,
    skip: reading.Skip = None,
    draws: Annotated[int, typer.Option(min=100, help="A quarter of the draws.")] = 1000,
    seed: reading.Seed = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default all.")] = None,
    trust: reading.Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Direct, indirect and total effects; which model and weights; a distance boundary."""
    from bayesdid.cli.analyse import is_sound, print_analysis
    from bayesdid.cli.console import print_json
    from bayesdid.families.registry.load import load_study
    from bayesdid.inference.executor import map_fits, process_pool
    from bayesdid.panel.load import load_panel

    loaded = load_study(study, trust=trust)
    data = load_panel(loaded, panel, sheet=sheet, skip=skip)
    settings: dict[str, Any] = {
        "model": model,
        "normalisation": normalise,
        "student_t": student or None,
        "dynamic": dynamic or None,
        "compare": (weights or [])[1:] or None,
    }
    specs = _specs(loaded, spec, weights, {k: v for k, v in settings.items() if v is not None})
    with process_pool(workers):
        run = partial(_analyse, study=loaded, panel=data, seed=seed, draws=draws)
        results = map_fits(run, specs)
    if as_json:
        print_json({"study": loaded.id, "synthetic": data.synthetic or "", "analyses": results})
    else:
        for content in results:
            print_analysis(content)
    if not all(is_sound(content) for content in results):
        raise typer.Exit(1)


def _analyse(spec: Any, study: Any, panel: Any, seed: int, draws: int) -> dict[str, Any]:
    from bayesdid.families.run import analyse
    from bayesdid.jsonio import plain

    return plain(analyse(study, spec, panel, seed=seed, draws=draws))


def _specs(
    study: Any, spec_id: str | None, weights: list[str] | None, settings: dict[str, Any]
) -> list[Any]:
    """What to analyse: a spec, made spatial if it is not, or the study's spatial specs."""
    import dataclasses

    from bayesdid.exceptions import InputError
    from bayesdid.families.registry.discover import families
    from bayesdid.families.registry.sections import SPATIAL

    spatial = {name for name, family in families().items() if family.section is SPATIAL}
    found = (
        [study[spec_id]]
        if spec_id
        else [item for item in study.specs.values() if item.column.family in spatial]
    )
    if not found and weights:
        found = [s for s in study.specs.values() if s.column.family == "twfe"][:1]
    if not found:
        raise InputError(
            "the study has no spatial spec",
            file=study.path,
            remedy="name a two-way spec and weights: --spec, --weights",
        )
    out = []
    for item in found:
        column = item.column
        if column.family not in spatial:
            if not weights:
                raise InputError(f"{item.id} has no spatial weights", remedy="give --weights")
            column = column.model_copy(update={"family": "sdm", "options": {}, "instrument": None})
        if column.family == "sdm":
            update: dict[str, Any] = {"options": column.options | settings}
            if weights:
                update["weights"] = weights[0]
            column = column.model_copy(update=update)
        out.append(dataclasses.replace(item, column=column))
    return out
