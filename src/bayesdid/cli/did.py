"""``bayesdid did``: one regression of a panel file from a formula, without a study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayesdid.cli import model_options, reading
from bayesdid.exceptions import InputError

if TYPE_CHECKING:
    from bayesdid.inference.result import Fit
    from bayesdid.study.schema import EffectKind


def command(
    file: Annotated[Path, typer.Argument(help="Panel file (.csv .tsv .parquet .dta .xlsx).")],
    formula: Annotated[
        str | None, typer.Argument(help='E.g. "deaths ~ D + x1 | city + year".')
    ] = None,
    y: Annotated[
        str | None, typer.Option("--y", "--outcome", help="Outcome, without a formula.")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Column of the unit.")] = None,
    time: Annotated[str | None, typer.Option(help="Column of the period.")] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(help="NAME=COLUMN: its period of adoption or its state; repeat for two."),
    ] = None,
    cut: Annotated[
        list[str] | None,
        typer.Option(
            help="From which fraction on a policy is adopted: 0.5, or NAME=0.5 for one of several."
        ),
    ] = None,
    effect: Annotated[
        list[str] | None,
        typer.Option(help="Beside policies, e.g. region^year or state[year]; repeat for several."),
    ] = None,
    covariate: Annotated[
        list[str] | None, typer.Option(help="Beside policies; repeat for several.")
    ] = None,
    treatment: Annotated[
        list[str] | None, typer.Option(help="Terms that are treatments; default the first.")
    ] = None,
    errors: model_options.Errors = None,
    likelihood: model_options.Likelihood = "normal",
    effects: model_options.Effects = None,
    priors: Annotated[str | None, typer.Option(help="flat, weak (default), sceptical.")] = None,
    exposure: Annotated[
        str | None, typer.Option(help="Column of what counts are out of (population, hours).")
    ] = None,
    trials: Annotated[
        str | None, typer.Option(help="Column of what binomial successes are out of.")
    ] = None,
    weights: Annotated[str | None, typer.Option(help="Column of weights of the rows.")] = None,
    weights_kind: Annotated[
        str, typer.Option(help="analytic (variance sigma^2 / weight) or frequency (rows alike).")
    ] = "analytic",
    cluster: Annotated[
        str | None, typer.Option(help="Column of clusters, coarser than units, for the row beside.")
    ] = None,
    repeated: Annotated[
        bool, typer.Option("--repeated", help="Rows are individuals, several of a unit and period.")
    ] = False,
    first: Annotated[str | None, typer.Option(help="First period of the sample.")] = None,
    last: Annotated[str | None, typer.Option(help="Last period of the sample.")] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="A unit left out; repeat for several.")
    ] = None,
    switchers: Annotated[
        bool, typer.Option("--switchers", help="Only units seen with and without the treatment.")
    ] = False,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook.")] = None,
    skip: Annotated[int | None, typer.Option(min=0, help="Lines above the header.")] = None,
    missing: Annotated[
        list[str] | None, typer.Option(help="A mark that means not known, e.g. …; repeat for more.")
    ] = None,
    engine: Annotated[str, typer.Option(help="auto, exact, nuts, or an engine's name.")] = "auto",
    draws: Annotated[int, typer.Option(min=50, help="Draws per chain.")] = 1000,
    seed: reading.Seed = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Fit a formula to a panel file and print the effects."""
    from bayesdid.cli.console import out, print_json
    from bayesdid.front.did import did

    variant = model_options.variant_of(errors, likelihood, effects, priors)
    unit_kind, period_kind = _effects(formula, unit, time, variant.effects)
    found = did(
        file,
        formula,
        y=y,
        unit=unit,
        time=time,
        policies=dict(map(policy_pair, policy)) if policy else None,
        cut=cut_of(cut) if cut else None,
        covariates=covariate or (),
        effects=effect or (),
        treatment=treatment,
        errors=None if errors is None else variant.errors,
        likelihood=variant.likelihood,
        unit_effects=unit_kind,
        period_effects=period_kind,
        priors=priors,
        exposure=exposure,
        trials=trials,
        weights=weights,
        weights_kind=weights_kind,  # type: ignore[arg-type]
        cluster=cluster,
        repeated=repeated,
        sample={"first": first, "last": last, "without": without or (), "switchers": switchers},
        sheet=sheet,
        skip=skip,
        missing_marks=missing or (),
        engine=engine,
        draws=draws,
        seed=seed,
    )
    fits = [*found.items()] if isinstance(found, dict) else [(formula, found)]
    if as_json:
        print_json({"fits": [_json(name, fit) for name, fit in fits]})
    else:
        for _, fit in fits:
            out.print(fit.summary(), soft_wrap=True)
    if not all(fit.converged for _, fit in fits):
        raise typer.Exit(1)


def _effects(
    formula: str | None, unit: str | None, time: str | None, kind: EffectKind | None
) -> tuple[EffectKind | None, EffectKind | None]:
    """Kind of unit and of period effects: `kind` where there are effects, else as declared."""
    from bayesdid.front.keys import keys_of
    from bayesdid.study.formula import parse_formula

    if kind is None or formula is None:
        return kind, kind
    keys = keys_of(parse_formula(formula)[0].effects, unit, time)
    first, second = (own != "none" for own in (keys.unit_effects, keys.period_effects))
    return kind if first else None, kind if second else None


def policy_pair(text: str) -> tuple[str, str]:
    """``NAME=COLUMN``, or a column that is the policy's name itself."""
    name, _, column = text.partition("=")
    return name, column or name


def cut_of(texts: list[str]) -> float | dict[str, float]:
    """``0.5`` for all policies, or ``NAME=0.5`` for some.

    Raises
    ------
    InputError
        For what is no number, or both ways at once.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        try:
            found[name] = float(value)
        except ValueError as error:
            raise InputError(
                "a cut is a number above 0 and up to 1",
                value=text,
                remedy="for example 0.5, or NAME=0.5",
            ) from error
    if "" in found and len(texts) > 1:
        raise InputError(
            "several cuts of which one names no policy",
            value=", ".join(texts),
            remedy="write NAME=0.5 for each",
        )
    return found.get("", found)


def _json(formula: str | None, fit: Fit) -> dict[str, Any]:
    """What was fitted, and a row for each coefficient; no numbers if it did not converge."""
    from bayesdid.inference.longer import taken_of

    attrs = fit.tree.attrs
    rows = fit.tidy().reset_index().to_dict("records") if fit.converged else []
    said = ("outcome", "likelihood", "errors", "effects", "prior_choice", "engine", "n", "units")
    return {
        "formula": formula,
        "converged": fit.converged,
        "not_converged": fit.not_converged,
        "synthetic": fit.synthetic,
        **{name: attrs[name] for name in (*said, "periods", "chains", "draws")},
        "draws_taken": taken_of(fit.tree),
        "notes": [text for _, _, text in json.loads(attrs["notes"])],
        "rows": rows,
    }
