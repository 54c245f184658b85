"""``bayesdid design``: what a design can see, before or after there are data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayesdid.cli import reading

if TYPE_CHECKING:
    from bayesdid.design.design import Design

_ARMS = "Without data: units of this arm."


def command(
    study: Annotated[
        Path | None, typer.Argument(help="Study folder; else --panel, or numbers of units.")
    ] = None,
    panel: Annotated[Path | None, typer.Option(help="Panel file, of the study or alone.")] = None,
    formula: Annotated[
        str | None, typer.Option(help='With a panel alone: "deaths ~ D + x | city + year".')
    ] = None,
    spec: Annotated[
        str | None, typer.Option(help="With a study: its spec; default the first that is fitted.")
    ] = None,
    none: Annotated[int | None, typer.Option(min=0, help=_ARMS)] = None,
    first: Annotated[int | None, typer.Option(min=0, help=_ARMS)] = None,
    second: Annotated[int | None, typer.Option(min=0, help=_ARMS)] = None,
    both: Annotated[int | None, typer.Option(min=0, help=_ARMS)] = None,
    periods: Annotated[int | None, typer.Option(min=2, help="Without data: how many.")] = None,
    start: Annotated[
        int | None, typer.Option(min=1, help="Without data: periods before the first policy.")
    ] = None,
    second_start: Annotated[
        int | None, typer.Option(min=1, help="The same of the second policy; default as the first.")
    ] = None,
    effect: Annotated[
        float | None, typer.Option(help="True size; default 0.25 sd of the outcome.")
    ] = None,
    sd: Annotated[
        float | None, typer.Option(help="Of the errors; default those of the panel.")
    ] = None,
    phi: Annotated[
        float | None, typer.Option(help="Their autocorrelation; default that of the panel.")
    ] = None,
    prior: Annotated[
        str | None, typer.Option(help="MEAN,SD of the effect, for assurance; default 0,effect.")
    ] = None,
    power: Annotated[float, typer.Option(help="Of the smallest effect.")] = 0.8,
    sure: Annotated[
        float, typer.Option(min=0.5, max=0.9999, help="P from which on a sign counts as sure.")
    ] = 0.95,
    sheet: reading.Sheet = None,
    skip: reading.Skip = None,
    seed: reading.Seed = 0,
    trust: reading.Trust = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Power, errors of sign and size, the smallest effect seen, assurance."""
    from bayesdid.checks.design_analysis import design_analysis
    from bayesdid.cli.console import out, print_json
    from bayesdid.exceptions import InputError
    from bayesdid.report.text import number

    arms = {"none": none, "first": first, "second": second, "both": both}
    numbers = {"periods": periods, "start": start, "second_start": second_start}
    planned = {name: value for name, value in (arms | numbers).items() if value is not None}
    if planned and (study is not None or panel is not None):
        raise InputError(
            f"--{next(iter(planned)).replace('_', '-')} describes a panel that there is",
            remedy="give a study or a panel, or numbers of units and periods",
        )
    design = (
        _planned(planned)
        if planned
        else _read(study, panel, formula, spec, sheet=sheet, skip=skip, trust=trust)
    )
    found = design_analysis(
        design,
        effect=effect,
        sd=sd,
        phi=phi,
        prior=None if prior is None else _pair(prior),
        power=power,
        sure=sure,
        seed=seed,
    )
    if as_json:
        print_json({"synthetic": design.synthetic or "", "analysis": found})
        return
    stamp = " (SYNTHETIC PANEL)" if design.synthetic else ""
    out.print(
        f"{found.source}{stamp}: {design.n} rows, {len(design.units)} units, "
        f"{len(design.periods)} periods; errors: sd {number(found.sd)}, autocorrelation "
        f"{number(found.phi)}",
        soft_wrap=True,
    )
    for sentence in found.sentences:
        out.print(f"  {sentence}", soft_wrap=True)


def _planned(given: dict[str, int]) -> Design:
    from bayesdid.checks.planned import Plan
    from bayesdid.exceptions import InputError

    if missing := [name for name in ("none", "first", "periods", "start") if name not in given]:
        raise InputError(
            f"a plan without --{missing[0]}",
            remedy="give --none, --first, --periods and --start (--second, --both for two "
            "policies), with --sd and --phi of the errors; or a study or --panel FILE",
        )
    return Plan(**({"second_start": given["start"]} | given)).design


def _read(
    study: Path | None,
    panel: Path | None,
    formula: str | None,
    spec: str | None,
    *,
    sheet: str | None,
    skip: int | None,
    trust: bool,
) -> Design:
    from bayesdid.design.build import build_design
    from bayesdid.exceptions import InputError
    from bayesdid.families.registry.load import load_study
    from bayesdid.front.study import study_of
    from bayesdid.inference.plan import plan_fits
    from bayesdid.panel.load import load_panel

    if study is None:
        if panel is None or formula is None:
            raise InputError(
                "nothing to analyse the design of",
                remedy="give a study, or --panel FILE with --formula, or --none, --first, "
                "--periods and --start",
            )
        if given := [
            name
            for name, value in (("--spec", spec), ("--sheet", sheet), ("--skip", skip))
            if value is not None
        ]:
            raise InputError(f"{given[0]} is about a study", remedy="name its folder")
        made, data = study_of(panel, formula)
        return build_design(next(iter(made.specs.values())), data)
    if formula is not None:
        raise InputError(
            "a study has specs of its own", value=formula, remedy="name one with --spec"
        )
    loaded = load_study(study, trust=trust)
    data = load_panel(loaded, panel, sheet=sheet, skip=skip)
    plan = plan_fits(loaded, data, specs=None if spec is None else [spec])
    if not plan.designs:
        raise InputError(f"{loaded.id}: no spec is fitted", remedy="declare one of family twfe")
    return next(iter(plan.designs.values()))


def _pair(text: str) -> tuple[float, float]:
    from bayesdid.exceptions import InputError

    parts = text.split(",")
    try:
        mean, sd = (float(part) for part in parts)
    except ValueError:
        raise InputError("a prior is MEAN,SD", value=text, remedy="e.g. --prior 0,0.2") from None
    return mean, sd
