"""Effects of units and of periods, as a tuple to which others can be added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from bayesdid.exceptions import InputError
from bayesdid.study.schema import EffectKind

Over = Literal["unit", "period"]
_LETTER = {"unit": "a[i]", "period": "g[t]"}


@dataclass(frozen=True, slots=True)
class Effect:
    """One level for each unit, or for each period.

    Attributes
    ----------
    over
        ``unit`` or ``period``.
    kind
        ``fixed`` (flat), ``random`` (normal around zero with a scale of its own) or ``mundlak``
        (random, with the regressors' components over the same levels in the mean).
    """

    over: Over
    kind: EffectKind = "fixed"

    def __post_init__(self) -> None:
        if self.over not in get_args(Over) or self.kind not in {"fixed", "random", "mundlak"}:
            raise InputError(
                "unknown effect",
                value=f"{self.over}, {self.kind}",
                remedy="over unit or period; fixed, random or mundlak; leave out what is absent",
            )

    @property
    def symbol(self) -> str:
        """As it stands in the equation."""
        return _LETTER[self.over]

    @property
    def equation(self) -> str:
        """Its prior, as plain text."""
        if self.kind == "fixed":
            return f"{self.symbol} flat, summing to zero"
        extra = f" + components of D and x over the {self.over}" if self.kind == "mundlak" else ""
        return f"{self.symbol} ~ Normal(0, sigma_{self.over}){extra}"


def two_way(unit: EffectKind = "fixed", period: EffectKind = "fixed") -> tuple[Effect, ...]:
    """Unit and period effects; ``none`` leaves one out."""
    pairs: tuple[tuple[Over, EffectKind], ...] = (("unit", unit), ("period", period))
    return tuple(Effect(over, kind) for over, kind in pairs if kind != "none")


def kind_of(effects: tuple[Effect, ...], over: Over) -> EffectKind:
    """The kind of the effects over `over`; ``none`` if there are none."""
    return next((effect.kind for effect in effects if effect.over == over), "none")
