"""Models of several equations: which covariates of a design are mediators or the instrument."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from bayesdid.arrays import FloatArray
from bayesdid.design.design import Design
from bayesdid.exceptions import InputError
from bayesdid.model.mean import Instrument, Mediation
from bayesdid.model.model import Model
from bayesdid.model.priors import PriorChoice, Priors, component_terms, named_priors, with_terms


@dataclass(frozen=True, slots=True)
class Mediators:
    """A design with its mediators taken out.

    Attributes
    ----------
    rest
        Treatments and the other covariates.
    M
        Mediators, shape (n, q).
    names
        Theirs.
    """

    rest: Design
    M: FloatArray
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Instrumented:
    """A design with its instrument taken out: shape (n,), and its name."""

    rest: Design
    z: FloatArray
    name: str


def mediators_of(model: Model, design: Design) -> Mediators:
    """Split a design whose covariates hold the mediators.

    Raises
    ------
    InputError
        If a mediator is not among the covariates.
    """
    assert isinstance(model.mean, Mediation)
    names = model.mean.mediators
    rest, M = without(design, names, "mediator")
    return Mediators(rest, M, names)


def instrument_of(model: Model, design: Design) -> Instrumented:
    """Split a design whose covariates hold the instrument; it has one treatment.

    Raises
    ------
    InputError
        If the instrument is not among the covariates, or there is not one treatment.
    """
    assert isinstance(model.mean, Instrument)
    if len(design.treatments) != 1:
        raise InputError(
            f"{design.spec_id}: one instrument moves one treatment",
            value=", ".join(design.treatments),
            remedy="give one treatment",
        )
    rest, z = without(design, (model.mean.instrument,), "instrument")
    return Instrumented(rest, z[:, 0], model.mean.instrument)


def without(design: Design, names: tuple[str, ...], what: str) -> tuple[Design, FloatArray]:
    """The design without some covariates, and these, shape (n, q)."""
    if absent := [name for name in names if name not in design.covariates]:
        raise InputError(
            f"{design.spec_id}: the {what} is not among the design's covariates",
            value=absent[0],
            remedy=f"build the design with {what}s among its covariates",
        )
    own = [design.covariates.index(name) for name in names]
    keep = [k for k in range(len(design.covariates)) if k not in own]
    rest = dataclasses.replace(
        design, X=design.X[:, keep], covariates=tuple(design.covariates[k] for k in keep)
    )
    return rest, design.X[:, own]


def mediator_priors(choice: PriorChoice, parts: Mediators) -> list[Priors]:
    """Priors of each mediator's equation; a user's are called ``mediator ~ term``."""
    found = []
    for k, name in enumerate(parts.names):
        own = dataclasses.replace(parts.rest, y=parts.M[:, k])
        terms = (*own.names, *component_terms(own))
        alias = {f"{name} ~ {term}": term for term in terms}
        elsewhere = [term for term, _, _ in choice.terms if term not in alias]
        priors = named_priors(choice, own)
        found.append(with_terms(priors, choice, (), alias=alias, elsewhere=elsewhere))
    return found


def equation_terms(model: Model, design: Design) -> tuple[str, ...]:
    """Terms of a user's priors that other equations than the outcome's have."""
    if isinstance(model.mean, Mediation):
        parts = mediators_of(model, design)
        terms = (*parts.rest.names, *component_terms(parts.rest))
        return tuple(f"{name} ~ {term}" for name in parts.names for term in terms)
    if isinstance(model.mean, Instrument):
        return (f"{design.treatments[0]} ~ {model.mean.instrument}",)
    return ()
