"""``bayesdid compare``: which spec, with which effects, predicts units left out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayesdid.cli import model_options, reading


def command(
    study: Annotated[Path, typer.Argument(help="Study folder, e.g. models/dual_pilot")],
    spec: Annotated[list[str], typer.Option(help="Spec ids on the same rows; repeat.")],
    panel: Annotated[Path | None, typer.Option(help="Panel file.")] = None,
    sheet: reading.Sheet = None,
    skip: reading.Skip = None,
    effects: Annotated[
        list[str] | None, typer.Option(help="fixed, random, mundlak; repeat. Default all.")
    ] = None,
    priors: model_options.Priors = None,
    draws: Annotated[int, typer.Option(min=100, help="Draws per chain, of four chains.")] = 1000,
    seed: reading.Seed = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default all.")] = None,
    trust: reading.Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Leave-one-unit-out, K-fold over units, and stacking weights."""
    from bayesdid.cli.analyse import print_analysis
    from bayesdid.cli.console import print_json
    from bayesdid.exceptions import InputError
    from bayesdid.families.comparison.analysis import compare
    from bayesdid.families.registry.load import load_study
    from bayesdid.inference.executor import process_pool
    from bayesdid.jsonio import plain
    from bayesdid.panel.load import load_panel

    known = ("fixed", "random", "mundlak")
    if bad := [kind for kind in effects or () if kind not in known]:
        raise InputError("unknown effects", value=bad[0], remedy=f"use {', '.join(known)}")
    loaded = model_options.under_priors(load_study(study, trust=trust), priors)
    data = load_panel(loaded, panel, sheet=sheet, skip=skip)
    kinds = [kind for kind in known if effects is None or kind in effects]
    with process_pool(workers):
        content = plain(compare(loaded, spec, data, kinds=kinds, draws=draws, seed=seed))  # type: ignore[arg-type]
    if as_json:
        print_json(content)
    else:
        print_analysis(content)
