"""Effects that an analysis states by name, so that a claim about one finds every model of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bayesdid.arrays import FloatArray
from bayesdid.estimands.distribution import Distribution, distribution_of, normal_distribution


@dataclass(frozen=True, slots=True)
class StatedEffect:
    """What one model of an analysis says of one effect.

    Attributes
    ----------
    name
        As a claim names it after the spec: ``both``, ``both * SR``, ``both.indirect``; a
        difference between groups is :func:`between`.
    model
        The model's label.
    assumes
        What it assumes, in a clause.
    found
        Its posterior, or an estimate and its standard error.
    main
        Whether it answers for the analysis.
    constant
        Whether it supposes effects that do not change with the time since adoption.
    source
        ``published`` if it is of printed numbers.
    """

    name: str
    model: str
    assumes: str
    found: Distribution
    main: bool = False
    constant: bool = False
    source: Literal["published", "panel"] = "panel"


def drawn(
    name: str,
    model: str,
    assumes: str,
    draws: FloatArray,
    *,
    main: bool = False,
    constant: bool = False,
    source: Literal["published", "panel"] = "panel",
) -> StatedEffect:
    """From draws, shape (S,)."""
    return StatedEffect(name, model, assumes, distribution_of(draws), main, constant, source)


def estimated(
    name: str, model: str, assumes: str, estimate: float, se: float, *, constant: bool = False
) -> StatedEffect:
    """From an estimate and its standard error."""
    return StatedEffect(name, model, assumes, normal_distribution(estimate, se), False, constant)


def between(term: str, grouping: str, one: str, other: str) -> str:
    """The name of a difference: the effect in `one` group minus that in `other`."""
    return f"{term} | {grouping}: {one} - {other}"
