"""``bayesdid validate``: Bayesian against frequentist, and against the publication."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bayesdid.cli import reading


def command(
    study: Annotated[Path, typer.Argument(help="Study folder, e.g. models/dual_pilot")],
    panel: Annotated[Path | None, typer.Option(help="Panel file.")] = None,
    sheet: reading.Sheet = None,
    skip: reading.Skip = None,
    spec: Annotated[list[str] | None, typer.Option(help="Spec id; repeat for several.")] = None,
    seed: reading.Seed = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default all.")] = None,
    trust: reading.Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Published | least squares | Bayes: with flat priors they must agree."""
    from bayesdid.cli.console import print_json, print_left_out, progress
    from bayesdid.extras import require
    from bayesdid.families.registry.load import load_study
    from bayesdid.inference.executor import map_fits, process_pool
    from bayesdid.inference.plan import (
        AGAINST_LEAST_SQUARES,
        VARIANTS,
        against_least_squares,
        plan_fits,
    )
    from bayesdid.inference.registry import Size
    from bayesdid.inference.store import make_fit
    from bayesdid.panel.load import load_panel
    from bayesdid.peers.agreement import agree

    require("peers")
    loaded = load_study(study, trust=trust)
    data = load_panel(loaded, panel, sheet=sheet, skip=skip)
    variants = [VARIANTS[name] for name in AGAINST_LEAST_SQUARES.values()]
    plan = plan_fits(loaded, data, specs=spec, variants=variants, size=Size(seed=seed))
    kinds = {
        (name, variant): kind
        for name, design in plan.designs.items()
        for kind, variant in against_least_squares(design).items()
    }
    fits: dict[str, dict[str, Any]] = {}
    with process_pool(workers), progress("fits", len(plan.requests)) as done:
        made = map_fits(make_fit, plan.requests, done=lambda r: done(r.design.spec_id))
    for request, tree in zip(plan.requests, made, strict=True):
        name = request.design.spec_id
        if (kind := kinds.get((name, request.label))) is not None:
            fits.setdefault(name, {})[kind] = tree
    agreements = [
        agree(design, fits[name], spec=loaded[name]) for name, design in plan.designs.items()
    ]
    if as_json:
        print_json(agreements)
    else:
        _print(agreements, bool(data.synthetic))
    if print_left_out(plan) or not all(item.holds for item in agreements):
        raise typer.Exit(1)


def _print(agreements: list[Any], synthetic: bool) -> None:
    from rich.table import Table

    from bayesdid.cli.console import out

    table = Table(title="agreement" + (" (SYNTHETIC PANEL)" if synthetic else ""))
    for heading in (
        "spec: term",
        "published",
        "OLS (iid, cluster)",
        "flat, MCSE off",
        "fixed",
        "random",
        "mundlak",
    ):
        table.add_column(
            heading, justify="left" if heading == "spec: term" else "right", overflow="fold"
        )
    for item in agreements:
        for name, row in item.table[item.table["is_treatment"]].iterrows():
            cells = [
                f"{row[f'{k}_mean']:.3f} ({row[f'{k}_sd']:.3f})" if f"{k}_mean" in row else ""
                for k in ("fixed", "random", "mundlak")
            ]
            published, verdict = row["published"], row["verdict"]
            fine = verdict.startswith(("identity", "explained"))
            table.add_row(
                f"{item.spec_id}: {name}",
                f"{published:.3f} ({row['published_se']:.3f})" if published == published else "",
                f"{row['ols']:.3f} ({row['se_iid']:.3f}, {row['se_cluster']:.3f})",
                f"{row['flat_gap_mcse']:.1f}" + ("" if fine else f" {verdict}"),
                *cells,
            )
    out.print(table)
    for text in agreements[0].explanations if agreements else ():
        out.print(f"{agreements[0].spec_id}: {text}")
