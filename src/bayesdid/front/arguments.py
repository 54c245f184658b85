"""What functions of a data frame take by name: one list, which help and editors show."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypedDict, cast

from bayesdid.exceptions import nearest_name
from bayesdid.front.policies import CutLike
from bayesdid.front.sample import SampleLike
from bayesdid.model.bound import PriorsLike
from bayesdid.model.errors import Errors
from bayesdid.model.likelihood import Likelihood, LikelihoodName
from bayesdid.study.schema import EffectKind, RowWeightsKind


class OfRows(TypedDict, total=False):
    """Columns and rows of a data frame: see :func:`bayesdid.front.study.study_of`."""

    y: str | None
    unit: str | None
    time: str | None
    cut: CutLike | None
    covariates: Sequence[str]
    effects: str | Sequence[str]
    weights: str | None
    weights_kind: RowWeightsKind
    cluster: str | None
    repeated: bool
    sample: SampleLike | None
    sheet: str | None
    skip: int | None
    missing_marks: Sequence[str]


class OfModel(TypedDict, total=False):
    """Parts of the model: see :func:`bayesdid.model.bound.model`."""

    errors: str | Errors | None
    likelihood: LikelihoodName | Likelihood
    unit_effects: EffectKind | None
    period_effects: EffectKind | None
    priors: PriorsLike | None
    exposure: str | None
    trials: str | None


class OfRun(TypedDict, total=False):
    """Size of the run, and what is kept of it: see :func:`bayesdid.fit`."""

    engine: str
    draws: int
    tune: int
    chains: int
    cores: int
    seed: int
    log_likelihood: bool
    posterior_predictive: bool


class OfFit(OfRows, OfModel, OfRun, total=False):
    """All of a fit of a data frame."""


class Shown(Protocol):
    """A decorator that leaves the type of a function as it is."""

    def __call__[F: Callable[..., object]](self, function: F, /) -> F:
        """The same function, with names."""


def part[T: Mapping[str, object]](given: Mapping[str, object], of: type[T]) -> T:
    """Those of the given arguments that are of one kind."""
    return cast(T, {name: given[name] for name in given if name in of.__annotations__})


def asked(function: Callable[..., object], given: Mapping[str, object]) -> list[str]:
    """Names of the given arguments that say something else than their default does."""
    known = inspect.signature(function).parameters
    return [name for name, value in given.items() if value != known[name].default]


def named(kind: type[Mapping[str, object]], *sources: Callable[..., object]) -> Shown:
    """Write the names of a kind of arguments into a function's signature, with their defaults.

    Parameters
    ----------
    kind
        What the function takes as ``**given: Unpack[kind]``.
    sources
        Functions that these arguments are handed to, whose defaults they have.

    Raises
    ------
    TypeError
        By the function, for a name that it does not take, with the one that may be meant.
    """
    held = [inspect.signature(source).parameters for source in sources]
    more = []
    for name in kind.__annotations__:
        found = next(parameters[name] for parameters in held if name in parameters)
        more.append(found.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    def decorate[F: Callable[..., object]](function: F, /) -> F:
        signature = inspect.signature(function)
        own = [one for one in signature.parameters.values() if one.kind != one.VAR_KEYWORD]
        shown = signature.replace(parameters=[*own, *more])

        @functools.wraps(function)
        def call(*args: object, **given: object) -> object:
            for name in given:
                if name not in shown.parameters:
                    near = nearest_name(name, shown.parameters)
                    hint = f". Did you mean '{near}'?" if near else ""
                    called = f"{function.__name__}() got an unexpected keyword argument '{name}'"
                    raise TypeError(called + hint)
            return function(*args, **given)

        call.__signature__ = shown  # type: ignore[attr-defined]
        return cast(F, call)

    return decorate
