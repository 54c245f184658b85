"""Options that every command which fits a model shares: one meaning, one help text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bayesdid.inference.plan import Variant
    from bayesdid.study.load import Study

Errors = Annotated[
    str | None,
    typer.Option(
        help="iid, iid_unit, ar1, ar1_unit (AR(1) within units; _unit: each unit its own scale). "
        "Default: what is calibrated on real panels, see docs/calibration-errors.md."
    ),
]
Likelihood = Annotated[
    str, typer.Option(help="normal, student_t, negative_binomial, poisson, binomial.")
]
Effects = Annotated[
    str | None, typer.Option(help="fixed, random, mundlak; default what the spec declares.")
]
Priors = Annotated[
    str | None, typer.Option(help="flat, weak, sceptical; default the study's [priors].")
]


def under_priors(study: Study, priors: str | None) -> Study:
    """The study with these priors in the place of its own.

    Raises
    ------
    InputError
        For a set that there is not.
    """
    import dataclasses

    from bayesdid.model.priors import PriorChoice
    from bayesdid.study.schema import PriorSection

    if priors is None:
        return study
    section = PriorSection(default=PriorChoice.of(priors).name)
    specs = {name: dataclasses.replace(s, priors=section) for name, s in study.specs.items()}
    return dataclasses.replace(study, specs=specs)


def variant_of(
    errors: str | None, likelihood: str, effects: str | None, priors: str | None
) -> Variant:
    """The variant of a study's models that the options ask for.

    Raises
    ------
    InputError
        For a word that an option does not know.
    """
    from typing import get_args

    from bayesdid.exceptions import InputError
    from bayesdid.inference.plan import MAIN, Variant
    from bayesdid.model.errors import DEFAULT_ERRORS
    from bayesdid.model.errors import Errors as ErrorModel
    from bayesdid.model.likelihood import Likelihood as LikelihoodModel
    from bayesdid.model.likelihood import LikelihoodName
    from bayesdid.model.priors import PriorChoice

    if effects not in {None, "fixed", "random", "mundlak"}:
        raise InputError(
            "unknown effects",
            value=effects,
            remedy="use fixed, random or mundlak; priors are an option of their own",
        )  # flat and sceptical once stood here
    if likelihood not in get_args(LikelihoodName):
        names = ", ".join(get_args(LikelihoodName))
        raise InputError("unknown likelihood", value=likelihood, remedy=f"use {names}")
    like = LikelihoodModel(likelihood)  # type: ignore[arg-type]
    default = ErrorModel() if like.is_discrete else DEFAULT_ERRORS
    words = [word for word in (effects, priors, errors, likelihood) if word not in {None, "normal"}]
    return Variant(
        "-".join(words) or MAIN,
        effects,  # type: ignore[arg-type]
        None if priors is None else PriorChoice.of(priors),
        default if errors is None else ErrorModel.parse(errors),
        like,
    )
