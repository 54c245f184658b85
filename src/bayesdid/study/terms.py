"""The small safe vocabulary of regression terms. Parsed, never evaluated.

====================  ===========================================================
term                  value in a unit-period
====================  ===========================================================
``active:P``          1 from the adoption of policy P on, whatever the others do
``only:P``            1 while P is active and no other policy is
``only:P+Q``          1 while P and Q are active and no other policy is
``both``              1 while both policies of a study of two are active
``both:P+Q``          1 while P and Q are active, whatever the others do
``all``               1 while every policy is active
``any``               1 while at least one policy is active
``order:P>Q``         ``both:P+Q``, in units that adopted P before Q; ``order:P=Q`` in one period,
                      ``order:P>Q>R`` of three, and so on
``first:P``           ``all``, in units that adopted P before every other
``simultaneous``      ``all``, in units that adopted every policy in one period
``NAME``              the panel's numeric column NAME; `` `NAME` `` if it holds more than
                      letters, digits, _ and dots
``log(NAME)`` ...     a column made from one, see :mod:`bayesdid.study.derived`
``centred:NAME``      that column minus its mean over the estimation sample
``active:P@K``        1 in event time K: K periods after the adoption of policy P
``both@K``            the same for the first period in which both are active; ``both:P+Q@K`` and
                      ``all@K`` likewise
``NAME@K``            1 where the column NAME, which holds whole numbers, is K; 0 in units in
                      which it is missing throughout, as an event time is in untreated ones
``...@<=K, ...@>=K``  1 in all event times up to K, or from K on (bins at the ends)
``A * B``             the product of two or more of these
====================  ===========================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from bayesdid.study.derived import COLUMN, NAME, parse_derived, quoted

PolicyKind = Literal["active", "only", "both", "all", "any", "first", "simultaneous", "order"]
Kind = Literal[PolicyKind, "column", "centred"]

_PREFIXED = re.compile(
    rf"^(active|only|first):({NAME})$|^(only|both):({NAME}(?:\+{NAME})+)$"
    rf"|^(order):({NAME}(?:[>=]{NAME})+)$"
)
_EVENT = re.compile(
    rf"^(?!any@|simultaneous@)(?:active:{NAME}|both:{NAME}(?:\+{NAME})+|{COLUMN})@((?:<=|>=)?)(-?\d+)$"
)
_JOINED = re.compile(r"[+>=]")
POLICY_KINDS: frozenset[Kind] = frozenset(get_args(PolicyKind))
STAGGERED: frozenset[Kind] = frozenset({"active", "both", "all"})
"""Kinds of terms that have an event time."""


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of a term: a policy state or a column; `name` is the policy or column.

    `event` restricts ``all``, ``both`` and ``active:P`` to an event time: ``-3``, ``<=-8`` or
    ``>=8``, and a column to one of its values.
    """

    kind: Kind
    name: str = ""
    event: str = ""

    def __str__(self) -> str:
        base = f"{self.kind}:{self.name}" if self.name else self.kind
        if self.kind == "column":
            base = quoted(self.name)
        if self.kind == "centred":
            base = f"centred:{quoted(self.name)}"
        return f"{base}@{self.event}" if self.event else base

    @property
    def policies(self) -> tuple[str, ...]:
        """The policies that it names; none for terms of all policies, and for columns."""
        named = bool(self.name) and self.kind in POLICY_KINDS
        return tuple(_JOINED.split(self.name)) if named else ()

    @property
    def signs(self) -> tuple[str, ...]:
        """Between the policies of an order: ``>`` before, ``=`` in the same period."""
        return tuple(re.findall("[>=]", self.name)) if self.kind == "order" else ()

    @property
    def event_time(self) -> int | None:
        """The event time that `event` names, the end of its bin for a bin."""
        return int(self.event.lstrip("<>=")) if self.event else None


@dataclass(frozen=True, slots=True)
class Term:
    """A product of factors, e.g. ``both * centred:SR``."""

    factors: tuple[Factor, ...]

    def __str__(self) -> str:
        return " * ".join(str(factor) for factor in self.factors)

    @property
    def is_treatment(self) -> bool:
        """Whether any factor depends on the policies."""
        return any(factor.kind in POLICY_KINDS for factor in self.factors)


@lru_cache(maxsize=10_000)  # of a study's few hundred terms, each is asked for by many rules
def parse_term(text: str) -> Term:
    """Read a term of the vocabulary above.

    Raises
    ------
    ValueError
        If `text` is not in the vocabulary; the message lists it.
    """
    return Term(tuple(_factor(part.strip(), text) for part in text.split("*")))


def _factor(part: str, whole: str) -> Factor:
    match part:
        case "both" | "all" | "any" | "simultaneous":
            return Factor(part)
        case _ if _EVENT.match(part):
            base, _, event = part.partition("@")
            inner = _factor(base, whole)
            return Factor(inner.kind, inner.name, event)
        case _ if matched := _PREFIXED.match(part):
            given, name = (text for text in matched.groups() if text)
            return _policy_factor(given, name, whole)
    column = part.removeprefix("centred:")
    try:
        name = str(parse_derived(column))
        if name in POLICY_KINDS:
            raise ValueError(f"'{name}' is a state of policies")
    except ValueError:
        raise ValueError(
            f"'{part}' in '{whole}' is not a term; use active:POLICY, only:POLICY, only:P+Q, both, "
            "both:P+Q, all, any, first:POLICY, simultaneous, order:P>Q, both@K, both:P+Q@K, all@K, "
            "active:POLICY@K, a column name, log(COLUMN), "
            "l(COLUMN, K), f(COLUMN, K), d(COLUMN), winsor(COLUMN, P), "
            "COLUMN@K, centred:COLUMN, or products with *"
        ) from None
    return Factor("column" if column == part else "centred", name)


def _policy_factor(kind: str, name: str, whole: str) -> Factor:
    factor = Factor(kind, name)  # type: ignore[arg-type]
    if twice := [one for one in factor.policies if factor.policies.count(one) > 1]:
        raise ValueError(f"'{factor}' in '{whole}' names {twice[0]} twice")
    if kind == "order":
        return factor
    return Factor(factor.kind, "+".join(factor.policies))
